// See fdt_write.h. Property names are not looked up among those already there: the tree gets a little longer, and is
// made in a fraction of the time.
#include "fdt_write.h"

#include <libfdt.h>

#include <base/format.h>

#define NAME_SIZE  48u
#define SPI_FIRST  32u // INTID of SPI 0
#define CELL_SPI   0u
#define CELL_LEVEL 4u // active high

// Every step goes through here.
static void note(struct fdt_writer *w, int result)
{
    if (w->error == 0 && result < 0) {
        w->error = result;
    }
}

void fdt_write_start(struct fdt_writer *w, void *buffer, size_t size)
{
    w->fdt = buffer;
    w->error = 0;
    note(w, fdt_create_with_flags(buffer, (int)size, FDT_CREATE_FLAG_NO_NAME_DEDUP));
    note(w, fdt_finish_reservemap(buffer));
    fdt_write_begin(w, "");
}

void fdt_write_finish(struct fdt_writer *w)
{
    fdt_write_end(w);
    if (w->error == 0) {
        note(w, fdt_finish(w->fdt));
    }
}

void fdt_write_begin(struct fdt_writer *w, const char *name)
{
    if (w->error == 0) {
        note(w, fdt_begin_node(w->fdt, name));
    }
}

void fdt_write_begin_at(struct fdt_writer *w, const char *name, uint64_t address)
{
    char full[NAME_SIZE];
    format(full, sizeof(full), "%s@%lx", name, (unsigned long)address);
    fdt_write_begin(w, full);
}

void fdt_write_end(struct fdt_writer *w)
{
    if (w->error == 0) {
        note(w, fdt_end_node(w->fdt));
    }
}

static void write_bytes(struct fdt_writer *w, const char *name, const void *bytes, size_t size)
{
    if (w->error == 0) {
        note(w, fdt_property(w->fdt, name, bytes, (int)size));
    }
}

// Room for a property's value, NULL if there is none.
static void *write_room(struct fdt_writer *w, const char *name, size_t size)
{
    void *room = NULL;
    if (w->error == 0) {
        note(w, fdt_property_placeholder(w->fdt, name, (int)size, &room));
    }
    return w->error == 0 ? room : NULL;
}

void fdt_write_flag(struct fdt_writer *w, const char *name)
{
    write_bytes(w, name, NULL, 0);
}

void fdt_write_cell(struct fdt_writer *w, const char *name, uint32_t cell)
{
    fdt_write_cells(w, name, &cell, 1);
}

void fdt_write_cells(struct fdt_writer *w, const char *name, const uint32_t *cells, unsigned count)
{
    fdt32_t *room = write_room(w, name, count * sizeof(*room));
    for (unsigned i = 0; room != NULL && i < count; i++) {
        room[i] = cpu_to_fdt32(cells[i]);
    }
}

void fdt_write_u64(struct fdt_writer *w, const char *name, uint64_t value)
{
    fdt_write_cells(w, name, (uint32_t[]){(uint32_t)(value >> 32), (uint32_t)value}, 2);
}

void fdt_write_string(struct fdt_writer *w, const char *name, const char *text)
{
    write_bytes(w, name, text, strlen(text) + 1);
}

void fdt_write_strings(struct fdt_writer *w, const char *name, const char *const *texts,
                       unsigned count)
{
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        size += strlen(texts[i]) + 1;
    }
    char *room = write_room(w, name, size);
    for (unsigned i = 0; room != NULL && i < count; i++) {
        size_t length = strlen(texts[i]) + 1;
        memcpy(room, texts[i], length);
        room += length;
    }
}

// A number in so many cells. False: it needs more.
static bool put_number(fdt32_t **at, unsigned cells, uint64_t value)
{
    if (cells == 0 || cells > 2 || (cells == 1 && value >> 32 != 0)) {
        return false;
    }
    if (cells == 2) {
        *(*at)++ = cpu_to_fdt32((uint32_t)(value >> 32));
    }
    *(*at)++ = cpu_to_fdt32((uint32_t)value);
    return true;
}

void fdt_write_reg(struct fdt_writer *w, const struct range *ranges, unsigned count)
{
    size_t cells = count * (w->address_cells + w->size_cells);
    fdt32_t *at = write_room(w, "reg", cells * sizeof(*at));
    for (unsigned i = 0; at != NULL && i < count; i++) {
        if (!put_number(&at, w->address_cells, ranges[i].base) ||
            !put_number(&at, w->size_cells, ranges[i].size)) {
            note(w, -FDT_ERR_BADNCELLS);
            return;
        }
    }
}

void fdt_write_interrupt(struct fdt_writer *w, uint32_t intid)
{
    fdt_write_cell(w, "interrupt-parent", w->interrupts);
    fdt_write_cells(w, "interrupts", (uint32_t[]){CELL_SPI, intid - SPI_FIRST, CELL_LEVEL}, 3);
}
