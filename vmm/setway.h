// Cache maintenance by set and way (DC ISW, CSW, CISW): Arm ARM (DDI 0487) D4.4 and C5.3. See setway.c.
#pragma once

#include <stdint.h>

struct vcpu;

#define SETWAY_LEVELS 8u // values of the operand's field; caches have at most seven

struct setway {
    uint32_t level; // that the present sequence has come to; SETWAY_LEVELS: there was none
    uint32_t first[SETWAY_LEVELS]; // the first operand that the sequence had for each level
};

void setway_reset(struct vcpu *v);

// One such instruction; a writer as sysreg.c's table wants it. Which of the three it is makes no difference.
void setway_write(struct vcpu *v, uint32_t iss, uint64_t operand);
