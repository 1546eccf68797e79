/* Ctrl-C: the first asks to stop after the step, the second ends the program. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);

/* True once it was pressed. */
bool interrupt_wanted(void);

#endif
