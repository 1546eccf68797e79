/* Runs the tests of the C++ wrapper and prints one line a test, as tests/run.sh wants them: main PREFIX FOLDER. */
#include <algorithm>
#include <cstdint>
#include <iostream>

#include "support.hpp"

static std::string folder = ".";

std::string temporary(const char *name)
{
    return folder + "/" + name;
}

Moons::Moons(std::int64_t samples)
{
    std::uint32_t state = 1;
    const auto noise = [&state] {
        state = state * 1664525U + 1013904223U;
        return static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
    };
    for (std::int64_t i = 0; i < samples; i++) {
        for (std::int64_t j = 0; j < features; j++)
            x.push_back(noise());
        const float *row = &x[static_cast<std::size_t>(i * features)];
        y.push_back(row[1] * row[4] > 0.0F ? 1 : 0);
    }
}

static nn::ContextOptions with_seed(nn::ContextOptions given)
{
    given.seed = 7;
    given.threads = 1;
    return given;
}

static nn::Network small(const nn::Context &context, const nn::ActivationFunction &function,
                         const nn::ActivationDerivative &derivative)
{
    nn::MlpOptions shape;
    shape.epsilon = 3;
    if (!function)
        return nn::Network::mlp(context, {6, 20, 15, 2}, shape);
    const nn::Activation hidden(context, function, derivative);
    shape.hidden = &hidden;
    return nn::Network::mlp(context, {6, 20, 15, 2}, shape);
}

Course::Course(nn::ContextOptions given, const nn::ActivationFunction &function,
               const nn::ActivationDerivative &derivative)
    : context(with_seed(std::move(given))), data(nn::Dataset::of_labels(context, Moons().x, Moons().y)),
      network(small(context, function, derivative)), loss(context),
      optimizer(context, {nn::OptimizerKind::momentum, 0.05}), evolution(context)
{
    options.epochs = 5;
    options.batch = 20;
}

nn::Trainer Course::trainer()
{
    options.evolution = &evolution;
    return nn::Trainer(network, loss, optimizer, options);
}

std::vector<float> weights(const nn::Network &network)
{
    std::vector<float> all;
    for (std::int64_t i = 0; i < network.info().layers; i++) {
        const std::vector<float> values = network.layer(i).values();
        const std::vector<float> bias = network.layer(i).bias();
        all.insert(all.end(), values.begin(), values.end());
        all.insert(all.end(), bias.begin(), bias.end());
    }
    return all;
}

/* Why a test failed; empty when it did not. */
static std::string outcome(const Test &test)
{
    try {
        test.run();
        return "";
    } catch (const Failure &failure) {
        return failure.text;
    } catch (const std::exception &exception) {
        return std::string("an exception came out: ") + exception.what();
    } catch (...) {
        return "something that is no exception came out";
    }
}

int main(int count, char **arguments)
{
    const std::string prefix = count > 1 ? arguments[1] : "ffi/cpp";
    if (count > 2)
        folder = arguments[2];
    bool failed = false;
    for (const Test &test : all_tests()) {
        std::string claim = test.claim;
        std::replace(claim.begin(), claim.end(), '_', ' ');
        const std::string reason = outcome(test);
        std::cout << (reason.empty() ? "ok " : "not ok ") << prefix << ": " << claim << std::endl;
        if (!reason.empty())
            std::cout << "    " << reason << std::endl;
        failed = failed || !reason.empty();
    }
    return failed ? 1 : 0;
}
