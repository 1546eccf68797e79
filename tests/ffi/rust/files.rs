//! Model files: saving, loading, resuming, and files that are none.

use std::fs;

use sparse_nn::{Flow, LoadOptions, MlpOptions, Network, Outcome, Predictor, SaveOptions, Status};

use crate::course;

/// Whether the library was built with model files; without, there is nothing to test here.
fn have_files() -> bool {
    let context = course::context(1);
    let block = course::network(&context).to_bytes(&Default::default());
    !matches!(block, Err(error) if error.status == Status::Unsupported)
}

#[test]
fn a_network_is_the_same_after_a_file_or_a_block() {
    if !have_files() {
        return;
    }
    let context = course::context(1);
    let network = course::network(&context);
    let path = course::scratch("same");
    let options = SaveOptions { metadata: &[("trained on", "nothing")], ..Default::default() };
    network.save(&path, &options).unwrap();
    let block = network.to_bytes(&options).unwrap();
    assert_eq!(fs::read(&path).unwrap(), block);
    assert_eq!(sparse_nn::metadata(&context, &path, "trained on").unwrap(), "nothing");
    assert!(sparse_nn::metadata(&context, &path, "tsnn.library").unwrap().contains(sparse_nn::version()));
    assert_eq!(sparse_nn::metadata(&context, &path, "other").unwrap_err().status, Status::InvalidArgument);
    let other = course::context(2);
    for loaded in [
        Network::load(&other, &path, &Default::default()).unwrap(),
        Network::from_bytes(&other, &block, &Default::default()).unwrap(),
    ] {
        assert_eq!(course::weights(&loaded), course::weights(&network));
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn a_run_that_was_stopped_and_resumed_ends_with_the_bits_of_one_that_was_not() {
    if !have_files() {
        return;
    }
    let run = |saved: Option<&[u8]>, stop: usize| {
        let context = course::context(3);
        let (parts, data) = (course::parts(&context), course::dataset(&context));
        let mut network = course::network(&context);
        let mut trainer = course::trainer(&mut network, &parts);
        if let Some(saved) = saved {
            trainer.resume_from_bytes(saved, 0).unwrap();
        }
        trainer.on_epoch(|epoch| if epoch.epoch == stop { Flow::Stop } else { Flow::Continue });
        let outcome = trainer.run(&data, None).unwrap();
        assert_eq!(outcome, if stop > 0 { Outcome::Stopped } else { Outcome::Finished });
        (trainer.to_bytes(&Default::default()).unwrap(), course::weights(trainer.network()))
    };
    let (_, whole) = run(None, 0);
    let (saved, _) = run(None, 3);
    let (_, resumed) = run(Some(&saved), 0);
    assert!(whole == resumed);
}

#[test]
fn a_file_that_a_callback_saves_holds_the_place_within_the_epoch() {
    if !have_files() {
        return;
    }
    let path = course::scratch("place");
    let run = |resume: bool, path: &std::path::Path| {
        let context = course::context(3);
        let (parts, data) = (course::parts(&context), course::dataset(&context));
        let mut network = course::network(&context);
        let mut trainer = course::trainer(&mut network, &parts);
        let mut steps = 0;
        if resume {
            trainer.resume(path, 0).unwrap();
        }
        trainer.on_step(|step| {
            steps += 1;
            if !resume && step.epoch == 2 && step.step == 7 {
                step.save(path, &Default::default())
            } else {
                Ok(())
            }
        });
        trainer.run(&data, None).unwrap();
        let weights = course::weights(trainer.network());
        drop(trainer);
        (steps, weights)
    };
    let (steps, whole) = run(false, &path);
    let (rest, resumed) = run(true, &path);
    assert_eq!((steps, rest), (60, 60 - 17));
    assert!(whole == resumed);
    fs::remove_file(path).unwrap();
}

#[test]
fn a_predictor_made_of_a_file_answers_like_one_of_the_network() {
    if !have_files() {
        return;
    }
    let context = course::context(1);
    let network = course::network(&context);
    let path = course::scratch("predictor");
    network.save(&path, &Default::default()).unwrap();
    let block = fs::read(&path).unwrap();
    let (load, options) = (LoadOptions::default(), Default::default());
    let outputs = |predictor: &Predictor| {
        let mut outputs = vec![0.0; course::SAMPLES * 2];
        predictor.workspace(32).unwrap().predict(&course::data().0, &mut outputs).unwrap();
        course::bits(&outputs)
    };
    let one = outputs(&Predictor::new(&network, &options).unwrap());
    assert!(outputs(&Predictor::load(&context, &path, &load, &options).unwrap()) == one);
    assert!(outputs(&Predictor::from_bytes(&context, &block, &load, &options).unwrap()) == one);
    let cut = Predictor::from_bytes(&context, &block[1..], &load, &options).err().unwrap();
    assert_eq!(cut.status, Status::Format);
    fs::remove_file(path).unwrap();
}

#[test]
fn closures_are_given_again_when_a_network_of_them_is_loaded() {
    if !have_files() {
        return;
    }
    let context = course::context(1);
    let bent = course::bent(&context);
    let shape = MlpOptions { sizes: &course::SHAPE, hidden: Some(&bent), ..Default::default() };
    let network = Network::mlp(&context, &shape).unwrap();
    let block = network.to_bytes(&Default::default()).unwrap();
    let error = Network::from_bytes(&context, &block, &Default::default()).err().unwrap();
    assert_eq!(error.status, Status::Unsupported);
    let options = LoadOptions { custom: Some(&bent), ..Default::default() };
    let loaded = Network::from_bytes(&context, &block, &options).unwrap();
    drop(bent);
    let (features, _) = course::data();
    let (mut one, mut other) = (vec![0.0; course::SAMPLES * 2], vec![0.0; course::SAMPLES * 2]);
    network.predict(&features, &mut one).unwrap();
    loaded.predict(&features, &mut other).unwrap();
    assert_eq!(course::bits(&one), course::bits(&other));
}

#[test]
fn files_that_are_missing_cut_or_damaged_are_errors() {
    if !have_files() {
        return;
    }
    let context = course::context(1);
    let mut network = course::network(&context);
    let status = |block: &[u8], max_bytes| {
        Network::from_bytes(&context, block, &LoadOptions { max_bytes, custom: None }).err().unwrap().status
    };
    let block = network.to_bytes(&Default::default()).unwrap();
    assert_eq!(status(&block[..block.len() - 1], 0), Status::Format);
    assert_eq!(status(b"", 0), Status::Format);
    assert_eq!(status(b"not a model", 0), Status::Format);
    assert_eq!(status(&block, 100), Status::InvalidArgument);
    let nowhere = course::scratch("no such folder").join("model");
    let missing = Network::load(&context, &nowhere, &Default::default()).err().unwrap();
    assert_eq!(missing.status, Status::Io);
    assert!(missing.message.contains("no such folder/model"), "{missing}");
    let zero = Network::load(&context, "a\0b", &Default::default()).err().unwrap();
    assert_eq!(zero.status, Status::InvalidArgument);
    assert_eq!(network.save(&nowhere, &Default::default()).unwrap_err().status, Status::Io);
    let reserved = SaveOptions { metadata: &[("tsnn.x", "y")], ..Default::default() };
    assert_eq!(network.to_bytes(&reserved).unwrap_err().status, Status::InvalidArgument);

    let before = course::weights(&network);
    let parts = course::parts(&context);
    let mut trainer = course::trainer(&mut network, &parts);
    assert_eq!(trainer.resume_from_bytes(&block, 0).unwrap_err().status, Status::State);
    assert_eq!(trainer.resume(&nowhere, 0).unwrap_err().status, Status::Io);
    assert_eq!(course::weights(trainer.network()), before);
}
