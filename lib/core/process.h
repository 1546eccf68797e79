/* What fork() leaves of a process. */
#ifndef TSNNI_CORE_PROCESS_H
#define TSNNI_CORE_PROCESS_H

#include <stdint.h>

/* 1 in a child of fork() whose parent had threads, and in its children. OpenMP's books, which the child inherits, may
 * name threads that are not there, whoever made them; a parallel region would wait for them for ever. */
int32_t tsnni_process_lost_threads(void);

#endif
