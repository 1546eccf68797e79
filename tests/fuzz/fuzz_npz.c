/* Fuzz target: .npz archives. The input is the file. */
#include "import.h"

/* Two tables that decompression uses. */
#define TABLES (2 * 65536)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tsnn_context *context = tsnni_fuzz_context(0);
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    options.format = TSNN_FORMAT_NPZ;
    options.path = tsnni_fuzz_file(0, data, size);
    options.max_bytes = size % 4 < 2 ? 1 << 18 : 1 << 11;
    options.rows = (int32_t)(size % 2);
    /* The end of the archive, its directory and a member lie in memory as they are in the file. */
    tsnni_fuzz_import(context, &options, 2 * (int64_t)size + TABLES + FUZZ_OBJECTS);
    tsnn_context_destroy(&context);
    FUZZ_REQUIRE(tsnni_fuzz_live() == 0);
    return 0;
}
