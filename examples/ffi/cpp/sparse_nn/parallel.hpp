/** Training by several workers. */
#ifndef SPARSE_NN_PARALLEL_HPP
#define SPARSE_NN_PARALLEL_HPP

#include "trainer.hpp"

namespace sparse_nn
{

enum class ParallelMode : std::int32_t {
    wasap = TSNN_PARALLEL_WASAP,
    wassp = TSNN_PARALLEL_WASSP,
    replicas = TSNN_PARALLEL_REPLICAS,
};

/** As tsnn_parallel_options, but for logs and their replay. */
struct ParallelOptions {
    ParallelMode mode = ParallelMode::wasap;
    std::int32_t workers = 1;
    bool discard_stale = false;
    std::int64_t epochs = 0;
    std::int64_t batch = 0;
    std::int64_t micro_batch = 0;
    std::int64_t local_steps = 0;
    std::int64_t stale_limit = 0;
    double phase_split = 0.0;
    double rate_multiple = 0.0;
    double local_multiple = 0.0;
    double rate_warmup = 0.0;
    double clip_norm = 0.0;
    Schedule schedule{};
    const Evolution *evolution = nullptr; /**< Kept alive, as what follows. */
    Pruning *pruning = nullptr;
    OnStep on_step{};   /**< Runs beside the other workers: it may stop the run, not use the context's objects. */
    OnEpoch on_epoch{}; /**< Runs while no worker does. */
};

using ParallelInfo = tsnn_parallel_info;
using WorkerInfo = tsnn_parallel_worker_info;

/** Trains one network by several workers, each a thread. Custom activations are called by all of them at once. */
class Parallel : public Object<tsnn_parallel, tsnn_parallel_destroy>
{
  public:
    Parallel(Network &network, const Loss &loss, const Optimizer &optimizer, ParallelOptions options)
        : Object(network.core())
    {
        const tsnn_schedule_options schedule = options.schedule.given();
        auto watchers = std::make_shared<Watchers>();
        watchers->on_step = std::move(options.on_step);
        watchers->on_epoch = std::move(options.on_epoch);
        watchers->functions = network.functions();
        tsnn_parallel_options given = TSNN_PARALLEL_OPTIONS_INIT;
        given.mode = detail::number(options.mode);
        given.workers = options.workers;
        given.retain = options.discard_stale ? TSNN_DISCARD_STALE : TSNN_RETAIN_VALID;
        given.network = network.get();
        given.loss = loss.get();
        given.optimizer = optimizer.get();
        given.evolution = options.evolution == nullptr ? nullptr : options.evolution->get();
        given.pruning = options.pruning == nullptr ? nullptr : options.pruning->get();
        given.schedule = &schedule;
        given.epochs = options.epochs;
        given.batch = options.batch;
        given.micro_batch = options.micro_batch;
        given.local_steps = options.local_steps;
        given.stale_limit = options.stale_limit;
        given.phase_split = options.phase_split;
        given.rate_multiple = options.rate_multiple;
        given.local_multiple = options.local_multiple;
        given.rate_warmup = options.rate_warmup;
        given.clip_norm = options.clip_norm;
        given.on_step = Watchers::step;
        given.on_epoch = Watchers::epoch;
        given.user = watchers.get();
        box().functions = watchers->functions;
        box().ingredients = {network.keep(), loss.keep(), optimizer.keep(), std::move(watchers)};
        if (options.evolution != nullptr)
            box().ingredients.push_back(options.evolution->keep());
        if (options.pruning != nullptr)
            box().ingredients.push_back(options.pruning->keep());
        create(tsnn_parallel_create, network.core()->pointer, &given);
    }

    /** Trains for the epochs that are left. @return false when a callback has stopped it; call again to go on */
    bool run(const Dataset &train, const Dataset *validation = nullptr)
    {
        const std::array<std::shared_ptr<const void>, 3> kept = {keep(), train.keep(),
                                                                 validation == nullptr ? nullptr : validation->keep()};
        const auto functions = box().functions;
        try {
            const tsnn_status status =
                call(tsnn_parallel_run, get(), train.get(), validation == nullptr ? nullptr : validation->get());
            throw_again(functions);
            return status != TSNN_STOPPED;
        } catch (const Error &) {
            throw_again(functions); // what a worker threw says more than that a callback has failed
            throw;
        }
    }

    bool run(const Dataset &train, const Dataset &validation)
    {
        return run(train, &validation);
    }

    ParallelInfo info() const
    {
        ParallelInfo info = TSNN_PARALLEL_INFO_INIT;
        call(tsnn_parallel_get_info, get(), &info);
        return info;
    }

    WorkerInfo worker(std::int32_t index) const
    {
        WorkerInfo info = TSNN_PARALLEL_WORKER_INFO_INIT;
        call(tsnn_parallel_get_worker, get(), index, &info);
        return info;
    }

  private:
    using Functions = std::vector<std::shared_ptr<detail::Custom>>;

    /** The callbacks, which also end the run when an activation has thrown on a worker's thread. */
    struct Watchers {
        OnStep on_step;
        OnEpoch on_epoch;
        Functions functions;

        bool failed_elsewhere() const noexcept
        {
            return std::any_of(functions.begin(), functions.end(),
                               [](const auto &custom) { return custom->failed_elsewhere(); });
        }

        static std::int32_t step(void *user, const tsnn_step_report *report) noexcept
        {
            const auto &watchers = *static_cast<const Watchers *>(user);
            return watchers.failed_elsewhere() ? -1 : watchers.on_step.answer(report);
        }

        static std::int32_t epoch(void *user, const tsnn_epoch_report *report) noexcept
        {
            const auto &watchers = *static_cast<const Watchers *>(user);
            return watchers.failed_elsewhere() ? -1 : watchers.on_epoch.answer(report);
        }
    };

    static void throw_again(const Functions &functions)
    {
        std::exception_ptr exception;
        for (const auto &custom : functions)
            if (std::exception_ptr taken = custom->take_elsewhere())
                exception = std::move(taken);
        if (exception)
            std::rethrow_exception(exception);
    }
};

} // namespace sparse_nn

#endif
