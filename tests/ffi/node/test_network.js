// Networks: what they answer, files, and errors with status and message.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');

const { Network, Status } = require('../../../examples/ffi/node');
const { assertStatus, moons, temporary, test } = require('./support.js');

const { features, labels } = moons();
const SIZES = [6, 20, 15, 2];
const SEEDED = { seed: 7, epsilon: 3, threads: 1 };
const COURSE = { epochs: 5, batch: 20, learningRate: 0.05 };

test('the same seed gives the bits of a program in C', () => {
  const inC = fs.readFileSync(temporary('in_c.bin'));
  const network = new Network(SIZES, SEEDED);
  assert.strictEqual(network.fit(features, labels, COURSE), true);
  assert.deepStrictEqual(Buffer.from(network.predict(features).buffer), inC);
});

test('a network learns, and tells its accuracy, classes and size', () => {
  const network = new Network(SIZES, SEEDED);
  const before = network.evaluate(features, labels);
  network.fit(features, labels, { ...COURSE, epochs: 60 });
  const after = network.evaluate(features, labels);
  assert(after.loss < before.loss / 2 && after.accuracy > 0.9, JSON.stringify(after));
  assert.strictEqual(network.classify(features).filter((label, i) => label === labels[i]).length, after.correct);
  assert.strictEqual(network.info.layers, 3);
  assert.strictEqual(network.info.inputs, 6);
});

test('outputs are written in place, and views of a larger buffer are read in place', () => {
  const network = new Network(SIZES, SEEDED);
  const outputs = new Float32Array(6);
  assert.strictEqual(network.predict(features.subarray(12, 18), outputs.subarray(2, 4)).buffer, outputs.buffer);
  assert.deepStrictEqual(outputs.subarray(2, 4), network.predict(features).subarray(4, 6));
  assert.deepStrictEqual([outputs[0], outputs[1], outputs[4], outputs[5]], [0, 0, 0, 0]);
  const classes = new Int32Array(200);
  assert.strictEqual(network.classify(features, classes), classes);
  const shared = new Float32Array(new SharedArrayBuffer(features.byteLength));
  shared.set(features);
  assert.deepStrictEqual(network.predict(shared), network.predict(features));
});

test('rows may be arrays, and targets rows of numbers', () => {
  const network = new Network([2, 8, 2], { ...SEEDED, output: 'identity', activation: 'relu' });
  const targets = Float32Array.from([0, 1, 1, 0]);
  const rows = [[0, 1], [1, 0]];
  const loss = 'mean_squared_error';
  network.fit(rows, targets, { loss, epochs: 300, learningRate: 0.05 });
  assert(network.evaluate(rows, targets, { loss }).loss < 0.01);
});

test('an evolution of 0 leaves the wiring alone', () => {
  const replaced = (options) => {
    let sum = 0;
    new Network(SIZES, SEEDED).fit(features, labels, { ...COURSE, ...options, onEpoch: (report) => void (sum += report.replaced) });
    return sum;
  };
  assert.strictEqual(replaced({ zeta: 0 }), 0);
  assert(replaced({ zeta: 0.1 }) > 0);
  assert(replaced({}) > replaced({ zeta: 0.1 }));
});

test('a saved network comes back with its bits from a file and from memory', () => {
  const network = new Network(SIZES, SEEDED);
  network.fit(features, labels, { ...COURSE, standardize: true });
  const file = temporary('network.safetensors');
  network.save(file, ['author', 'ein Prüfling']);
  assert.deepStrictEqual(Network.load(file).predict(features), network.predict(features));
  assert.deepStrictEqual(Network.load(network.toBytes(), { threads: 2 }).predict(features), network.predict(features));
  assert.strictEqual(network.metadataOf(file, 'author'), 'ein Prüfling');
  fs.rmSync(file);
});

test('arrays of the wrong size are refused with the numbers', () => {
  const network = new Network(SIZES, SEEDED);
  const seven = features.subarray(0, 7);
  assertStatus(Status.SHAPE, '7 numbers, which are not rows of 6', () => network.predict(seven));
  assertStatus(Status.SHAPE, '7 numbers', () => network.fit(seven, labels));
  assertStatus(Status.SHAPE, 'equally many', () => network.fit(features, labels.subarray(1)));
  assertStatus(Status.SHAPE, 'equally many', () => network.fit(features, new Float32Array(399)));
  assertStatus(Status.BUFFER_TOO_SMALL, '3', () => network.predict(features, new Float32Array(3)));
  assertStatus(Status.BUFFER_TOO_SMALL, '199', () => network.classify(features, new Int32Array(199)));
  assertStatus(Status.INVALID_ARGUMENT, 'samples', () => network.fit(new Float32Array(0), new Int32Array(0)));
  assert.strictEqual(network.predict(new Float32Array(0)).length, 0);
});

test('numbers out of range are refused with the numbers', () => {
  const network = new Network(SIZES, SEEDED);
  const nan = features.slice();
  nan[8] = NaN;
  assertStatus(Status.NOT_FINITE, 'sample 1', () => network.fit(nan, labels));
  assertStatus(Status.NOT_FINITE, '', () => network.predict(nan));
  assertStatus(Status.LABEL, '2', () => network.fit(features, labels.map((label) => label * 2)));
  assertStatus(Status.INVALID_ARGUMENT, '-3', () => network.fit(features, labels, { learningRate: -3 }));
  assertStatus(Status.INVALID_ARGUMENT, '-1', () => network.fit(features, labels, { zeta: -1 }));
  assertStatus(Status.NOT_FINITE, '', () => new Network(SIZES, SEEDED).fit(features, labels, { learningRate: 1e30 }));
  assertStatus(Status.INVALID_ARGUMENT, 'size_count is 1', () => new Network([6]));
  assertStatus(Status.INVALID_ARGUMENT, '', () => new Network(SIZES, { threads: -1 }));
  assertStatus(Status.SHAPE, '0', () => new Network([6, 0, 2]));
  assert.strictEqual(network.fit(features, labels, COURSE), true);
});

test('values of the wrong kind are TypeErrors', () => {
  const network = new Network(SIZES, SEEDED);
  const wrong = [
    () => new Network(), () => new Network('6,2'), () => new Network([6, 2.5]), () => new Network([6, NaN, 2]), () => new Network([6, {}]),
    () => new Network(SIZES, { seed: 'one' }), () => new Network(SIZES, { seed: 1e300 }), () => new Network(SIZES, { threads: 2 ** 40 }),
    () => new Network(SIZES, { activation: 'gelu' }), () => new Network(SIZES, 5), () => new Network(SIZES, { activation: 1 }),
    () => network.predict('text'), () => network.predict(new Float64Array(6)), () => network.predict(features, new Int32Array(400)),
    () => network.predict([[1, 2, 3, 4, 5, 6], [1]]), () => network.predict([['1', 2, 3, 4, 5, 6]]), () => network.predict(null),
    () => network.fit(features, [0.5]), () => network.fit(features, 'text'), () => network.fit(features, labels, { epochs: 1.5 }),
    () => network.fit(features, labels, { onEpoch: 1 }), () => network.fit(features, labels, { loss: 'hinge' }),
    () => network.save(), () => network.save('a\0b'), () => Network.load(5), () => Network.load(new Float32Array(3)),
    () => Network.prototype.predict.call({}, features),
  ];
  wrong.forEach((run, i) => assert.throws(run, TypeError, `number ${i}: ${run}`));
  assert.throws(() => new Network(SIZES, { get seed() { throw new RangeError('mine'); } }), RangeError);
});

test('Status holds every error of the header', () => {
  const header = fs.readFileSync('include/tsnn/status.h', 'utf8');
  const errors = [...header.matchAll(/TSNN_ERROR_(\w+) = (-\d+)/g)].map(([, name, value]) => [name, Number(value)]);
  assert(errors.length > 10);
  assert.deepStrictEqual({ ...Status }, Object.fromEntries(errors));
});

test('files that are missing, damaged or too large are refused', () => {
  const network = new Network(SIZES, SEEDED);
  assertStatus(Status.IO, 'missing', () => Network.load(temporary('missing.safetensors')));
  assertStatus(Status.IO, 'nowhere', () => network.save(temporary('nowhere/network.safetensors')));
  const bytes = network.toBytes();
  assertStatus(Status.FORMAT, '', () => Network.load(bytes.subarray(0, bytes.length - 1)));
  assertStatus(Status.INVALID_ARGUMENT, 'max_bytes is 100', () => Network.load(bytes, { maxBytes: 100 }));
  const file = temporary('network.safetensors');
  network.save(file);
  assertStatus(Status.INVALID_ARGUMENT, 'nothing', () => network.metadataOf(file, 'nothing'));
  fs.rmSync(file);
});

test('an array whose memory was taken away is of length 0', () => {
  const network = new Network(SIZES, SEEDED);
  const taken = features.slice();
  structuredClone(taken.buffer, { transfer: [taken.buffer] });
  assert.strictEqual(network.predict(taken).length, 0);
  assertStatus(Status.SHAPE, '', () => network.fit(taken, labels));
});
