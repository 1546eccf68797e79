/** Networks. */
#ifndef SPARSE_NN_NETWORK_HPP
#define SPARSE_NN_NETWORK_HPP

#include "data.hpp"
#include "layer.hpp"
#include "model_file.hpp"
#include "rules.hpp"

namespace sparse_nn
{

/** As tsnn_mlp_options. */
struct MlpOptions {
    double epsilon = 0.0;
    Sampling sampling = Sampling::bernoulli;
    double init_scale = 0.0;
    Init init = Init::he_uniform;
    Fan fan = Fan::dense;
    const Activation *hidden = nullptr; /**< Default: All-ReLU. */
    const Activation *output = nullptr; /**< Default: softmax. */
    double dropout = 0.0;
};

/** How inputs and hidden activations are kept while they are computed with. */
enum class ActivationFormat : std::int32_t { float32 = TSNN_ACTIVATIONS_FLOAT32, bf16 = TSNN_ACTIVATIONS_BF16 };

using NetworkInfo = tsnn_network_info;
using Evaluation = tsnn_evaluation;

class Network;

/** A layer that a network owns. Keeps it alive; finds the layer anew at each use. */
class NetworkLayer : public LayerFunctions<NetworkLayer>
{
  public:
    NetworkLayer(const NetworkLayer &) = default; // and no move: one that was moved from would look at nothing
    NetworkLayer &operator=(const NetworkLayer &) = default;
    ~NetworkLayer() = default;

    tsnn_layer *get() const
    {
        tsnn_layer *layer = nullptr;
        call(tsnn_network_get_layer, network_, index_, &layer);
        return layer;
    }

    const std::shared_ptr<detail::Core> &core() const
    {
        return core_;
    }

  private:
    friend class Network;
    NetworkLayer(std::shared_ptr<detail::Core> core, std::shared_ptr<const void> owner, tsnn_network *network,
                 std::int64_t index)
        : core_(std::move(core)), owner_(std::move(owner)), network_(network), index_(index)
    {
    }

    std::shared_ptr<detail::Core> core_;
    std::shared_ptr<const void> owner_;
    tsnn_network *network_;
    std::int64_t index_;
};

/** A feed-forward network of sparse layers, which it owns. */
class Network : public Object<tsnn_network, tsnn_network_destroy>
{
  public:
    /** Without layers. */
    explicit Network(const Context &context) : Network(context.core())
    {
        create(tsnn_network_create, context.get());
    }

    /** A multi-layer perceptron: neurons of the input, of each hidden layer and of the output. */
    static Network mlp(const Context &context, const std::vector<std::int64_t> &sizes, const MlpOptions &options = {})
    {
        tsnn_mlp_options given = TSNN_MLP_OPTIONS_INIT;
        given.sizes = sizes.data();
        given.size_count = detail::length(sizes);
        given.sampling = detail::number(options.sampling);
        given.epsilon = options.epsilon;
        given.init_scale = options.init_scale;
        given.init = detail::number(options.init);
        given.fan = detail::number(options.fan);
        given.dropout = options.dropout;
        Network network(context.core());
        given.hidden = network.use(options.hidden);
        given.output = network.use(options.output);
        network.create(tsnn_network_create_mlp, context.get(), &given);
        return network;
    }

    /** From a model file. */
    static Network load(const Context &context, const std::filesystem::path &path, const LoadOptions &options = {})
    {
        Network network(context.core());
        network.use(options.custom);
        const tsnn_load_options given = detail::load_given(options);
        network.create(tsnn_network_load, context.get(), path.c_str(), &given);
        return network;
    }

    /** From the bytes of one. */
    static Network load(const Context &context, View<const std::byte> bytes, const LoadOptions &options = {})
    {
        Network network(context.core());
        network.use(options.custom);
        const tsnn_load_options given = detail::load_given(options);
        network.create(tsnn_network_load_memory, context.get(), static_cast<const void *>(bytes.data()),
                       detail::length(bytes), &given);
        return network;
    }

    void save(const std::filesystem::path &path, const SaveOptions &options = {}) const
    {
        const detail::SaveGiven given(options);
        call(tsnn_network_save, get(), given.get(), path.c_str());
    }

    /** The bytes that save() writes. */
    std::vector<std::byte> save_bytes(const SaveOptions &options = {}) const
    {
        return detail::saved_bytes(*core(), tsnn_network_save_memory, get(), options);
    }

    /** An independent copy, which evolves and drops out the same way. */
    Network copy() const
    {
        Network other(core());
        other.box().functions = box().functions;
        other.create(tsnn_network_copy, get());
        return other;
    }

    /** Takes a layer over; NULL: identity. On failure the layer stays the caller's. */
    void append(Layer &&layer, const Activation *activation = nullptr, double dropout = 0.0)
    {
        const tsnn_activation *copied = use(activation);
        call(tsnn_network_append, get(), &layer.box().pointer, copied, dropout);
    }

    NetworkInfo info() const
    {
        NetworkInfo info = TSNN_NETWORK_INFO_INIT;
        call(tsnn_network_get_info, get(), &info);
        return info;
    }

    /** 0 is the layer after the inputs. */
    NetworkLayer layer(std::int64_t index) const
    {
        NetworkLayer layer(core(), keep(), get(), index);
        layer.get(); // throws where there is none
        return layer;
    }

    /** Which kernels run a layer, and why: two lines for people. */
    std::string explain(std::int64_t layer, std::int64_t samples) const
    {
        std::array<char, 2048> text{};
        call(tsnn_network_explain, get(), layer, samples, static_cast<tsnn_layer_plan *>(nullptr), text.data(),
             detail::length(text));
        return text.data();
    }

    void set_activation_format(ActivationFormat format)
    {
        call(tsnn_network_set_activation_format, get(), detail::number(format));
    }

    /** Makes the network take raw features; NULL: as they are. */
    void set_standardizer(const Standardizer *standardizer)
    {
        call(tsnn_network_set_standardizer, get(), standardizer == nullptr ? nullptr : standardizer->get());
    }

    /** The outputs for rows of features. */
    void predict(View<const float> features, View<float> outputs) const
    {
        call(tsnn_network_predict, get(), features.data(), rows(features), outputs.data(), detail::length(outputs));
    }

    std::vector<float> predict(View<const float> features) const
    {
        std::vector<float> outputs(detail::size_of(rows(features) * info().outputs));
        predict(features, outputs);
        return outputs;
    }

    /** The class of each row. */
    void classify(View<const float> features, View<std::int32_t> labels) const
    {
        call(tsnn_network_classify, get(), features.data(), rows(features), labels.data(), detail::length(labels));
    }

    std::vector<std::int32_t> classify(View<const float> features) const
    {
        std::vector<std::int32_t> labels(detail::size_of(rows(features)));
        classify(features, labels);
        return labels;
    }

    /** Accuracy, and loss where one is given, over a data set. */
    Evaluation evaluate(const Dataset &dataset, const Loss *loss = nullptr) const
    {
        Evaluation evaluation = TSNN_EVALUATION_INIT;
        call(tsnn_network_evaluate, get(), loss == nullptr ? nullptr : loss->get(), dataset.get(), &evaluation);
        return evaluation;
    }

    /** The caller's functions that whoever copies this network must keep alive. */
    const std::vector<std::shared_ptr<detail::Custom>> &functions() const
    {
        return box().functions;
    }

  private:
    explicit Network(std::shared_ptr<detail::Core> core) : Object(std::move(core))
    {
    }

    const tsnn_activation *use(const Activation *activation)
    {
        if (activation == nullptr)
            return nullptr;
        for (const auto &function : activation->functions())
            box().functions.push_back(function);
        return activation->get();
    }

    std::int64_t rows(View<const float> features) const
    {
        return detail::rows_of("features", features, info().inputs);
    }
};

} // namespace sparse_nn

#endif
