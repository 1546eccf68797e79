/*
 * convert: a matrix of weights from one format to another, as a layer of libtsnn in between: .npz (SciPy), .npy
 * (NumPy), .mtx (Matrix Market), .safetensors (PyTorch and others). The format is read from the file, and written by
 * its name. With --layers, whole networks: a checkpoint of PyTorch to a model file of libtsnn, or back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

static int usage(void)
{
    fputs("Usage: convert [--weights NAME] [--bias NAME] [--mask NAME] [--threshold X] [--turn] FROM TO\n"
          "       convert --layers NAMES [--threshold X] FROM TO\n"
          "  --weights, --bias, --mask   tensors of a safetensors file; bias and mask else the paths of .npy files\n"
          "  --threshold X               connections are where |weight| is above X (0)\n"
          "  --turn                      rows of FROM are outputs, as in torch.nn.Linear; in TO they are inputs\n"
          "  bias, where there is one, goes to TO.bias.npy, or into TO where that is a .safetensors\n"
          "  --layers fc1,fc2,fc3        a whole network: PyTorch's checkpoint FROM, a state_dict in safetensors, "
          "becomes\n"
          "                              the model file TO, with ReLU and softmax; a model file becomes a checkpoint\n",
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

static void print_report(const tsnn_import_report *report)
{
    printf("inputs=%lld outputs=%lld entries=%lld connections=%lld dropped=%lld\n", (long long)report->inputs,
           (long long)report->outputs, (long long)report->entries, (long long)report->connections,
           (long long)report->dropped);
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

/* ---- whole networks ---- */

#define MOST_LAYERS 256

/* Cuts "a,b,c" into its names; 0 when there are too many. */
static int64_t split_names(char *text, const char **names)
{
    int64_t count = 0;
    for (char *name = strtok(text, ","); name != NULL; name = strtok(NULL, ",")) {
        if (count == MOST_LAYERS)
            return 0;
        names[count++] = name;
    }
    return count;
}

static tsnn_status from_checkpoint(tsnn_context *context, const char *from, const char *to, const char *const *names,
                                   int64_t count, double threshold)
{
    tsnn_checkpoint_import_options options = TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT;
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_network *network = NULL;
    options.path = from;
    options.names = names;
    options.name_count = count;
    options.threshold = threshold;
    tsnn_status status = tsnn_network_import(context, &options, &report, &network);
    if (status >= 0)
        status = tsnn_network_save(network, NULL, to);
    if (status >= 0)
        print_report(&report);
    tsnn_network_destroy(&network);
    return status;
}

static tsnn_status to_checkpoint(tsnn_context *context, const char *from, const char *to, const char *const *names,
                                 int64_t count)
{
    tsnn_checkpoint_export_options options = TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT;
    tsnn_network *network = NULL;
    options.path = to;
    options.names = names;
    options.name_count = count;
    tsnn_status status = tsnn_network_load(context, from, NULL, &network);
    if (status >= 0)
        status = tsnn_network_export(network, &options);
    tsnn_network_destroy(&network);
    return status;
}

static int convert_network(tsnn_context *context, const char *from, const char *to, char *layers, double threshold)
{
    const char *names[MOST_LAYERS];
    int64_t count = split_names(layers, names), size;
    if (count == 0)
        return usage();
    tsnn_status status = tsnn_model_get_metadata(context, from, "tsnn.library", NULL, 0, &size) >= 0
                             ? to_checkpoint(context, from, to, names, count)
                             : from_checkpoint(context, from, to, names, count, threshold);
    return status < 0 ? complain(context, from, status) : EXIT_SUCCESS;
}

static int convert_layer(tsnn_context *context, const tsnn_import_options *options, const char *to)
{
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_layer *layer = NULL;
    int result = EXIT_SUCCESS;
    if (format_by_name(to) == TSNN_FORMAT_AUTO)
        return usage();
    tsnn_status status = tsnn_layer_import(context, options, &report, &layer);
    if (status < 0)
        result = complain(context, options->path, status);
    else if ((status = write_layer(layer, to, format_by_name(to), options->bias != NULL)) < 0)
        result = complain(context, to, status);
    else
        print_report(&report);
    tsnn_layer_destroy(&layer);
    return result;
}

int main(int argc, char **argv)
{
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tsnn_context *context = NULL;
    char *layers = NULL;
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
        else if (strcmp(option, "--layers") == 0)
            layers = argv[at];
        else
            return usage();
    }
    if (argc - at != 2)
        return usage();
    options.path = argv[at];
    if (tsnn_context_create(NULL, &context) < 0)
        return EXIT_FAILURE;
    int result = layers != NULL ? convert_network(context, argv[at], argv[at + 1], layers, options.threshold)
                                : convert_layer(context, &options, argv[at + 1]);
    tsnn_context_destroy(&context);
    return result;
}
