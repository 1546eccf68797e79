/** Sparse layers: the caller's own, and those of a network. */
#ifndef SPARSE_NN_LAYER_HPP
#define SPARSE_NN_LAYER_HPP

#include "context.hpp"

namespace sparse_nn
{

/** How a random topology is drawn. */
enum class Sampling : std::int32_t { bernoulli = TSNN_SAMPLING_BERNOULLI, exact = TSNN_SAMPLING_EXACT };

/** Where fresh weights come from. */
enum class Init : std::int32_t {
    he_uniform = TSNN_INIT_HE_UNIFORM,
    xavier_uniform = TSNN_INIT_XAVIER_UNIFORM,
    normal = TSNN_INIT_NORMAL,
};

/** What fan-in and fan-out mean there. */
enum class Fan : std::int32_t { dense = TSNN_FAN_DENSE, sparse = TSNN_FAN_SPARSE };

/** Whether arrays are checked before use. */
enum class Trust : std::int32_t { checked = TSNN_CHECKED, trusted = TSNN_TRUSTED };

/** As tsnn_layer_options. */
struct LayerOptions {
    double epsilon = 0.0;
    double density = 0.0;
    Sampling sampling = Sampling::bernoulli;
    double init_scale = 0.0;
    Init init = Init::he_uniform;
    Fan fan = Fan::dense;
    std::int64_t stream = 0;
};

using LayerInfo = tsnn_layer_info;

/** A matrix of inputs x outputs in compressed rows. */
struct Csr {
    std::vector<std::int64_t> row_ptr;
    std::vector<std::int32_t> column;
    std::vector<float> values;
};

/** One number a connection, in CSR order, and one an output. */
struct LayerNumbers {
    std::vector<float> weights;
    std::vector<float> bias;
};

/** What can be done with a layer, whoever owns it. Derived has get() and core(). */
template <class Derived> class LayerFunctions
{
  public:
    LayerInfo info() const
    {
        LayerInfo info = TSNN_LAYER_INFO_INIT;
        call(tsnn_layer_get_info, layer(), &info);
        return info;
    }

    Csr csr() const
    {
        const LayerInfo size = info();
        Csr out{std::vector<std::int64_t>(detail::size_of(size.inputs) + 1),
                std::vector<std::int32_t>(detail::size_of(size.connections)),
                std::vector<float>(detail::size_of(size.connections))};
        call(tsnn_layer_get_csr, layer(), out.row_ptr.data(), detail::length(out.row_ptr), out.column.data(),
             out.values.data(), size.connections);
        return out;
    }

    std::vector<float> values() const
    {
        std::vector<float> out(detail::size_of(info().connections));
        call(tsnn_layer_get_csr, layer(), static_cast<std::int64_t *>(nullptr), std::int64_t{0},
             static_cast<std::int32_t *>(nullptr), out.data(), detail::length(out));
        return out;
    }

    std::vector<float> bias() const
    {
        std::vector<float> out(detail::size_of(info().outputs));
        call(tsnn_layer_get_bias, layer(), out.data(), detail::length(out));
        return out;
    }

    /** The momentum of each weight and bias. */
    LayerNumbers velocity() const
    {
        const LayerInfo size = info();
        LayerNumbers out{std::vector<float>(detail::size_of(size.connections)),
                         std::vector<float>(detail::size_of(size.outputs))};
        call(tsnn_layer_get_velocity, layer(), out.weights.data(), size.connections, out.bias.data(), size.outputs);
        return out;
    }

    /** Replaces weights, biases, or both; an empty view leaves them. The topology stays. */
    void set_weights(View<const float> values, View<const float> bias = {})
    {
        call(tsnn_layer_set_weights, layer(), detail::given(values), detail::length(values), detail::given(bias),
             detail::length(bias));
    }

    void set_velocity(View<const float> weights, View<const float> bias = {})
    {
        call(tsnn_layer_set_velocity, layer(), detail::given(weights), detail::length(weights), detail::given(bias),
             detail::length(bias));
    }

    void freeze(bool frozen = true)
    {
        call(tsnn_layer_freeze, layer(), std::int32_t{frozen});
    }

    /** Of each neuron: the sum of |weight| over its incoming connections. */
    std::vector<double> importance() const
    {
        std::vector<double> out(detail::size_of(info().outputs));
        call(tsnn_layer_get_importance, layer(), out.data(), detail::length(out));
        return out;
    }

  protected:
    template <class... Parameters, class... Arguments>
    void call(tsnn_status (*function)(Parameters...), Arguments... arguments) const
    {
        detail::call(*static_cast<const Derived &>(*this).core(), function, arguments...);
    }

  private:
    tsnn_layer *layer() const
    {
        return static_cast<const Derived &>(*this).get();
    }
};

/** A layer of the caller's own, until a network takes it over. */
class Layer : public Object<tsnn_layer, tsnn_layer_destroy>, public LayerFunctions<Layer>
{
  public:
    /** With a random topology. */
    Layer(const Context &context, std::int64_t inputs, std::int64_t outputs, const LayerOptions &options = {})
        : Object(context.core())
    {
        tsnn_layer_options given = TSNN_LAYER_OPTIONS_INIT;
        given.inputs = inputs;
        given.outputs = outputs;
        given.sampling = detail::number(options.sampling);
        given.epsilon = options.epsilon;
        given.density = options.density;
        given.init_scale = options.init_scale;
        given.init = detail::number(options.init);
        given.fan = detail::number(options.fan);
        given.stream = options.stream;
        create(tsnn_layer_create, context.get(), &given);
    }

    /** From compressed rows, which are copied; there are row_ptr.size() - 1 inputs. No bias: zeros. */
    static Layer from_csr(const Context &context, std::int64_t outputs, View<const std::int64_t> row_ptr,
                          View<const std::int32_t> column, View<const float> values, View<const float> bias = {},
                          Trust trust = Trust::checked)
    {
        check_triplets(column, values, bias, outputs);
        Layer layer(context.core());
        layer.create(tsnn_layer_create_from_csr, context.get(), detail::length(row_ptr) - 1, outputs,
                     detail::length(values), row_ptr.data(), column.data(), values.data(), detail::given(bias),
                     detail::number(trust));
        return layer;
    }

    /** From triplets in any order. */
    static Layer from_coo(const Context &context, std::int64_t inputs, std::int64_t outputs,
                          View<const std::int32_t> row, View<const std::int32_t> column, View<const float> values,
                          View<const float> bias = {})
    {
        check_triplets(column, values, bias, outputs);
        detail::check_length("row", row, detail::length(values));
        Layer layer(context.core());
        layer.create(tsnn_layer_create_from_coo, context.get(), inputs, outputs, detail::length(values), row.data(),
                     column.data(), values.data(), detail::given(bias));
        return layer;
    }

    using Object::core;
    using Object::get;

  private:
    friend class Network;
    friend class LayerFile;
    using Object::call;
    using Object::Object;

    static void check_triplets(View<const std::int32_t> column, View<const float> values, View<const float> bias,
                               std::int64_t outputs)
    {
        detail::check_length("column", column, detail::length(values));
        if (!bias.empty())
            detail::check_length("bias", bias, outputs);
    }
};

} // namespace sparse_nn

#endif
