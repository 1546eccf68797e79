//! Closures that the library calls: what they see, how they stop a run, and what becomes of their panics and errors.

use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sparse_nn::{Activation, Context, Flow, LogLevel, MlpOptions, Network, Outcome, Predictor, Status};

use crate::course;

/// What a closure panics with; without the message that `panic!` prints.
#[derive(Debug, PartialEq)]
struct Oops(u32);

fn oops(number: u32) -> ! {
    resume_unwind(Box::new(Oops(number)))
}

/// The number of the panic that comes out of a call.
fn caught<R>(call: impl FnOnce() -> R) -> u32 {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => panic!("no panic came out of the call"),
        Err(panic) => panic.downcast::<Oops>().expect("another panic").0,
    }
}

#[test]
fn epoch_and_step_closures_see_each_epoch_and_step() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let (mut epochs, mut steps) = (Vec::new(), 0);
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_epoch(|epoch| {
        assert!(epoch.train.loss > 0.0 && epoch.validation.unwrap().loss > 0.0 && epoch.samples == course::SAMPLES);
        assert_eq!(epoch.network().info().connections, epoch.connections);
        epochs.push(epoch.epoch);
    });
    trainer.on_step(|step| {
        assert!(step.loss > 0.0 && step.learning_rate > 0.0 && step.gradient_norm > 0.0 && step.samples == 20);
        steps += 1;
    });
    assert_eq!(trainer.run(&data, Some(&data)), Ok(Outcome::Finished));
    drop(trainer);
    assert_eq!((epochs, steps), (vec![1, 2, 3, 4, 5, 6], 60));
}

#[test]
fn a_closure_stops_a_run_and_the_next_run_goes_on() {
    let whole = |stops: bool| {
        let context = course::context(1);
        let (parts, data) = (course::parts(&context), course::dataset(&context));
        let mut network = course::network(&context);
        let mut trainer = course::trainer(&mut network, &parts);
        trainer.on_epoch(move |epoch| if stops && epoch.epoch == 2 { Flow::Stop } else { Flow::Continue });
        if stops {
            assert_eq!(trainer.run(&data, None), Ok(Outcome::Stopped));
        }
        assert_eq!(trainer.run(&data, None), Ok(Outcome::Finished));
        drop(trainer);
        course::weights(&network)
    };
    assert!(whole(true) == whole(false));
}

#[test]
fn an_error_of_a_closure_comes_out_of_the_run_with_its_text() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_step(|step| if step.step == 3 { "no number".parse::<i32>().map(|_| ()) } else { Ok(()) });
    let error = trainer.run(&data, None).unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (Status::Callback, "invalid digit found in string"));
}

#[test]
fn a_panic_in_a_callback_stops_the_run_and_comes_out_of_it() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let mut epochs = 0;
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_step(|step| {
        if step.step == 4 {
            oops(4)
        }
    });
    trainer.on_epoch(|_| epochs += 1);
    assert_eq!(caught(|| trainer.run(&data, None)), 4);
    // The trainer is where it was: the rest of the epoch can be run, and the other epochs.
    trainer.on_step(|_| ());
    assert_eq!(trainer.run(&data, None), Ok(Outcome::Finished));
    drop(trainer);
    assert_eq!(epochs, 6);
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_epoch(|epoch| {
        if epoch.epoch == 6 {
            oops(6)
        }
    });
    assert_eq!(caught(|| trainer.run(&data, None)), 6);
}

/// A network whose hidden activation panics once `armed` says so.
fn fragile<'c>(context: &'c Context, armed: &Arc<AtomicBool>) -> Network<'c> {
    let armed = Arc::clone(armed);
    let function = move |z: f32| if armed.load(Ordering::Relaxed) { oops(9) } else { z.max(0.0) };
    let derivative = |z: f32, _: f32| if z > 0.0 { 1.0 } else { 0.0 };
    let hidden = Activation::custom(context, function, derivative).unwrap();
    let shape = MlpOptions { sizes: &course::SHAPE, epsilon: 6.0, hidden: Some(&hidden), ..Default::default() };
    Network::mlp(context, &shape).unwrap()
}

#[test]
fn a_panic_in_an_activation_comes_out_of_whatever_called_it() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let armed = Arc::new(AtomicBool::new(false));
    let mut network = fragile(&context, &armed);
    let predictor = Predictor::new(&network, &Default::default()).unwrap();
    let mut workspace = predictor.workspace(16).unwrap();
    let mut outputs = vec![0.0; course::SAMPLES * 2];
    for _ in 0..2 {
        armed.store(true, Ordering::Relaxed);
        assert_eq!(caught(|| network.predict(data.feature_data(), &mut outputs)), 9);
        assert_eq!(caught(|| network.evaluate(Some(&parts.loss), &data)), 9);
        assert_eq!(caught(|| workspace.predict(data.feature_data(), &mut outputs)), 9);
        let mut trainer = course::trainer(&mut network, &parts);
        assert_eq!(caught(|| trainer.run(&data, None)), 9);
        armed.store(false, Ordering::Relaxed);
        drop(trainer);
        network.predict(data.feature_data(), &mut outputs).unwrap();
        workspace.predict(data.feature_data(), &mut outputs).unwrap();
    }
}

#[test]
fn a_panic_inside_a_call_of_a_callback_passes_both_calls() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let other = fragile(&context, &Arc::new(AtomicBool::new(true)));
    let mut network = course::network(&context);
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_epoch(|_| other.evaluate(None, &data).map(|_| ()));
    assert_eq!(caught(|| trainer.run(&data, None)), 9);
}

#[test]
fn a_callback_reads_copies_and_freezes_the_network_that_is_trained() {
    let context = course::context(1);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    let mut network = course::network(&context);
    let mut snapshots = Vec::new();
    let mut trainer = course::trainer(&mut network, &parts);
    trainer.on_epoch(|epoch| -> sparse_nn::Result<()> {
        let copy = epoch.network().try_clone()?;
        assert_eq!(course::weights(&copy), course::weights(epoch.network()));
        snapshots.push(Predictor::new(epoch.network(), &Default::default())?);
        Ok(())
    });
    trainer.run(&data, None).unwrap();
    drop(trainer);
    assert_eq!(snapshots.len(), 6);
}

#[test]
fn a_closure_receives_the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let log = move |level: LogLevel, text: &str| kept.lock().unwrap().push((level, text.to_owned()));
    let context = Context::with_log(&Default::default(), log).unwrap();
    assert!(lines.lock().unwrap().iter().any(|(level, text)| *level == LogLevel::Info && text.contains("kernels")));
    drop(context);
    assert_eq!(Arc::strong_count(&lines), 1, "the closure is dropped with its context");
    assert_eq!(caught(|| Context::with_log(&Default::default(), |_, _| oops(8))), 8);
}

#[test]
fn the_closures_of_an_activation_live_as_long_as_what_calls_them() {
    let token = Arc::new(AtomicBool::new(false));
    let context = course::context(1);
    let network = fragile(&context, &token);
    let copy = network.try_clone().unwrap();
    drop(network);
    let predictor = Predictor::new(&copy, &Default::default()).unwrap();
    drop(copy);
    drop(context);
    assert_eq!(Arc::strong_count(&token), 2);
    let mut outputs = [0.0; 2];
    predictor.workspace(1).unwrap().predict(&[0.5; course::COLUMNS], &mut outputs).unwrap();
    drop(predictor);
    assert_eq!(Arc::strong_count(&token), 1);
}
