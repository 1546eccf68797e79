/* SuiteSparse:GraphBLAS: Y += W' X into a full matrix held by row, which is its fastest method for a sparse times a
 * full matrix; Y is set to 0 first, as part of the work. */
#include "peer.h"

#include <GraphBLAS.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct forward {
    GrB_Matrix weights, x, y; /* outputs x inputs, inputs x batch, outputs x batch */
    GrB_Index outputs, batch;
} forward;

static const char *error = "";
static int32_t ready;

const char *peer_version(void)
{
    static char text[64];
    snprintf(text, sizeof text, "GraphBLAS %d.%d.%d", GxB_IMPLEMENTATION_MAJOR, GxB_IMPLEMENTATION_MINOR,
             GxB_IMPLEMENTATION_SUB);
    return text;
}

const char *peer_error(void)
{
    return error;
}

/* A full matrix by row with a copy of the values, or of zeros when values is NULL. */
static GrB_Info full_matrix(GrB_Index rows, GrB_Index columns, const float *values, GrB_Matrix *out)
{
    size_t bytes = rows * columns * sizeof(float);
    void *copy = calloc(1, bytes);
    if (copy == NULL)
        return GrB_OUT_OF_MEMORY;
    if (values != NULL)
        memcpy(copy, values, bytes);
    GrB_Info info = GrB_Matrix_new(out, GrB_FP32, rows, columns);
    if (info == GrB_SUCCESS)
        info = GxB_Matrix_pack_FullR(*out, &copy, bytes, false, NULL);
    free(copy); /* NULL when the matrix has taken it over */
    return info;
}

static GrB_Info sparse_matrix(const peer_matrix *weights, GrB_Matrix *out)
{
    GrB_Index count = (GrB_Index)weights->connections;
    GrB_Index *row = malloc(count * sizeof *row), *column = malloc(count * sizeof *column);
    GrB_Info info = row == NULL || column == NULL ? GrB_OUT_OF_MEMORY : GrB_SUCCESS;
    if (info == GrB_SUCCESS)
        info = GrB_Matrix_new(out, GrB_FP32, (GrB_Index)weights->outputs, (GrB_Index)weights->inputs);
    if (info == GrB_SUCCESS) {
        for (int64_t i = 0; i < weights->inputs; i++) {
            for (int64_t k = weights->row_ptr[i]; k < weights->row_ptr[i + 1]; k++) {
                row[k] = (GrB_Index)weights->column[k];
                column[k] = (GrB_Index)i;
            }
        }
        info = GrB_Matrix_build_FP32(*out, row, column, weights->values, count, GrB_PLUS_FP32);
    }
    if (info == GrB_SUCCESS)
        info = GrB_Matrix_wait(*out, GrB_MATERIALIZE);
    free(row);
    free(column);
    return info;
}

void *peer_forward_create(const peer_matrix *weights, int64_t batch, const float *x)
{
    if (!ready) {
        if (GrB_init(GrB_BLOCKING) != GrB_SUCCESS || GxB_Global_Option_set(GxB_NTHREADS, 1) != GrB_SUCCESS ||
            GxB_Global_Option_set(GxB_FORMAT, GxB_BY_ROW) != GrB_SUCCESS) {
            error = "GrB_init failed";
            return NULL;
        }
        ready = 1;
    }
    forward *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->outputs = (GrB_Index)weights->outputs;
    f->batch = (GrB_Index)batch;
    if (sparse_matrix(weights, &f->weights) != GrB_SUCCESS ||
        full_matrix((GrB_Index)weights->inputs, f->batch, x, &f->x) != GrB_SUCCESS ||
        full_matrix(f->outputs, f->batch, NULL, &f->y) != GrB_SUCCESS) {
        error = "could not build the matrices";
        peer_forward_destroy(f);
        return NULL;
    }
    return f;
}

int32_t peer_forward_run(void *pointer)
{
    forward *f = pointer;
    GrB_Info info = GrB_Matrix_assign_FP32(f->y, NULL, NULL, 0.0f, GrB_ALL, f->outputs, GrB_ALL, f->batch, NULL);
    if (info == GrB_SUCCESS)
        info = GrB_mxm(f->y, NULL, GrB_PLUS_FP32, GrB_PLUS_TIMES_SEMIRING_FP32, f->weights, f->x, NULL);
    if (info != GrB_SUCCESS)
        error = "GrB_mxm failed";
    return info == GrB_SUCCESS ? 0 : -1;
}

int32_t peer_forward_result(void *pointer, float *y)
{
    forward *f = pointer;
    for (GrB_Index j = 0; j < f->outputs; j++)
        for (GrB_Index c = 0; c < f->batch; c++)
            if (GrB_Matrix_extractElement_FP32(&y[j * f->batch + c], f->y, j, c) != GrB_SUCCESS)
                y[j * f->batch + c] = 0.0f;
    return 0;
}

void peer_forward_destroy(void *pointer)
{
    forward *f = pointer;
    GrB_Matrix_free(&f->weights);
    GrB_Matrix_free(&f->x);
    GrB_Matrix_free(&f->y);
    free(f);
}
