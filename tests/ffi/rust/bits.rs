//! The same seed gives the same bits, in Rust and in C.

use std::process::Command;

use sparse_nn::{MlpOptions, Network};

use crate::course;

/// What run.c writes, by way of Rust.
fn run(threads: i32) -> Vec<u8> {
    let context = course::context(7);
    context.set_threads(threads).unwrap();
    let bent = course::bent(&context);
    let shape = MlpOptions { sizes: &course::SHAPE, epsilon: 6.0, hidden: Some(&bent), ..Default::default() };
    let mut network = Network::mlp(&context, &shape).unwrap();
    drop(bent);
    let (parts, data) = (course::parts(&context), course::dataset(&context));
    course::trainer(&mut network, &parts).run(&data, None).unwrap();
    let mut outputs = vec![0.0; course::SAMPLES * 2];
    network.predict(data.feature_data(), &mut outputs).unwrap();
    let mut bytes = course::weights(&network);
    bytes.extend(outputs.iter().flat_map(|number: &f32| number.to_ne_bytes()));
    bytes
}

#[test]
fn training_in_rust_gives_the_bits_of_the_same_training_in_c() {
    let program = std::env::var_os("TSNN_C_RUN").expect("TSNN_C_RUN names run.c, compiled");
    let answer = Command::new(program).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    assert_eq!(answer.stdout.len(), run(1).len());
    assert!(answer.stdout == run(1));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    assert!(run(1) == run(2));
}
