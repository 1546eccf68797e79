/* What the targets of imported files share: one import, and what must hold of it. */
#ifndef TSNN_TESTS_FUZZ_IMPORT_H
#define TSNN_TESTS_FUZZ_IMPORT_H

#include "fuzz.h"

#define FUZZ_OBJECTS 4096 /* bytes of structs, of alignment, and the like */

/* Imports by these options. Memory stays within their max_bytes and `besides`; a layer that comes of it has the
 * report's numbers. Inputs of the layer; 0: refused. */
int64_t tsnni_fuzz_import(tsnn_context *context, const tsnn_import_options *options, int64_t besides);

#endif
