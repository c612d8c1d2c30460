// See cntp.h. The line is a function of the registers and the time; whoever changes one of them makes it again.
#include "cntp.h"

#include <base/bits.h>

#include "sysreg.h"
#include "vm.h"

#define CTL_ENABLE  BIT(0)
#define CTL_IMASK   BIT(1)
#define CTL_ISTATUS BIT(2)

// Has it been on at or after its time? The comparison is of unsigned numbers.
static bool fired(const struct vcpu *v, uint64_t now)
{
    return (v->cntp.ctl & CTL_ENABLE) != 0 && now >= v->cntp.cval;
}

static void update(struct vcpu *v)
{
    bool over = fired(v, port_now(v->vm->port));
    bool wanted = (v->cntp.ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
    v->deadline = wanted && !over ? v->cntp.cval : UINT64_MAX;
    vgic_set_private_line(v, CNTP_INTID, wanted && over);
}

void cntp_reset(struct vcpu *v)
{
    v->cntp.ctl = 0;
    v->cntp.cval = 0;
    update(v);
}

uint64_t cntp_read(struct vcpu *v, uint32_t iss)
{
    uint64_t now = port_now(v->vm->port);
    switch (sysreg_op2(iss)) {
    case CNTP_TVAL:
        return (uint32_t)(v->cntp.cval - now);
    case CNTP_CTL:
        return v->cntp.ctl | (fired(v, now) ? CTL_ISTATUS : 0);
    default:
        return v->cntp.cval;
    }
}

void cntp_write(struct vcpu *v, uint32_t iss, uint64_t value)
{
    switch (sysreg_op2(iss)) {
    case CNTP_TVAL:
        v->cntp.cval = port_now(v->vm->port) + (uint64_t)(int64_t)(int32_t)value;
        break;
    case CNTP_CTL:
        v->cntp.ctl = value & (CTL_ENABLE | CTL_IMASK);
        break;
    default:
        v->cntp.cval = value;
        break;
    }
    update(v);
}

void cntp_deadline(struct vcpu *v)
{
    update(v);
}
