/* Compares every kernel table of this machine, without a test framework: for cross-compiled builds. */
#include "kernel_compare.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t run(const tsnni_kernels *kernels, const char *group,
                   void (*compare)(const tsnni_kernels *, tsnni_report *))
{
    tsnni_report report = {0, 0, ""};
    compare(kernels, &report);
    printf("%-7s %-8s %lld checks, %lld mismatches %s\n", kernels->name, group, (long long)report.checks,
           (long long)report.mismatches, report.first);
    return report.mismatches;
}

int main(void)
{
    int64_t mismatches = 0;
    for (int isa = TSNNI_ISA_REF; isa <= TSNNI_ISA_NEON; isa++) {
        const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)isa);
        if (!kernels)
            continue;
        mismatches += run(kernels, "sizes", tsnni_compare_sizes);
        mismatches += run(kernels, "batches", tsnni_compare_batches);
        mismatches += run(kernels, "shapes", tsnni_compare_shapes);
        mismatches += run(kernels, "flat", tsnni_compare_flat);
        mismatches += run(kernels, "function", tsnni_compare_functions);
        mismatches += run(kernels, "packed", tsnni_compare_packed);
    }
    return mismatches ? EXIT_FAILURE : EXIT_SUCCESS;
}
