/* Matrix Market: text files of a matrix, by coordinates or in full. Numbers are read and written alike in any locale.
 */
#ifndef TSNNI_FORMATS_MARKET_H
#define TSNNI_FORMATS_MARKET_H

#include "core/file.h"

/* Entries as they are in the file, plus the mirrored ones of a symmetric matrix; zeros of a full one are left out. */
typedef struct tsnni_market {
    int64_t rows, columns, count;
    int32_t *row, *column; /* from 0 */
    float *value;          /* 1 for a pattern; infinite where the text is beyond a float */
    int64_t bytes;         /* of the three */
} tsnni_market;

/* Allocates the size of the source for its text, and at most `most` bytes for the entries: OVERFLOW. *out is all zeros
 * after a failure. FORMAT with the line, UNSUPPORTED (complex, Hermitian), SHAPE. */
tsnn_status tsnni_market_read(tsnni_runtime *runtime, const tsnni_source *source, int64_t most, tsnni_market *out);
void tsnni_market_free(tsnni_runtime *runtime, tsnni_market *market);

/* Nine digits, which bring back the float; always with a point as decimal separator. Returns the characters. */
int tsnni_float_text(float number, char text[32]);

/* A decimal number at the beginning of [text, end): the characters it takes, 0 when there is none. */
int64_t tsnni_float_parse(const char *text, const char *end, double *number);

#endif
