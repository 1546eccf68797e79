/* What the tests of model files share: a folder of their own, files as bytes, one network of every kind. */
#ifndef TSNN_TESTS_MODEL_SUPPORT_H
#define TSNN_TESTS_MODEL_SUPPORT_H

#include "support.h"

#ifndef TSNN_MODEL_FILES
#define TSNN_MODEL_FILES 1 /* 0: the library was built without them */
#endif

/* A fresh folder, and its end with all that is in it. */
void tsnni_test_folder_create(void);
void tsnni_test_folder_remove(void);
/* A path in it; valid until 15 more have been asked for. */
const char *tsnni_test_path(const char *name);
/* The text of the last failure begins with that path, and goes on with `rest`. */
void tsnni_test_expect_text_of(const tsnn_context *context, const char *name, const char *rest);
/* Files in it. */
int64_t tsnni_test_folder_count(void);

void tsnni_test_file_write(const char *path, const void *data, size_t size);
tsnni_test_bytes tsnni_test_file_read(const char *path);

/* The bytes of a saved network or trainer. */
tsnni_test_bytes tsnni_test_saved(const tsnn_network *network, const tsnn_save_options *options);
tsnni_test_bytes tsnni_test_saved_trainer(const tsnn_trainer *trainer);

/* Kinds of network, from 0; the name tells which. Custom activations are those of support.h. */
#define TSNNI_TEST_KINDS 12
tsnn_network *tsnni_test_network_of_kind(tsnn_context *context, int kind);
const char *tsnni_test_kind_name(int kind);

/* Outputs for a few random samples of raw features. */
tsnni_test_bytes tsnni_test_outputs(const tsnn_network *network);

#endif
