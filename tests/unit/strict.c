/* A child with a filter on system calls: but for the end, whatever it asks the system for kills it. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* syscall */
#endif

#include "strict.h"

#include <check.h>
#include <stddef.h>

#if defined(__linux__)

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFUSED = 3, FAILED = 4 };

static int32_t nothing(void *argument)
{
    (void)argument;
    return 0;
}

static int32_t one_call(void *argument)
{
    (void)argument;
    return syscall(SYS_getppid) > 0 ? 0 : -1;
}

/* 0 when from here on this thread may make no call but exit_group(). */
static int be_strict(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    prctl(PR_SET_DUMPABLE, 0); /* a core file of it is of no use */
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

/* How the child ended. */
static int run_strictly(int32_t (*body)(void *argument), void *argument)
{
    int ended = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int code = be_strict() != 0 ? REFUSED : 0;
        if (code == 0 && body(argument) < 0)
            code = FAILED;
        _exit(code);
    }
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    return ended;
}

/* Whether the filter can be had, and kills. */
static int filter_works(void)
{
    int quiet = run_strictly(nothing, NULL), loud = run_strictly(one_call, NULL);
    return WIFEXITED(quiet) && WEXITSTATUS(quiet) == 0 && WIFSIGNALED(loud);
}

void tsnni_test_expect_no_system_call(int32_t (*body)(void *argument), void *argument)
{
    ck_assert_int_ge(body(argument), 0);
    if (!filter_works())
        return;
    int ended = run_strictly(body, argument);
    ck_assert_msg(!WIFSIGNALED(ended), "a system call was made (signal %d)", WTERMSIG(ended));
    ck_assert_int_eq(WEXITSTATUS(ended), 0);
}

#else

void tsnni_test_expect_no_system_call(int32_t (*body)(void *argument), void *argument)
{
    ck_assert_int_ge(body(argument), 0);
}

#endif
