//! What is taken is given back, and a limit holds.

use std::sync::Arc;

use sparse_nn::{Context, ContextOptions, Memory, MlpOptions, Network, Predictor, Pruning, Status};

use crate::course;

fn context(memory: &Arc<Memory>) -> Context {
    let memory = Some(Arc::clone(memory));
    Context::new(&ContextOptions { memory, threads: 2, ..Default::default() }).unwrap()
}

#[test]
fn dropping_everything_gives_every_block_back() {
    let memory = Memory::new(usize::MAX);
    let predictor = {
        let context = context(&memory);
        let (parts, data) = (course::parts(&context), course::dataset(&context));
        let bent = course::bent(&context);
        let shape = MlpOptions { sizes: &course::SHAPE, hidden: Some(&bent), ..Default::default() };
        let mut network = Network::mlp(&context, &shape).unwrap();
        let mut trainer = course::trainer(&mut network, &parts);
        trainer.on_epoch(|epoch| epoch.network().evaluate(None, &data).map(|_| ()));
        trainer.run(&data, Some(&data)).unwrap();
        drop(trainer);
        Pruning::new(&context, &Default::default()).unwrap().apply(&mut network).unwrap();
        assert!(network.predict(&[f32::NAN; 6], &mut [0.0; 2]).is_err());
        let copy = network.try_clone().unwrap();
        Predictor::new(&copy, &Default::default()).unwrap()
    };
    assert!(memory.blocks() > 0, "the predictor is still there");
    predictor.workspace(4).unwrap().predict(&[0.5; 12], &mut [0.0; 4]).unwrap();
    drop(predictor);
    assert_eq!((memory.blocks(), memory.bytes()), (0, 0));
    assert_eq!(Arc::strong_count(&memory), 1);
}

#[test]
fn a_limit_makes_calls_fail_and_nothing_else() {
    let memory = Memory::new(300_000);
    let context = context(&memory);
    let network = course::network(&context);
    let before = memory.bytes();
    let large = MlpOptions { sizes: &[1000, 1000, 10], ..Default::default() };
    assert_eq!(Network::mlp(&context, &large).err().unwrap().status, Status::OutOfMemory);
    assert_eq!(memory.bytes(), before);
    network.predict(&[0.5; 6], &mut [0.0; 2]).unwrap();
}
