/*
 * Two half moons in two columns, noise in eighteen more, as in examples/hello_sparse.c: trains a sparse network, saves
 * it, loads it, and predicts with it on several threads.
 *
 *     moons [FILE]        default: moons.safetensors
 */
#include <atomic>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <thread>

#include "sparse_nn.hpp"

namespace nn = sparse_nn;

struct Moons {
    static constexpr std::size_t columns = 20;
    std::vector<float> features;
    std::vector<std::int32_t> labels;

    Moons(std::size_t samples, std::mt19937 random)
    {
        std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
        for (std::size_t i = 0; i < samples; i++) {
            const bool lower = i % 2 == 1;
            const float angle = 1.5708F * (noise(random) + 1.0F);
            features.resize(features.size() + columns);
            float *row = features.data() + i * columns;
            for (std::size_t j = 0; j < columns; j++)
                row[j] = noise(random);
            row[3] = (lower ? 1.0F - std::cos(angle) : std::cos(angle)) + 0.15F * row[3];
            row[12] = (lower ? 0.5F - std::sin(angle) : std::sin(angle)) + 0.15F * row[12];
            labels.push_back(lower ? 1 : 0);
        }
    }
};

/* Trains and writes a model file; stops once the loss is small. */
static void learn(const Moons &moons, const std::string &path)
{
    nn::ContextOptions seeded;
    seeded.seed = 1;
    const nn::Context context(seeded);
    nn::MlpOptions shape;
    shape.epsilon = 4; // connections = epsilon (inputs + outputs) for each layer
    nn::Network network = nn::Network::mlp(context, {Moons::columns, 100, 100, 2}, shape);
    const nn::Evolution evolution(context); // gives up three connections in ten after each epoch, and grows others
    nn::TrainerOptions options;
    options.epochs = 50;
    options.evolution = &evolution;
    options.on_epoch = [](const nn::EpochReport &report) {
        if (report.epoch % 10 == 0)
            std::printf("epoch %lld: loss %.4f\n", static_cast<long long>(report.epoch), report.train_loss);
        return report.train_loss < 0.01; // true: that is enough
    };
    nn::Trainer trainer(network, nn::Loss(context), nn::Optimizer(context, {nn::OptimizerKind::momentum, 0.05}),
                        options);
    trainer.run(nn::Dataset::of_labels(context, moons.features, moons.labels));
    network.save(path);
}

/* The share of samples that the model in a file classifies right, a quarter of them on each of four threads. */
static double accuracy(const Moons &moons, const std::string &path)
{
    const nn::Predictor predictor(nn::Network::load(nn::Context(), path)); // needs neither any more
    std::atomic<std::size_t> correct{0};
    std::vector<std::thread> threads;
    const std::size_t part = moons.labels.size() / 4;
    for (std::size_t begin = 0; begin < 4 * part; begin += part) {
        nn::Workspace workspace(predictor);
        threads.emplace_back([&predictor, &moons, &correct, begin, part, own = std::move(workspace)]() mutable {
            const nn::View<const float> rows(moons.features.data() + begin * Moons::columns, part * Moons::columns);
            const std::vector<std::int32_t> classes = predictor.classify(own, rows);
            for (std::size_t i = 0; i < part; i++)
                correct += classes[i] == moons.labels[begin + i] ? 1U : 0U;
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    return static_cast<double>(correct) / static_cast<double>(4 * part);
}

int main(int count, char **arguments)
{
    const std::string path = count > 1 ? arguments[1] : "moons.safetensors";
    try {
        learn(Moons(4000, std::mt19937(1)), path);
        std::printf("accuracy %.3f\n", accuracy(Moons(1000, std::mt19937(2)), path));
        return 0;
    } catch (const nn::Error &error) {
        std::fprintf(stderr, "moons: %s (status %d)\n", error.what(), static_cast<int>(error.status()));
        return 1;
    }
}
