/** Layers from and to the files of other programs; networks as C. */
#ifndef SPARSE_NN_EXCHANGE_HPP
#define SPARSE_NN_EXCHANGE_HPP

#include "network.hpp"

namespace sparse_nn
{

enum class Format : std::int32_t {
    automatic = TSNN_FORMAT_AUTO,
    npz = TSNN_FORMAT_NPZ,
    npy = TSNN_FORMAT_NPY,
    matrix_market = TSNN_FORMAT_MATRIX_MARKET,
    safetensors = TSNN_FORMAT_SAFETENSORS,
};

/** What a row of a matrix in a file is. */
enum class Rows : std::int32_t { are_inputs = TSNN_ROWS_ARE_INPUTS, are_outputs = TSNN_ROWS_ARE_OUTPUTS };

/** As tsnn_import_options, whose path is an argument; empty texts are not given. */
struct ImportOptions {
    Format format = Format::automatic;
    std::string weights{};
    std::string bias{};
    std::string mask{};
    double threshold = 0.0;
    Rows rows = Rows::are_inputs;
    std::int64_t max_bytes = 0;
    View<const float> features{}; /**< Rows on which to measure what was left out; the file is then read twice. */
};

using ImportReport = tsnn_import_report;

/** As tsnn_export_options. */
struct ExportOptions {
    Format format = Format::npz;
    std::string weights{};
    std::string bias{};
    std::string mask{};
    Rows rows = Rows::are_inputs;
};

namespace detail
{

inline const char *text_or_null(const std::string &text) noexcept
{
    return text.empty() ? nullptr : text.c_str();
}

} // namespace detail

/** A file with the weights of one layer. */
class LayerFile
{
  public:
    static Layer read(const Context &context, const std::filesystem::path &path, const ImportOptions &options = {},
                      ImportReport *report = nullptr)
    {
        tsnn_import_options given = TSNN_IMPORT_OPTIONS_INIT;
        given.format = detail::number(options.format);
        given.path = path.c_str();
        given.weights = detail::text_or_null(options.weights);
        given.bias = detail::text_or_null(options.bias);
        given.mask = detail::text_or_null(options.mask);
        given.threshold = options.threshold;
        given.rows = detail::number(options.rows);
        given.max_bytes = options.max_bytes;
        ImportReport found = TSNN_IMPORT_REPORT_INIT;
        Layer layer(context.core());
        layer.create(tsnn_layer_import, context.get(), &given, &found);
        if (!options.features.empty()) { // only now it is known how long a row is
            given.samples = detail::rows_of("features", options.features, found.inputs);
            given.features = options.features.data();
            layer = Layer(context.core());
            layer.create(tsnn_layer_import, context.get(), &given, &found);
        }
        if (report != nullptr)
            *report = found;
        return layer;
    }

    /** An own layer, or a network's. */
    template <class Derived>
    static void write(const LayerFunctions<Derived> &layer, const std::filesystem::path &path,
                      const ExportOptions &options = {})
    {
        const auto &derived = static_cast<const Derived &>(layer);
        tsnn_export_options given = TSNN_EXPORT_OPTIONS_INIT;
        given.format = detail::number(options.format);
        given.path = path.c_str();
        given.weights = detail::text_or_null(options.weights);
        given.bias = detail::text_or_null(options.bias);
        given.mask = detail::text_or_null(options.mask);
        given.rows = detail::number(options.rows);
        detail::call(*derived.core(), tsnn_layer_export, static_cast<const tsnn_layer *>(derived.get()), &given);
    }
};

/** As tsnn_export_c_options. */
struct CFileOptions {
    bool int8 = false;
    std::string name{};
    View<const float> samples{}; /**< Rows of raw features that the file's self-test runs. */
    double tolerance = 0.0;
};

using CFileReport = tsnn_export_c_report;

/** Writes a network as one file of freestanding C, for machines too small for a library. */
inline CFileReport write_c(const Network &network, const std::filesystem::path &path, const CFileOptions &options = {})
{
    tsnn_export_c_options given = TSNN_EXPORT_C_OPTIONS_INIT;
    given.weights = options.int8 ? TSNN_EXPORT_INT8 : TSNN_EXPORT_FLOAT;
    given.name = detail::text_or_null(options.name);
    given.samples = detail::given(options.samples);
    given.sample_count =
        options.samples.empty() ? 0 : detail::rows_of("samples", options.samples, network.info().inputs);
    given.tolerance = options.tolerance;
    CFileReport report = TSNN_EXPORT_C_REPORT_INIT;
    detail::call(*network.core(), tsnn_export_c, static_cast<const tsnn_network *>(network.get()), &given, path.c_str(),
                 &report);
    return report;
}

} // namespace sparse_nn

#endif
