/* Processor features, the denormal mode and cache sizes. */
#include "cpu/cpu.h"

#include <stddef.h>

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

#define LEAF_CACHES 4u              /* Intel's */
#define LEAF_CACHES_AMD 0x8000001Du /* the same layout */
#define MOST_CACHES 8u
#define CACHE_DATA 1u
#define CACHE_UNIFIED 3u

/* One leaf describes a cache a subleaf: type and level in EAX, line size, partitions, ways and sets less one in the
 * rest. */
static int64_t cache_in_leaf(uint32_t leaf, uint32_t level)
{
    uint32_t eax, ebx, ecx, edx;
    if ((uint32_t)__get_cpuid_max(leaf & 0x80000000u, NULL) < leaf)
        return 0;
    for (uint32_t cache = 0; cache < MOST_CACHES; cache++) {
        __cpuid_count(leaf, cache, eax, ebx, ecx, edx);
        (void)edx;
        uint32_t type = eax & 0x1F;
        if (type == 0)
            return 0;
        if ((type == CACHE_DATA || type == CACHE_UNIFIED) && (eax >> 5 & 0x7) == level)
            return ((int64_t)(ebx >> 22) + 1) * ((ebx >> 12 & 0x3FF) + 1) * ((ebx & 0xFFF) + 1) * ((int64_t)ecx + 1);
    }
    return 0;
}

/* Bytes, or 0. Of the third level only the part that this core can use: the C library may add up all parts of the
 * package. */
static int64_t cache_by_processor(int32_t level)
{
    int64_t bytes = cache_in_leaf(LEAF_CACHES, (uint32_t)level);
    return bytes > 0 ? bytes : cache_in_leaf(LEAF_CACHES_AMD, (uint32_t)level);
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

static int64_t cache_by_processor(int32_t level)
{
    (void)level;
    return 0;
}

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

static int64_t cache_by_processor(int32_t level)
{
    (void)level;
    return 0;
}

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

/* What the C library knows, or 0. */
static int64_t cache_by_system(int32_t level)
{
#if defined(_SC_LEVEL1_DCACHE_SIZE) && defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
    return sysconf(level == 1 ? _SC_LEVEL1_DCACHE_SIZE : level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
#else
    (void)level;
    return 0;
#endif
}

int64_t tsnni_cpu_cache_bytes(int32_t level)
{
    int64_t fallback = level <= 1 ? (int64_t)32 << 10 : level == 2 ? (int64_t)1 << 20 : (int64_t)16 << 20;
    int64_t bytes = cache_by_processor(level);
    if (bytes <= 0)
        bytes = cache_by_system(level);
    return bytes > 0 ? bytes : fallback;
}
