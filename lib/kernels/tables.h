/* The tables that select.c chooses from. One that this build lacks has no symbol. TSNNI_PLAIN_KERNELS leaves the plain
 * C ones only: a thread sanitizer does not see what wide vectors load and store. */
#ifndef TSNNI_KERNELS_TABLES_H
#define TSNNI_KERNELS_TABLES_H

#include "kernels/kernels.h"

extern const tsnni_kernels tsnni_kernels_ref;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(TSNNI_PLAIN_KERNELS)
#define TSNNI_KERNELS_X86 1
extern const tsnni_kernels tsnni_kernels_avx2;
extern const tsnni_kernels tsnni_kernels_avx512;
#else
#define TSNNI_KERNELS_X86 0
#endif

#if defined(__aarch64__) && defined(__GNUC__) && !defined(__AARCH64EB__) && !defined(TSNNI_PLAIN_KERNELS)
#define TSNNI_KERNELS_ARM 1
extern const tsnni_kernels tsnni_kernels_neon;
#else
#define TSNNI_KERNELS_ARM 0
#endif

#endif
