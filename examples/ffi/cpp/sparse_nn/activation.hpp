/** Activation functions: the library's and the caller's. */
#ifndef SPARSE_NN_ACTIVATION_HPP
#define SPARSE_NN_ACTIVATION_HPP

#include <mutex>

#include "context.hpp"

namespace sparse_nn
{

enum class ActivationKind : std::int32_t {
    identity = TSNN_ACTIVATION_IDENTITY,
    relu = TSNN_ACTIVATION_RELU,
    leaky_relu = TSNN_ACTIVATION_LEAKY_RELU,
    all_relu = TSNN_ACTIVATION_ALL_RELU,
    sigmoid = TSNN_ACTIVATION_SIGMOID,
    tanh = TSNN_ACTIVATION_TANH,
    softmax = TSNN_ACTIVATION_SOFTMAX,
};

/** a_k = f(z_k): fills a. */
using ActivationFunction = std::function<void(View<const float> z, View<float> a)>;
/** derivative_k = f'(z_k), where a_k = f(z_k) is passed as well. */
using ActivationDerivative = std::function<void(View<const float> z, View<const float> a, View<float> derivative)>;

namespace detail
{

/** Two functions of the caller, called by the threads that compute: one, or for predictors and workers several. */
struct Custom {
    ActivationFunction function;
    ActivationDerivative derivative;
    std::mutex mutex;
    std::exception_ptr elsewhere; /**< Thrown on a thread without a call to throw it again: a worker's. */

    Custom(ActivationFunction f, ActivationDerivative d) : function(std::move(f)), derivative(std::move(d))
    {
    }

    /** Once something was thrown, zeros serve until the call ends. */
    template <class Compute> void fill(View<float> out, const Compute &compute) noexcept
    {
        if (!Thrown::here().exception) {
            try {
                compute();
                return;
            } catch (...) {
                if (!Thrown::here().keep()) {
                    const std::lock_guard<std::mutex> lock(mutex);
                    elsewhere = std::current_exception();
                }
            }
        }
        std::fill(out.begin(), out.end(), 0.0F);
    }

    bool failed_elsewhere() noexcept
    {
        const std::lock_guard<std::mutex> lock(mutex);
        return elsewhere != nullptr;
    }

    std::exception_ptr take_elsewhere() noexcept
    {
        const std::lock_guard<std::mutex> lock(mutex);
        return std::exchange(elsewhere, nullptr);
    }
};

} // namespace detail

/** An activation. Layers copy it, so it may go once they have it. */
class Activation : public Object<tsnn_activation, tsnn_activation_destroy>
{
  public:
    explicit Activation(const Context &context, ActivationKind kind = ActivationKind::identity, double alpha = 0.0)
        : Object(context.core())
    {
        tsnn_activation_options given = TSNN_ACTIVATION_OPTIONS_INIT;
        given.kind = detail::number(kind);
        given.alpha = alpha;
        create(tsnn_activation_create, context.get(), &given);
    }

    /** One of the caller's own. Both must be pure functions of z, and bear to be called by several threads at once
     * where a predictor or several workers use them. What they throw comes out of the call that computes. */
    Activation(const Context &context, ActivationFunction function, ActivationDerivative derivative)
        : Object(context.core())
    {
        const bool complete = function && derivative;
        auto custom = std::make_shared<detail::Custom>(std::move(function), std::move(derivative));
        tsnn_activation_options given = TSNN_ACTIVATION_OPTIONS_INIT;
        given.kind = TSNN_ACTIVATION_CUSTOM;
        given.function = complete ? apply : nullptr;
        given.derivative = complete ? differentiate : nullptr;
        given.user = custom.get();
        box().functions.push_back(std::move(custom));
        create(tsnn_activation_create, context.get(), &given);
    }

    /** On plain numbers; `hidden_index` is the place among the hidden layers, which decides the sign of all_relu. */
    void evaluate(View<const float> z, View<float> a, std::int64_t hidden_index = 0) const
    {
        detail::check_length("a", a, detail::length(z));
        call(tsnn_activation_evaluate, get(), hidden_index, z.data(), a.data(), static_cast<float *>(nullptr),
             detail::length(z));
    }

    /** The same, with the derivative. */
    void evaluate(View<const float> z, View<float> a, View<float> derivative, std::int64_t hidden_index = 0) const
    {
        detail::check_length("a", a, detail::length(z));
        detail::check_length("derivative", derivative, detail::length(z));
        call(tsnn_activation_evaluate, get(), hidden_index, z.data(), a.data(), derivative.data(), detail::length(z));
    }

    /** The caller's functions that whoever copies this activation must keep alive. */
    const std::vector<std::shared_ptr<detail::Custom>> &functions() const
    {
        return box().functions;
    }

  private:
    static void apply(void *user, const float *z, float *a, std::int64_t count) noexcept
    {
        auto &custom = *static_cast<detail::Custom *>(user);
        const View<float> out(a, detail::size_of(count));
        custom.fill(out, [&] { custom.function(View<const float>(z, out.size()), out); });
    }

    static void differentiate(void *user, const float *z, const float *a, float *derivative,
                              std::int64_t count) noexcept
    {
        auto &custom = *static_cast<detail::Custom *>(user);
        const View<float> out(derivative, detail::size_of(count));
        custom.fill(
            out, [&] { custom.derivative(View<const float>(z, out.size()), View<const float>(a, out.size()), out); });
    }
};

} // namespace sparse_nn

#endif
