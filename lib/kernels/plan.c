/* The rules of the choice. The numbers were measured with `make bench`: see docs/performance.md. */
#include "kernels/plan.h"

#include "cpu/cpu.h"

/* Share of cells above which computing all of them is faster than visiting those that exist. */
#define DENSE_FORWARD_DENSITY 0.48

/* Full layers of fewer outputs: the pass over single connections computes both products from one read of dy. */
#define DENSE_BACKWARD_OUTPUTS 4

/* Share of the second-level cache that a panel may fill. */
#define PANEL_SHARE_NUMERATOR 3
#define PANEL_SHARE_DENOMINATOR 4

/* Connections that a row needs in each panel to pay for visiting its sums again: y; x; x and dx. */
#define PANEL_FORWARD_CONNECTIONS 16
#define PANEL_WEIGHTS_CONNECTIONS 16
#define PANEL_BACKWARD_CONNECTIONS 28

/* Activations beyond this share of the third-level cache come from memory often enough. */
#define FAR_SHARE 4

#define PREFETCH_NEAR 8
#define PREFETCH_NARROW 16 /* rows of up to NARROW_BYTES beyond the second-level cache */
#define NARROW_BYTES 256
#define PREFETCH_BEFORE_FAR 4
#define PREFETCH_FAR 64

tsnni_caches tsnni_caches_of_this_machine(void)
{
    tsnni_caches caches = {tsnni_cpu_cache_bytes(1), tsnni_cpu_cache_bytes(2), tsnni_cpu_cache_bytes(3)};
    return caches;
}

/* Panels of `bytes` of activations, or 1 where they would not pay. */
static int64_t panels_for(const tsnni_caches *caches, int64_t bytes, int64_t rows, int64_t count, int64_t needed)
{
    int64_t room = caches->level2 / PANEL_SHARE_DENOMINATOR * PANEL_SHARE_NUMERATOR;
    if (room < 1 || bytes <= room)
        return 1;
    int64_t panels = (bytes - 1) / room + 1;
    return panels <= count / rows / needed ? panels : 1;
}

/* One panel more where panels fit, but take so much of the second-level cache that weights and indices, which pass
 * through it as well, drive them out. Pays in the forward pass only, where all that a panel costs is another visit to
 * y. */
static int64_t finer_panels(const tsnni_caches *caches, const tsnni_plan_shape *shape, const tsnni_pass_plan *plan)
{
    int64_t each = plan->bytes / plan->panels, enough = shape->count / shape->columns / PANEL_FORWARD_CONNECTIONS;
    int64_t room = caches->level2 / PANEL_SHARE_DENOMINATOR * PANEL_SHARE_NUMERATOR;
    return each <= room && each > room / 2 && plan->panels < enough ? plan->panels + 1 : plan->panels;
}

/* A pass that gathers rows of a matrix with `dimension` of them, for `rows` rows of connections. */
static tsnni_pass_plan plan_gather(const tsnni_caches *caches, const tsnni_plan_shape *shape, int64_t dimension,
                                   int64_t row_bytes, int64_t rows, int64_t needed)
{
    int64_t bytes = dimension * row_bytes;
    tsnni_pass_plan plan = {TSNNI_ROUTE_PLAIN, panels_for(caches, bytes, rows, shape->count, needed), PREFETCH_NEAR, 0,
                            bytes};
    if (plan.panels > 1) {
        plan.route = TSNNI_ROUTE_PANELS;
    } else if (bytes > caches->level3 / FAR_SHARE) {
        plan.prefetch = PREFETCH_BEFORE_FAR;
        plan.prefetch_far = PREFETCH_FAR;
    } else if (bytes > caches->level2 && row_bytes <= NARROW_BYTES) {
        plan.prefetch = PREFETCH_NARROW;
    }
    return plan;
}

static int64_t float_row_bytes(const tsnni_plan_shape *shape)
{
    return shape->stride * (int64_t)sizeof(float);
}

static double density(const tsnni_plan_shape *shape)
{
    return (double)shape->count / ((double)shape->rows * (double)shape->columns);
}

tsnni_pass_plan tsnni_plan_forward(const tsnni_caches *caches, const tsnni_plan_shape *shape)
{
    tsnni_pass_plan plan = plan_gather(caches, shape, shape->rows,
                                       shape->input_row_bytes ? shape->input_row_bytes : float_row_bytes(shape),
                                       shape->columns, PANEL_FORWARD_CONNECTIONS);
    plan.panels = finer_panels(caches, shape, &plan);
    if (plan.panels > 1)
        plan.route = TSNNI_ROUTE_PANELS;
    if (density(shape) >= DENSE_FORWARD_DENSITY) {
        plan.route = TSNNI_ROUTE_DENSE;
        plan.panels = 1;
    }
    return plan;
}

tsnni_pass_plan tsnni_plan_backward(const tsnni_caches *caches, const tsnni_plan_shape *shape, int32_t input_gradient)
{
    tsnni_pass_plan plan = plan_gather(caches, shape, shape->columns, float_row_bytes(shape), shape->rows,
                                       input_gradient ? PANEL_BACKWARD_CONNECTIONS : PANEL_WEIGHTS_CONNECTIONS);
    if (density(shape) >= 1.0 && (shape->columns >= DENSE_BACKWARD_OUTPUTS || !input_gradient)) {
        plan.route = TSNNI_ROUTE_DENSE;
        plan.panels = 1;
    }
    return plan;
}
