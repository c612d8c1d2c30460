// Any bytes as a program: read, and if it is taken for one, looked at and written to as building does.
// sources: tool/arena.c tool/names.c tool/program.c
#include <assert.h>
#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "tool/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sum(const uint8_t *bytes, uint64_t size)
{
    unsigned s = 0;
    for (uint64_t i = 0; i < size; i++) {
        s += bytes[i];
    }
    return s;
}

// What building relies on.
static void look_at_segments(const struct program *p)
{
    assert(p->segment_count > 0);
    uint64_t end = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct segment *s = &p->segments[i];
        assert(s->vaddr >= end && is_aligned(s->vaddr, PAGE_SIZE));
        assert(s->file_size <= s->memory_size && s->memory_size > 0);
        assert(!(s->perms & MAP_WRITE) || !(s->perms & MAP_EXECUTE));
        assert((s->perms & MAP_WRITE) || s->file_size == s->memory_size);
        end = s->vaddr + s->memory_size;
        assert(end <= PROCESS_STACK_TOP);
        sum(s->bytes, s->file_size);
    }
}

static void write_variables(struct arena *a, const struct program *p)
{
    static const char *const names[] = {"microkit_name", "x", "main", "_start"};
    struct program *copy = program_copy(a, p);
    const uint64_t value = 0x0123456789abcdef;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct symbol *s = program_symbol(p, names[i]);
        if (s != NULL && program_is_variable(p, s->address, sizeof(value))) {
            program_write(a, copy, s->address, &value, sizeof(value));
        }
    }
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct segment *s = &copy->segments[i];
        uint64_t last = s->vaddr + s->memory_size - 1;
        uint8_t one = 1;
        if (s->memory_size < 0x100000 && program_write(a, copy, last, &one, 1)) {
            assert(s->bytes[s->file_size - 1] == 1);
        }
    }
    look_at_segments(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    struct program program;
    struct file file = {
        .path = "fuzz", .bytes = (uint8_t *)arena_copy(&a, data, size), .size = size};
    const char *wrong = program_read(&a, &file, &program);
    if (wrong == NULL) {
        look_at_segments(&program);
        write_variables(&a, &program);
    } else {
        assert(strstr(wrong, ", ") != NULL);
    }
    arena_free(&a);
    return 0;
}
