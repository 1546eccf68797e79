//! Predictors: the same bits on every thread, any form of samples and answers.

use std::mem::MaybeUninit;
use std::time::Instant;

use sparse_nn::{Answers, ContextOptions, Memory, OutputForm, Predictor, PredictorOptions, Publisher, Samples, Status};

use crate::course;

fn predictor(options: &PredictorOptions) -> Predictor {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    course::trainer(&mut network, &parts).run(&data, None).unwrap();
    Predictor::new(&network, options).unwrap()
}

#[test]
fn threads_that_share_a_predictor_get_equal_bits() {
    let predictor = predictor(&Default::default());
    let (features, _) = course::data();
    let predict = |batch: usize| {
        let mut outputs = vec![0.0; course::SAMPLES * 2];
        let mut workspace = predictor.workspace(batch).unwrap();
        for _ in 0..20 {
            workspace.predict(&features, &mut outputs).unwrap();
        }
        course::bits(&outputs)
    };
    let alone = predict(32);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| predict(32))).collect();
        for thread in threads {
            assert!(thread.join().unwrap() == alone);
        }
    });
}

#[test]
fn a_predictor_answers_like_its_network() {
    let context = course::context(1);
    let network = course::network(&context);
    let predictor = Predictor::new(&network, &Default::default()).unwrap();
    let (features, _) = course::data();
    let (mut theirs, mut ours) = (vec![0; course::SAMPLES], vec![0; course::SAMPLES]);
    network.classify(&features, &mut theirs).unwrap();
    predictor.workspace(16).unwrap().classify(&features, &mut ours).unwrap();
    assert_eq!(theirs, ours);
    let (info, its) = (predictor.info(), network.info());
    assert_eq!((info.layers, info.inputs, info.outputs), (its.layers, its.inputs, its.outputs));
    assert_eq!(info.connections, its.connections);
}

#[test]
fn sparse_samples_give_what_dense_ones_give() {
    let predictor = predictor(&PredictorOptions { skip_zeros: true, ..Default::default() });
    let mut workspace = predictor.workspace(4).unwrap();
    let dense = [0.0, 0.5, 0.0, 0.0, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let sparse = Samples::Sparse { sample_ptr: &[0, 2, 3], index: &[1, 4, 5], value: &[0.5, -0.25, 1.0] };
    let mut outputs = [[0.0f32; 4]; 2];
    for (samples, outputs) in [Samples::Dense(&dense), sparse].into_iter().zip(&mut outputs) {
        workspace.run(samples, Answers { outputs: Some(outputs), ..Default::default() }).unwrap();
    }
    for (one, other) in outputs[0].iter().zip(outputs[1]) {
        assert!((one - other).abs() < 1e-6, "{one} and {other}");
    }
}

#[test]
fn the_top_classes_come_with_their_scores_best_first() {
    let predictor = predictor(&Default::default());
    let mut workspace = predictor.workspace(1).unwrap();
    let (mut outputs, mut labels, mut scores) = ([0.0; 2], [0; 2], [0.0; 2]);
    let answers = Answers {
        form: OutputForm::Raw,
        outputs: Some(&mut outputs),
        labels: Some(&mut labels),
        scores: Some(&mut scores),
        top: 2,
    };
    workspace.run(Samples::Dense(&[0.5; 6]), answers).unwrap();
    assert!(scores[0] >= scores[1]);
    assert_eq!(scores.map(f32::to_bits), labels.map(|label| outputs[label as usize].to_bits()));
    let none = Answers { labels: Some(&mut labels), top: 3, ..Default::default() };
    assert_eq!(workspace.run(Samples::Dense(&[0.5; 6]), none).unwrap_err().status, Status::InvalidArgument);
}

#[test]
fn a_workspace_lies_in_memory_of_ones_own_where_it_is_large_enough() {
    let predictor = predictor(&Default::default());
    let mut memory = vec![MaybeUninit::uninit(); predictor.workspace_bytes(8).unwrap()];
    let short = memory.len() - 64;
    let refused = predictor.workspace_in(8, &mut memory[..short]).err().unwrap();
    assert_eq!(refused.status, Status::BufferTooSmall);
    let (mut one, mut other) = ([0.0; 2], [0.0; 2]);
    predictor.workspace_in(8, &mut memory).unwrap().predict(&[0.5; 6], &mut one).unwrap();
    predictor.workspace(8).unwrap().predict(&[0.5; 6], &mut other).unwrap();
    assert_eq!(course::bits(&one), course::bits(&other));
}

#[test]
fn threads_serve_the_newest_snapshot_while_a_trainer_publishes_and_see_no_older_one_again() {
    let memory = Memory::new(usize::MAX);
    let context = course::context(1);
    let other = {
        let memory = Some(memory.clone());
        sparse_nn::Context::new(&ContextOptions { memory, ..Default::default() }).unwrap()
    };
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let first = Predictor::new(&course::network(&other), &Default::default()).unwrap();
    drop(other); // The predictor that it made stays, and so does its memory.
    let publisher = Publisher::new(&context, first, &Default::default()).unwrap();
    let (subscribers, started) = (publisher.subscribers(), Instant::now());
    let serve = || {
        let (mut subscriber, mut newest) = (subscribers.subscribe(4).unwrap(), 0);
        let (mut outputs, mut label) = ([0.0; 2], [0]);
        while newest < 7 {
            let version = subscriber.predict(&[0.5; course::COLUMNS], &mut outputs).unwrap();
            assert!(version >= newest && started.elapsed().as_secs() < 60);
            newest = version;
        }
        assert_eq!(subscriber.hold(), Ok(7));
        assert_eq!(subscriber.hold().unwrap_err().status, Status::State);
        subscriber.classify(&[0.5; course::COLUMNS], &mut label).unwrap();
        assert_eq!(label[0], i32::from(outputs[1] > outputs[0]));
        subscriber.release().unwrap();
        course::bits(&outputs)
    };
    let mut expected = [0.0; 2];
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(serve)).collect();
        let mut trainer = course::trainer(&mut network, &parts);
        trainer.on_epoch(|epoch| publisher.publish_network(epoch.network()));
        trainer.run(&data, None).unwrap();
        let last = Predictor::new(trainer.network(), &Default::default()).unwrap();
        last.workspace(4).unwrap().predict(&[0.5; course::COLUMNS], &mut expected).unwrap();
        for thread in threads {
            assert!(thread.join().unwrap() == course::bits(&expected));
        }
    });
    assert_eq!((publisher.info().version, publisher.info().subscribers), (7, 0));
    publisher.publish(Predictor::new(&network, &Default::default()).unwrap()).unwrap();
    assert_eq!(publisher.info().alive, 1);
    let narrow = {
        let layers = sparse_nn::MlpOptions { sizes: &[3, 2], ..Default::default() };
        sparse_nn::Network::mlp(&context, &layers).unwrap()
    };
    assert_eq!(publisher.publish_network(&narrow).unwrap_err().status, Status::Shape);
    drop(publisher);
    assert_eq!(memory.blocks(), 0);
}
