// In place of lib/include/bulkhead/svc.h where there is no kernel: test/unit/fake_kernel.c answers.
#pragma once

#include <stdint.h>

#include <abi/err.h>

#define SVC_INLINE static inline __attribute__((warn_unused_result))

err_t svc1(unsigned number, uint64_t a0);
err_t svc3(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2);
err_t svc6(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
           uint64_t a5);
err_t svc_all(unsigned number, uint64_t x[8]);
err_t svc_message(unsigned number, uint64_t a0, uint64_t *a1, uint64_t *info, uint64_t *words);
uint64_t svc_value(unsigned number);
