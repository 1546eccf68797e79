/* The smallest program that uses an installed libtsnn-mpi: two ranks or more train a network, rank 0 prints the
 * library's version. Fails when headers and library disagree, or nothing was sent. */
#include <tsnn-mpi.h>

#include <stdio.h>

enum { SAMPLES = 32, FEATURES = 8 };

static tsnn_dataset *two_classes(tsnn_context *context)
{
    static float features[SAMPLES][FEATURES];
    static int32_t labels[SAMPLES];
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    tsnn_dataset *data = NULL;
    for (int n = 0; n < SAMPLES; n++) {
        labels[n] = n % 2;
        for (int k = 0; k < FEATURES; k++)
            features[n][k] = 0.1f * (float)((5 * n + 3 * k) % 7) + (float)labels[n];
    }
    options.samples = SAMPLES;
    options.features = FEATURES;
    options.feature_data = features[0];
    options.labels = labels;
    return tsnn_dataset_create(context, &options, &data) < 0 ? NULL : data;
}

static tsnn_network *small_network(tsnn_context *context)
{
    static const int64_t sizes[] = {FEATURES, 10, 2};
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    tsnn_network *network = NULL;
    shape.sizes = sizes;
    shape.size_count = 3;
    return tsnn_network_create_mlp(context, &shape, &network) < 0 ? NULL : network;
}

static int train(tsnn_context *context, tsnn_network *network, const tsnn_dataset *data)
{
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_mpi *mpi = NULL;
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_mpi_info info = TSNN_MPI_INFO_INIT;
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    int good = tsnn_loss_create(context, NULL, &loss) == TSNN_OK &&
               tsnn_optimizer_create(context, NULL, &optimizer) == TSNN_OK;
    options.mode = TSNN_PARALLEL_WASSP;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.epochs = 2;
    options.batch = 4;
    if (good && tsnn_mpi_create(context, MPI_COMM_WORLD, &options, &more, &mpi) == TSNN_OK)
        good = tsnn_mpi_run(mpi, data, NULL) == TSNN_OK && tsnn_mpi_get_info(mpi, &info) == TSNN_OK;
    good &= info.ranks >= 2 && info.step_bytes > 0;
    tsnn_mpi_destroy(&mpi);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    return good;
}

int main(int argc, char **argv)
{
    int level, rank;
    tsnn_context *context = NULL;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (tsnn_context_create(NULL, &context) < 0)
        MPI_Abort(MPI_COMM_WORLD, 1);
    tsnn_dataset *data = two_classes(context);
    tsnn_network *network = small_network(context);
    int good = data != NULL && network != NULL && train(context, network, data);
    good &= tsnn_version_number() == TSNN_VERSION_MAJOR * 10000 + TSNN_VERSION_MINOR * 100 + TSNN_VERSION_PATCH;
    tsnn_network_destroy(&network);
    tsnn_dataset_destroy(&data);
    tsnn_context_destroy(&context);
    if (good && rank == 0)
        printf("libtsnn %s\n", tsnn_version_string());
    MPI_Finalize();
    return !good;
}
