/* The mean of several copies of a network that were trained, and evolved, each by itself. */
#ifndef TSNNI_AVERAGE_H
#define TSNNI_AVERAGE_H

#include "network.h"

/* Takes the surplus over `keep` connections: those nearest to zero of each sign, each sign giving in proportion to its
 * number (the negative ones' part rounded down), of equal magnitudes the first. Replaces the three arrays; companion
 * may be NULL in content. On failure nothing changes. */
tsnn_status tsnni_average_trim(tsnni_runtime *runtime, int64_t keep, tsnni_pattern *pattern, float **values,
                               float **companion);

/* Gives `network` the mean of count networks of its shape, which may belong to other contexts: weights and velocities
 * as means over all, an absent connection counting as 0, on the union of the topologies, trimmed layer by layer to the
 * count of connections that `network` has there; biases as means. Exact and the same for any number of threads.
 * On failure the network is as it was: SHAPE, OVERFLOW, NOT_FINITE, OUT_OF_MEMORY. */
tsnn_status tsnni_average_networks(tsnn_network *network, tsnn_network *const *networks, int64_t count);

#endif
