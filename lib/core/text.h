/* Text that grows as it is written, in memory from the runtime's allocator. */
#ifndef TSNNI_CORE_TEXT_H
#define TSNNI_CORE_TEXT_H

#include "core/runtime.h"

typedef struct tsnni_text {
    tsnni_runtime *runtime;
    char *bytes; /* length of them and a zero byte; NULL while nothing was written */
    int64_t length, capacity;
    tsnn_status status; /* the first failure; after it nothing more is written, so that a caller may look once, last */
} tsnni_text;

void tsnni_text_init(tsnni_text *text, tsnni_runtime *runtime);
void tsnni_text_free(tsnni_text *text);

/* Appends formatted text; pieces of at most 511 characters. */
void tsnni_text_add(tsnni_text *text, const char *format, ...) TSNNI_PRINTF(2, 3);

/* A float as a C99 constant that gives back its very bits ("0x1800000p-24f"), whatever the locale; value is finite. */
void tsnni_text_add_float(tsnni_text *text, float value);

#endif
