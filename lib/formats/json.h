/* All that the library wants of jansson: the JSON header of a safetensors file as a table, and real numbers as text
 * whatever the locale. In a build with TSNN_MODEL_FILES=0 every function here says UNSUPPORTED. */
#ifndef TSNNI_FORMATS_JSON_H
#define TSNNI_FORMATS_JSON_H

#include "formats/safetensors.h"

#ifndef TSNN_MODEL_FILES
#define TSNN_MODEL_FILES 1 /* 0: built without jansson */
#endif

#define TSNNI_REAL_TEXT 40 /* bytes that a real number takes as text */

/* Fills the tensors and the metadata of *file from its header, `bytes` long. Names and values go to file->text, which
 * must have room for as many bytes. Checks the form of every entry, not where its data lie. FORMAT tells what is wrong
 * and where; what has been allocated until then is freed with *file. jansson takes at most TSNNI_JSON_FACTOR bytes for
 * each byte of the header. */
#define TSNNI_JSON_FACTOR 40
tsnn_status tsnni_json_read_header(tsnni_runtime *runtime, const char *header, int64_t bytes, tsnni_safetensors *file);

/* The shortest of 1..17 digits is the writer's choice: 9 bring back a float, 17 a double. */
tsnn_status tsnni_json_write_real(tsnni_runtime *runtime, double number, int digits, char text[TSNNI_REAL_TEXT]);

/* A JSON number of fewer than TSNNI_REAL_TEXT characters and nothing else; 0 when it is none. */
int32_t tsnni_json_read_real(const char *text, double *number);

#endif
