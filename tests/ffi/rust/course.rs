//! What the tests share: small data, and a small training. run.c does the same in C, number by number.

use sparse_nn::{
    Activation, Context, ContextOptions, Dataset, Evolution, Loss, MlpOptions, Network, Optimizer, OptimizerKind,
    OptimizerOptions, Schedule, ScheduleKind, Trainer, TrainerOptions,
};

pub const SAMPLES: usize = 200;
pub const COLUMNS: usize = 6;
pub const SHAPE: [usize; 4] = [COLUMNS, 30, 20, 2];

/// Columns in [-1, 1); the class is whether the second and the fifth have one sign.
pub fn data() -> (Vec<f32>, Vec<i32>) {
    let mut state = 1u64;
    let mut features = vec![0.0; SAMPLES * COLUMNS];
    for feature in &mut features {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *feature = (state >> 40) as f32 / 8388608.0 - 1.0;
    }
    let labels = features.chunks(COLUMNS).map(|row| i32::from(row[1] * row[4] > 0.0)).collect();
    (features, labels)
}

pub fn context(seed: u64) -> Context {
    Context::new(&ContextOptions { seed, threads: 1, ..Default::default() }).unwrap()
}

pub fn dataset(context: &Context) -> Dataset<'_> {
    let (features, labels) = data();
    Dataset::with_labels(context, &features, &labels, 2).unwrap()
}

/// A leaky ReLU, as closures.
pub fn bent(context: &Context) -> Activation<'_> {
    let function = |z| if z > 0.0 { z } else { 0.25 * z };
    Activation::custom(context, function, |z, _| if z > 0.0 { 1.0 } else { 0.25 }).unwrap()
}

pub fn network(context: &Context) -> Network<'_> {
    Network::mlp(context, &MlpOptions { sizes: &SHAPE, epsilon: 6.0, ..Default::default() }).unwrap()
}

/// The objects that a trainer borrows.
pub struct Parts<'c> {
    pub loss: Loss<'c>,
    pub optimizer: Optimizer<'c>,
    pub evolution: Evolution<'c>,
}

pub fn parts(context: &Context) -> Parts<'_> {
    let kind = OptimizerKind::Nesterov;
    Parts {
        loss: Loss::new(context, &Default::default()).unwrap(),
        optimizer: Optimizer::new(context, &OptimizerOptions { kind, learning_rate: 0.05, ..Default::default() })
            .unwrap(),
        evolution: Evolution::new(context, 0.2).unwrap(),
    }
}

pub fn trainer<'t, 'c>(network: &'t mut Network<'c>, parts: &'t Parts<'c>) -> Trainer<'t, 'c> {
    let options = TrainerOptions {
        evolution: Some(&parts.evolution),
        schedule: Schedule { kind: ScheduleKind::Cosine, warmup_epochs: 1.0, ..Default::default() },
        epochs: 6,
        batch: 20,
        clip_norm: 1.0,
        ..Default::default()
    };
    Trainer::new(network, &parts.loss, &parts.optimizer, options).unwrap()
}

/// Topology, weights and biases of all layers.
pub fn weights(network: &Network<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in 0..network.info().layers {
        let layer = network.layer(index).unwrap();
        let csr = layer.csr();
        bytes.extend(csr.row_ptr.iter().flat_map(|number| number.to_ne_bytes()));
        bytes.extend(csr.column.iter().flat_map(|number| number.to_ne_bytes()));
        bytes.extend(csr.values.iter().chain(&layer.bias()).flat_map(|number| number.to_ne_bytes()));
    }
    bytes
}

pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// A file name of this process alone.
pub fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("tsnn-rust-{}-{name}", std::process::id()))
}
