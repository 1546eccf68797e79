/* The optimizer step, and what backward does with finished dot products. */

typedef struct step {
    vec gradient_scale, learning_rate, momentum, decay, l2;
    int32_t nesterov;
} step;

INLINE step step_of(const tsnni_update *update)
{
    step s = {vset1(update->gradient_scale),
              vset1(update->learning_rate),
              vset1(update->momentum),
              vset1(update->decay),
              vset1(update->l2),
              update->nesterov};
    return s;
}

/* See tsnni_update. */
INLINE void step_vector(const step *s, vec *w, vec *velocity, vec g)
{
    g = vfma(s->l2, *w, vmul(s->gradient_scale, g));
    vec v = vfnma(s->learning_rate, g, vmul(s->momentum, *velocity));
    vec move = s->nesterov ? vfnma(s->learning_rate, g, vmul(s->momentum, v)) : v;
    *w = vfnma(s->decay, *w, vadd(*w, move));
    *velocity = v;
}

/* count <= LANES weights. */
INLINE void step_lanes(const step *s, float *values, float *velocity, vec g, int64_t count)
{
    if (count >= LANES) {
        vec w = vload(values), v = velocity ? vload(velocity) : vzero();
        step_vector(s, &w, &v, g);
        vstore(values, w);
        if (velocity)
            vstore(velocity, v);
    } else {
        vec w = vload_partial(values, count), v = velocity ? vload_partial(velocity, count) : vzero();
        step_vector(s, &w, &v, g);
        vstore_partial(values, w, count);
        if (velocity)
            vstore_partial(velocity, v, count);
    }
}

INLINE void gradient_lanes(float *gradient, vec g, int64_t count, int32_t accumulate)
{
    if (count >= LANES) {
        vstore(gradient, accumulate ? vadd(vload(gradient), g) : g);
    } else {
        vec sum = accumulate ? vadd(vload_partial(gradient, count), g) : g;
        vstore_partial(gradient, sum, count);
    }
}

/* Hands the dot products of connections [first, first + count) to the optimizer or the gradient array. */
INLINE void finish_weights(const tsnni_backward *task, const step *s, int64_t first, int64_t count, const float *dots)
{
    for (int64_t k = 0; k < count; k += LANES) {
        vec g = vload(dots + k);
        int64_t at = first + k;
        if (task->mode == TSNNI_BACKWARD_GRADIENT)
            gradient_lanes(task->gradient + at, g, count - k, task->accumulate);
        else
            step_lanes(s, task->values + at, task->velocity ? task->velocity + at : NULL, g, count - k);
    }
}

/* Dot products of connections that follow one another, over the ends of rows: whole vectors leave, few are ever cut. */
typedef struct dot_queue {
    int64_t first, count; /* connections [first, first + count) wait */
    float dots[2 * DOT_BLOCK + LANES] __attribute__((aligned(64)));
} dot_queue;

INLINE void queue_finish(const tsnni_backward *task, const step *s, dot_queue *queue)
{
    finish_weights(task, s, queue->first, queue->count, queue->dots);
    queue->first += queue->count;
    queue->count = 0;
}

/* What comes next begins at connection `first`. */
INLINE void queue_start(const tsnni_backward *task, const step *s, dot_queue *queue, int64_t first)
{
    if (queue->first + queue->count == first)
        return;
    queue_finish(task, s, queue);
    queue->first = first;
}

/* `count` more have been stored behind those that wait, count <= DOT_BLOCK. */
INLINE void queue_add(const tsnni_backward *task, const step *s, dot_queue *queue, int64_t count)
{
    queue->count += count;
    if (queue->count < DOT_BLOCK)
        return;
    int64_t whole = queue->count / LANES * LANES;
    finish_weights(task, s, queue->first, whole, queue->dots);
    vstore(queue->dots, vload(queue->dots + whole));
    queue->first += whole;
    queue->count -= whole;
}

static TARGET void update(float *values, float *velocity, const float *gradient, const tsnni_update *update,
                          int64_t begin, int64_t end)
{
    step s = step_of(update);
    for (int64_t k = begin; k < end; k += LANES) {
        vec g = end - k >= LANES ? vload(gradient + k) : vload_partial(gradient + k, end - k);
        step_lanes(&s, values + k, velocity ? velocity + k : NULL, g, end - k);
    }
}
