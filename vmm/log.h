// Lines for whoever looks after the system, headed by the VM's name.
#pragma once

struct vm;

#define VM_LOG_LINE 200u // characters of a line, with its final zero; what is longer is cut

void vm_log(const struct vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));
