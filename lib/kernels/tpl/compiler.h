/* How to ask a compiler to unroll the loop that follows. */
#ifndef TSNNI_KERNELS_TPL_COMPILER_H
#define TSNNI_KERNELS_TPL_COMPILER_H

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#endif
