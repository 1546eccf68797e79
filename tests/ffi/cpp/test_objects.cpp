/* What the objects do, who owns what, and that nothing is copied that need not be. */
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <type_traits>

#include "../in_c.h"
#include "support.hpp"

static_assert(!std::is_copy_constructible_v<nn::Network> && !std::is_copy_assignable_v<nn::Network>);
static_assert(std::is_nothrow_move_constructible_v<nn::Network> && std::is_nothrow_move_assignable_v<nn::Network>);
static_assert(!std::is_copy_constructible_v<nn::Context> && std::is_nothrow_move_constructible_v<nn::Trainer>);
static_assert(std::is_convertible_v<std::vector<float> &, nn::View<float>>);
static_assert(std::is_convertible_v<const std::array<float, 3> &, nn::View<const float>>);
static_assert(!std::is_convertible_v<const std::vector<float> &, nn::View<float>>, "const stays const");
static_assert(!std::is_convertible_v<std::vector<double> &, nn::View<const float>>, "doubles are no floats");

TEST(the_same_seed_gives_the_bits_of_a_program_in_c)
{
    const Moons moons;
    std::vector<float> in_c(400);
    CHECK_EQUAL(tsnni_trained_in_c(moons.x.data(), moons.y.data(), 200, in_c.data()), 0);
    Course course;
    CHECK(course.trainer().run(course.data));
    const std::vector<float> here = course.network.predict(moons.x);
    CHECK_EQUAL(here.size(), in_c.size());
    CHECK(std::memcmp(here.data(), in_c.data(), in_c.size() * sizeof(float)) == 0);
}

TEST(a_network_learns_and_tells_its_accuracy_and_classes)
{
    const Moons moons;
    Course course;
    course.options.epochs = 60;
    const double before = course.network.evaluate(course.data, &course.loss).loss;
    CHECK(course.trainer().run(course.data, course.data));
    const nn::Evaluation after = course.network.evaluate(course.data, &course.loss);
    CHECK(after.loss < before / 2 && after.accuracy > 0.9);
    const std::vector<std::int32_t> classes = course.network.classify(moons.x);
    std::int64_t correct = 0;
    for (std::size_t i = 0; i < classes.size(); i++)
        correct += classes[i] == moons.y[i];
    CHECK_EQUAL(correct, after.correct);
}

TEST(what_was_moved_works_in_its_new_place_and_says_so_in_the_old)
{
    Course course;
    nn::Network network = std::move(course.network);
    CHECK(network && network.get() != nullptr);
    CHECK_EQUAL(network.info().layers, 3);
    CHECK(!course.network && course.network.get() == nullptr); // NOLINT: looking at it is the test
    CHECK_ERROR(TSNN_ERROR_STATE, "moved from", course.network.info());
    CHECK_ERROR(TSNN_ERROR_STATE, "moved from", nn::Predictor(course.network));
    CHECK_ERROR(TSNN_ERROR_STATE, "moved from", course.trainer());
    nn::Dataset data = std::move(course.data);
    CHECK_ERROR(TSNN_ERROR_NULL_ARGUMENT, "dataset", network.evaluate(course.data));
    nn::Context context = std::move(course.context);
    CHECK_ERROR(TSNN_ERROR_STATE, "moved from", nn::Network(course.context));
    course.network = nn::Network(context); // and can be used again
    CHECK_EQUAL(course.network.info().layers, 0);
    CHECK_EQUAL(network.evaluate(data).samples, 200);
}

TEST(objects_may_go_in_any_order_since_each_keeps_what_it_needs)
{
    const Moons moons;
    std::optional<Course> course(std::in_place);
    std::optional<nn::Trainer> trainer(course->trainer());
    nn::Dataset data = std::move(course->data);
    nn::NetworkLayer layer = course->network.layer(0);
    course.reset(); // context, network, loss, optimizer and evolution
    CHECK(trainer->run(data));
    trainer.reset();
    const nn::NetworkLayer same = std::move(layer);
    CHECK_EQUAL(same.info().inputs, 6);
    CHECK_EQUAL(layer.info().inputs, 6); // NOLINT: a layer of a network is only a way to it

    std::optional<nn::Predictor> predictor(Course().network);
    nn::Workspace workspace(*predictor);
    nn::Predictor moved = std::move(*predictor);
    predictor.reset();
    CHECK_EQUAL(moved.predict(workspace, moons.x).size(), 400U);
    const std::vector<float> before = moved.predict(workspace, moons.x);
    moved = nn::Predictor(Course().network);
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "predictor", moved.predict(workspace, moons.x));
}

TEST(assigning_over_an_object_frees_what_was_there_once)
{
    Course course;
    for (int i = 0; i < 3; i++)
        course.network = nn::Network::mlp(course.context, {6, 5, 2});
    nn::Network *same = &course.network;
    course.network = std::move(*same);
    CHECK_EQUAL(nn::Network(std::move(course.network)).info().outputs, 2);
}

TEST(a_copy_of_a_network_goes_its_own_way)
{
    Course course;
    const nn::Network copy = course.network.copy();
    const std::vector<float> before = weights(copy);
    CHECK(before == weights(course.network));
    course.trainer().run(course.data);
    CHECK(before == weights(copy));
    CHECK(before != weights(course.network));
}

TEST(a_saved_network_comes_back_with_its_bits_from_a_file_and_from_memory)
{
    const Moons moons;
    Course course;
    course.trainer().run(course.data);
    const std::string path = temporary("network.safetensors");
    nn::SaveOptions options;
    options.metadata = {{"author", "a test"}, {"empty", ""}};
    course.network.save(path, options);
    const nn::Context other;
    CHECK(weights(nn::Network::load(other, path)) == weights(course.network));
    CHECK(weights(nn::Network::load(other, course.network.save_bytes())) == weights(course.network));
    CHECK_EQUAL(nn::model_metadata(other, path, "author"), "a test");
    CHECK_EQUAL(nn::model_metadata(other, path, "empty"), "");
    CHECK(nn::model_metadata(other, path, "tsnn.library").find(tsnn_version_string()) != std::string::npos);
    std::remove(path.c_str());
}

TEST(a_resumed_training_ends_with_the_bits_of_one_that_was_not_interrupted)
{
    Course whole;
    whole.trainer().run(whole.data);
    Course first;
    first.options.on_epoch = [](const nn::EpochReport &report) { return report.epoch == 2; };
    nn::Trainer stopped = first.trainer();
    CHECK(!stopped.run(first.data));
    const std::string path = temporary("training.safetensors");
    stopped.save(path);
    Course from_bytes;
    Course from_file;
    nn::Trainer one = from_bytes.trainer();
    nn::Trainer other = from_file.trainer();
    one.resume(stopped.save_bytes());
    other.resume(path);
    CHECK(one.run(from_bytes.data) && other.run(from_file.data));
    CHECK(weights(from_bytes.network) == weights(whole.network));
    CHECK(weights(from_file.network) == weights(whole.network));
    std::remove(path.c_str());
}

TEST(layers_go_in_and_out_as_arrays)
{
    const nn::Context context;
    const std::vector<std::int64_t> row_ptr = {0, 2, 2, 3};
    const std::vector<std::int32_t> column = {0, 1, 1};
    const float values[] = {1.0F, -2.0F, 0.5F};
    nn::Layer layer = nn::Layer::from_csr(context, 2, row_ptr, column, values, std::array<float, 2>{0.25F, 0.0F});
    const nn::Csr csr = layer.csr();
    CHECK(csr.row_ptr == row_ptr && csr.column == column && csr.values == std::vector<float>(values, values + 3));
    CHECK(layer.importance() == std::vector<double>({1.0, 2.5}));
    layer.set_weights(std::vector<float>{3.0F, 2.0F, 1.0F});
    CHECK(layer.values() == std::vector<float>({3.0F, 2.0F, 1.0F}) && layer.bias()[0] == 0.25F);
    layer.freeze();
    CHECK_EQUAL(layer.info().frozen, 1);
    const nn::Layer same = nn::Layer::from_coo(context, 3, 2, std::vector<std::int32_t>{2, 0, 0},
                                               std::vector<std::int32_t>{1, 1, 0}, std::vector<float>{1, 2, 3});
    CHECK(same.csr().values == layer.values());
    nn::LayerOptions options;
    options.sampling = nn::Sampling::exact;
    options.density = 0.5;
    CHECK_EQUAL(nn::Layer(context, 10, 4, options).info().connections, 20);
}

TEST(a_network_takes_a_layer_over_and_leaves_it_where_it_does_not_fit)
{
    const nn::Context context;
    nn::Network network(context);
    nn::Layer fits(context, 4, 3);
    nn::Layer misfit(context, 7, 2);
    const nn::Activation relu(context, nn::ActivationKind::relu);
    network.append(std::move(fits), &relu, 0.25);
    CHECK(!fits); // NOLINT
    CHECK_ERROR(TSNN_ERROR_SHAPE, "7", network.append(std::move(misfit)));
    CHECK_EQUAL(misfit.info().inputs, 7); // NOLINT
    CHECK_EQUAL(network.info().layers, 1);
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "1", network.layer(1));
    CHECK_EQUAL(network.predict(std::vector<float>(8)).size(), 6U);
}

TEST(a_borrowed_data_set_reads_the_callers_arrays_in_place)
{
    Moons moons;
    const nn::Context context;
    const nn::Dataset borrowed = nn::Dataset::of_labels(context, moons.x, moons.y, 2, nn::Ownership::borrow);
    CHECK(borrowed.info().feature_data == moons.x.data() && borrowed.info().labels == moons.y.data());
    const nn::Dataset copied = nn::Dataset::of_labels(context, moons.x, moons.y);
    CHECK(copied.info().feature_data != moons.x.data());
    const nn::Dataset targets = nn::Dataset::of_targets(context, 100, moons.x, std::vector<float>(300));
    CHECK_EQUAL(targets.info().features, 12);
    CHECK_EQUAL(targets.info().target_size, 3);
}

TEST(standardizers_take_raw_features)
{
    const Moons moons;
    Course course;
    const nn::Standardizer fitted = nn::Standardizer::fit(course.context, course.data);
    CHECK_EQUAL(fitted.features(), 6);
    const nn::Standardizer known(course.context, fitted.mean(), fitted.deviation());
    std::vector<float> rows = moons.x;
    known.apply(rows, rows);
    const std::vector<float> expected = course.network.predict(rows);
    course.network.set_standardizer(&known);
    CHECK(course.network.predict(moons.x) == expected);
    course.network.set_standardizer(nullptr);
    CHECK(course.network.predict(moons.x) != expected);
    course.data.standardize(known);
    CHECK(std::equal(rows.begin(), rows.end(), course.data.info().feature_data));
}

TEST(gradients_make_a_training_loop_of_ones_own)
{
    Course course;
    std::vector<std::int64_t> all(200);
    for (std::size_t i = 0; i < all.size(); i++)
        all[i] = static_cast<std::int64_t>(i);
    double first = 0.0;
    double last = 0.0;
    for (int step = 0; step < 30; step++) {
        nn::Gradient gradient(course.network);
        last = gradient.add(course.network, course.loss, course.data, all);
        first = step == 0 ? last : first;
        CHECK(gradient.norm() > 0.0);
        CHECK_EQUAL(gradient.layer(course.network, 2).bias.size(), 2U);
        gradient.apply(course.optimizer, course.network);
    }
    CHECK(last < first);
    nn::Trainer trainer = course.trainer();
    CHECK(trainer.step(course.data, nn::View<const std::int64_t>(all.data(), 20), 0.5) > 0.0);
}

TEST(evolution_and_pruning_change_the_wiring)
{
    Course course;
    const std::int64_t connections = course.network.info().connections;
    CHECK(course.evolution.apply(course.network, 1) > 0);
    nn::NetworkLayer layer = course.network.layer(0);
    CHECK(course.evolution.apply(layer, 2) > 0);
    CHECK_EQUAL(course.network.info().connections, connections);
    nn::PruningOptions options;
    options.percentile = 40;
    nn::Pruning pruning(course.context, options);
    CHECK_ERROR(TSNN_ERROR_STATE, "", pruning.map(0));
    const nn::PruningReport report = pruning.apply(course.network);
    CHECK(report.neurons_after < report.neurons_before);
    CHECK_EQUAL(course.network.info().neurons, report.neurons_after);
    CHECK_EQUAL(pruning.map(0).size(), 20U);
    options.first_epoch = 1;
    options.every_epochs = 1;
    nn::Pruning scheduled(course.context, options);
    course.options.pruning = &scheduled;
    course.trainer().run(course.data);
    CHECK(course.network.info().neurons < report.neurons_after);
}

TEST(losses_schedules_and_activations_answer_on_plain_numbers)
{
    const nn::Context context;
    const nn::Loss squares(context, {nn::LossKind::mean_squared_error});
    CHECK_EQUAL(squares.evaluate(std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 2, 3, 2}, 2), 1.0);
    CHECK_EQUAL(squares.evaluate(std::vector<float>{0, 1, 1, 1}, std::vector<std::int32_t>{1, 0}), 0.25);
    nn::Schedule schedule;
    schedule.kind = nn::ScheduleKind::step;
    schedule.step_epochs = 2;
    schedule.step_factor = 0.5;
    CHECK_EQUAL(schedule.factor(4.5, 10), 0.25);
    const nn::Activation leaky(context, nn::ActivationKind::leaky_relu, 0.5);
    std::vector<float> a(2);
    std::vector<float> derivative(2);
    leaky.evaluate(std::vector<float>{-2.0F, 3.0F}, a, derivative);
    CHECK(a == std::vector<float>({-1.0F, 3.0F}) && derivative == std::vector<float>({0.5F, 1.0F}));
}

TEST(a_predictor_answers_in_every_form)
{
    const Moons moons(4);
    Course course;
    const nn::Predictor predictor(course.network, {nn::Pack::all, true});
    nn::Workspace workspace(predictor, 1);
    const std::vector<float> outputs = predictor.predict(workspace, moons.x);
    CHECK(predictor.classify(workspace, moons.x) == course.network.classify(moons.x));

    std::vector<std::byte> memory(static_cast<std::size_t>(predictor.workspace_size(16)));
    nn::Workspace own(predictor, 16, memory);
    std::vector<float> scores(8);
    std::vector<std::int32_t> labels(8);
    nn::Answers answers;
    answers.labels = labels;
    answers.scores = scores;
    answers.top = 2;
    nn::Samples samples;
    samples.features = moons.x;
    predictor.run(own, samples, answers);
    for (std::size_t i = 0; i < 8; i += 2)
        CHECK(scores[i] >= scores[i + 1] && labels[i] == 1 - labels[i + 1]);

    const std::vector<std::int64_t> sample_ptr = {0, 1, 3};
    const std::vector<std::int32_t> index = {2, 0, 5};
    const std::vector<float> value = {1.0F, -1.0F, 0.5F};
    std::vector<float> sparse(4);
    samples = nn::Samples();
    samples.sample_ptr = sample_ptr;
    samples.index = index;
    samples.value = value;
    answers = nn::Answers();
    answers.outputs = sparse;
    answers.form = nn::OutputForm::raw;
    predictor.run(own, samples, answers);
    std::vector<float> dense(4);
    const std::vector<float> rows = {0, 0, 1, 0, 0, 0, -1, 0, 0, 0, 0, 0.5F};
    samples = nn::Samples();
    samples.features = rows;
    answers.outputs = dense;
    predictor.run(own, samples, answers);
    for (std::size_t i = 0; i < 4; i++)
        CHECK(dense[i] - sparse[i] < 1e-5F && sparse[i] - dense[i] < 1e-5F);
}

TEST(a_predictor_of_plain_arrays_gives_the_bits_of_the_networks)
{
    const Moons moons;
    Course course;
    const nn::Activation hidden(course.context, nn::ActivationKind::tanh);
    const nn::Activation last(course.context, nn::ActivationKind::softmax);
    nn::MlpOptions shape;
    shape.epsilon = 3;
    shape.hidden = &hidden;
    nn::Network network = nn::Network::mlp(course.context, {6, 9, 2}, shape);
    const std::vector<float> scale(6, 0.5F);
    const std::vector<float> shift(6, 0.25F);
    const nn::Standardizer standardizer(course.context, shift, std::vector<float>(6, 2.0F));
    network.set_standardizer(&standardizer);
    const nn::Csr first = network.layer(0).csr();
    const nn::Csr second = network.layer(1).csr();
    std::vector<nn::PlainLayer> layers(2);
    layers[0] = {9, first.row_ptr, first.column, first.values, {}, &hidden};
    layers[1] = {2, second.row_ptr, second.column, second.values, {}, &last};
    const nn::Predictor plain = nn::Predictor::from_layers(course.context, layers, shift, scale);
    const nn::Predictor packed(network);
    nn::Workspace one(plain);
    nn::Workspace other(packed);
    CHECK_EQUAL(plain.outputs(), 2);
    CHECK(plain.predict(one, moons.x) == packed.predict(other, moons.x));
    CHECK_ERROR(TSNN_ERROR_SHAPE, "shift: 5 numbers, which are not 6",
                nn::Predictor::from_layers(course.context, layers, std::vector<float>(5), std::vector<float>(5)));
    CHECK_ERROR(TSNN_ERROR_NULL_ARGUMENT, "layers", nn::Predictor::from_layers(course.context, {}));
    layers[1].row_ptr = {};
    CHECK_ERROR(TSNN_ERROR_NULL_ARGUMENT, "layer 1: row_ptr", nn::Predictor::from_layers(course.context, layers));
}

TEST(a_predictor_from_a_file_or_from_memory_gives_the_bits_of_the_networks)
{
    const Moons moons;
    Course course;
    course.trainer().run(course.data);
    const std::string path = temporary("predictor.safetensors");
    course.network.save(path);
    std::vector<std::byte> bytes = course.network.save_bytes();
    const nn::Predictor packed(course.network);
    nn::Workspace own(packed);
    const std::vector<float> expected = packed.predict(own, moons.x);
    std::optional<nn::Context> context(std::in_place);
    const nn::Predictor from_file = nn::Predictor::load(*context, path);
    const nn::Predictor from_memory = nn::Predictor::load_memory(*context, bytes);
    nn::PredictorLoadOptions small;
    small.max_bytes = 10;
    CHECK_ERROR(TSNN_ERROR_INVALID_ARGUMENT, "10", nn::Predictor::load(*context, path, small));
    std::remove(path.c_str());
    CHECK_ERROR(TSNN_ERROR_IO, "predictor.safetensors", nn::Predictor::load(*context, path));
    bytes.pop_back();
    CHECK_ERROR(TSNN_ERROR_FORMAT, "", nn::Predictor::load_memory(*context, bytes));
    CHECK_ERROR(TSNN_ERROR_FORMAT, "", nn::Predictor::load_memory(*context, std::vector<std::byte>(3)));
    bytes.assign(bytes.size(), std::byte{0});
    context.reset();
    for (const nn::Predictor *loaded : {&from_file, &from_memory}) {
        nn::Workspace workspace(*loaded);
        CHECK_EQUAL(loaded->inputs(), 6);
        CHECK_EQUAL(loaded->info().borrowed, 0);
        CHECK(loaded->predict(workspace, moons.x) == expected);
    }
}

TEST(a_loaded_predictor_keeps_a_function_of_the_callers_own)
{
    const Moons moons;
    std::vector<float> expected;
    std::vector<std::byte> bytes;
    std::optional<nn::Predictor> loaded;
    {
        const nn::Context context;
        const nn::Activation twice(
            context,
            [](nn::View<const float> z, nn::View<float> a) {
                for (std::size_t i = 0; i < z.size(); i++)
                    a[i] = 2 * z[i];
            },
            [](nn::View<const float>, nn::View<const float>, nn::View<float> d) {
                for (float &slope : d)
                    slope = 2;
            });
        nn::MlpOptions shape;
        shape.hidden = &twice;
        const nn::Network network = nn::Network::mlp(context, {6, 5, 2}, shape);
        const nn::Predictor packed(network);
        nn::Workspace workspace(packed);
        expected = packed.predict(workspace, moons.x);
        bytes = network.save_bytes();
        CHECK_ERROR(TSNN_ERROR_UNSUPPORTED, "", nn::Predictor::load_memory(context, bytes));
        nn::PredictorLoadOptions options;
        options.custom = &twice;
        loaded.emplace(nn::Predictor::load_memory(context, bytes, options));
    }
    nn::Workspace workspace(*loaded);
    CHECK(loaded->predict(workspace, moons.x) == expected);
}

TEST(layers_come_from_and_go_to_files_of_other_programs)
{
    Course course;
    const std::string path = temporary("layer.npy");
    nn::ExportOptions options;
    options.format = nn::Format::npy;
    options.rows = nn::Rows::are_outputs;
    nn::LayerFile::write(course.network.layer(0), path, options);
    nn::ImportOptions given;
    given.rows = nn::Rows::are_outputs;
    given.threshold = 0.1;
    const Moons moons;
    given.features = moons.x;
    nn::ImportReport report = TSNN_IMPORT_REPORT_INIT;
    const nn::Layer layer = nn::LayerFile::read(course.context, path, given, &report);
    CHECK_EQUAL(layer.info().outputs, 20);
    CHECK(report.dropped > 0 && report.largest_difference > 0.0);
    given.features = nn::View<const float>(moons.x.data(), 7);
    CHECK_ERROR(TSNN_ERROR_SHAPE, "7 numbers, which are not rows of 6",
                nn::LayerFile::read(course.context, path, given));
    std::remove(path.c_str());

    const std::string c = temporary("model.c");
    nn::CFileOptions c_options;
    c_options.name = "moons";
    c_options.samples = moons.x;
    CHECK(nn::write_c(course.network, c, c_options).largest_difference < 1e-4);
    std::ifstream file(c);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}).find("moons_predict") != std::string::npos);
    std::remove(c.c_str());
}

TEST(bf16_activations_are_a_choice_of_the_network)
{
    Course course;
    course.network.set_activation_format(nn::ActivationFormat::bf16);
    CHECK_EQUAL(course.network.info().activation_format, TSNN_ACTIVATIONS_BF16);
    CHECK(course.network.explain(0, 20).find('\n') != std::string::npos);
    course.context.set_threads(2);
    CHECK_EQUAL(course.context.info().threads, 2);
    CHECK(course.trainer().run(course.data));
}

#if __cplusplus >= 202002L
#include <span>

TEST(cpp20_spans_and_designated_initialisers_are_taken)
{
    const Moons moons;
    const nn::Context context({.seed = 3});
    const std::span<const float> features(moons.x);
    const nn::Dataset data = nn::Dataset::of_labels(context, features, std::span(moons.y));
    nn::Network network = nn::Network::mlp(context, {6, 8, 2}, {.epsilon = 3, .dropout = 0.25});
    const nn::Optimizer optimizer(context, {.kind = nn::OptimizerKind::nesterov, .learning_rate = 0.1});
    nn::Trainer trainer(network, nn::Loss(context), optimizer,
                        {.epochs = 2, .batch = 10, .on_epoch = [](const nn::EpochReport &) {}});
    CHECK(trainer.run(data));
    std::vector<float> outputs(4);
    network.predict(features.first(12), std::span(outputs));
    CHECK(outputs[0] > 0.0F);
}
#endif
