/* Patterns whose cells are drawn each by itself, in the time of the connections: their number is binomial, and given
 * the number every set of cells is as likely as any other. */
#include "sparse/sampling.h"

#include <math.h>
#include <string.h>

/* Weights below this share of the mode's are left out: a double cannot tell. */
#define NEGLIGIBLE 1e-20

/* Weights of the numbers of successes, relative to the mode's: each follows from its neighbour by the ratio of
 * consecutive terms, so that nothing cancels. */
typedef struct binomial {
    double trials, odds, mode;
} binomial;

/* Adds the weights of the mode and the numbers above (direction 1) or of those below (-1) to a sum, until it exceeds
 * the limit; *number is then the number that made it do so. Takes about ten standard deviations. */
static double add_weights(const binomial *b, int32_t direction, double sum, double limit, double *number)
{
    double weight = 1, at = b->mode;
    if (direction < 0) {
        weight = at / (b->trials - at + 1) / b->odds;
        at -= 1;
    }
    while (weight > NEGLIGIBLE) {
        sum += weight;
        if (sum > limit) {
            *number = at;
            break;
        }
        weight *= direction > 0 ? (b->trials - at) / (at + 1) * b->odds : at / ((b->trials - at + 1) * b->odds);
        at += direction;
    }
    return sum;
}

/* Successes of `trials` trials by inversion; probability in (0, 1). */
static int64_t draw_binomial(int64_t trials, double probability, tsnni_random_key key)
{
    binomial b = {(double)trials, probability / (1 - probability), 0};
    b.mode = fmin(floor((b.trials + 1) * probability), b.trials);
    double number = b.mode, total = add_weights(&b, 1, 0, INFINITY, &number);
    total = add_weights(&b, -1, total, INFINITY, &number);
    tsnni_stream stream;
    tsnni_stream_init(&stream, key);
    double target = total * tsnni_stream_uniform(&stream);
    double sum = add_weights(&b, 1, 0, target, &number);
    if (sum <= target)
        add_weights(&b, -1, sum, target, &number);
    return (int64_t)number;
}

tsnn_status tsnni_sample_bernoulli(tsnni_runtime *runtime, int64_t rows, int64_t columns, double density, uint64_t seed,
                                   int64_t layer, tsnni_pattern *out)
{
    memset(out, 0, sizeof *out);
    tsnn_status status = tsnni_pattern_check(runtime, rows, columns, 0);
    if (status < 0)
        return status;
    if (!(density >= 0 && density <= 1))
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "density %g is outside [0, 1]", density);
    double expected = density * (double)rows * (double)columns;
    if (expected > (double)TSNNI_MAX_CONNECTIONS + 64 * sqrt((double)TSNNI_MAX_CONNECTIONS))
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "density %g of %lld x %lld cells is more than %lld connections",
                          density, (long long)rows, (long long)columns, (long long)TSNNI_MAX_CONNECTIONS);
    int64_t count = density == 1 ? rows * columns : 0;
    if (density > 0 && density < 1) /* the cells themselves are drawn with the key of epoch 0 */
        count =
            draw_binomial(rows * columns, density, tsnni_random_key_make(seed, TSNNI_PURPOSE_TOPOLOGY, layer, 1, 0));
    return tsnni_sample_exact(runtime, rows, columns, count, seed, layer, out);
}
