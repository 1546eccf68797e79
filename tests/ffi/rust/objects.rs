//! Objects do what they say: layers, data, standardisation, evolution, pruning, loops of one's own.

use sparse_nn::{
    Activation, ActivationKind, ContextOptions, Csr, Dataset, Isa, Layer, LayerOptions, Loss, LossKind, LossOptions,
    Network, Predictor, Pruning, PruningOptions, Sampling, Standardizer, Status, Trainer, TrainerOptions, Workspace,
};

use crate::course;

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

#[test]
fn what_threads_may_share_or_pass_on_is_so() {
    is_send::<sparse_nn::Context>();
    is_send::<Predictor>();
    is_sync::<Predictor>();
    is_send::<Workspace<'_>>();
    is_send::<sparse_nn::Error>();
    is_sync::<sparse_nn::Memory>();
    let context = course::context(5);
    let connections = std::thread::spawn(move || course::network(&context).info().connections).join().unwrap();
    assert_eq!(connections, course::network(&course::context(5)).info().connections);
}

#[test]
fn a_context_tells_what_it_settled_on() {
    let context = sparse_nn::Context::new(&ContextOptions { isa: Isa::Ref, threads: 3, ..Default::default() }).unwrap();
    let info = context.info();
    assert_eq!((info.isa, info.threads, info.seed), ("ref", 3, 0));
    assert_eq!(context.set_threads(-1).unwrap_err().status, Status::InvalidArgument);
    context.set_threads(1).unwrap();
    assert_eq!(context.info().threads, 1);
}

#[test]
fn a_network_of_layers_of_ones_own_computes_what_it_should() {
    let context = course::context(1);
    let csr = Csr { row_ptr: vec![0, 1, 2], column: vec![0, 0], values: vec![2.0, -1.0] };
    let mut network = Network::new(&context).unwrap();
    let relu = Activation::new(&context, ActivationKind::Relu, 0.0).unwrap();
    let layer = Layer::from_csr(&context, 1, &csr, Some(&[0.5])).unwrap();
    network.append(layer, Some(&relu), 0.0).unwrap();
    let mut outputs = [0.0; 3];
    network.predict(&[1.0, 1.0, 0.0, 3.0, -1.0, -4.0], &mut outputs).unwrap();
    assert_eq!(outputs, [1.5, 0.0, 2.5]);
    let mut layer = network.layer_mut(0).unwrap();
    layer.set_weights(Some(&[1.0, 1.0]), Some(&[0.0])).unwrap();
    layer.freeze(true).unwrap();
    assert!(layer.as_ref().info().frozen);
    network.predict(&[1.0, 1.0], &mut outputs[..1]).unwrap();
    assert_eq!(outputs[0], 2.0);
    assert_eq!(relu.evaluate(0, &[-1.0, 2.0]).unwrap(), (vec![0.0, 2.0], vec![0.0, 1.0]));
    assert!(network.explain(0, 128).unwrap().lines().count() >= 2);
}

#[test]
fn an_exact_layer_has_the_connections_that_were_asked_for() {
    let context = course::context(1);
    let options =
        LayerOptions { inputs: 50, outputs: 40, density: 0.25, sampling: Sampling::Exact, ..Default::default() };
    let mut layer = Layer::new(&context, &options).unwrap();
    assert_eq!(layer.as_ref().info().connections, 500);
    let velocity: Vec<f32> = (0..500).map(|number| number as f32).collect();
    layer.as_mut().set_velocity(Some(&velocity), None).unwrap();
    assert_eq!(layer.as_ref().velocity(), (velocity, vec![0.0; 40]));
    assert!(layer.as_ref().importance().iter().any(|&importance| importance > 0.0));
}

#[test]
fn a_borrowed_data_set_reads_in_place_and_is_read_only() {
    let context = course::context(1);
    let (features, labels) = course::data();
    let mut data = Dataset::borrow_labels(&context, &features, &labels, 2).unwrap();
    assert_eq!(data.feature_data().as_ptr(), features.as_ptr());
    assert_eq!((data.samples(), data.features(), data.classes()), (course::SAMPLES, course::COLUMNS, 2));
    let standardizer = Standardizer::fit(&context, &data).unwrap();
    assert_eq!(data.standardize(&standardizer).unwrap_err().status, Status::State);
}

#[test]
fn a_standardizer_in_the_network_does_what_it_does_to_the_data() {
    let context = course::context(1);
    let mut data = course::dataset(&context);
    let raw = data.feature_data().to_vec();
    let fitted = Standardizer::fit(&context, &data).unwrap();
    let (mean, deviation) = fitted.numbers();
    let standardizer = Standardizer::new(&context, &mean, &deviation).unwrap();
    let mut rows = raw.clone();
    standardizer.apply(&mut rows).unwrap();
    data.standardize(&standardizer).unwrap();
    assert_eq!(course::bits(&rows), course::bits(data.feature_data()));
    let mut network = course::network(&context);
    let (mut inside, mut outside) = (vec![0.0; course::SAMPLES * 2], vec![0.0; course::SAMPLES * 2]);
    network.predict(data.feature_data(), &mut outside).unwrap();
    network.set_standardizer(Some(&standardizer)).unwrap();
    network.predict(&raw, &mut inside).unwrap();
    assert_eq!(course::bits(&inside), course::bits(&outside));
}

#[test]
fn a_loop_of_ones_own_learns_evolves_and_prunes() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let mut pruning = Pruning::new(&context, &PruningOptions { percentile: 30.0, ..Default::default() }).unwrap();
    let mut trainer = Trainer::new(&mut network, &parts.loss, &parts.optimizer, Default::default()).unwrap();
    let all: Vec<usize> = (0..course::SAMPLES).collect();
    let mut losses = Vec::new();
    for round in 0..30 {
        for batch in all.chunks(50) {
            losses.push(trainer.step(&data, batch, 1.0).unwrap());
        }
        let connections = trainer.network().info().connections;
        assert!(trainer.evolve(&parts.evolution, round).unwrap() > 0);
        assert_eq!(trainer.network().info().connections, connections);
    }
    assert!(losses[losses.len() - 1] < 0.7 * losses[0], "{} then {}", losses[0], losses[losses.len() - 1]);
    assert_eq!(trainer.step(&data, &[course::SAMPLES], 1.0).unwrap_err().status, Status::InvalidArgument);
    let report = trainer.prune(&mut pruning).unwrap();
    drop(trainer);
    assert!(report.neurons_after < report.neurons_before);
    let map = pruning.map(0).unwrap();
    assert_eq!(map.len(), 30);
    assert_eq!(map.iter().flatten().count(), network.layer(0).unwrap().info().outputs);
}

#[test]
fn a_trainer_prunes_and_scores_targets_too() {
    let context = course::context(1);
    let (features, labels) = course::data();
    let targets: Vec<f32> = labels.iter().flat_map(|&label| [1.0 - label as f32, label as f32]).collect();
    let data = Dataset::borrow_targets(&context, course::SAMPLES, &features, &targets).unwrap();
    let copied = Dataset::with_targets(&context, course::SAMPLES, &features, &targets).unwrap();
    let mut network = course::network(&context);
    let loss = Loss::new(&context, &LossOptions { kind: LossKind::MeanSquaredError, ..Default::default() }).unwrap();
    let parts = course::parts(&context);
    let options = PruningOptions { percentile: 20.0, first_epoch: 1, every_epochs: 1, ..Default::default() };
    let mut pruning = Pruning::new(&context, &options).unwrap();
    let options = TrainerOptions { pruning: Some(&mut pruning), epochs: 3, ..Default::default() };
    let mut pruned = 0;
    let mut trainer = Trainer::new(&mut network, &loss, &parts.optimizer, options).unwrap();
    trainer.on_epoch(|epoch| pruned += epoch.pruned);
    trainer.run(&data, Some(&copied)).unwrap();
    drop(trainer);
    assert!(pruned > 0);
    assert_eq!(network.info().neurons, 52 - pruned);
}
