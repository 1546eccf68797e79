/* The rules of the choice. The numbers were measured with `make bench`: see docs/performance.md. */
#include "kernels/plan.h"

#include "core/memory.h"
#include "cpu/cpu.h"
#include "kernels/kernels.h"

/* Rows of up to this many bytes are so soon worked through that a visit to their sums weighs more, and that prefetching
 * backward has to look further ahead. */
#define NARROW_BYTES 128

/* Share of cells above which computing all of them is faster than visiting those that exist. Spreading the weights over
 * the cells costs the same for every width; from DENSE_WHOLE_WIDTH on the dense kernels fill their registers, and only
 * then are they so fast that finishing each output counts, in the more the fewer inputs it has. A single group of
 * columns leaves the other kernels least to do for what a connection costs. */
#define DENSE_WHOLE_WIDTH 64
#define DENSE_DENSITY_WIDE 0.64
#define DENSE_DENSITY_NARROW 0.76
#define DENSE_DENSITY_ONE_GROUP 0.6
#define DENSE_DENSITY_OF_ONE_INPUT 4.5

/* Full layers of fewer outputs: the pass over single connections computes both products from one read of dy, where it
 * takes all columns at a time. */
#define DENSE_BACKWARD_OUTPUTS 4
#define DENSE_BACKWARD_OUTPUTS_NARROW 12
#define DENSE_WEIGHTS_OUTPUTS_NARROW 8

/* Share of a cache that a panel may fill. */
#define PANEL_SHARE_NUMERATOR 3
#define PANEL_SHARE_DENOMINATOR 4

/* Connections that a row needs in each panel to pay for visiting its sums again: y; x; x and dx. */
#define PANEL_FORWARD_CONNECTIONS 24
#define PANEL_FORWARD_CONNECTIONS_OF_TWO 16 /* of two panels, the step that gains most */
#define PANEL_FORWARD_CONNECTIONS_NARROW 32
#define PANEL_WEIGHTS_CONNECTIONS 28
#define PANEL_WEIGHTS_CONNECTIONS_HALF 32
#define PANEL_BACKWARD_CONNECTIONS 28

/* Backward, where the kernel takes no more than this of a row at a time, parts gain less. */
#define PANEL_HALF_BYTES 256

/* Activations beyond this share of the third-level cache come from memory often enough. */
#define FAR_SHARE 6

#define PREFETCH_NEAR 8
#define PREFETCH_NARROW 16      /* backward */
#define PREFETCH_NARROW_SHARE 4 /* of the second-level cache, for narrow rows beyond it */
#define PREFETCH_BEFORE_FAR 4
#define PREFETCH_FAR 64

tsnni_caches tsnni_caches_of_this_machine(void)
{
    tsnni_caches caches = {tsnni_cpu_cache_bytes(1), tsnni_cpu_cache_bytes(2), tsnni_cpu_cache_bytes(3)};
    return caches;
}

static int64_t parts(int64_t whole, int64_t part)
{
    return (whole - 1) / part + 1;
}

/* INT64_MAX where it is more. */
static int64_t product(int64_t a, int64_t b)
{
    int64_t result;
    return tsnni_multiply(a, b, &result) < 0 ? INT64_MAX : result;
}

static int64_t share_of(int64_t cache)
{
    return cache / PANEL_SHARE_DENOMINATOR * PANEL_SHARE_NUMERATOR;
}

/* Panels that fit; 1 where the machine does not tell the size of its cache. */
static int64_t panels_that_fit(int64_t room, int64_t bytes)
{
    return room > 0 ? parts(bytes, room) : 1;
}

/* As many panels as fit, or as can be afforded: the first-level cache holds a part of larger ones as well. */
static int64_t panels_up_to(int64_t fitting, int64_t affordable)
{
    int64_t panels = fitting < affordable ? fitting : affordable;
    return panels > 1 ? panels : 1;
}

static tsnni_pass_plan plan_gather(const tsnni_caches *caches, int64_t bytes, int64_t panels, int64_t prefetch)
{
    tsnni_pass_plan plan = {.route = TSNNI_ROUTE_PLAIN,
                            .panels = panels,
                            .prefetch = PREFETCH_NEAR,
                            .bytes = bytes,
                            .reason = TSNNI_REASON_FITS};
    if (panels > 1) {
        plan.route = TSNNI_ROUTE_PANELS;
        plan.reason = TSNNI_REASON_PARTS;
    } else if (bytes > caches->level3 / FAR_SHARE) {
        plan.prefetch = PREFETCH_BEFORE_FAR;
        plan.prefetch_far = PREFETCH_FAR;
        plan.reason = TSNNI_REASON_MEMORY;
    } else {
        plan.prefetch = prefetch;
        plan.reason = bytes > caches->level2 ? TSNNI_REASON_FEW : TSNNI_REASON_FITS;
    }
    return plan;
}

/* A pass without panels and prefetch: of the dense kernels, which read row after row, or of the reference. */
static void choose_bare(tsnni_pass_plan *plan, tsnni_route route, tsnni_plan_reason reason)
{
    plan->route = route;
    plan->panels = 1;
    plan->prefetch = 0;
    plan->prefetch_far = 0;
    plan->bytes = route == TSNNI_ROUTE_DENSE ? 0 : plan->bytes;
    plan->reason = reason;
}

static double density(const tsnni_plan_shape *shape)
{
    return (double)shape->count / ((double)shape->rows * (double)shape->columns);
}

static int32_t dense_forward_pays(const tsnni_plan_shape *shape)
{
    double share = density(shape), least = DENSE_DENSITY_NARROW;
    if (shape->width >= DENSE_WHOLE_WIDTH)
        least = DENSE_DENSITY_WIDE + DENSE_DENSITY_OF_ONE_INPUT / (double)shape->rows;
    else if (shape->width <= TSNNI_COLUMN_GROUP)
        least = DENSE_DENSITY_ONE_GROUP;
    return share >= least || share >= 1.0;
}

/* Columns that a kernel takes at a time. */
static int64_t tile_columns(int64_t width, int64_t most)
{
    int64_t groups = parts(width, TSNNI_COLUMN_GROUP), most_groups = most / TSNNI_COLUMN_GROUP;
    return TSNNI_COLUMN_GROUP * (most_groups > 0 ? parts(groups, parts(groups, most_groups)) : groups);
}

/* Panels that the connections of an output pay for. */
static int64_t forward_panels_affordable(int64_t each, int64_t row_bytes)
{
    if (row_bytes <= NARROW_BYTES)
        return each / PANEL_FORWARD_CONNECTIONS_NARROW;
    int64_t panels = each / PANEL_FORWARD_CONNECTIONS;
    return panels < 2 && each >= 2 * PANEL_FORWARD_CONNECTIONS_OF_TWO ? 2 : panels;
}

/* Only the columns that the kernel takes at a time compete for the caches. */
tsnni_pass_plan tsnni_plan_forward(const tsnni_caches *caches, const tsnni_plan_shape *shape)
{
    int64_t row_bytes = product(tile_columns(shape->width, shape->forward_columns), shape->input_bytes),
            bytes = product(shape->rows, row_bytes);
    int64_t fitting = panels_that_fit(share_of(caches->level1), bytes);
    int64_t affordable = forward_panels_affordable(shape->count / shape->columns, row_bytes);
    tsnni_pass_plan plan = plan_gather(caches, bytes, panels_up_to(fitting, affordable), PREFETCH_NEAR);
    if (dense_forward_pays(shape))
        choose_bare(&plan, TSNNI_ROUTE_DENSE, TSNNI_REASON_FULL);
    else if (shape->forward_columns == 0)
        choose_bare(&plan, TSNNI_ROUTE_PLAIN, TSNNI_REASON_REFERENCE);
    return plan;
}

/* For each panel x is read again, and dx read and written: the fewer columns at a time, the more that costs, and with
 * dx only derivatives that the second-level cache does not hold are worth it. */
static int64_t backward_panels(const tsnni_caches *caches, const tsnni_plan_shape *shape, int64_t bytes,
                               int32_t input_gradient)
{
    int64_t each = shape->count / shape->rows, fitting;
    int64_t at_once = tile_columns(shape->width, shape->backward_columns) * (int64_t)sizeof(float);
    if (at_once > PANEL_HALF_BYTES && !input_gradient)
        return panels_up_to(panels_that_fit(caches->level1, bytes), each / PANEL_WEIGHTS_CONNECTIONS);
    if (at_once > PANEL_HALF_BYTES) {
        fitting = panels_that_fit(share_of(caches->level2), bytes);
        return fitting <= each / PANEL_BACKWARD_CONNECTIONS ? fitting : 1;
    }
    fitting = panels_that_fit(caches->level1, bytes);
    return !input_gradient && at_once > NARROW_BYTES && fitting <= each / PANEL_WEIGHTS_CONNECTIONS_HALF ? fitting : 1;
}

static int32_t dense_backward_pays(const tsnni_plan_shape *shape, int32_t input_gradient)
{
    int64_t least = input_gradient && shape->width <= shape->backward_columns ? DENSE_BACKWARD_OUTPUTS : 1;
    if (shape->width < DENSE_WHOLE_WIDTH)
        least = input_gradient ? DENSE_BACKWARD_OUTPUTS_NARROW : DENSE_WEIGHTS_OUTPUTS_NARROW;
    return density(shape) >= 1.0 && shape->columns >= least;
}

/* The kernel takes all columns of a connection, or of the next few, before it goes on: whole rows count. */
tsnni_pass_plan tsnni_plan_backward(const tsnni_caches *caches, const tsnni_plan_shape *shape, int32_t input_gradient)
{
    int64_t row_bytes = product(shape->width, (int64_t)sizeof(float)), bytes = product(shape->columns, row_bytes);
    int32_t narrow = row_bytes <= NARROW_BYTES && bytes > caches->level2 / PREFETCH_NARROW_SHARE;
    tsnni_pass_plan plan = plan_gather(caches, bytes, backward_panels(caches, shape, bytes, input_gradient),
                                       narrow ? PREFETCH_NARROW : PREFETCH_NEAR);
    if (dense_backward_pays(shape, input_gradient))
        choose_bare(&plan, TSNNI_ROUTE_DENSE, TSNNI_REASON_FULL);
    else if (shape->forward_columns == 0)
        choose_bare(&plan, TSNNI_ROUTE_PLAIN, TSNNI_REASON_REFERENCE);
    return plan;
}
