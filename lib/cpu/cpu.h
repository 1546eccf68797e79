/* What this processor and its operating system allow (CPUID and XCR0 on x86-64). */
#ifndef TSNNI_CPU_CPU_H
#define TSNNI_CPU_CPU_H

#include <stdint.h>

enum {
    TSNNI_CPU_AVX2 = 1,   /* AVX2 and FMA, ymm state enabled */
    TSNNI_CPU_AVX512 = 2, /* AVX-512 F, BW, DQ, VL, zmm state enabled */
    TSNNI_CPU_NEON = 4    /* aarch64 always */
};

/* A set of the flags above. Pure: asks the processor at every call. */
uint32_t tsnni_cpu_features(void);

/* The floating-point mode of this thread, and setting it again. */
uint64_t tsnni_cpu_float_mode(void);
void tsnni_cpu_float_mode_restore(uint64_t mode);

/* Sets the mode that kernels run in, whatever it was: denormals flushed to zero, rounding to nearest, no traps. Returns
 * the previous mode. */
uint64_t tsnni_cpu_flush_denormals(void);

/* Bytes that one core can use; fallbacks of 32 KiB, 1 MiB, 16 MiB where neither the processor nor the system tells.
 * level: 1, 2 or 3. */
int64_t tsnni_cpu_cache_bytes(int32_t level);

#endif
