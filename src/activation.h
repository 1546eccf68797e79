/* Inside of an activation: a rule, and its resolved form for one layer. */
#ifndef TSNNI_ACTIVATION_H
#define TSNNI_ACTIVATION_H

#include <tsnn/activation.h>

typedef struct tsnni_activation_rule {
    int32_t kind;
    float alpha;
    tsnn_activation_function function;
    tsnn_activation_derivative derivative;
    void *user;
} tsnni_activation_rule;

struct tsnn_activation {
    tsnn_context *context;
    tsnni_activation_rule rule;
};

/* A kind as texts name it. */
const char *tsnni_activation_name(int32_t kind);

/* 1 when f(z) = z < 0 ? slope z : z, which the kernels fuse. */
int32_t tsnni_activation_is_slope(const tsnni_activation_rule *rule);

/* The slope for z < 0 in the hidden layer of that index, from 0. Slope kinds only. */
float tsnni_activation_slope(const tsnni_activation_rule *rule, int64_t hidden_index);

/* a = f(z) over count elements; a may be z, but not for CUSTOM. Not SOFTMAX. */
void tsnni_activation_apply(const tsnni_activation_rule *rule, int64_t hidden_index, const float *z, float *a,
                            int64_t count);

/* derivative_k = f'(z_k). z is used by slope kinds and CUSTOM, a = f(z) by the others and CUSTOM. Not SOFTMAX. */
void tsnni_activation_differentiate(const tsnni_activation_rule *rule, int64_t hidden_index, const float *z,
                                    const float *a, float *derivative, int64_t count);

#endif
