// See unpack.h. The zboot header is Linux's (drivers/firmware/efi/libstub/zboot-header.S), the Image header is in
// Documentation/arch/arm64/booting.rst. Every offset and size of the file is checked before it is used.
#include "unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <base/bits.h>
#include <base/range.h>

#define FIRST_ROOM     0x1000000u
#define LAYERS_MOST    3u       // packed kernels in packed kernels
#define RAW_OFFSET     0x80000u // where a kernel without a header goes
#define ZBOOT_TYPE     24
#define ZBOOT_TYPE_MAX 32u
#define ZBOOT_HEADER   (ZBOOT_TYPE + ZBOOT_TYPE_MAX)
#define IMAGE_HEADER   64u

static uint64_t le(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static bool has(const struct file *f, size_t offset, const char *bytes, size_t size)
{
    return range_contains((struct range){0, f->size}, offset, size) &&
           memcmp(f->bytes + offset, bytes, size) == 0;
}
#define HAS(file, offset, bytes) has(file, offset, bytes, sizeof(bytes) - 1)

// What comes out, in a buffer that doubles.

struct out {
    uint8_t *bytes; // malloc
    size_t size;
    size_t room;
    size_t most;
};

// Is there room for more? Up to one byte beyond `most`, by which one sees that it is too much.
static bool reserve(struct out *o)
{
    if (o->size < o->room) {
        return true;
    }
    size_t room = o->room == 0 ? FIRST_ROOM : 2 * o->room;
    room = room > o->most + 1 ? o->most + 1 : room;
    uint8_t *larger = o->size > o->most ? NULL : realloc(o->bytes, room);
    if (larger == NULL) {
        return false;
    }
    o->bytes = larger;
    o->room = room;
    return true;
}

// Unpackers fill `out` and say whether they came to the end of what was packed.
typedef bool unpack_fn(const struct file *in, struct out *out);

static bool unpack_gzip(const struct file *in, struct out *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in->bytes, .avail_in = (uInt)in->size};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        return false;
    }
    int result = Z_OK;
    while (result == Z_OK && reserve(out)) {
        z.next_out = out->bytes + out->size;
        z.avail_out = (uInt)(out->room - out->size);
        result = inflate(&z, Z_NO_FLUSH);
        out->size = out->room - z.avail_out;
    }
    inflateEnd(&z);
    return result == Z_STREAM_END;
}

static bool unpack_zstd(const struct file *in, struct out *out)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer from = {in->bytes, in->size, 0};
    size_t more = 1; // 0: the end
    bool moves = true;
    while (z != NULL && more != 0 && !ZSTD_isError(more) && moves && reserve(out)) {
        ZSTD_outBuffer to = {out->bytes, out->room, out->size};
        size_t before = from.pos;
        more = ZSTD_decompressStream(z, &to, &from);
        moves = from.pos != before || to.pos != out->size;
        out->size = to.pos;
    }
    ZSTD_freeDStream(z);
    return more == 0;
}

struct packing {
    const char *name;
    unpack_fn *unpack;
};

static const struct packing packing_gzip = {"gzip", unpack_gzip};
static const struct packing packing_zstd = {"zstd", unpack_zstd};

static const char *unpack_with(struct arena *a, const struct packing *packing,
                               const struct file *in, size_t most, struct file *to)
{
    struct out out = {.most = most};
    const char *wrong = NULL;
    bool whole = packing->unpack(in, &out);
    if (out.size > most) {
        wrong =
            arena_format(a, "unpacks to more than 0x%zx bytes, give the guest more memory", most);
    } else if (!whole) {
        wrong = arena_format(a, "is packed with %s and damaged, fetch it again", packing->name);
    } else {
        to->bytes = (uint8_t *)arena_copy(a, out.bytes, out.size);
        to->size = out.size;
    }
    free(out.bytes);
    return wrong;
}

// EFI zboot: "MZ", "zimg", offset and size of the payload, and how that is packed.

static bool is_zboot(const struct file *f)
{
    return f->size >= ZBOOT_HEADER && HAS(f, 0, "MZ") && HAS(f, 4, "zimg");
}

static const char *unpack_zboot(struct arena *a, struct file *f, size_t most)
{
    uint64_t offset = le(f->bytes + 8, 4);
    uint64_t size = le(f->bytes + 12, 4);
    const char *type = (const char *)f->bytes + ZBOOT_TYPE;
    if (!range_contains((struct range){0, f->size}, offset, size)) {
        return "is an EFI zboot kernel and damaged, fetch it again";
    }
    struct file payload = {.path = f->path, .bytes = f->bytes + offset, .size = size};
    if (strncmp(type, "gzip", 4) == 0) {
        return unpack_with(a, &packing_gzip, &payload, most, f);
    }
    if (strncmp(type, "zstd", 4) == 0) {
        return unpack_with(a, &packing_zstd, &payload, most, f);
    }
    return arena_format(a, "is an EFI zboot kernel packed with '%.*s', use gzip or zstd",
                        (int)strnlen(type, 8), type);
}

// What is no kernel for a guest, however one looks at it.

static const char *refuse_packed(const struct file *f)
{
    static const struct {
        const char *bytes;
        const char *refusal;
    } others[] = {
        {"\xfd"
         "7zXZ",
         "is packed with xz, unpack it first: unxz"},
        {"BZh", "is packed with bzip2, unpack it first: bunzip2"},
        {"\x02\x21\x4c\x18", "is packed with lz4, unpack it first: unlz4"},
        {"\x04\x22\x4d\x18", "is packed with lz4, unpack it first: unlz4"},
        {"\x7f"
         "ELF",
         "is an ELF file, name the Image or make it raw: objcopy -O binary"},
        {"\x27\x05\x19\x56", "is wrapped for U-Boot, name the Image in it"},
        {"\xd0\x0d\xfe\xed", "is a device tree, name a kernel"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (has(f, 0, others[i].bytes, strlen(others[i].bytes))) {
            return others[i].refusal;
        }
    }
    return NULL;
}

static bool is_image(const struct file *f)
{
    return f->size >= IMAGE_HEADER && HAS(f, 56, "ARM\x64");
}

static const char *refuse_foreign(const struct file *f)
{
    if (HAS(f, 0x202, "HdrS")) {
        return "is a kernel for x86, name one for 64-bit Arm";
    }
    if (HAS(f, 0x24, "\x18\x28\x6f\x01")) {
        return "is a kernel for 32-bit Arm, name one for 64-bit Arm";
    }
    if (HAS(f, 0x30, "RISCV") || HAS(f, 0x38, "RSC\x05")) {
        return "is a kernel for RISC-V, name one for 64-bit Arm";
    }
    return f->size == 0 ? "is empty, name a kernel" : refuse_packed(f);
}

const char *unpack_kernel(struct arena *a, struct file *file, size_t most)
{
    struct file f = *file;
    for (unsigned layer = 0; layer < LAYERS_MOST; layer++) {
        const char *wrong = NULL;
        if (HAS(&f, 0, "\x1f\x8b")) {
            wrong = unpack_with(a, &packing_gzip, &f, most, &f);
        } else if (HAS(&f, 0, "\x28\xb5\x2f\xfd")) {
            wrong = unpack_with(a, &packing_zstd, &f, most, &f);
        } else if (is_zboot(&f)) {
            wrong = unpack_zboot(a, &f, most);
        } else {
            wrong = is_image(&f) ? NULL : refuse_foreign(&f);
            *file = wrong == NULL ? f : *file;
            return wrong;
        }
        if (wrong != NULL) {
            return wrong;
        }
    }
    return "is packed more than twice, unpack it first";
}

uint64_t unpack_memory(const struct file *kernel)
{
    uint64_t offset = RAW_OFFSET;
    uint64_t size = kernel->size;
    if (is_image(kernel) && le(kernel->bytes + 16, 8) != 0) {
        offset = le(kernel->bytes + 8, 8);
        size = le(kernel->bytes + 16, 8);
        size = size < kernel->size ? kernel->size : size;
    }
    return offset > UINT64_MAX - size ? UINT64_MAX : offset + size;
}
