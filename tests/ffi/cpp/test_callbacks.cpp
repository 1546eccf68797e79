/* Functions of the caller that the library calls: what they are told, what they may do, and what they throw. */
#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support.hpp"

/* Not even a std::exception. */
struct Mishap {
    int number;
};

/* The expression throws the Mishap of this number. */
#define CHECK_MISHAP(wanted, expression)                                                                               \
    do {                                                                                                               \
        int caught = -1;                                                                                               \
        try {                                                                                                          \
            static_cast<void>(expression);                                                                             \
        } catch (const Mishap &mishap) {                                                                               \
            caught = mishap.number;                                                                                    \
        }                                                                                                              \
        CHECK_EQUAL(caught, wanted);                                                                                   \
    } while (false)

TEST(a_report_tells_of_each_step_and_epoch)
{
    Course course;
    std::vector<nn::StepReport> steps;
    std::vector<nn::EpochReport> epochs;
    course.options.on_step = [&](const nn::StepReport &report) { steps.push_back(report); };
    course.options.on_epoch = [&](const nn::EpochReport &report) { epochs.push_back(report); };
    CHECK(course.trainer().run(course.data, course.data));
    CHECK_EQUAL(steps.size(), 50U);
    CHECK_EQUAL(steps[10].epoch, 2);
    CHECK_EQUAL(steps[10].step, 1);
    CHECK_EQUAL(epochs.size(), 5U);
    CHECK_EQUAL(epochs[0].samples, 200);
    CHECK_EQUAL(epochs[0].has_validation, 1);
    CHECK_EQUAL(epochs[4].connections, course.network.info().connections);
}

TEST(a_true_answer_stops_and_a_further_run_goes_on_to_the_same_bits)
{
    Course whole;
    whole.trainer().run(whole.data);
    Course course;
    std::int64_t last = 0;
    course.options.on_epoch = [&last](const nn::EpochReport &report) {
        last = report.epoch;
        return report.epoch == 2;
    };
    nn::Trainer trainer = course.trainer();
    CHECK(!trainer.run(course.data));
    CHECK_EQUAL(last, 2);
    CHECK(trainer.run(course.data));
    CHECK_EQUAL(last, 5);
    CHECK(weights(course.network) == weights(whole.network));
}

TEST(anything_that_can_be_called_is_a_callback)
{
    struct Counter {
        std::shared_ptr<int> calls = std::make_shared<int>(0);
        int operator()(const nn::EpochReport &)
        {
            return ++*calls == 3; // an int, of a function object that is not const
        }
    };
    Course course;
    const Counter counter;
    course.options.on_epoch = counter;
    CHECK(!course.trainer().run(course.data));
    CHECK_EQUAL(*counter.calls, 3);
    course.options.on_epoch = {};
    CHECK(course.trainer().run(course.data));
    CHECK_EQUAL(counter.calls.use_count(), 1); // the trainers have let go
}

TEST(what_a_callback_throws_comes_out_of_run_and_all_is_usable)
{
    Course course;
    int left = 1;
    course.options.on_step = [&left](const nn::StepReport &report) {
        if (report.epoch == 2 && report.step == 3 && left-- > 0)
            throw Mishap{23};
    };
    nn::Trainer trainer = course.trainer();
    CHECK_MISHAP(23, trainer.run(course.data));
    CHECK(trainer.run(course.data));

    std::exception_ptr thrown;
    course.options.on_step = {};
    course.options.on_epoch = [&thrown](const nn::EpochReport &) {
        try {
            throw std::runtime_error("from a callback");
        } catch (...) {
            thrown = std::current_exception();
            throw;
        }
    };
    trainer = course.trainer();
    try {
        trainer.run(course.data);
        FAIL("nothing was thrown");
    } catch (const std::runtime_error &error) {
        CHECK_EQUAL(std::string(error.what()), "from a callback");
        CHECK(std::current_exception() == thrown); // the object itself
    }
    CHECK_EQUAL(course.network.evaluate(course.data).samples, 200);
}

TEST(a_callback_may_use_the_library_and_its_errors_stop_the_training)
{
    const Moons moons;
    Course course;
    int epochs = 0;
    course.options.on_epoch = [&](const nn::EpochReport &) {
        course.network.evaluate(course.data);
        nn::Predictor predictor(course.network);
        nn::Workspace workspace(predictor);
        predictor.predict(workspace, moons.x);
        CHECK_ERROR(TSNN_ERROR_SHAPE, "7", course.network.predict(std::vector<float>(7)));
        nn::Network other = nn::Network::mlp(course.context, {6, 4, 2});
        nn::TrainerOptions options;
        options.epochs = 1;
        options.on_epoch = [](const nn::EpochReport &) { throw Mishap{1}; };
        nn::Trainer inner(other, course.loss, course.optimizer, options);
        CHECK_MISHAP(1, inner.run(course.data));
        if (++epochs == 3)
            nn::Network::load(course.context, temporary("missing"));
    };
    nn::Trainer trainer = course.trainer();
    CHECK_ERROR(TSNN_ERROR_IO, "missing", trainer.run(course.data));
    CHECK_EQUAL(epochs, 3);
}

TEST(a_callback_may_let_go_of_its_own_trainer_and_data)
{
    Course course;
    std::optional<nn::Trainer> trainer;
    std::optional<nn::Dataset> data(std::move(course.data));
    course.options.on_epoch = [&](const nn::EpochReport &report) {
        if (report.epoch == 1) {
            data.reset();
            trainer.reset();
        }
    };
    trainer.emplace(course.trainer());
    CHECK(trainer->run(*data));
    CHECK(!trainer && !data);
}

static void softplus(nn::View<const float> z, nn::View<float> a)
{
    for (std::size_t i = 0; i < z.size(); i++)
        a[i] = std::log1p(std::exp(z[i]));
}

static void softplus_derivative(nn::View<const float>, nn::View<const float> a, nn::View<float> derivative)
{
    for (std::size_t i = 0; i < a.size(); i++)
        derivative[i] = 1.0F - std::exp(-a[i]);
}

TEST(an_activation_of_ones_own_learns_as_the_librarys_does)
{
    const auto relu = [](nn::View<const float> z, nn::View<float> a) {
        for (std::size_t i = 0; i < z.size(); i++)
            a[i] = z[i] > 0.0F ? z[i] : 0.0F;
    };
    const auto relu_derivative = [](nn::View<const float> z, nn::View<const float>, nn::View<float> derivative) {
        for (std::size_t i = 0; i < z.size(); i++)
            derivative[i] = z[i] >= 0.0F ? 1.0F : 0.0F;
    };
    const Moons moons;
    Course ours({}, relu, relu_derivative);
    ours.trainer().run(ours.data);

    nn::ContextOptions same;
    same.seed = ours.context.info().seed;
    same.threads = 1;
    const nn::Context context(same);
    const nn::Activation built_in(context, nn::ActivationKind::relu);
    nn::MlpOptions shape;
    shape.epsilon = 3;
    shape.hidden = &built_in;
    nn::Network theirs = nn::Network::mlp(context, {6, 20, 15, 2}, shape);
    nn::TrainerOptions options = ours.options;
    const nn::Evolution evolution(context);
    options.evolution = &evolution;
    nn::Trainer(theirs, nn::Loss(context), nn::Optimizer(context, {nn::OptimizerKind::momentum, 0.05}), options)
        .run(nn::Dataset::of_labels(context, moons.x, moons.y));
    CHECK(ours.network.predict(moons.x) == theirs.predict(moons.x));
}

TEST(functions_of_ones_own_live_as_long_as_any_object_that_calls_them)
{
    const Moons moons;
    auto alive = std::make_shared<int>(0);
    const auto function = [alive](nn::View<const float> z, nn::View<float> a) { softplus(z, a); };
    std::optional<nn::Predictor> predictor;
    {
        std::optional<Course> course(std::in_place, nn::ContextOptions(), function, softplus_derivative);
        const nn::Activation custom(course->context, function, softplus_derivative);
        nn::LoadOptions options;
        options.custom = &custom;
        std::optional<nn::Network> loaded(nn::Network::load(course->context, course->network.save_bytes(), options));
        CHECK_ERROR(TSNN_ERROR_UNSUPPORTED, "layer 0",
                    nn::Network::load(course->context, course->network.save_bytes()));
        nn::Network copy = loaded->copy();
        loaded.reset();
        CHECK(copy.predict(moons.x) == course->network.predict(moons.x));
        predictor.emplace(copy);
    }
    nn::Workspace workspace(*predictor);
    CHECK_EQUAL(predictor->predict(workspace, moons.x).size(), 400U);
    CHECK(alive.use_count() > 2);
    predictor.reset();
    workspace = nn::Workspace(nn::Predictor(Course().network));
    CHECK_EQUAL(alive.use_count(), 2); // this one and the one in `function`
}

TEST(what_an_activation_throws_comes_out_of_each_call_that_meets_it)
{
    const Moons moons;
    bool broken = false;
    const auto function = [&broken](nn::View<const float> z, nn::View<float> a) {
        softplus(z, a);
        if (broken)
            throw Mishap{5};
    };
    Course course({}, function, softplus_derivative);
    const nn::Activation alone(course.context, function, softplus_derivative);
    const nn::Predictor predictor(course.network);
    nn::Workspace workspace(predictor);
    const std::vector<float> expected = predictor.predict(workspace, moons.x);
    nn::Trainer trainer = course.trainer();
    std::vector<float> out(moons.x.size());
    broken = true;
    CHECK_MISHAP(5, trainer.run(course.data));
    CHECK_MISHAP(5, course.network.predict(moons.x));
    CHECK_MISHAP(5, course.network.classify(moons.x));
    CHECK_MISHAP(5, course.network.evaluate(course.data));
    CHECK_MISHAP(5, predictor.predict(workspace, moons.x));
    CHECK_MISHAP(5, alone.evaluate(moons.x, out));
    broken = false;
    CHECK(predictor.predict(workspace, moons.x) == expected);
    CHECK(trainer.run(course.data));
}

TEST(a_derivative_that_throws_ends_the_training_at_that_step)
{
    int steps = 0;
    Course course({}, softplus, [](nn::View<const float>, nn::View<const float>, nn::View<float>) { throw Mishap{6}; });
    course.options.on_step = [&steps](const nn::StepReport &) { steps++; };
    nn::Trainer trainer = course.trainer();
    CHECK_MISHAP(6, trainer.run(course.data));
    CHECK_EQUAL(steps, 0);
}

TEST(what_an_activation_throws_on_a_workers_thread_comes_out_of_the_run)
{
    bool broken = true;
    const std::thread::id caller = std::this_thread::get_id();
    const auto function = [&](nn::View<const float> z, nn::View<float> a) {
        softplus(z, a);
        if (broken && std::this_thread::get_id() != caller)
            throw Mishap{8};
    };
    Course course({}, function, softplus_derivative);
    nn::ParallelOptions options;
    options.workers = 2;
    options.epochs = 4;
    options.batch = 10;
    nn::Parallel parallel(course.network, course.loss, course.optimizer, options);
    bool concurrent = true;
    int caught = 0;
    try {
        parallel.run(course.data);
        concurrent = parallel.info().concurrent == 1;
    } catch (const Mishap &mishap) {
        caught = mishap.number;
    }
    CHECK(caught == 8 || !concurrent); // one thread does the work of all where there are no others
    broken = false;
    nn::Parallel other(course.network, course.loss, course.optimizer, options);
    CHECK(other.run(course.data));
}

TEST(workers_report_stop_and_throw_as_a_trainer_does)
{
    Course course;
    nn::ParallelOptions options;
    options.mode = nn::ParallelMode::wassp;
    options.workers = 2;
    options.epochs = 4;
    options.batch = 10;
    options.evolution = &course.evolution;
    std::int64_t last = 0;
    options.on_epoch = [&last](const nn::EpochReport &report) {
        last = report.epoch;
        if (report.epoch == 3)
            throw Mishap{9};
        return report.epoch == 2;
    };
    nn::Parallel parallel(course.network, course.loss, course.optimizer, options);
    CHECK(!parallel.run(course.data, course.data));
    CHECK_EQUAL(last, 2);
    CHECK_MISHAP(9, parallel.run(course.data));
    CHECK(parallel.run(course.data));
    CHECK_EQUAL(parallel.info().epochs_done, 4);
    CHECK(parallel.worker(1).steps > 0);
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "2", parallel.worker(2));
}

TEST(log_lines_reach_the_callers_function)
{
    std::vector<std::string> lines;
    nn::ContextOptions options;
    options.log = [&lines](nn::LogLevel, std::string_view text) { lines.emplace_back(text); };
    const nn::Context context(options);
    CHECK(!lines.empty() && lines[0].find("kernels") == 0);
    options.log = [](nn::LogLevel, std::string_view) { throw Mishap{4}; };
    CHECK_MISHAP(4, nn::Context(options));
}
