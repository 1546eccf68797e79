// The epoch callback: what it is told, how it stops a training, and what becomes of what it throws.
'use strict';

const assert = require('node:assert');

const { Network, Status } = require('../../../examples/ffi/node');
const { assertStatus, moons, test } = require('./support.js');

const { features, labels } = moons();
const fresh = () => new Network([6, 20, 15, 2], { seed: 7, epsilon: 3, threads: 1 });
const COURSE = { epochs: 5, batch: 20, learningRate: 0.05 };

test('a report tells of each epoch', () => {
  const reports = [];
  const network = fresh();
  network.fit(features, labels, { ...COURSE, onEpoch: (report) => void reports.push(report) });
  assert.deepStrictEqual(reports.map((report) => report.epoch), [1, 2, 3, 4, 5]);
  assert.strictEqual(reports[0].samples, 200);
  assert.strictEqual(reports[4].connections, network.info.connections);
  assert(reports.every((report) => report.loss > 0 && report.epochs === 5));
});

test('true stops a training, and nothing else that is returned does', () => {
  const network = fresh();
  let epochs = 0;
  assert.strictEqual(network.fit(features, labels, { ...COURSE, onEpoch: ({ epoch }) => (epochs = epoch) === 2 }), false);
  assert.strictEqual(epochs, 2);
  for (const answer of [false, undefined, null, 0, 1, 'true', {}]) {
    assert.strictEqual(network.fit(features, labels, { ...COURSE, onEpoch: () => answer }), true);
  }
});

test('what a callback throws stops the training and comes out of fit', () => {
  const network = fresh();
  for (const thrown of [new RangeError('mine'), 'text', 5, null, undefined, Symbol('mine')]) {
    let epochs = 0;
    let caught = network;
    try {
      network.fit(features, labels, { ...COURSE, onEpoch: () => { epochs += 1; throw thrown; } });
    } catch (error) {
      caught = error;
    }
    assert.strictEqual(caught, thrown);
    assert.strictEqual(epochs, 1);
  }
  assert.strictEqual(network.fit(features, labels, COURSE), true);
});

test('an async callback is refused, since training would not wait for it', () => {
  assert.throws(() => fresh().fit(features, labels, { ...COURSE, onEpoch: async () => { throw new Error('late'); } }), /async/);
});

test('a callback may use the library, and its errors stop the training', () => {
  const network = fresh();
  let epochs = 0;
  const onEpoch = () => {
    epochs += 1;
    network.predict(features);
    network.evaluate(features, labels);
    Network.load(network.toBytes()).fit(features, labels, COURSE);
    assertStatus(Status.SHAPE, '7', () => network.predict(new Float32Array(7)));
    if (epochs === 3) network.predict(new Float32Array(8));
  };
  assertStatus(Status.SHAPE, '8 numbers', () => network.fit(features, labels, { ...COURSE, onEpoch }));
  assert.strictEqual(epochs, 3);
});

test('a network that is being trained refuses to be trained or closed', () => {
  const network = fresh();
  const onEpoch = () => {
    assertStatus(Status.STATE, 'being trained', () => network.fit(features, labels));
    assertStatus(Status.STATE, 'being trained', () => network.close());
  };
  assert.strictEqual(network.fit(features, labels, { ...COURSE, onEpoch }), true);
  network.close();
});

test('a callback may change and take away the arrays that are learned from', () => {
  const [one, other] = [fresh(), fresh()];
  const taken = features.slice();
  const onEpoch = () => {
    if (taken.length > 0) {
      taken.fill(NaN);
      structuredClone(taken.buffer, { transfer: [taken.buffer] });
    }
  };
  one.fit(taken, labels, { ...COURSE, onEpoch });
  other.fit(features, labels, COURSE);
  assert.strictEqual(taken.length, 0);
  assert.deepStrictEqual(one.predict(features), other.predict(features));
});
