/* Processor features, the denormal mode and cache sizes. */
#include "cpu/cpu.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#if defined(__x86_64__)

#include <cpuid.h>
#include <xmmintrin.h>

#define LEAF1_ECX_FMA (1u << 12)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_AVX (1u << 28)
#define LEAF7_EBX_AVX2 (1u << 5)
#define LEAF7_EBX_AVX512 (1u << 16 | 1u << 17 | 1u << 30 | 1u << 31) /* F, DQ, BW, VL */
#define XCR0_YMM 0x06u                                               /* xmm and upper ymm halves */
#define XCR0_ZMM 0xE6u                                               /* those, mask registers, zmm */

/* Written by hand: the intrinsic needs a compile flag. Only valid when OSXSAVE is set. */
static uint32_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

uint32_t tsnni_cpu_features(void)
{
    const uint32_t needed = LEAF1_ECX_FMA | LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX;
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & needed) != needed)
        return 0;
    uint32_t xcr0 = read_xcr0();
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & LEAF7_EBX_AVX2) || (xcr0 & XCR0_YMM) != XCR0_YMM)
        return 0;
    uint32_t features = TSNNI_CPU_AVX2;
    if ((ebx & LEAF7_EBX_AVX512) == LEAF7_EBX_AVX512 && (xcr0 & XCR0_ZMM) == XCR0_ZMM)
        features |= TSNNI_CPU_AVX512;
    return features;
}

/* All exceptions masked, round to nearest; flush to zero, denormals are zero. */
#define MXCSR_KERNELS (0x1F80u | 0x8040u)

uint64_t tsnni_cpu_float_mode(void)
{
    return _mm_getcsr();
}

uint64_t tsnni_cpu_flush_denormals(void)
{
    uint64_t mode = tsnni_cpu_float_mode();
    _mm_setcsr(MXCSR_KERNELS);
    return mode;
}

void tsnni_cpu_float_mode_restore(uint64_t mode)
{
    _mm_setcsr((uint32_t)mode);
}

#elif defined(__aarch64__)

uint32_t tsnni_cpu_features(void)
{
    return TSNNI_CPU_NEON;
}

#define FPCR_FZ ((uint64_t)1 << 24)

uint64_t tsnni_cpu_float_mode(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

uint64_t tsnni_cpu_flush_denormals(void)
{
    uint64_t mode = tsnni_cpu_float_mode();
    tsnni_cpu_float_mode_restore(FPCR_FZ);
    return mode;
}

void tsnni_cpu_float_mode_restore(uint64_t mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}

#else

uint32_t tsnni_cpu_features(void)
{
    return 0;
}

uint64_t tsnni_cpu_float_mode(void)
{
    return 0;
}

uint64_t tsnni_cpu_flush_denormals(void)
{
    return 0;
}

void tsnni_cpu_float_mode_restore(uint64_t mode)
{
    (void)mode;
}

#endif

int64_t tsnni_cpu_cache_bytes(int32_t level)
{
    long bytes = 0;
    int64_t fallback = level <= 1 ? (int64_t)32 << 10 : level == 2 ? (int64_t)1 << 20 : (int64_t)16 << 20;
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
    bytes = sysconf(level <= 1 ? _SC_LEVEL1_DCACHE_SIZE : level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
#endif
    return bytes > 0 ? (int64_t)bytes : fallback;
}
