/* Failures are exceptions with status and message, and everything is usable after them. */
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <new>

#include "support.hpp"

TEST(a_nan_is_told_with_its_place)
{
    Moons moons;
    const nn::Context context;
    moons.x[8] = std::numeric_limits<float>::quiet_NaN();
    CHECK_ERROR(TSNN_ERROR_NOT_FINITE, "sample 1", nn::Dataset::of_labels(context, moons.x, moons.y));
    Course course;
    std::vector<float> outputs(400);
    CHECK_ERROR(TSNN_ERROR_NOT_FINITE, "", course.network.predict(moons.x, outputs));
    const nn::Predictor predictor(course.network);
    nn::Workspace workspace(predictor);
    CHECK_ERROR(TSNN_ERROR_NOT_FINITE, "sample 1", predictor.predict(workspace, moons.x));
    CHECK_EQUAL(predictor.predict(workspace, Moons().x).size(), 400U);
}

TEST(arrays_of_the_wrong_size_are_refused_with_the_numbers)
{
    const Moons moons;
    Course course;
    const nn::View<const float> seven(moons.x.data(), 7);
    std::vector<float> small(3);
    CHECK_ERROR(TSNN_ERROR_SHAPE, "features: 7 numbers, which are not rows of 6", course.network.predict(seven));
    CHECK_ERROR(TSNN_ERROR_BUFFER_TOO_SMALL, "3", course.network.predict(moons.x, small));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "7 numbers, which are not 200 rows",
                nn::Dataset::of_labels(course.context, seven, moons.y));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "targets: 3 numbers, which are not 2 rows",
                nn::Dataset::of_targets(course.context, 2, std::vector<float>(4), small));
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "samples",
                nn::Dataset::of_labels(course.context, moons.x, std::vector<std::int32_t>()));
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "", nn::Dataset::of_targets(course.context, -1, moons.x, moons.x));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "", course.network.layer(0).set_weights(small));
    const nn::Predictor predictor(course.network);
    nn::Workspace workspace(predictor);
    CHECK_ERROR(TSNN_ERROR_SHAPE, "rows of 6", predictor.predict(workspace, seven));
    CHECK_ERROR(TSNN_ERROR_BUFFER_TOO_SMALL, "", predictor.predict(workspace, moons.x, small));
    std::vector<std::byte> memory(10);
    CHECK_ERROR(TSNN_ERROR_BUFFER_TOO_SMALL, "", nn::Workspace(predictor, 1, memory));
    nn::Samples samples;
    const std::vector<std::int64_t> beyond = {0, 5};
    const std::vector<std::int32_t> index = {1};
    samples.sample_ptr = beyond;
    samples.index = index;
    samples.value = nn::View<const float>(small.data(), 1);
    nn::Answers answers;
    answers.outputs = small;
    CHECK_ERROR(TSNN_ERROR_STRUCTURE, "5", predictor.run(workspace, samples, answers));
    const nn::Activation relu(course.context, nn::ActivationKind::relu);
    CHECK_ERROR(TSNN_ERROR_SHAPE, "a: 3 numbers, which are not 7", relu.evaluate(seven, small));
    const nn::Standardizer standardizer = nn::Standardizer::fit(course.context, course.data);
    CHECK_ERROR(TSNN_ERROR_SHAPE, "in: 7 numbers", standardizer.apply(seven, small));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "deviation: 3 numbers, which are not 7",
                nn::Standardizer(course.context, seven, small));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "outputs: 7 numbers", course.loss.evaluate(seven, moons.y));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "targets: 3 numbers", course.loss.evaluate(seven, small, 7));
    CHECK(course.trainer().run(course.data));
}

TEST(arrays_that_are_no_sparse_matrix_are_refused)
{
    const nn::Context context;
    using Integers = std::vector<std::int64_t>;
    const std::vector<float> values = {1, 2};
    const std::vector<std::int32_t> column = {0, 5};
    CHECK_ERROR(TSNN_ERROR_STRUCTURE, "5", nn::Layer::from_csr(context, 3, Integers{0, 2}, column, values));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "", nn::Layer::from_csr(context, 3, Integers{}, column, values));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "column: 2 numbers, which are not 1",
                nn::Layer::from_csr(context, 3, Integers{0, 1}, column, nn::View<const float>(values.data(), 1)));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "row: 0 numbers", nn::Layer::from_coo(context, 3, 9, {}, column, values));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "bias: 2 numbers, which are not 9",
                nn::Layer::from_csr(context, 9, Integers{0, 2}, column, values, values));
}

TEST(options_out_of_range_are_refused_with_the_numbers)
{
    const nn::Context context;
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "-3", nn::Optimizer(context, {nn::OptimizerKind::sgd, -3.0}));
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "1.5", nn::Evolution(context, 1.5));
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "size_count is 1", nn::Network::mlp(context, {3}));
    CHECK_ERROR(TSNN_ERROR_STATE, "", nn::Gradient(nn::Network(context)));
    CHECK_ERROR(TSNN_ERROR_STATE, "", nn::Network(context).save(temporary("none")));
    nn::ContextOptions options;
    options.threads = -1;
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, tsnn_status_string(TSNN_ERROR_INVALID_ARGUMENT), nn::Context(options));
    options.threads = 0;
    options.allocate = [](std::size_t size) { return std::malloc(size); };
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "", nn::Context(options)); // no release
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "", nn::Activation(context, nullptr, nullptr));
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "", nn::Schedule{}.factor(-1.0, 10));
}

TEST(files_that_are_missing_damaged_or_too_large_are_refused)
{
    const Course course;
    const std::string path = temporary("damaged.safetensors");
    CHECK_ERROR(TSNN_ERROR_IO, "missing.safetensors",
                nn::Network::load(course.context, temporary("missing.safetensors")));
    CHECK_ERROR(TSNN_ERROR_IO, "nowhere", course.network.save(temporary("nowhere/network")));
    std::ofstream(path) << "this is no model";
    CHECK_ERROR(TSNN_ERROR_FORMAT, "", nn::Network::load(course.context, path));
    std::remove(path.c_str());
    std::vector<std::byte> bytes = course.network.save_bytes();
    nn::LoadOptions options;
    options.max_bytes = 100;
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "max_bytes is 100", nn::Network::load(course.context, bytes, options));
    bytes.resize(bytes.size() - 1);
    CHECK_ERROR(TSNN_ERROR_FORMAT, "", nn::Network::load(course.context, bytes));
    CHECK_ERROR(TSNN_ERROR_NULL_ARGUMENT, "data", nn::Network::load(course.context, nn::View<const std::byte>()));
    nn::SaveOptions twice;
    twice.metadata = {{"a", "1"}, {"a", "2"}};
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "a", course.network.save_bytes(twice));
}

TEST(a_training_that_diverges_says_so)
{
    Course course;
    course.optimizer = nn::Optimizer(course.context, {nn::OptimizerKind::sgd, 1e30});
    CHECK_ERROR(TSNN_ERROR_NOT_FINITE, "", course.trainer().run(course.data));
    CHECK_EQUAL(course.network.info().layers, 3);
}

/* An allocator that fails once, at its k-th call, and counts what is out. */
struct Meter {
    std::int64_t calls = 0;
    std::int64_t fails_at = 0;
    std::int64_t out = 0;
    bool throws = false;

    nn::ContextOptions options()
    {
        nn::ContextOptions given;
        given.allocate = [this](std::size_t size) -> void * {
            if (++calls == fails_at) {
                if (throws)
                    throw std::bad_alloc();
                return nullptr;
            }
            out++;
            return std::malloc(size);
        };
        given.release = [this](void *pointer) {
            out--;
            std::free(pointer);
        };
        return given;
    }
};

static void use_everything(nn::ContextOptions given)
{
    Course course(std::move(given));
    course.options.epochs = 2;
    course.trainer().run(course.data, course.data);
    const nn::Predictor predictor(course.network);
    nn::Workspace workspace(predictor);
    predictor.predict(workspace, Moons().x);
    nn::Network::load(course.context, course.network.copy().save_bytes());
    nn::Gradient(course.network).norm();
}

TEST(each_allocation_may_fail_without_a_leak)
{
    for (const bool throws : {false, true}) {
        bool complete = false;
        std::int64_t failures = 0;
        for (std::int64_t k = 1; !complete; k += throws ? 7 : 1) {
            Meter meter;
            meter.fails_at = k;
            meter.throws = throws;
            try {
                use_everything(meter.options());
                complete = meter.calls < k;
            } catch (const nn::Error &error) {
                if (error.status() != TSNN_ERROR_OUT_OF_MEMORY)
                    FAIL("allocation " << k << ": " << error.what());
                failures++;
            }
            CHECK_EQUAL(meter.out, 0);
        }
        CHECK(failures > 10);
    }
}
