/* The kernels of sigmoid, tanh and softmax against double precision. */
#include "kernel_compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GROUP TSNNI_COLUMN_GROUP
#define LARGEST_ERROR 3.0 /* units in the last place: what kernels.h promises */

/* Numbers from 1e-10 to 1e3 and their like, denormal, zero, infinite and none; count of them is a multiple of 16. */
static const float specials[] = {0.0f,   -0.0f,  1e-42f, -1e-42f, 0.5f,   -0.5f,     0.4999999f, 87.0f,
                                 -87.0f, -86.9f, 88.8f,  -88.8f,  -1e30f, -INFINITY, INFINITY,   NAN};

static float argument(int64_t k, int64_t count)
{
    if (k < (int64_t)(sizeof specials / sizeof *specials))
        return specials[k];
    double size = pow(10.0, -10.0 + 13.0 * (double)k / (double)count);
    return (float)(k % 2 ? -size : size);
}

/* In units in the last place of the true value; exact where that is below the normal numbers. */
static double error_of(float actual, double expected)
{
    int exponent;
    if (isnan(expected))
        return isnan(actual) ? 0.0 : INFINITY;
    if (fabs(expected) < 2e-38)
        return fabs(actual) <= 2e-38f ? 0.0 : INFINITY;
    frexp(expected, &exponent);
    return fabs((double)actual - expected) / ldexp(1.0, exponent - 24);
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static void compare_elementwise(const tsnni_kernels *kernels,
                                void (*kernel)(const tsnni_function *task, int64_t begin, int64_t end),
                                double (*expected)(double), const char *function, tsnni_report *report)
{
    enum { ROWS = 64, WIDTH = 144, STRIDE = 160 };
    float *y = tsnni_guarded_new(ROWS * STRIDE * (int64_t)sizeof *y);
    char name[80];
    snprintf(name, sizeof name, "%s %s", kernels->name, function);
    for (int64_t k = 0; k < ROWS * WIDTH; k++)
        y[k / WIDTH * STRIDE + k % WIDTH] = argument(k, ROWS * WIDTH);
    tsnni_function task = {ROWS, y, STRIDE, WIDTH};
    kernel(&task, ROWS / 2, ROWS);
    kernel(&task, 0, ROWS / 2);
    kernel(&task, 5, 5);
    for (int64_t k = 0; k < ROWS * WIDTH; k++) {
        float x = argument(k, ROWS * WIDTH), actual = y[k / WIDTH * STRIDE + k % WIDTH];
        double error = error_of(actual, expected((double)x));
        tsnni_expect(report, error <= LARGEST_ERROR, "%s(%g) is %g: %g units off", name, x, actual, error);
    }
    tsnni_expect_inside(report, y, ROWS, STRIDE, WIDTH, 0, ROWS, name);
    tsnni_expect_guards(report, y, ROWS * STRIDE * (int64_t)sizeof *y, name);
    tsnni_guarded_free(y);
}

/* One column against double precision; a column that holds a NaN or nothing finite is all NaN. */
static void check_softmax_column(const float *z, const float *a, int64_t rows, int64_t stride, const char *name,
                                 tsnni_report *report)
{
    double largest = -INFINITY, sum = 0.0, total = 0.0;
    int broken = 0;
    for (int64_t k = 0; k < rows; k++) {
        largest = fmax(largest, (double)z[k * stride]);
        broken |= isnan(z[k * stride]);
    }
    for (int64_t k = 0; k < rows; k++)
        sum += exp((double)z[k * stride] - largest);
    for (int64_t k = 0; k < rows; k++) {
        double expected = broken ? (double)NAN : exp((double)z[k * stride] - largest) / sum;
        /* the rounded difference alone may cost |difference| / 2 units */
        double allowed = 4.0 + sqrt((double)rows) + (isfinite(expected) ? fabs((double)z[k * stride] - largest) : 0.0);
        double error = error_of(a[k * stride], expected);
        tsnni_expect(report, error <= allowed, "%s: row %d is %g, not %g", name, (int)k, (double)a[k * stride],
                     expected);
        total += a[k * stride];
    }
    if (!isnan(sum) && !broken)
        tsnni_expect(report, fabs(total - 1.0) < 1e-5, "%s: the sum is %g", name, total);
}

static void compare_softmax(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report)
{
    int64_t width = (batch + GROUP - 1) / GROUP * GROUP, stride = width + GROUP, groups = width / GROUP;
    int64_t bytes = rows * stride * (int64_t)sizeof(float);
    tsnni_stream stream = tsnni_case_stream(rows, batch);
    float *z = tsnni_guarded_floats(&stream, rows * stride), *a = tsnni_guarded_new(bytes);
    float *cut = tsnni_guarded_new(bytes);
    char name[80];
    snprintf(name, sizeof name, "%s softmax %dx%d", kernels->name, (int)rows, (int)batch);
    for (int64_t k = 0; k < rows; k++)
        for (int64_t c = 0; c < width; c++)
            z[k * stride + c] *= c % 3 == 0 ? 1.0f : c % 3 == 1 ? 20.0f : 90.0f;
    z[(rows - 1) * stride] = NAN;
    z[(rows - 1) * stride + 1] = -INFINITY;
    if (rows > 1)
        z[1] = 0.0f;
    memcpy(a, z, (size_t)bytes);
    memcpy(cut, z, (size_t)bytes);
    tsnni_function whole = {rows, a, stride, width}, parts = {rows, cut, stride, width};
    kernels->softmax(&whole, 0, groups);
    kernels->softmax(&parts, groups / 2, groups);
    kernels->softmax(&parts, 0, groups / 2);
    for (int64_t c = 0; c < batch; c++)
        check_softmax_column(z + c, a + c, rows, stride, name, report);
    tsnni_expect(report, memcmp(a, cut, (size_t)bytes) == 0, "%s: depends on the cuts", name);
    tsnni_expect_guards(report, a, bytes, name);
    tsnni_guarded_free(z);
    tsnni_guarded_free(a);
    tsnni_guarded_free(cut);
}

void tsnni_compare_functions(const tsnni_kernels *kernels, tsnni_report *report)
{
    static const int64_t rows[] = {1, 2, 3, 10, 100};
    compare_elementwise(kernels, kernels->sigmoid, sigmoid, "sigmoid", report);
    compare_elementwise(kernels, kernels->hyperbolic_tangent, tanh, "tanh", report);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int64_t batch = 1; batch <= 130; batch += 43)
            compare_softmax(kernels, rows[r], batch, report);
}
