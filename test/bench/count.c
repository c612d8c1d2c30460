// A QEMU plugin that counts how often each instruction is executed between two addresses: test/bench/instructions.py.
// Only the few functions of QEMU's plugin interface that it needs are declared here, since distributions ship no header.
//
// -plugin count.so,begin=ADDRESS,end=ADDRESS,out=FILE (addresses in hexadecimal). FILE: lines of `address count word`,
// where word is the instruction: programs in different address spaces have different ones at the same address.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

// Its beginning.
struct qemu_info_t {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
};

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*cb)(unsigned, void *), int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *),
                                    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

// Returned a pointer to the bytes before it came to copy them.
#define COPIES_BYTES 3 // version of the interface
uintptr_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *bytes, size_t size);

extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_VERSION;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

#define BUCKETS 4096u

struct count {
    uint64_t address;
    uint32_t word;
    uint64_t times;
    struct count *next;
};

static struct {
    uint64_t begin;
    uint64_t end;
    char out[4096];
    bool counting;
    bool copies_bytes;
    struct count *buckets[BUCKETS];
} state;

static uint32_t word_of(const struct qemu_plugin_insn *insn)
{
    uint32_t word = 0;
    uintptr_t bytes = qemu_plugin_insn_data(insn, &word, sizeof(word));
    if (!state.copies_bytes) {
        memcpy(&word, (const void *)bytes, sizeof(word));
    }
    return word;
}

static struct count *count_of(uint64_t address, uint32_t word)
{
    struct count **at = &state.buckets[address / 4 % BUCKETS];
    while (*at != NULL && ((*at)->address != address || (*at)->word != word)) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at == NULL) {
            abort();
        }
        (*at)->address = address;
        (*at)->word = word;
    }
    return *at;
}

static void executed(unsigned cpu, void *data)
{
    struct count *c = data;
    (void)cpu;
    if (c->address == state.begin || c->address == state.end) {
        state.counting = c->address == state.begin;
    }
    c->times += state.counting;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_insn_exec_cb(
            insn, executed, 0, count_of(qemu_plugin_insn_vaddr(insn), word_of(insn)));
    }
}

static void finished(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    FILE *f = fopen(state.out, "w");
    for (unsigned i = 0; f != NULL && i < BUCKETS; i++) {
        for (const struct count *c = state.buckets[i]; c != NULL; c = c->next) {
            if (c->times != 0) {
                fprintf(f, "%" PRIx64 " %" PRIu64 " %08" PRIx32 "\n", c->address, c->times,
                        c->word);
            }
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    state.copies_bytes = info->version.cur >= COPIES_BYTES;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "begin=", 6) == 0) {
            state.begin = strtoull(argv[i] + 6, NULL, 16);
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            state.end = strtoull(argv[i] + 4, NULL, 16);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            snprintf(state.out, sizeof(state.out), "%s", argv[i] + 4);
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
