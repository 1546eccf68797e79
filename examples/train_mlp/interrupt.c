/* Ctrl-C, as far as a signal handler may go: a flag. */
#define _POSIX_C_SOURCE 200809L

#include "interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t wanted;

static void want(int signal_number)
{
    (void)signal_number;
    wanted = 1;
}

void interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = want;
    action.sa_flags = (int)SA_RESETHAND; /* the second finds the signal's default action: the end */
    sigaction(SIGINT, &action, NULL);
}

bool interrupt_wanted(void)
{
    return wanted != 0;
}
