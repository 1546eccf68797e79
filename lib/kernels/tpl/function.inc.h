/* Activations that need e^x: sigmoid, tanh, softmax. */

/* Below it e^x would leave the normal numbers soon. */
#define EXP_LEAST -87.0f

#define LOG2_E 1.44269504f
#define LN_2_HIGH 0.693145752f /* few enough bits for an exact product with any exponent */
#define LN_2_LOW 1.42860677e-6f

/* e^x for x <= 0, to about one unit in the last place: 2^n e^r with |r| <= ln 2 / 2, e^r by its series. */
INLINE vec exp_negative(vec x)
{
    static const float factor[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
    vmask vanishes = vnegative(vsub(x, vset1(EXP_LEAST)));
    vec n = vnearest(vmul(x, vset1(LOG2_E)));
    vec r = vfnma(n, vset1(LN_2_LOW), vfnma(n, vset1(LN_2_HIGH), x));
    vec sum = vset1(factor[0]);
    UNROLL
    for (int k = 1; k < 8; k++)
        sum = vfma(sum, r, vset1(factor[k]));
    return vselect(vanishes, vzero(), vscale(sum, n));
}

INLINE vec absolute(vec x)
{
    return vselect(vnegative(x), vsub(vzero(), x), x);
}

INLINE vec sigmoid_of(vec x)
{
    vec one = vset1(1.0f), e = exp_negative(vsub(vzero(), absolute(x)));
    return vdiv(vselect(vnegative(x), e, one), vadd(one, e));
}

/* (1 - e^-2|x|) / (1 + e^-2|x|), and near 0, where that would cancel, x + x^3 q(x^2): the best q of degree 3 for
 * |x| <= 1/2. */
INLINE vec tanh_of(vec x)
{
    static const float factor[] = {0.0172569885f, -0.0530529496f, 0.133259873f, -0.333331484f};
    vec one = vset1(1.0f), size = absolute(x), square = vmul(x, x);
    vec e = exp_negative(vmul(vset1(-2.0f), size));
    vec far = vdiv(vsub(one, e), vadd(one, e));
    vec sum = vset1(factor[0]);
    UNROLL
    for (int k = 1; k < 4; k++)
        sum = vfma(sum, square, vset1(factor[k]));
    vec near = vfma(vmul(x, square), sum, x);
    return vselect(vnegative(vsub(size, vset1(0.5f))), near, vselect(vnegative(x), vsub(vzero(), far), far));
}

#define ELEMENTWISE(name, function)                                                                                    \
    static TARGET void name(const tsnni_function *task, int64_t begin, int64_t end)                                    \
    {                                                                                                                  \
        for (int64_t j = begin; j < end; j++) {                                                                        \
            float *row = task->y + j * task->stride;                                                                   \
            for (int64_t c = 0; c < task->width; c += LANES)                                                           \
                vstore(row + c, function(vload(row + c)));                                                             \
        }                                                                                                              \
    }
ELEMENTWISE(sigmoid, sigmoid_of)
ELEMENTWISE(hyperbolic_tangent, tanh_of)
#undef ELEMENTWISE

/* One vector of columns, over all rows. */
INLINE void softmax_columns(float *y, int64_t rows, int64_t stride)
{
    vec largest = vload(y), sum = vzero();
    for (int64_t k = 1; k < rows; k++) {
        vec z = vload(y + k * stride);
        largest = vselect(vnegative(vsub(largest, z)), z, largest);
    }
    for (int64_t k = 0; k < rows; k++) {
        vec e = exp_negative(vsub(vload(y + k * stride), largest));
        vstore(y + k * stride, e);
        sum = vadd(sum, e);
    }
    vec scale = vdiv(vset1(1.0f), sum);
    for (int64_t k = 0; k < rows; k++)
        vstore(y + k * stride, vmul(vload(y + k * stride), scale));
}

static TARGET void softmax(const tsnni_function *task, int64_t begin, int64_t end)
{
    for (int64_t c = begin * TSNNI_COLUMN_GROUP; task->rows > 0 && c < end * TSNNI_COLUMN_GROUP; c += LANES)
        softmax_columns(task->y + c, task->rows, task->stride);
}
