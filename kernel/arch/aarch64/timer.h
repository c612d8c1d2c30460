// timer.c
#pragma once

void timer_init_core(void);
