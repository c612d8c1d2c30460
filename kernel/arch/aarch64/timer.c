// The core's deadline: EL2 physical timer. Arm ARM (DDI 0487) D11. It stays enabled; a deadline that never comes is the
// highest count.
#include "timer.h"

#include <spec/sysreg.h>

#include "arch.h"
#include "percpu.h"

void timer_init_core(void)
{
    this_cpu()->arch.guard = UINT64_MAX;
    arch_timer_set(&this_cpu()->arch, UINT64_MAX);
    sysreg_write(cnthp_ctl_el2, CNT_CTL_ENABLE); // and not masked
    sysreg_write(S3_3_C14_C3_1, 0); // CNTV_CTL_EL0: firmware may have left the other two on
    sysreg_write(cntp_ctl_el0, 0);
    isb();
}
