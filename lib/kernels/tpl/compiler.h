/* What the files of the instruction sets share: UNROLL asks the compiler to unroll the loop that follows. */
#ifndef TSNNI_KERNELS_TPL_COMPILER_H
#define TSNNI_KERNELS_TPL_COMPILER_H

/* clang takes many minutes to instrument unrolled bodies, and a sanitizer's run is not about speed. */
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer) ||          \
    __has_feature(undefined_behavior_sanitizer)
#define UNROLL
#endif
#endif

#if defined(UNROLL)
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* Before a loop of any length. */
#if defined(__clang__)
#define UNROLL_TWICE _Pragma("clang loop unroll_count(2)")
#else
#define UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

/* Philox4x32-10, see core/random.c. */
#define PHILOX_ROUNDS 10
#define PHILOX_MULTIPLIER_0 0xD2511F53u
#define PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define PHILOX_KEY_STEP_0 0x9E3779B9u
#define PHILOX_KEY_STEP_1 0xBB67AE85u

#endif
