//! Trains a small sparse network on two half moons that lie in two of twenty columns, saves it, loads it again, and
//! predicts with it on two threads: cargo run --example train [FILE]

use std::error::Error;
use std::f32::consts::PI;
use std::path::PathBuf;

use sparse_nn::{Context, ContextOptions, Dataset, Evolution, Flow, Loss, MlpOptions, Network, Optimizer};
use sparse_nn::{OptimizerKind, OptimizerOptions, Predictor, Trainer, TrainerOptions};

const SAMPLES: usize = 1000;
const COLUMNS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(|| std::env::temp_dir().join("moons.safetensors"), PathBuf::from);
    let (features, labels) = moons();

    let context = Context::new(&ContextOptions { seed: 1, ..Default::default() })?;
    let data = Dataset::borrow_labels(&context, &features, &labels, 2)?;
    let shape = MlpOptions { sizes: &[COLUMNS, 100, 100, 2], epsilon: 4.0, ..Default::default() };
    let mut network = Network::mlp(&context, &shape)?;
    println!("{} connections, version {} of the library", network.info().connections, sparse_nn::version());

    let loss = Loss::new(&context, &Default::default())?;
    let momentum = OptimizerOptions { kind: OptimizerKind::Momentum, learning_rate: 0.1, ..Default::default() };
    let optimizer = Optimizer::new(&context, &momentum)?;
    let evolution = Evolution::new(&context, 0.3)?;
    let options = TrainerOptions { evolution: Some(&evolution), epochs: 50, ..Default::default() };
    let mut trainer = Trainer::new(&mut network, &loss, &optimizer, options)?;
    trainer.on_epoch(|epoch| {
        if epoch.epoch % 10 == 0 {
            println!("epoch {:2}: loss {:.4}, {} connections replaced", epoch.epoch, epoch.train.loss, epoch.replaced);
        }
        if epoch.train.accuracy == 1.0 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    println!("{:?}", trainer.run(&data, None)?);
    drop(trainer); // which borrows the network

    network.save(&file, &Default::default())?;
    let loaded = Network::load(&context, &file, &Default::default())?;
    println!("{}: accuracy {:.3}", file.display(), loaded.evaluate(None, &data)?.accuracy);

    let predictor = Predictor::new(&loaded, &Default::default())?;
    let (first, second) = features.split_at(features.len() / 2);
    let half = |part: &[f32]| -> sparse_nn::Result<i32> {
        let mut classes = vec![0; part.len() / COLUMNS];
        predictor.workspace(128)?.classify(part, &mut classes)?;
        Ok(classes.iter().sum())
    };
    let ones = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(second));
        Ok::<_, sparse_nn::Error>(half(first)? + other.join().expect("the thread panicked")?)
    })?;
    println!("{ones} of {SAMPLES} samples lie on the second moon");
    Ok(())
}

/// Samples and the moon that each lies on.
fn moons() -> (Vec<f32>, Vec<i32>) {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let label = (sample % 2) as i32;
        let angle = PI * uniform();
        let mut row: Vec<f32> = (0..COLUMNS).map(|_| 2.0 * uniform() - 1.0).collect();
        let (x, y) = if label == 0 { (angle.cos(), angle.sin()) } else { (1.0 - angle.cos(), 0.5 - angle.sin()) };
        row[3] = x + 0.1 * row[3];
        row[11] = y + 0.1 * row[11];
        features.extend(row);
        labels.push(label);
    }
    (features, labels)
}
