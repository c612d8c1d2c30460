#!/bin/sh
# `./bulkhead test --fresh`: all tests where nothing but Debian 12, git and a shell is: the last commit is cloned into a
# fresh debootstrap under build/, tested there, and tested once more without a network. Needs root; installs debootstrap.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
root=$top/build/fresh

# In a mount namespace of its own: what is mounted below disappears with it.
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo 'fresh.sh: this needs root' >&2; exit 1; }
    command -v debootstrap >/dev/null || apt-get -qq -y --no-install-recommends install debootstrap >/dev/null
    exec unshare --mount --pid --fork "$0" inside
fi

# The mirror is the machine's own.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
rm -rf "$root"
debootstrap --variant=minbase --include=git bookworm "$root" "${mirror:-http://deb.debian.org/debian}"
git clone -q "file://$top" "$root/bulkhead"

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

tested() {
    "$@" chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        sh -c 'cd /bulkhead && git log -1 --oneline && exec ./bulkhead test' </dev/null
}
echo '== first run'
tested env
echo '== second run, without a network'
tested unshare --net
