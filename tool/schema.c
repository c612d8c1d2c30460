// See schema.h. Read from the bottom: <system> and what may stand in it.
#include "schema.h"

#include <abi/process.h>
#include <abi/syscall.h>
#include <abi/vm.h>

#include "guest.h"

#define ID_MOST       (CHANNEL_MAX - 1)
#define STACK_LEAST   0x1000u
#define STACK_MOST    0x1000000u
#define TIME_MOST     3600000000u // microseconds: an hour
#define SIZE_MOST     0x1000000000000u
#define RESTARTS_MOST 1000000u
#define WINDOW_MOST   86400u // seconds: a day
#define ANY           UINT64_MAX
#define X86_ONLY      "is for x86 only, remove it"

static const char *refuse_x86(const struct xml *x)
{
    (void)x;
    return X86_ONLY;
}

static const char *refuse_domains(const struct xml *x)
{
    (void)x;
    return "is not supported yet, remove it and every domain attribute";
}

static const char *refuse_yet(const struct xml *x)
{
    (void)x;
    return "is not supported yet, remove it";
}

// A virtual machine with a kernel is the short form.
static const char *refuse_root_vm(const struct xml *x)
{
    return xml_child(x, "kernel") != NULL
               ? NULL
               : "must be the child of a <protection_domain>, move it into the one of its VMM or "
                 "give it a <kernel>";
}

static const struct attribute_rule no_attributes[] = {{0}};

#define AT(type, field) .offset = offsetof(struct type, field)

static const struct attribute_rule image_attributes[] = {
    {"path", VALUE_TEXT, true, AT(image, path)},
    {"path_for_symbols", VALUE_TEXT, false, AT(image, path_for_symbols)},
    {0},
};
static const struct element_rule image_rule = {"program_image", KIND_IMAGE, sizeof(struct image),
                                               .attributes = image_attributes};

static const struct attribute_rule map_attributes[] = {
    {"mr", VALUE_TEXT, true, AT(map, mr)},
    {"vaddr", VALUE_NUMBER, true, AT(map, vaddr), .most = ANY},
    {"perms", VALUE_PERMS, false, AT(map, perms), .otherwise = MAP_READ | MAP_WRITE},
    {"cached", VALUE_BOOL, false, AT(map, cached), .otherwise = true},
    {"setvar_vaddr", VALUE_TEXT, false, AT(map, setvar_vaddr)},
    {"setvar_size", VALUE_TEXT, false, AT(map, setvar_size)},
    {"setvar_prefill_size", VALUE_TEXT, false, AT(map, setvar_prefill_size)},
    {0},
};
static const struct element_rule map_rule = {"map", KIND_MAP, sizeof(struct map),
                                             .attributes = map_attributes};

static const struct attribute_rule vm_map_attributes[] = {
    {"mr", VALUE_TEXT, true, AT(map, mr)},
    {"vaddr", VALUE_NUMBER, true, AT(map, vaddr), .most = ANY},
    {"perms", VALUE_PERMS, false, AT(map, perms), .otherwise = MAP_READ | MAP_WRITE},
    {"cached", VALUE_BOOL, false, AT(map, cached), .otherwise = true},
    {0},
};
static const struct element_rule vm_map_rule = {"map", KIND_MAP, sizeof(struct map),
                                                .attributes = vm_map_attributes};

// INTIDs below 32 are private to a core, and the kernel's; 1020 and up are special.
static const struct attribute_rule irq_attributes[] = {
    {"irq", VALUE_DECIMAL, false, AT(irq, number), .least = 32, .most = 1019},
    {"id", VALUE_DECIMAL, true, AT(irq, id), .most = ID_MOST, .otherwise = ID_NONE},
    {"trigger", VALUE_TRIGGER, false, AT(irq, trigger)},
    {"device", VALUE_TEXT, false, AT(irq, device)},
    {"index", VALUE_DECIMAL, false, AT(irq, index), .most = 255},
    {"setvar_id", VALUE_TEXT, false, AT(irq, setvar_id)},
    {"pin", VALUE_REFUSED, .refusal = X86_ONLY},
    {"vector", VALUE_REFUSED, .refusal = X86_ONLY},
    {"ioapic", VALUE_REFUSED, .refusal = X86_ONLY},
    {"polarity", VALUE_REFUSED, .refusal = X86_ONLY},
    {"pcidev", VALUE_REFUSED, .refusal = X86_ONLY},
    {"handle", VALUE_REFUSED, .refusal = X86_ONLY},
    {0},
};
static const struct element_rule irq_rule = {"irq", KIND_IRQ, sizeof(struct irq),
                                             .attributes = irq_attributes};

static const struct attribute_rule setvar_attributes[] = {
    {"symbol", VALUE_TEXT, true, AT(setvar, symbol)},
    {"region_paddr", VALUE_TEXT, true, AT(setvar, region_paddr)},
    {0},
};
static const struct element_rule setvar_rule = {"setvar", KIND_SETVAR, sizeof(struct setvar),
                                                .attributes = setvar_attributes};

static const struct attribute_rule share_attributes[] = {
    {"slot", VALUE_NUMBER, true, AT(share, slot), .least = 1, .most = USER_SLOT_MAX - 1},
    {"pd", VALUE_TEXT, true, AT(share, pd)},
    {0},
};
static const struct element_rule cap_tcb_rule = {"cap_tcb", KIND_SHARE, sizeof(struct share),
                                                 .attributes = share_attributes};
static const struct element_rule cap_sc_rule = {"cap_sc", KIND_SHARE, sizeof(struct share),
                                                .attributes = share_attributes};
static const struct element_rule cap_vspace_rule = {"cap_vspace", KIND_SHARE, sizeof(struct share),
                                                    .attributes = share_attributes};

static const struct child_rule cspace_children[] = {
    {&cap_tcb_rule, 0, 0},
    {&cap_sc_rule, 0, 0},
    {&cap_vspace_rule, 0, 0},
    {0},
};
static const struct element_rule cspace_rule = {"cspace", KIND_CSPACE, sizeof(struct node),
                                                no_attributes, .children = cspace_children};

static const struct element_rule ioport_rule = {
    "ioport", KIND_NONE, 0, no_attributes, .refusal = refuse_x86, .closed = true};

static const struct attribute_rule vcpu_attributes[] = {
    {"id", VALUE_DECIMAL, true, AT(vcpu, id), .most = ID_MOST, .otherwise = ID_NONE},
    {"cpu", VALUE_NUMBER, false, AT(vcpu, cpu), .most = ANY, .otherwise = CPU_OF_PROCESS},
    {"setvar_id", VALUE_TEXT, false, AT(vcpu, setvar_id)},
    {0},
};
static const struct element_rule vcpu_rule = {"vcpu", KIND_VCPU, sizeof(struct vcpu),
                                              .attributes = vcpu_attributes};

static const struct element_rule cmdline_rule = {
    "cmdline", KIND_CMDLINE, sizeof(struct text_element), no_attributes, .text = true};

#define POLICIES "restart stop shutdown" // in the order of enum vm_policy
#define TRACES   "none exits"            // in the order of enum vm_flags

static const struct attribute_rule vm_attributes[] = {
    {"name", VALUE_NAME, true, AT(vm, name)},
    {"priority", VALUE_NUMBER, false, AT(vm, priority), .most = PRIORITY_MAX},
    {"budget", VALUE_NUMBER, false, AT(vm, budget), .least = 1, TIME_MOST, 1000},
    {"period", VALUE_NUMBER, false, AT(vm, period), .least = 1, TIME_MOST, PERIOD_OF_BUDGET},
    {"id", VALUE_DECIMAL, false, AT(vm, id), .most = ID_MOST, .otherwise = ID_NONE},
    {"ram", VALUE_TEXT, false, AT(vm, ram.mr)},
    {"kernel", VALUE_TEXT, false, AT(vm, kernel.mr)},
    {"initrd", VALUE_TEXT, false, AT(vm, initrd.mr)},
    {"dtb", VALUE_TEXT, false, AT(vm, dtb.mr)},
    {"console", VALUE_DECIMAL, false, AT(vm, console), .most = ID_MOST, .otherwise = ID_NONE},
    {"on_reset", VALUE_CHOICE, false, AT(vm, on_reset), .words = POLICIES},
    {"on_poweroff", VALUE_CHOICE, false, AT(vm, on_poweroff), 0, 0, VM_STOP, .words = POLICIES},
    {"on_crash", VALUE_CHOICE, false, AT(vm, on_crash), 0, 0, VM_STOP, .words = POLICIES},
    {"restarts", VALUE_NUMBER, false, AT(vm, restarts), 0, RESTARTS_MOST, 5},
    {"window", VALUE_NUMBER, false, AT(vm, window), 1, WINDOW_MOST, 60},
    {"trace", VALUE_CHOICE, false, AT(vm, trace), .words = TRACES},
    {0},
};
static const struct child_rule vm_children[] = {
    {&vcpu_rule, 0, VCPU_MAX},
    {&vm_map_rule, 0, 0},
    {&cmdline_rule, 0, 1},
    {0},
};
static const struct element_rule vm_rule = {"virtual_machine", KIND_VM, sizeof(struct vm),
                                            vm_attributes, .children = vm_children};

// The short form, at the root.
static const struct attribute_rule guest_attributes[] = {
    {"name", VALUE_NAME, true, AT(guest, name)},
    {"cpus", VALUE_NUMBER, false, AT(guest, cpus), 1, VCPU_MAX, 1},
    {"memory", VALUE_SIZE, false, AT(guest, memory), LARGE_PAGE_SIZE, GUEST_MEMORY_MOST,
     GUEST_MEMORY_DEFAULT},
    {"priority", VALUE_NUMBER, false, AT(guest, priority), 0, GUEST_PRIORITY_MOST,
     GUEST_PRIORITY_DEFAULT},
    {"budget", VALUE_NUMBER, false, AT(guest, budget), .least = 1, TIME_MOST, 1000},
    {"period", VALUE_NUMBER, false, AT(guest, period), .least = 1, TIME_MOST, PERIOD_OF_BUDGET},
    {"cpu", VALUE_NUMBER, false, AT(guest, cpu), .most = ANY},
    {"gic", VALUE_REFUSED, .refusal = "is always the machine's, remove it"},
    {"on_reset", VALUE_CHOICE, false, AT(guest, on_reset), .words = POLICIES},
    {"on_poweroff", VALUE_CHOICE, false, AT(guest, on_poweroff), 0, 0, VM_STOP, .words = POLICIES},
    {"on_crash", VALUE_CHOICE, false, AT(guest, on_crash), 0, 0, VM_STOP, .words = POLICIES},
    {"restarts", VALUE_NUMBER, false, AT(guest, restarts), 0, RESTARTS_MOST, 5},
    {"window", VALUE_NUMBER, false, AT(guest, window), 1, WINDOW_MOST, 60},
    {"trace", VALUE_CHOICE, false, AT(guest, trace), .words = TRACES},
    {0},
};
static const struct attribute_rule guest_file_attributes[] = {
    {"path", VALUE_TEXT, true, AT(guest_file, path)},
    {0},
};
static const struct element_rule kernel_rule = {"kernel", KIND_GUEST_FILE,
                                                sizeof(struct guest_file), guest_file_attributes};
static const struct element_rule initrd_rule = {"initrd", KIND_GUEST_FILE,
                                                sizeof(struct guest_file), guest_file_attributes};
static const struct element_rule dtb_rule = {"dtb", KIND_GUEST_FILE, sizeof(struct guest_file),
                                             guest_file_attributes};
static const struct element_rule console_rule = {"console", KIND_NONE, sizeof(struct node),
                                                 no_attributes};
static const struct element_rule disk_rule = {
    "disk", KIND_NONE, 0, no_attributes, .refusal = refuse_yet, .closed = true};
static const struct element_rule net_rule = {
    "net", KIND_NONE, 0, no_attributes, .refusal = refuse_yet, .closed = true};
static const struct child_rule guest_children[] = {
    {&kernel_rule, 1, 1},  {&initrd_rule, 0, 1}, {&dtb_rule, 0, 1}, {&cmdline_rule, 0, 1},
    {&console_rule, 0, 1}, {&disk_rule, 0, 0},   {&net_rule, 0, 0}, {0},
};
static const struct element_rule root_vm_rule = {"virtual_machine",
                                                 KIND_GUEST,
                                                 sizeof(struct guest),
                                                 guest_attributes,
                                                 .children = guest_children,
                                                 .refusal = refuse_root_vm,
                                                 .closed = true};

static const struct attribute_rule process_attributes[] = {
    {"name", VALUE_NAME, true, AT(process, name)},
    {"priority", VALUE_NUMBER, false, AT(process, priority), .most = PRIORITY_MAX},
    {"budget", VALUE_NUMBER, false, AT(process, budget), .least = 1, TIME_MOST, 1000},
    {"period", VALUE_NUMBER, false, AT(process, period), .least = 1, TIME_MOST, PERIOD_OF_BUDGET},
    {"passive", VALUE_BOOL, false, AT(process, passive)},
    {"stack_size", VALUE_NUMBER, false, AT(process, stack_size), STACK_LEAST, STACK_MOST, 0x2000},
    {"cpu", VALUE_NUMBER, false, AT(process, cpu), .most = ANY},
    {"smc", VALUE_BOOL, false, AT(process, smc)},
    {"fpu", VALUE_BOOL, false, AT(process, fpu), .otherwise = true},
    {"power", VALUE_BOOL, false, AT(process, power)},
    {"domain", VALUE_TEXT, false, AT(process, domain)},
    {"id", VALUE_NUMBER, false, AT(process, id), .most = ID_MOST, .otherwise = ID_NONE},
    {"setvar_id", VALUE_TEXT, false, AT(process, setvar_id)},
    {0},
};
static const struct element_rule process_rule;
static const struct child_rule process_children[] = {
    {&image_rule, 1, 1},  {&map_rule, 0, 0},     {&irq_rule, 0, 0},
    {&setvar_rule, 0, 0}, {&process_rule, 0, 0}, {&vm_rule, 0, 1},
    {&cspace_rule, 0, 1}, {&ioport_rule, 0, 0},  {0},
};
static const struct element_rule process_rule = {"protection_domain", KIND_PROCESS,
                                                 sizeof(struct process), process_attributes,
                                                 .children = process_children};

static const struct attribute_rule region_attributes[] = {
    {"name", VALUE_NAME, true, AT(region, name)},
    {"size", VALUE_NUMBER, false, AT(region, size), .least = 1, .most = SIZE_MOST},
    {"page_size", VALUE_NUMBER, false, AT(region, page_size), PAGE_SIZE, LARGE_PAGE_SIZE, 0},
    {"phys_addr", VALUE_NUMBER, false, AT(region, paddr), .most = SIZE_MOST, .otherwise = ANY},
    {"prefill_path", VALUE_TEXT, false, AT(region, prefill_path)},
    {"prefill_bootinfo", VALUE_REFUSED, .refusal = "is not supported yet, remove it"},
    {"device", VALUE_TEXT, false, AT(region, device)},
    {0},
};
static const struct element_rule prefill_rule = {
    "prefill", KIND_PREFILL, sizeof(struct text_element), no_attributes, .text = true};
static const struct child_rule region_children[] = {{&prefill_rule, 0, 1}, {0}};
static const struct element_rule region_rule = {"memory_region", KIND_REGION, sizeof(struct region),
                                                region_attributes, .children = region_children};

static const struct attribute_rule end_attributes[] = {
    {"pd", VALUE_TEXT, true, AT(end, pd)},
    {"id", VALUE_DECIMAL, true, AT(end, id), .most = ID_MOST, .otherwise = ID_NONE},
    {"pp", VALUE_BOOL, false, AT(end, pp)},
    {"notify", VALUE_BOOL, false, AT(end, notify), .otherwise = true},
    {"setvar_id", VALUE_TEXT, false, AT(end, setvar_id)},
    {0},
};
static const struct element_rule end_rule = {"end", KIND_END, sizeof(struct end),
                                             .attributes = end_attributes};
static const struct child_rule channel_children[] = {{&end_rule, 2, 2}, {0}};
static const struct element_rule channel_rule = {"channel", KIND_CHANNEL, sizeof(struct channel),
                                                 no_attributes, .children = channel_children};

static const struct attribute_rule iomap_attributes[] = {
    {"mr", VALUE_TEXT, true, AT(iomap, mr)},
    {"iovaddr", VALUE_NUMBER, true, AT(iomap, iovaddr), .most = ANY},
    {"perms", VALUE_PERMS, false, AT(iomap, perms), .otherwise = MAP_READ | MAP_WRITE},
    {0},
};
static const struct element_rule iomap_rule = {"iomap", KIND_IOMAP, sizeof(struct iomap),
                                               .attributes = iomap_attributes};
static const struct attribute_rule iospace_attributes[] = {
    {"name", VALUE_NAME, true, AT(iospace, name)},
    {"peripheral_id", VALUE_TEXT, true, AT(iospace, peripheral_id)},
    {"domain_id", VALUE_NUMBER, true, AT(iospace, domain_id), .most = UINT16_MAX,
     .otherwise = ID_NONE},
    {0},
};
static const struct child_rule iospace_children[] = {{&iomap_rule, 0, 0}, {0}};
static const struct element_rule iospace_rule = {
    "io_address_space",           KIND_IOSPACE,         sizeof(struct iospace), iospace_attributes,
    .children = iospace_children, .refusal = refuse_yet};

static const struct attribute_rule domain_attributes[] = {
    {"name", VALUE_NAME, true, AT(domain, name)},
    {"id", VALUE_NUMBER, false, AT(domain, id), .most = DOMAIN_MAX - 1, .otherwise = ID_NONE},
    {0},
};
static const struct element_rule domain_rule = {"domain", KIND_DOMAIN, sizeof(struct domain),
                                                .attributes = domain_attributes};
static const struct attribute_rule entry_attributes[] = {
    {"domain", VALUE_TEXT, true, AT(schedule_entry, domain)},
    {"duration", VALUE_TEXT, true, AT(schedule_entry, duration)},
    {0},
};
static const struct element_rule entry_rule = {"schedule_entry", KIND_SCHEDULE_ENTRY,
                                               sizeof(struct schedule_entry),
                                               .attributes = entry_attributes};
static const struct element_rule end_marker_rule = {
    "schedule_end_marker", KIND_NONE, sizeof(struct node), .attributes = no_attributes};
static const struct attribute_rule schedule_attributes[] = {
    {"start_index", VALUE_NUMBER, false, AT(schedule, start_index), .most = SCHEDULE_MAX - 1},
    {"index_shift", VALUE_NUMBER, false, AT(schedule, index_shift), .most = SCHEDULE_MAX - 1},
    {0},
};
static const struct child_rule schedule_children[] = {
    {&entry_rule, 1, SCHEDULE_MAX},
    {&end_marker_rule, 0, 0},
    {0},
};
static const struct element_rule schedule_rule = {"domain_schedule", KIND_SCHEDULE,
                                                  sizeof(struct schedule), schedule_attributes,
                                                  .children = schedule_children};
static const struct child_rule domains_children[] = {
    {&domain_rule, 1, DOMAIN_MAX},
    {&schedule_rule, 1, 1},
    {0},
};
static const struct element_rule domains_rule = {"domains",
                                                 KIND_DOMAINS,
                                                 sizeof(struct node),
                                                 no_attributes,
                                                 .children = domains_children,
                                                 .refusal = refuse_domains};

static const struct attribute_rule system_attributes[] = {
    {"console", VALUE_SWITCH, false, AT(system, console), .otherwise = true},
    {0},
};
static const struct child_rule system_children[] = {
    {&process_rule, 0, 0},
    {&region_rule, 0, 0},
    {&channel_rule, 0, 0},
    {&iospace_rule, 0, 0},
    {&domains_rule, 0, 1},
    {&root_vm_rule, 0, 0},
    {0},
};
const struct element_rule schema_system = {"system", KIND_SYSTEM, sizeof(struct system),
                                           system_attributes, .children = system_children};
