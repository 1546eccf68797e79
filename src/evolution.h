/* Inside of an evolution rule: where it belongs, for the trainer. */
#ifndef TSNNI_EVOLUTION_H
#define TSNNI_EVOLUTION_H

#include <tsnn/evolution.h>

const tsnn_context *tsnni_evolution_context(const tsnn_evolution *evolution);

double tsnni_evolution_zeta(const tsnn_evolution *evolution);

/* The same rule in another context. */
tsnn_status tsnni_evolution_copy(const tsnn_evolution *evolution, tsnn_context *context, tsnn_evolution **out);

#endif
