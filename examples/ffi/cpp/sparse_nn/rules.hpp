/** By which rules a network learns: loss, optimizer, learning-rate schedule. */
#ifndef SPARSE_NN_RULES_HPP
#define SPARSE_NN_RULES_HPP

#include "context.hpp"

namespace sparse_nn
{

enum class LossKind : std::int32_t {
    cross_entropy = TSNN_LOSS_CROSS_ENTROPY,
    mean_squared_error = TSNN_LOSS_MEAN_SQUARED_ERROR,
    binary_cross_entropy = TSNN_LOSS_BINARY_CROSS_ENTROPY,
};

/** As tsnn_loss_options. */
struct LossOptions {
    LossKind kind = LossKind::cross_entropy;
    double label_smoothing = 0.0;
};

class Loss : public Object<tsnn_loss, tsnn_loss_destroy>
{
  public:
    explicit Loss(const Context &context, const LossOptions &options = {}) : Object(context.core())
    {
        tsnn_loss_options given = TSNN_LOSS_OPTIONS_INIT;
        given.kind = detail::number(options.kind);
        given.label_smoothing = options.label_smoothing;
        create(tsnn_loss_create, context.get(), &given);
    }

    /** The mean loss of rows of outputs, one for each label. */
    double evaluate(View<const float> outputs, View<const std::int32_t> labels) const
    {
        const std::int64_t samples = detail::length(labels);
        if (samples == 0 ? !outputs.empty() : detail::length(outputs) % samples != 0)
            detail::fail_shape("outputs", detail::length(outputs), std::to_string(samples) + " rows");
        double value = 0.0;
        call(tsnn_loss_evaluate, get(), outputs.data(), samples,
             samples == 0 ? std::int64_t{0} : detail::length(outputs) / samples, labels.data(),
             static_cast<const float *>(nullptr), &value);
        return value;
    }

    /** The same with rows of `count` targets. */
    double evaluate(View<const float> outputs, View<const float> targets, std::int64_t count) const
    {
        const std::int64_t samples = detail::rows_of("outputs", outputs, count);
        detail::check_length("targets", targets, detail::length(outputs));
        double value = 0.0;
        call(tsnn_loss_evaluate, get(), outputs.data(), samples, count, static_cast<const std::int32_t *>(nullptr),
             targets.data(), &value);
        return value;
    }
};

enum class OptimizerKind : std::int32_t {
    sgd = TSNN_OPTIMIZER_SGD,
    momentum = TSNN_OPTIMIZER_MOMENTUM,
    nesterov = TSNN_OPTIMIZER_NESTEROV,
};

/** Whether weight decay is apart from the gradient or part of it. */
enum class Decay : std::int32_t { decoupled = TSNN_DECAY_DECOUPLED, l2 = TSNN_DECAY_L2 };

/** As tsnn_optimizer_options. */
struct OptimizerOptions {
    OptimizerKind kind = OptimizerKind::sgd;
    double learning_rate = 0.0;
    double momentum = 0.0;
    double weight_decay = 0.0;
    Decay decay = Decay::decoupled;
};

class Optimizer : public Object<tsnn_optimizer, tsnn_optimizer_destroy>
{
  public:
    explicit Optimizer(const Context &context, const OptimizerOptions &options = {}) : Object(context.core())
    {
        tsnn_optimizer_options given = TSNN_OPTIMIZER_OPTIONS_INIT;
        given.kind = detail::number(options.kind);
        given.learning_rate = options.learning_rate;
        given.momentum = options.momentum;
        given.weight_decay = options.weight_decay;
        given.decay = detail::number(options.decay);
        create(tsnn_optimizer_create, context.get(), &given);
    }
};

enum class ScheduleKind : std::int32_t {
    constant = TSNN_SCHEDULE_CONSTANT,
    step = TSNN_SCHEDULE_STEP,
    cosine = TSNN_SCHEDULE_COSINE,
};

/** How the learning rate changes; as tsnn_schedule_options. */
struct Schedule {
    ScheduleKind kind = ScheduleKind::constant;
    double warmup_epochs = 0.0;
    double step_epochs = 0.0;
    double step_factor = 0.0;
    double final_factor = 0.0;

    tsnn_schedule_options given() const
    {
        tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
        options.kind = detail::number(kind);
        options.warmup_epochs = warmup_epochs;
        options.step_epochs = step_epochs;
        options.step_factor = step_factor;
        options.final_factor = final_factor;
        return options;
    }

    /** The factor on the learning rate when `progress` of `epochs` epochs are done. */
    double factor(double progress, std::int64_t epochs) const
    {
        const tsnn_schedule_options options = given();
        double value = 0.0;
        detail::check(tsnn_schedule_factor(&options, progress, epochs, &value));
        return value;
    }
};

} // namespace sparse_nn

#endif
