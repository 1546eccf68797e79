/* Several threads: predictors that they share, and contexts of their own. */
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include "support.hpp"

/* Runs a function on four threads at once. @return how many of them were content */
template <class Function> static int on_four_threads(const Function &function)
{
    std::atomic<int> content{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&, i] {
            try {
                content += function(i) ? 1 : 0;
            } catch (...) { // which counts as not content
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    return content;
}

TEST(threads_share_a_predictor_while_its_network_learns_on)
{
    const Moons moons;
    Course course;
    course.options.epochs = 30;
    const nn::Predictor predictor(course.network);
    const std::vector<float> expected = course.network.predict(moons.x);
    const std::vector<std::int32_t> classes = course.network.classify(moons.x);
    std::vector<float> bits;
    {
        nn::Workspace workspace(predictor);
        bits = predictor.predict(workspace, moons.x);
    }
    std::thread learner([&course] { course.trainer().run(course.data); });
    const int content = on_four_threads([&](int) {
        std::vector<std::byte> memory(static_cast<std::size_t>(predictor.workspace_size()));
        nn::Workspace workspace(predictor, 128, memory);
        for (int repeat = 0; repeat < 20; repeat++)
            if (predictor.predict(workspace, moons.x) != bits || predictor.classify(workspace, moons.x) != classes)
                return false;
        return true;
    });
    learner.join();
    CHECK_EQUAL(content, 4);
    CHECK_EQUAL(expected.size(), bits.size());
}

TEST(each_thread_gets_its_own_error_from_a_shared_predictor)
{
    const Course course;
    const nn::Predictor predictor(course.network);
    const int content = on_four_threads([&](int i) {
        std::vector<std::byte> memory(static_cast<std::size_t>(predictor.workspace_size(1)));
        nn::Workspace workspace(predictor, 1, memory);
        std::vector<float> rows(60);
        const auto bad = static_cast<std::size_t>(i);
        rows[bad * 6] = std::numeric_limits<float>::infinity();
        for (int repeat = 0; repeat < 50; repeat++)
            CHECK_ERROR(TSNN_ERROR_NOT_FINITE, "sample " + std::to_string(i), predictor.predict(workspace, rows));
        return true;
    });
    CHECK_EQUAL(content, 4);
}

TEST(each_thread_gets_what_its_own_call_of_an_activation_threw)
{
    const auto function = [](nn::View<const float> z, nn::View<float> a) {
        std::copy(z.begin(), z.end(), a.begin());
        throw std::this_thread::get_id();
    };
    const auto derivative = [](nn::View<const float>, nn::View<const float>, nn::View<float>) {};
    const Course course({}, function, derivative);
    const nn::Predictor predictor(course.network);
    const int content = on_four_threads([&](int) {
        std::vector<std::byte> memory(static_cast<std::size_t>(predictor.workspace_size(1)));
        nn::Workspace workspace(predictor, 1, memory);
        for (int repeat = 0; repeat < 50; repeat++) {
            try {
                predictor.predict(workspace, std::vector<float>(6));
                return false;
            } catch (const std::thread::id &thrower) {
                if (thrower != std::this_thread::get_id())
                    return false;
            }
        }
        return true;
    });
    CHECK_EQUAL(content, 4);
}

TEST(threads_with_contexts_of_their_own_train_to_the_same_bits)
{
    Course here;
    here.trainer().run(here.data);
    const std::vector<float> expected = weights(here.network);
    CHECK_EQUAL(on_four_threads([&expected](int) {
                    Course course;
                    course.trainer().run(course.data);
                    return weights(course.network) == expected;
                }),
                4);
}

TEST(the_last_thread_that_predicts_gives_the_predictor_back)
{
    const Moons moons;
    std::optional<nn::Predictor> predictor(Course().network); // the context is held by it alone
    std::vector<nn::Workspace> workspaces;
    for (int i = 0; i < 4; i++)
        workspaces.emplace_back(*predictor);
    const nn::Predictor shared = std::move(*predictor);
    predictor.reset();
    std::vector<std::thread> threads;
    std::atomic<int> content{0};
    for (nn::Workspace &workspace : workspaces)
        threads.emplace_back([&content, &moons, &shared, own = std::move(workspace)]() mutable {
            content += shared.predict(own, moons.x).size() == 400U ? 1 : 0;
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(content.load(), 4);
}
