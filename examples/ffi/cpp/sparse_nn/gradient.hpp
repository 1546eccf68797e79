/** Gradients as objects, for training loops of one's own. */
#ifndef SPARSE_NN_GRADIENT_HPP
#define SPARSE_NN_GRADIENT_HPP

#include "network.hpp"

namespace sparse_nn
{

/** One number for each connection and bias that a network has when this is made. */
class Gradient : public Object<tsnn_gradient, tsnn_gradient_destroy>
{
  public:
    explicit Gradient(const Network &network) : Object(network.core())
    {
        create(tsnn_gradient_create, static_cast<const tsnn_network *>(network.get()));
    }

    void clear()
    {
        call(tsnn_gradient_clear, get());
    }

    /** Adds that of the mean loss of these samples. @return the mean loss */
    double add(const Network &network, const Loss &loss, const Dataset &dataset, View<const std::int64_t> samples)
    {
        double value = 0.0;
        call(tsnn_gradient_add, get(), network.get(), loss.get(), dataset.get(), samples.data(),
             detail::length(samples), &value);
        return value;
    }

    void scale(double factor)
    {
        call(tsnn_gradient_scale, get(), factor);
    }

    double norm() const
    {
        double value = 0.0;
        call(tsnn_gradient_norm, get(), &value);
        return value;
    }

    /** Copies out that of one layer of `network`, which it was made for. */
    LayerNumbers layer(const Network &network, std::int64_t index) const
    {
        const LayerInfo size = network.layer(index).info();
        LayerNumbers out{std::vector<float>(detail::size_of(size.connections)),
                         std::vector<float>(detail::size_of(size.outputs))};
        call(tsnn_gradient_get, get(), index, out.weights.data(), size.connections, out.bias.data(), size.outputs);
        return out;
    }

    /** One step down this gradient; the learning rate is multiplied by `rate_factor`. */
    void apply(const Optimizer &optimizer, Network &network, double rate_factor = 1.0) const
    {
        call(tsnn_optimizer_apply, optimizer.get(), network.get(), get(), rate_factor);
    }
};

} // namespace sparse_nn

#endif
