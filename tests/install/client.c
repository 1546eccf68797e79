/* The smallest program that uses an installed libtsnn, with model files and all that they need: prints its version, and
 * fails when headers and library disagree. */
#include <tsnn.h>

#include <stdio.h>

int main(void)
{
    tsnn_context *context = NULL;
    if (tsnn_context_create(NULL, &context) < 0)
        return 1;
    tsnn_network *network = NULL;
    if (tsnn_network_load(context, "no/such/file.safetensors", NULL, &network) != TSNN_ERROR_IO || network != NULL)
        return 1;
    tsnn_context_destroy(&context);
    printf("libtsnn %s\n", tsnn_version_string());
    return tsnn_version_number() == TSNN_VERSION_MAJOR * 10000 + TSNN_VERSION_MINOR * 100 + TSNN_VERSION_PATCH ? 0 : 1;
}
