/** Inference: frozen, packed copies of networks that any number of threads share. */
#ifndef SPARSE_NN_PREDICTOR_HPP
#define SPARSE_NN_PREDICTOR_HPP

#include "network.hpp"

namespace sparse_nn
{

/** What a predictor is packed for. */
enum class Pack : std::int32_t { all = TSNN_PACK_ALL, single = TSNN_PACK_SINGLE, batch = TSNN_PACK_BATCH };

/** As tsnn_predictor_options. */
struct PredictorOptions {
    Pack pack = Pack::all;
    bool skip_zeros = false;
};

/** As tsnn_predictor_load_options; layers are packed, so that file and bytes may go. */
struct PredictorLoadOptions {
    Pack pack = Pack::all;
    bool skip_zeros = false;
    std::int64_t max_bytes = 0;
    const Activation *custom = nullptr; /**< Stands for a function of the caller's own that was saved by name only. */
};

using PredictorInfo = tsnn_predictor_info;

/** Form of the outputs. */
enum class OutputForm : std::int32_t { activated = TSNN_OUTPUT_ACTIVATED, raw = TSNN_OUTPUT_RAW };

/** Rows of features; or, where sample_ptr is set, their numbers other than 0. */
struct Samples {
    View<const float> features{};
    View<const std::int64_t> sample_ptr{};
    View<const std::int32_t> index{};
    View<const float> value{};
};

/** Which answers are wanted: those whose views are set. */
struct Answers {
    View<float> outputs{};
    View<std::int32_t> labels{};
    View<float> scores{};
    std::int64_t top = 0;
    OutputForm form = OutputForm::activated;
};

/** One layer as plain arrays in compressed rows: row_ptr.size() - 1 inputs. No bias: zeros; no activation: identity. */
struct PlainLayer {
    std::int64_t outputs = 0;
    View<const std::int64_t> row_ptr{};
    View<const std::int32_t> column{};
    View<const float> values{};
    View<const float> bias{};
    const Activation *activation = nullptr;
};

class Workspace;

/** Immutable: any number of threads may predict with one, each with a Workspace of its own, while others train the
 * network that it was made from. The last of them gives it back. */
class Predictor : public Object<tsnn_predictor, tsnn_predictor_destroy>
{
  public:
    /** Packs a network as it is now; it may change or go afterwards. */
    explicit Predictor(const Network &network, const PredictorOptions &options = {}) : Object(network.core())
    {
        const tsnn_predictor_options asked = given(options);
        box().functions = network.functions();
        create(tsnn_predictor_create, network.core()->pointer, static_cast<const tsnn_network *>(network.get()),
               &asked);
        info_ = info();
    }

    /** Packs plain arrays, without a network: for a library of inference only. Features enter as (x - shift) * scale,
     * or as they are. */
    static Predictor from_layers(const Context &context, const std::vector<PlainLayer> &layers,
                                 View<const float> shift = {}, View<const float> scale = {},
                                 const PredictorOptions &options = {})
    {
        Predictor predictor(context.core());
        const tsnn_predictor_options asked = given(options);
        const std::vector<tsnn_predictor_layer> plain = predictor.plain(layers);
        const std::int64_t inputs = plain.empty() ? 0 : plain.front().inputs;
        detail::check_length("scale", scale, detail::length(shift));
        if (!shift.empty())
            detail::check_length("shift", shift, inputs);
        predictor.create(tsnn_predictor_create_from_layers, context.get(), plain.data(), detail::length(plain),
                         detail::given(shift), detail::given(scale), &asked);
        predictor.info_ = predictor.info();
        return predictor;
    }

    /** From a model file, without a network in between. */
    static Predictor load(const Context &context, const std::filesystem::path &path,
                          const PredictorLoadOptions &options = {})
    {
        Predictor predictor(context.core());
        const tsnn_predictor_load_options asked = predictor.load_given(options);
        predictor.create(tsnn_predictor_load, context.get(), path.c_str(), &asked);
        predictor.info_ = predictor.info();
        return predictor;
    }

    /** From the bytes of one. */
    static Predictor load_memory(const Context &context, View<const std::byte> bytes,
                                 const PredictorLoadOptions &options = {})
    {
        Predictor predictor(context.core());
        const tsnn_predictor_load_options asked = predictor.load_given(options);
        predictor.create(tsnn_predictor_load_memory, context.get(), static_cast<const void *>(bytes.data()),
                         detail::length(bytes), &asked);
        predictor.info_ = predictor.info();
        return predictor;
    }

    PredictorInfo info() const
    {
        PredictorInfo info = TSNN_PREDICTOR_INFO_INIT;
        detail::check(tsnn_predictor_get_info(get(), &info));
        return info;
    }

    std::int64_t inputs() const noexcept
    {
        return info_.inputs;
    }

    std::int64_t outputs() const noexcept
    {
        return info_.outputs;
    }

    /** Bytes of a workspace in memory of the caller's own. */
    std::int64_t workspace_size(std::int64_t batch = 128) const
    {
        std::int64_t bytes = 0;
        detail::check(tsnn_predictor_workspace_size(get(), batch, &bytes));
        return bytes;
    }

    /** The outputs for rows of features. Allocates nothing. */
    void predict(Workspace &workspace, View<const float> features, View<float> outputs) const;
    std::vector<float> predict(Workspace &workspace, View<const float> features) const;

    /** The class of each row. Allocates nothing. */
    void classify(Workspace &workspace, View<const float> features, View<std::int32_t> labels) const;
    std::vector<std::int32_t> classify(Workspace &workspace, View<const float> features) const;

    /** Samples of any form, answers of any form. Allocates nothing. */
    void run(Workspace &workspace, const Samples &samples, const Answers &answers) const;

  private:
    explicit Predictor(std::shared_ptr<detail::Core> core) : Object(std::move(core))
    {
    }

    static tsnn_predictor_options given(const PredictorOptions &options)
    {
        tsnn_predictor_options given = TSNN_PREDICTOR_OPTIONS_INIT;
        given.pack = detail::number(options.pack);
        given.skip_zeros = options.skip_zeros ? 1 : 0;
        return given;
    }

    /** The options as the library reads them; keeps the functions. */
    tsnn_predictor_load_options load_given(const PredictorLoadOptions &options)
    {
        tsnn_predictor_load_options given = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
        given.ownership = TSNN_COPY;
        given.pack = detail::number(options.pack);
        given.skip_zeros = options.skip_zeros ? 1 : 0;
        given.max_bytes = options.max_bytes;
        if (options.custom != nullptr) {
            given.custom = options.custom->get();
            box().functions = options.custom->functions();
        }
        return given;
    }

    /** The layers as the library reads them. */
    std::vector<tsnn_predictor_layer> plain(const std::vector<PlainLayer> &layers)
    {
        std::vector<tsnn_predictor_layer> all;
        for (const PlainLayer &layer : layers) {
            tsnn_predictor_layer given = TSNN_PREDICTOR_LAYER_INIT;
            detail::check_length("column", layer.column, detail::length(layer.values));
            if (!layer.bias.empty())
                detail::check_length("bias", layer.bias, layer.outputs);
            given.inputs = detail::length(layer.row_ptr) - 1;
            given.outputs = layer.outputs;
            given.connections = detail::length(layer.values);
            given.row_ptr = layer.row_ptr.data();
            given.column = layer.column.data();
            given.values = layer.values.data();
            given.bias = detail::given(layer.bias);
            if (layer.activation != nullptr) {
                given.activation = layer.activation->get();
                for (const auto &function : layer.activation->functions())
                    box().functions.push_back(function);
            }
            all.push_back(given);
        }
        return all;
    }

    PredictorInfo info_ = TSNN_PREDICTOR_INFO_INIT;
};

/** The memory of one thread that predicts. Keeps its predictor alive. */
class Workspace : public Object<tsnn_predictor_workspace, tsnn_predictor_workspace_destroy>
{
  public:
    /** In memory of the context's allocator. `batch` samples go through the network at once: 1 is enough for single
     * samples. */
    explicit Workspace(const Predictor &predictor, std::int64_t batch = 128) : Object(predictor.core())
    {
        box().ingredients = {predictor.keep()};
        detail::check(tsnn_predictor_workspace_create(predictor.get(), batch, &box().pointer));
    }

    /** In memory of the caller's own, which must stay. */
    Workspace(const Predictor &predictor, std::int64_t batch, View<std::byte> memory) : Object(predictor.core())
    {
        box().ingredients = {predictor.keep()};
        detail::check(tsnn_predictor_workspace_init(predictor.get(), batch, memory.data(), detail::length(memory),
                                                    &box().pointer));
    }

  private:
    friend class Predictor;

    /** As detail::call(), with the words of the workspace. */
    template <class... Parameters, class... Arguments>
    void predict(tsnn_status (*function)(Parameters...), const tsnn_predictor *predictor, Arguments... arguments)
    {
        const detail::Call scope;
        const tsnn_status status = function(predictor, get(), arguments...);
        scope.throw_again();
        if (status >= 0)
            return;
        std::array<char, 1024> text{};
        tsnn_status code = TSNN_OK;
        tsnn_predictor_workspace_error(get(), text.data(), detail::length(text), &code);
        throw Error(status, code == status && text[0] != '\0' ? text.data() : tsnn_status_string(status));
    }
};

inline void Predictor::predict(Workspace &workspace, View<const float> features, View<float> outputs) const
{
    workspace.predict(tsnn_predictor_predict, get(), features.data(), detail::rows_of("features", features, inputs()),
                      outputs.data(), detail::length(outputs));
}

inline std::vector<float> Predictor::predict(Workspace &workspace, View<const float> features) const
{
    std::vector<float> out(detail::size_of(detail::rows_of("features", features, inputs()) * outputs()));
    predict(workspace, features, out);
    return out;
}

inline void Predictor::classify(Workspace &workspace, View<const float> features, View<std::int32_t> labels) const
{
    workspace.predict(tsnn_predictor_classify, get(), features.data(), detail::rows_of("features", features, inputs()),
                      labels.data(), detail::length(labels));
}

inline std::vector<std::int32_t> Predictor::classify(Workspace &workspace, View<const float> features) const
{
    std::vector<std::int32_t> out(detail::size_of(detail::rows_of("features", features, inputs())));
    classify(workspace, features, out);
    return out;
}

inline void Predictor::run(Workspace &workspace, const Samples &samples, const Answers &answers) const
{
    tsnn_samples asked = TSNN_SAMPLES_INIT;
    if (samples.sample_ptr.empty()) {
        asked.count = detail::rows_of("features", samples.features, inputs());
        asked.features = samples.features.data();
    } else {
        detail::check_length("value", samples.value, detail::length(samples.index));
        asked.count = detail::length(samples.sample_ptr) - 1;
        asked.sample_ptr = samples.sample_ptr.data();
        asked.index = samples.index.data();
        asked.value = samples.value.data();
        asked.capacity = detail::length(samples.index);
    }
    tsnn_answers wanted = TSNN_ANSWERS_INIT;
    wanted.form = detail::number(answers.form);
    wanted.outputs = detail::given(answers.outputs);
    wanted.outputs_capacity = detail::length(answers.outputs);
    wanted.labels = detail::given(answers.labels);
    wanted.labels_capacity = detail::length(answers.labels);
    wanted.scores = detail::given(answers.scores);
    wanted.scores_capacity = detail::length(answers.scores);
    wanted.top = answers.top;
    workspace.predict(tsnn_predictor_run, get(), &asked, &wanted);
}

} // namespace sparse_nn

#endif
