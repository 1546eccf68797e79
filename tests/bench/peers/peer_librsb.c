/* librsb: recursive sparse blocks (outputs x inputs), tuned by the library itself for the number of right-hand sides,
 * times a row-major dense matrix. */
#include "peer.h"

#include <rsb-config.h>
#include <rsb.h>

#include <stdlib.h>
#include <string.h>

typedef struct forward {
    struct rsb_mtx_t *weights;
    const float *x;
    float *y;
    int64_t outputs, batch;
} forward;

static const char *error = "";
static int32_t ready;

const char *peer_version(void)
{
    return "librsb " RSB_PACKAGE_VERSION;
}

const char *peer_error(void)
{
    return error;
}

static int32_t multiply(forward *f)
{
    const float one = 1.0f, zero = 0.0f;
    rsb_nnz_idx_t width = (rsb_nnz_idx_t)f->batch;
    return rsb_spmm(RSB_TRANSPOSITION_N, &one, f->weights, (rsb_coo_idx_t)f->batch, RSB_FLAG_WANT_ROW_MAJOR_ORDER, f->x,
                    width, &zero, f->y, width) == RSB_ERR_NO_ERROR
               ? 0
               : -1;
}

static struct rsb_mtx_t *sparse_matrix(const peer_matrix *weights)
{
    rsb_err_t status = RSB_ERR_NO_ERROR;
    struct rsb_mtx_t *matrix = NULL;
    rsb_coo_idx_t *column = malloc((size_t)weights->connections * sizeof *column);
    if (column != NULL) {
        for (int64_t i = 0; i < weights->inputs; i++)
            for (int64_t k = weights->row_ptr[i]; k < weights->row_ptr[i + 1]; k++)
                column[k] = (rsb_coo_idx_t)i;
        matrix = rsb_mtx_alloc_from_coo_const(
            weights->values, weights->column, column, (rsb_nnz_idx_t)weights->connections, RSB_NUMERICAL_TYPE_FLOAT,
            (rsb_coo_idx_t)weights->outputs, (rsb_coo_idx_t)weights->inputs, RSB_DEFAULT_BLOCKING, RSB_DEFAULT_BLOCKING,
            RSB_FLAG_DEFAULT_STORAGE_FLAGS, &status);
    }
    free(column);
    return matrix;
}

void *peer_forward_create(const peer_matrix *weights, int64_t batch, const float *x)
{
    if (!ready && rsb_lib_init(RSB_NULL_INIT_OPTIONS) != RSB_ERR_NO_ERROR) {
        error = "rsb_lib_init failed";
        return NULL;
    }
    ready = 1;
    forward *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->x = x;
    f->outputs = weights->outputs;
    f->batch = batch;
    f->y = calloc((size_t)(weights->outputs * batch), sizeof *f->y);
    f->weights = sparse_matrix(weights);
    if (f->y == NULL || f->weights == NULL) {
        error = "could not build the matrix";
        peer_forward_destroy(f);
        return NULL;
    }
    const float one = 1.0f, zero = 0.0f;
    rsb_nnz_idx_t width = (rsb_nnz_idx_t)batch;
    /* Where tuning fails the matrix stays as it was. */
    (void)rsb_tune_spmm(&f->weights, NULL, NULL, 1, 1.0, RSB_TRANSPOSITION_N, &one, NULL, (rsb_coo_idx_t)batch,
                        RSB_FLAG_WANT_ROW_MAJOR_ORDER, x, width, &zero, f->y, width);
    return f;
}

int32_t peer_forward_run(void *pointer)
{
    int32_t status = multiply(pointer);
    if (status != 0)
        error = "rsb_spmm failed";
    return status;
}

int32_t peer_forward_result(void *pointer, float *y)
{
    const forward *f = pointer;
    memcpy(y, f->y, (size_t)(f->outputs * f->batch) * sizeof *y);
    return 0;
}

void peer_forward_destroy(void *pointer)
{
    forward *f = pointer;
    rsb_mtx_free(f->weights);
    free(f->y);
    free(f);
}
