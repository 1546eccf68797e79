/** Training, and the callbacks that watch it. */
#ifndef SPARSE_NN_TRAINER_HPP
#define SPARSE_NN_TRAINER_HPP

#include <cstring>

#include "topology.hpp"

namespace sparse_nn
{

using StepReport = tsnn_step_report;
using EpochReport = tsnn_epoch_report;

/**
 * Anything that can be called with a report. It may answer nothing, or something that is true to end the training. An
 * exception ends it too, and comes out of run().
 */
template <class Report> class Callback
{
  public:
    Callback() = default;

    template <class Function, class = std::enable_if_t<!std::is_same_v<std::decay_t<Function>, Callback> &&
                                                       std::is_invocable_v<Function &, const Report &>>>
    Callback(Function function)
    {
        if constexpr (std::is_void_v<std::invoke_result_t<Function &, const Report &>>)
            function_ = [function = std::move(function)](const Report &report) mutable {
                function(report);
                return false;
            };
        else
            function_ = [function = std::move(function)](const Report &report) mutable {
                return static_cast<bool>(function(report));
            };
    }

    /** What the library is told. */
    std::int32_t answer(const Report *report) const noexcept
    {
        if (detail::Thrown::here().exception)
            return -1;
        try {
            return function_ && function_(as_known(report)) ? 1 : 0;
        } catch (...) {
            detail::Thrown::here().keep();
            return -1;
        }
    }

  private:
    /** A library older than these headers tells less. */
    static Report as_known(const Report *report) noexcept
    {
        Report known{};
        std::memcpy(&known, report, std::min(sizeof known, std::size_t{report->struct_size}));
        return known;
    }

    std::function<bool(const Report &)> function_;
};

using OnStep = Callback<StepReport>;
using OnEpoch = Callback<EpochReport>;

/** The order of samples. */
enum class Order : std::int32_t { shuffle = TSNN_SHUFFLE, in_order = TSNN_IN_ORDER };

/** As tsnn_trainer_options. */
struct TrainerOptions {
    std::int64_t epochs = 0;
    std::int64_t batch = 0;
    std::int64_t micro_batch = 0;
    double clip_norm = 0.0;
    Order order = Order::shuffle;
    Schedule schedule{};
    const Evolution *evolution = nullptr; /**< Kept alive by the trainer, as what follows. */
    Pruning *pruning = nullptr;
    OnStep on_step{};
    OnEpoch on_epoch{};
};

namespace detail
{

/** Where the library's `user` points to. */
struct Watchers {
    OnStep on_step;
    OnEpoch on_epoch;

    static std::int32_t step(void *user, const tsnn_step_report *report) noexcept
    {
        return static_cast<const Watchers *>(user)->on_step.answer(report);
    }

    static std::int32_t epoch(void *user, const tsnn_epoch_report *report) noexcept
    {
        return static_cast<const Watchers *>(user)->on_epoch.answer(report);
    }
};

} // namespace detail

/** Trains one network. Network, loss, optimizer and the rest may go before it: it keeps them. */
class Trainer : public Object<tsnn_trainer, tsnn_trainer_destroy>
{
  public:
    Trainer(Network &network, const Loss &loss, const Optimizer &optimizer, TrainerOptions options = {})
        : Object(network.core())
    {
        const tsnn_schedule_options schedule = options.schedule.given();
        auto watchers = std::make_shared<detail::Watchers>();
        watchers->on_step = std::move(options.on_step);
        watchers->on_epoch = std::move(options.on_epoch);
        tsnn_trainer_options given = TSNN_TRAINER_OPTIONS_INIT;
        given.order = detail::number(options.order);
        given.network = network.get();
        given.loss = loss.get();
        given.optimizer = optimizer.get();
        given.evolution = options.evolution == nullptr ? nullptr : options.evolution->get();
        given.pruning = options.pruning == nullptr ? nullptr : options.pruning->get();
        given.schedule = &schedule;
        given.epochs = options.epochs;
        given.batch = options.batch;
        given.micro_batch = options.micro_batch;
        given.clip_norm = options.clip_norm;
        given.on_step = detail::Watchers::step;
        given.on_epoch = detail::Watchers::epoch;
        given.user = watchers.get();
        box().ingredients = {network.keep(), loss.keep(), optimizer.keep(), std::move(watchers)};
        if (options.evolution != nullptr)
            box().ingredients.push_back(options.evolution->keep());
        if (options.pruning != nullptr)
            box().ingredients.push_back(options.pruning->keep());
        create(tsnn_trainer_create, network.core()->pointer, &given);
    }

    /** Trains for the epochs that are left. @return false when a callback has stopped it; call again to go on */
    bool run(const Dataset &train, const Dataset *validation = nullptr)
    {
        // A callback may let go of any of these.
        const std::array<std::shared_ptr<const void>, 3> kept = {keep(), train.keep(),
                                                                 validation == nullptr ? nullptr : validation->keep()};
        return call(tsnn_trainer_run, get(), train.get(), validation == nullptr ? nullptr : validation->get()) !=
               TSNN_STOPPED;
    }

    bool run(const Dataset &train, const Dataset &validation)
    {
        return run(train, &validation);
    }

    /** One step on samples of the caller's choice, without callbacks. @return their mean loss before it */
    double step(const Dataset &dataset, View<const std::int64_t> samples, double rate_factor = 1.0)
    {
        double loss = 0.0;
        call(tsnn_trainer_step, get(), dataset.get(), samples.data(), detail::length(samples), rate_factor, &loss);
        return loss;
    }

    /** The network with its momentum and the place in the training. Callbacks may save, too. */
    void save(const std::filesystem::path &path, const SaveOptions &options = {}) const
    {
        const detail::SaveGiven given(options);
        call(tsnn_trainer_save, get(), given.get(), path.c_str());
    }

    std::vector<std::byte> save_bytes(const SaveOptions &options = {}) const
    {
        return detail::saved_bytes(*core(), tsnn_trainer_save_memory, get(), options);
    }

    /** Goes back to what save() wrote, to go on to the same bits. */
    void resume(const std::filesystem::path &path, const LoadOptions &options = {})
    {
        const tsnn_load_options given = detail::load_given(options);
        call(tsnn_trainer_resume, get(), path.c_str(), &given);
    }

    void resume(View<const std::byte> bytes, const LoadOptions &options = {})
    {
        const tsnn_load_options given = detail::load_given(options);
        call(tsnn_trainer_resume_memory, get(), static_cast<const void *>(bytes.data()), detail::length(bytes), &given);
    }
};

} // namespace sparse_nn

#endif
