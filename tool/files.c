// See files.h.
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SIZE 65536u

static struct file fail(const char *path, const char *why)
{
    return (struct file){.path = path, .why = why};
}

// Reads to the end, or one byte beyond `size_max`. The buffer doubles, so that pipes can be read, too.
static uint8_t *read_all(int fd, size_t size_max, size_t *size)
{
    size_t room = FIRST_SIZE;
    uint8_t *bytes = malloc(room);
    *size = 0;
    while (bytes != NULL && *size <= size_max) {
        ssize_t got = read(fd, bytes + *size, room - *size);
        if (got <= 0) {
            if (got == 0) {
                return bytes;
            }
            break;
        }
        *size += (size_t)got;
        if (*size == room) {
            room *= 2;
            uint8_t *larger = realloc(bytes, room);
            if (larger == NULL) {
                break;
            }
            bytes = larger;
        }
    }
    free(bytes);
    return NULL;
}

struct file file_read(struct arena *a, const char *path, size_t size_max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(path, strerror(errno));
    }
    size_t size = 0;
    errno = 0;
    uint8_t *bytes = read_all(fd, size_max, &size);
    int error = errno;
    close(fd);
    if (bytes == NULL) {
        return fail(path, error != 0 ? strerror(error) : "it is too large");
    }
    struct file file = {.path = path, .bytes = (uint8_t *)arena_copy(a, bytes, size), .size = size};
    free(bytes);
    return file;
}

static bool write_all(const char *path, const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        return false;
    }
    bool good = fwrite(bytes, 1, size, out) == size;
    return fclose(out) == 0 && good;
}

const char *file_write(struct arena *a, const char *path, const void *bytes, size_t size)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return write_all(path, bytes, size) ? NULL : strerror(errno); // /dev/stdout and the like
    }
    const char *temporary = arena_format(a, "%s.%ld.tmp", path, (long)getpid());
    if (write_all(temporary, bytes, size) && rename(temporary, path) == 0) {
        return NULL;
    }
    const char *why = strerror(errno);
    unlink(temporary);
    return why;
}

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

// Names.

const char *file_folder(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return ".";
    }
    return slash == path ? "/" : arena_copy(a, path, (size_t)(slash - path));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

// Where the suffix of `path` starts: its end if it has none.
static const char *suffix(const char *path)
{
    const char *name = last_part(path);
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? name + strlen(name) : dot;
}

const char *file_with_suffix(struct arena *a, const char *path, const char *new_suffix)
{
    return arena_format(a, "%.*s%s", (int)(suffix(path) - path), path, new_suffix);
}

const char *file_stem(struct arena *a, const char *path)
{
    const char *name = last_part(path);
    return arena_copy(a, name, (size_t)(suffix(path) - name));
}

const char *search_find(struct arena *a, const struct search *s, const char *name)
{
    if (*name == '/') {
        return file_exists(name) ? name : NULL;
    }
    for (size_t i = 0; i < s->count; i++) {
        const char *path = arena_format(a, "%s/%s", s->folders[i], name);
        if (file_exists(path)) {
            return path;
        }
    }
    return NULL;
}
