/* What the tests of the C++ wrapper share: claims, and a small course of training. */
#ifndef TSNN_TESTS_FFI_CPP_SUPPORT_HPP
#define TSNN_TESTS_FFI_CPP_SUPPORT_HPP

#include <sstream>
#include <string>
#include <vector>

#include "sparse_nn.hpp"

namespace nn = sparse_nn;

struct Test {
    const char *claim;
    void (*run)();
};

inline std::vector<Test> &all_tests()
{
    static std::vector<Test> tests;
    return tests;
}

struct Registration {
    Registration(const char *claim, void (*run)())
    {
        all_tests().push_back({claim, run});
    }
};

/* The name of a test is what it claims. */
#define TEST(name)                                                                                                     \
    static void name();                                                                                                \
    static const Registration registration_of_##name(#name, name);                                                     \
    static void name()

struct Failure {
    std::string text;
};

#define FAIL(message)                                                                                                  \
    do {                                                                                                               \
        std::ostringstream words;                                                                                      \
        words << __FILE__ << ':' << __LINE__ << ": " << message;                                                       \
        throw Failure{words.str()};                                                                                    \
    } while (false)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            FAIL(#condition);                                                                                          \
    } while (false)

#define CHECK_EQUAL(left, right)                                                                                       \
    do {                                                                                                               \
        const auto &left_value = (left);                                                                               \
        const auto &right_value = (right);                                                                             \
        if (!(left_value == right_value))                                                                              \
            FAIL(#left " is " << left_value << ", " #right " is " << right_value);                                     \
    } while (false)

/* The expression throws an Error of this status, whose message contains the words. */
#define CHECK_ERROR(wanted, words_wanted, expression)                                                                  \
    do {                                                                                                               \
        bool thrown = false;                                                                                           \
        try {                                                                                                          \
            static_cast<void>(expression);                                                                             \
        } catch (const nn::Error &error) {                                                                             \
            thrown = true;                                                                                             \
            if (error.status() != (wanted) || std::string(error.what()).find(words_wanted) == std::string::npos)       \
                FAIL(#expression " threw " << error.status() << ": " << error.what());                                 \
        }                                                                                                              \
        if (!thrown)                                                                                                   \
            FAIL(#expression " threw nothing");                                                                        \
    } while (false)

/* 200 samples of 6 features; the class is an exclusive or of two of them. */
struct Moons {
    static constexpr std::int64_t features = 6;
    std::vector<float> x;
    std::vector<std::int32_t> y;

    explicit Moons(std::int64_t samples = 200);
};

/* A network of 6-20-15-2 neurons that is about to be trained for five epochs of ten steps. */
struct Course {
    nn::Context context;
    nn::Dataset data;
    nn::Network network;
    nn::Loss loss;
    nn::Optimizer optimizer;
    nn::Evolution evolution;
    nn::TrainerOptions options;

    /* Hidden layers with functions of one's own, or the default's. */
    explicit Course(nn::ContextOptions given = {}, const nn::ActivationFunction &function = {},
                    const nn::ActivationDerivative &derivative = {});
    nn::Trainer trainer();
};

/* All weights, layer after layer. */
std::vector<float> weights(const nn::Network &network);

/* A path in the folder for temporary files, which is removed in the end. */
std::string temporary(const char *name);

#endif
