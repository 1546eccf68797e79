/** Samples, and the standardisation of their features. */
#ifndef SPARSE_NN_DATA_HPP
#define SPARSE_NN_DATA_HPP

#include "context.hpp"

namespace sparse_nn
{

/** Whether a data set copies the caller's arrays, or reads them in place: then they must stay and not change. */
enum class Ownership : std::int32_t { copy = TSNN_COPY, borrow = TSNN_BORROW };

using DatasetInfo = tsnn_dataset_info;

class Standardizer;

/** Rows of features with a class number or a row of targets each. */
class Dataset : public Object<tsnn_dataset, tsnn_dataset_destroy>
{
  public:
    /** One label a row; `classes` 0: the largest label + 1. */
    static Dataset of_labels(const Context &context, View<const float> features, View<const std::int32_t> labels,
                             std::int64_t classes = 0, Ownership ownership = Ownership::copy)
    {
        tsnn_dataset_options given = options(features, detail::length(labels), ownership);
        given.classes = classes;
        given.labels = labels.data();
        return Dataset(context, given);
    }

    /** `samples` rows of features and of targets. */
    static Dataset of_targets(const Context &context, std::int64_t samples, View<const float> features,
                              View<const float> targets, Ownership ownership = Ownership::copy)
    {
        tsnn_dataset_options given = options(features, samples, ownership);
        given.target_size = samples < 1 ? 0 : columns("targets", targets, samples);
        given.targets = targets.data();
        return Dataset(context, given);
    }

    /** Views of its arrays among others. */
    DatasetInfo info() const
    {
        DatasetInfo info = TSNN_DATASET_INFO_INIT;
        call(tsnn_dataset_get_info, get(), &info);
        return info;
    }

    /** In place; not for borrowed arrays. */
    void standardize(const Standardizer &standardizer);

  private:
    Dataset(const Context &context, const tsnn_dataset_options &given) : Object(context.core())
    {
        create(tsnn_dataset_create, context.get(), &given);
    }

    static std::int64_t columns(const char *name, View<const float> array, std::int64_t samples)
    {
        if (detail::length(array) % samples != 0)
            detail::fail_shape(name, detail::length(array), std::to_string(samples) + " rows");
        return detail::length(array) / samples;
    }

    static tsnn_dataset_options options(View<const float> features, std::int64_t samples, Ownership ownership)
    {
        tsnn_dataset_options given = TSNN_DATASET_OPTIONS_INIT;
        given.ownership = detail::number(ownership);
        given.samples = samples;
        given.features = samples < 1 ? 0 : columns("features", features, samples);
        given.feature_data = features.data();
        return given;
    }
};

/** Per feature, x <- (x - mean) / deviation. */
class Standardizer : public Object<tsnn_standardizer, tsnn_standardizer_destroy>
{
  public:
    /** From known numbers, which are copied. */
    Standardizer(const Context &context, View<const float> mean, View<const float> deviation) : Object(context.core())
    {
        detail::check_length("deviation", deviation, detail::length(mean));
        create(tsnn_standardizer_create, context.get(), detail::length(mean), mean.data(), deviation.data());
    }

    /** Mean and deviation of each feature of a training set. */
    static Standardizer fit(const Context &context, const Dataset &dataset)
    {
        Standardizer fitted(context.core());
        fitted.create(tsnn_standardizer_fit, context.get(), dataset.get());
        return fitted;
    }

    std::vector<float> mean() const
    {
        return numbers(true);
    }

    std::vector<float> deviation() const
    {
        return numbers(false);
    }

    /** Rows of features; `out` may be `in`. */
    void apply(View<const float> in, View<float> out) const
    {
        const std::int64_t rows = detail::rows_of("in", in, features());
        detail::check_length("out", out, detail::length(in));
        call(tsnn_standardizer_apply, get(), in.data(), rows, out.data());
    }

    std::int64_t features() const
    {
        std::int64_t count = 0;
        float *const none = nullptr;
        call(tsnn_standardizer_get, get(), none, none, std::int64_t{0}, &count);
        return count;
    }

  private:
    using Object::Object;

    std::vector<float> numbers(bool mean) const
    {
        std::vector<float> out(detail::size_of(features()));
        call(tsnn_standardizer_get, get(), mean ? out.data() : nullptr, mean ? nullptr : out.data(),
             detail::length(out), static_cast<std::int64_t *>(nullptr));
        return out;
    }
};

inline void Dataset::standardize(const Standardizer &standardizer)
{
    call(tsnn_dataset_standardize, get(), standardizer.get());
}

} // namespace sparse_nn

#endif
