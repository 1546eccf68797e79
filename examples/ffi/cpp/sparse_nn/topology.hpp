/** What changes the wiring of a network: evolution and pruning. */
#ifndef SPARSE_NN_TOPOLOGY_HPP
#define SPARSE_NN_TOPOLOGY_HPP

#include "network.hpp"

namespace sparse_nn
{

/** SET: gives up the share zeta of the connections, those nearest zero, and grows as many elsewhere. */
class Evolution : public Object<tsnn_evolution, tsnn_evolution_destroy>
{
  public:
    explicit Evolution(const Context &context, double zeta = 0.0) : Object(context.core())
    {
        tsnn_evolution_options given = TSNN_EVOLUTION_OPTIONS_INIT;
        given.zeta = zeta;
        create(tsnn_evolution_create, context.get(), &given);
    }

    /** All layers but the last; `round` keys the random numbers. @return connections replaced */
    std::int64_t apply(Network &network, std::int64_t round) const
    {
        std::int64_t replaced = 0;
        call(tsnn_evolution_apply, get(), network.get(), round, &replaced);
        return replaced;
    }

    /** One layer. */
    template <class Derived> std::int64_t apply(LayerFunctions<Derived> &layer, std::int64_t round) const
    {
        std::int64_t replaced = 0;
        call(tsnn_evolution_apply_layer, get(), static_cast<Derived &>(layer).get(), round, &replaced);
        return replaced;
    }
};

/** What becomes of the constant outputs of removed neurons. */
enum class Fold : std::int32_t { none = TSNN_FOLD_NONE, biases = TSNN_FOLD_BIASES };

/** As tsnn_pruning_options. */
struct PruningOptions {
    double percentile = 0.0;
    double threshold = 0.0;
    Fold fold = Fold::none;
    std::int64_t first_epoch = 0;
    std::int64_t every_epochs = 0;
};

using PruningReport = tsnn_pruning_report;

/** Removes the hidden neurons that hardly anything flows into. */
class Pruning : public Object<tsnn_pruning, tsnn_pruning_destroy>
{
  public:
    explicit Pruning(const Context &context, const PruningOptions &options = {}) : Object(context.core())
    {
        tsnn_pruning_options given = TSNN_PRUNING_OPTIONS_INIT;
        given.fold = detail::number(options.fold);
        given.percentile = options.percentile;
        given.threshold = options.threshold;
        given.first_epoch = options.first_epoch;
        given.every_epochs = options.every_epochs;
        create(tsnn_pruning_create, context.get(), &given);
    }

    PruningReport apply(Network &network)
    {
        PruningReport report = TSNN_PRUNING_REPORT_INIT;
        call(tsnn_pruning_apply, get(), network.get(), &report);
        return report;
    }

    /** For each neuron before the last application its new number, or -1. 0 is the first hidden layer. */
    std::vector<std::int32_t> map(std::int64_t layer) const
    {
        std::int64_t count = 0;
        call(tsnn_pruning_get_map, get(), layer, static_cast<std::int32_t *>(nullptr), std::int64_t{0}, &count);
        std::vector<std::int32_t> out(detail::size_of(count));
        call(tsnn_pruning_get_map, get(), layer, out.data(), count, &count);
        return out;
    }
};

} // namespace sparse_nn

#endif
