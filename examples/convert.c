/*
 * convert: a matrix of weights from one format to another, as a layer of libtsnn in between: .npz (SciPy), .npy
 * (NumPy), .mtx (Matrix Market), .safetensors (PyTorch and others). The format is read from the file, and written by
 * its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

static int usage(void)
{
    fputs("Usage: convert [--weights NAME] [--bias NAME] [--mask NAME] [--threshold X] [--turn] FROM TO\n"
          "  --weights, --bias, --mask   tensors of a safetensors file; bias and mask else the paths of .npy files\n"
          "  --threshold X               connections are where |weight| is above X (0)\n"
          "  --turn                      rows of FROM are outputs, as in torch.nn.Linear; in TO they are inputs\n"
          "  bias, where there is one, goes to TO.bias.npy, or into TO where that is a .safetensors\n",
          stderr);
    return EXIT_FAILURE;
}

static int complain(const tsnn_context *context, const char *path, tsnn_status status)
{
    char text[512] = "";
    tsnn_context_error(context, text, sizeof text, NULL);
    fprintf(stderr, "convert: %s: %s: %s\n", path, tsnn_status_string(status), text);
    return EXIT_FAILURE;
}

static int32_t format_by_name(const char *path)
{
    static const struct {
        const char *end;
        int32_t format;
    } ends[] = {{".npz", TSNN_FORMAT_NPZ},
                {".npy", TSNN_FORMAT_NPY},
                {".mtx", TSNN_FORMAT_MATRIX_MARKET},
                {".safetensors", TSNN_FORMAT_SAFETENSORS}};
    for (int k = 0; k < 4; k++) {
        size_t length = strlen(path), end = strlen(ends[k].end);
        if (length > end && strcmp(path + length - end, ends[k].end) == 0)
            return ends[k].format;
    }
    return TSNN_FORMAT_AUTO;
}

static tsnn_status write_layer(const tsnn_layer *layer, const char *path, int32_t format, int has_bias)
{
    char bias[4096];
    tsnn_export_options options = TSNN_EXPORT_OPTIONS_INIT;
    options.path = path;
    options.format = format;
    snprintf(bias, sizeof bias, "%s.bias.npy", path);
    if (has_bias)
        options.bias = format == TSNN_FORMAT_SAFETENSORS ? "bias" : bias;
    return tsnn_layer_export(layer, &options);
}

int main(int argc, char **argv)
{
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_context *context = NULL;
    tsnn_layer *layer = NULL;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const char *option = argv[at];
        if (strcmp(option, "--turn") == 0) {
            options.rows = TSNN_ROWS_ARE_OUTPUTS;
            continue;
        }
        if (++at == argc)
            return usage();
        if (strcmp(option, "--weights") == 0)
            options.weights = argv[at];
        else if (strcmp(option, "--bias") == 0)
            options.bias = argv[at];
        else if (strcmp(option, "--mask") == 0)
            options.mask = argv[at];
        else if (strcmp(option, "--threshold") == 0)
            options.threshold = atof(argv[at]);
        else
            return usage();
    }
    if (argc - at != 2 || format_by_name(argv[at + 1]) == TSNN_FORMAT_AUTO)
        return usage();
    options.path = argv[at];
    const char *to = argv[at + 1];
    if (tsnn_context_create(NULL, &context) < 0)
        return EXIT_FAILURE;
    int result = EXIT_SUCCESS;
    tsnn_status status = tsnn_layer_import(context, &options, &report, &layer);
    if (status < 0)
        result = complain(context, options.path, status);
    else if ((status = write_layer(layer, to, format_by_name(to), options.bias != NULL)) < 0)
        result = complain(context, to, status);
    else
        printf("inputs=%lld outputs=%lld entries=%lld connections=%lld dropped=%lld\n", (long long)report.inputs,
               (long long)report.outputs, (long long)report.entries, (long long)report.connections,
               (long long)report.dropped);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
    return result;
}
