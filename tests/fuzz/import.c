/* One import, and what must hold of it. */
#include "import.h"

int64_t tsnni_fuzz_import(tsnn_context *context, const tsnn_import_options *options, int64_t besides)
{
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    tsnn_layer *layer = NULL;
    tsnni_fuzz_peak_reset();
    tsnn_status status = tsnn_layer_import(context, options, &report, &layer);
    FUZZ_REQUIRE(tsnni_fuzz_peak() <= options->max_bytes + besides);
    FUZZ_REQUIRE((status == TSNN_OK) == (layer != NULL));
    if (layer != NULL) {
        FUZZ_OK(context, tsnn_layer_get_info(layer, &info));
        FUZZ_REQUIRE(info.inputs == report.inputs && info.outputs == report.outputs);
        FUZZ_REQUIRE(info.connections == report.connections && report.connections <= report.entries);
        FUZZ_REQUIRE(report.connections + report.dropped <= report.entries);
    }
    tsnn_layer_destroy(&layer);
    return status == TSNN_OK ? report.inputs : 0;
}
