//! Errors say what is wrong, and leave the objects usable.

use std::error::Error as _;

use sparse_nn::{
    Activation, Answers, Context, ContextOptions, Csr, Dataset, Error, Isa, Layer, LayerOptions, Loss, LossKind,
    LossOptions, MlpOptions, Network, Optimizer, OptimizerOptions, Predictor, Pruning, Result, Samples, Status,
};

use crate::course;

/// The status of a call that must fail; its text must have each of `words`.
fn failure<T>(result: Result<T>, words: &[&str]) -> Status {
    let error = match result {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => error,
    };
    for word in words {
        assert!(error.message.contains(word), "{word:?} is not in {:?}", error.message);
    }
    error.status
}

#[test]
fn an_error_is_a_standard_error_with_status_and_text() {
    let context = course::context(1);
    let error =
        Optimizer::new(&context, &OptimizerOptions { learning_rate: -1.0, ..Default::default() }).err().unwrap();
    assert_eq!(error.status, Status::InvalidArgument);
    assert_eq!(error.to_string(), error.message);
    assert!(error.source().is_none());
    let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    assert_eq!(boxed.downcast::<Error>().unwrap().status, Status::InvalidArgument);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let context = course::context(1);
    let (features, labels) = course::data();
    assert_eq!(failure(Dataset::with_labels(&context, &features[1..], &labels, 2), &["200", "1199"]), Status::Shape);
    assert_eq!(failure(Dataset::with_labels(&context, &[], &[], 2), &[]), Status::InvalidArgument);
    let network = course::network(&context);
    let mut outputs = vec![0.0; 4];
    assert_eq!(failure(network.predict(&features[..7], &mut outputs), &["7", "6"]), Status::Shape);
    assert_eq!(failure(network.predict(&features[..18], &mut outputs), &[]), Status::BufferTooSmall);
    assert_eq!(failure(network.layer(3), &["3"]), Status::InvalidArgument);
    let wide = Dataset::with_labels(&context, &features[..1000], &labels, 2).unwrap();
    assert_eq!(failure(network.evaluate(None, &wide), &["5", "6"]), Status::Shape);
    network.predict(&features[..12], &mut outputs).unwrap();
}

#[test]
fn a_layer_that_does_not_fit_leaves_the_network_as_it_was() {
    let context = course::context(1);
    let mut network = course::network(&context);
    let before = course::weights(&network);
    let layer = Layer::new(&context, &LayerOptions { inputs: 5, outputs: 3, ..Default::default() }).unwrap();
    assert_eq!(failure(network.append(layer, Some(&course::bent(&context)), 0.0), &["5", "2"]), Status::Shape);
    assert_eq!(course::weights(&network), before);
}

#[test]
fn numbers_that_are_not_finite_and_wrong_labels_are_refused() {
    let context = course::context(1);
    let (mut features, mut labels) = course::data();
    labels[3] = 2;
    assert_eq!(failure(Dataset::with_labels(&context, &features, &labels, 2), &["3", "2"]), Status::Label);
    labels[3] = 1;
    features[6 * 5 + 4] = f32::NAN;
    assert_eq!(failure(Dataset::with_labels(&context, &features, &labels, 2), &["5", "4"]), Status::NotFinite);
    let network = course::network(&context);
    let mut outputs = vec![0.0; course::SAMPLES * 2];
    assert_eq!(failure(network.predict(&features, &mut outputs), &[]), Status::NotFinite);
    let predictor = Predictor::new(&network, &Default::default()).unwrap();
    assert_eq!(failure(predictor.workspace(8).unwrap().predict(&features, &mut outputs), &[]), Status::NotFinite);
}

#[test]
fn sparse_structure_is_checked() {
    let context = course::context(1);
    let layer = |row_ptr: &[i64], column: &[i32]| {
        let csr = Csr { row_ptr: row_ptr.to_vec(), column: column.to_vec(), values: vec![1.0; column.len()] };
        Layer::from_csr(&context, 3, &csr, None)
    };
    assert_eq!(failure(layer(&[0, 2, 9], &[0, 1]), &[]), Status::Structure);
    assert_eq!(failure(layer(&[0, 1, 2], &[0, 3]), &[]), Status::Structure);
    assert_eq!(failure(layer(&[], &[]), &[]), Status::Shape);
    let uneven = Csr { row_ptr: vec![0, 1], column: vec![0], values: vec![] };
    assert_eq!(failure(Layer::from_csr(&context, 3, &uneven, None), &[]), Status::Shape);
    let csr = Csr { row_ptr: vec![0, 2, 3], column: vec![0, 2, 1], values: vec![1.0, -2.0, 3.0] };
    assert_eq!(failure(Layer::from_csr(&context, 3, &csr, Some(&[0.0; 2])), &["2", "3"]), Status::Shape);
    assert_eq!(Layer::from_csr(&context, 3, &csr, Some(&[0.5; 3])).unwrap().as_ref().csr(), csr);
}

#[test]
fn offsets_and_indices_of_sparse_samples_are_checked() {
    let context = course::context(1);
    let predictor = Predictor::new(&course::network(&context), &Default::default()).unwrap();
    let mut workspace = predictor.workspace(2).unwrap();
    let mut run = |sample_ptr: &[i64], index: &[i32], value: &[f32]| {
        let mut labels = [0; 2];
        let answers = Answers { labels: Some(&mut labels), ..Default::default() };
        workspace.run(Samples::Sparse { sample_ptr, index, value }, answers)
    };
    assert_eq!(failure(run(&[0, 5], &[0], &[1.0]), &[]), Status::Structure);
    assert_eq!(failure(run(&[0, 1], &[6], &[1.0]), &[]), Status::Structure);
    assert_eq!(failure(run(&[0, 1], &[0], &[]), &[]), Status::Shape);
    assert_eq!(failure(run(&[], &[], &[]), &[]), Status::InvalidArgument);
    run(&[0, 1, 1], &[5], &[1.0]).unwrap();
}

#[test]
fn what_makes_no_sense_yet_or_here_says_so() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut empty = Network::new(&context).unwrap();
    assert_eq!(failure(empty.predict(&[1.0], &mut [0.0]), &[]), Status::State);
    assert_eq!(failure(Predictor::new(&empty, &Default::default()), &[]), Status::State);
    let none = sparse_nn::Trainer::new(&mut empty, &parts.loss, &parts.optimizer, Default::default());
    assert_eq!(failure(none.map(|_| ()), &[]), Status::State);
    let mut network = course::network(&context);
    let squared =
        Loss::new(&context, &LossOptions { kind: LossKind::BinaryCrossEntropy, ..Default::default() }).unwrap();
    assert_eq!(failure(network.evaluate(Some(&squared), &data), &[]), Status::InvalidArgument);
    let pruning = Pruning::new(&context, &Default::default()).unwrap();
    assert_eq!(failure(pruning.map(0), &[]), Status::State);
    assert_eq!(failure(network.layer_mut(0).unwrap().set_weights(Some(&[1.0]), None), &["1"]), Status::Shape);
    assert_eq!(failure(Activation::new(&context, Default::default(), f64::NAN), &[]), Status::InvalidArgument);
    assert_eq!(failure(Network::mlp(&context, &MlpOptions::default()), &[]), Status::InvalidArgument);
    let isa = if cfg!(target_arch = "x86_64") { Isa::Neon } else { Isa::Avx2 };
    assert_eq!(failure(Context::new(&ContextOptions { isa, ..Default::default() }), &[]), Status::Unsupported);
}

#[test]
fn every_status_has_a_text_and_survives_the_way_there_and_back() {
    for (name, number) in sparse_nn::sys::constants() {
        if name.starts_with("TSNN_ERROR_") {
            let status = Status::from(number);
            assert!(!matches!(status, Status::Other(_)), "{name} has no name in Rust");
            assert_eq!(i32::from(status), number);
            assert_ne!(status.to_string(), "unknown status");
        }
    }
    assert_eq!(Status::from(-9999), Status::Other(-9999));
}
