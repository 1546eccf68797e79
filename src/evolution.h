/* Inside of an evolution rule. */
#ifndef TSNNI_EVOLUTION_H
#define TSNNI_EVOLUTION_H

#include <tsnn/evolution.h>

struct tsnn_evolution {
    tsnn_context *context;
    double zeta;
};

#endif
