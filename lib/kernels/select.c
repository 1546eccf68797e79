/* The choice of a kernel table: what the build has, as far as the processor allows it. */
#include "cpu/cpu.h"
#include "kernels/tables.h"

const tsnni_kernels *tsnni_kernels_for(tsnni_isa isa)
{
    uint32_t features = tsnni_cpu_features();
    (void)features; /* of a build for another processor */
    if (isa == TSNNI_ISA_REF)
        return &tsnni_kernels_ref;
#if TSNNI_KERNELS_X86
    if (isa == TSNNI_ISA_AVX2 && (features & TSNNI_CPU_AVX2))
        return &tsnni_kernels_avx2;
    if (isa == TSNNI_ISA_AVX512 && (features & TSNNI_CPU_AVX512))
        return &tsnni_kernels_avx512;
#endif
#if TSNNI_KERNELS_ARM
    if (isa == TSNNI_ISA_NEON && (features & TSNNI_CPU_NEON))
        return &tsnni_kernels_neon;
#endif
    return NULL;
}

const tsnni_kernels *tsnni_kernels_best(void)
{
    static const tsnni_isa fastest_first[] = {TSNNI_ISA_AVX512, TSNNI_ISA_AVX2, TSNNI_ISA_NEON};
    for (size_t i = 0; i < sizeof fastest_first / sizeof fastest_first[0]; i++) {
        const tsnni_kernels *kernels = tsnni_kernels_for(fastest_first[i]);
        if (kernels)
            return kernels;
    }
    return &tsnni_kernels_ref;
}
