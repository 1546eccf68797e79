// The classifier: labels of any kind, files, and what a failure leaves.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');

const { Classifier, Network, Status } = require('../../../examples/ffi/node');
const { assertStatus, moons, temporary, test } = require('./support.js');

const { features, labels } = moons();
const OPTIONS = { hidden: [30, 30], seed: 1, epochs: 40 };
const named = (words) => Array.from(labels, (label) => words[label]);

test('a classifier learns classes that are strings, numbers or booleans', () => {
  for (const words of [['no', 'yes'], [10, -3], [true, false]]) {
    const classifier = new Classifier(OPTIONS).fit(features, named(words));
    assert(classifier.score(features, named(words)) > 0.9);
    assert.deepStrictEqual([...classifier.classes].sort(), [...words].sort());
    const likely = classifier.predictProba(features);
    assert.strictEqual(classifier.predict(features)[0], classifier.classes[likely[0] >= likely[1] ? 0 : 1]);
  }
});

test('equal seeds give equal bits', () => {
  const [one, other, third] = [1, 1, 2].map((seed) => new Classifier({ ...OPTIONS, seed }).fit(features, labels).predictProba(features));
  assert.deepStrictEqual(one, other);
  assert.notDeepStrictEqual(one, third);
});

test('a saved classifier comes back with its classes', () => {
  const file = temporary('classifier.safetensors');
  const classifier = new Classifier(OPTIONS).fit(features, named(['nein', '"ja"\n']));
  classifier.save(file);
  const again = Classifier.load(file);
  assert.deepStrictEqual(again.classes, classifier.classes);
  assert.deepStrictEqual(again.predict(features), classifier.predict(features));
  classifier.network.save(file);
  assertStatus(Status.INVALID_ARGUMENT, 'classes', () => Classifier.load(file));
  for (const text of ['[1]', '5', '{"length": 2}']) {
    classifier.network.save(file, ['classes', text]);
    assert.throws(() => Classifier.load(file), TypeError);
  }
  fs.rmSync(file);
});

test('a failed fit leaves what was learned before', () => {
  const classifier = new Classifier(OPTIONS).fit(features, named(['no', 'yes']));
  const before = classifier.predictProba(features);
  assert.throws(() => classifier.fit(features, labels, { onEpoch: () => { throw new RangeError('mine'); } }), /mine/);
  assertStatus(Status.NOT_FINITE, '', () => classifier.fit(features.map(() => NaN), labels));
  assert.throws(() => classifier.fit(features, labels.map(() => 1)), /two classes/);
  assert.throws(() => classifier.fit(features, labels.subarray(7)), TypeError);
  assert.throws(() => classifier.fit(features, Array.from(labels, (label) => ({ label }))), TypeError);
  assert.deepStrictEqual(classifier.predictProba(features), before);
  assert.deepStrictEqual(classifier.classes, ['no', 'yes']);
});

test('a callback that stops keeps what was learned until then', () => {
  const classifier = new Classifier(OPTIONS).fit(features, labels, { onEpoch: ({ epoch }) => epoch === 20 });
  assert(classifier.score(features, labels) > 0.8);
});

test('one that is not fitted says so', () => {
  const classifier = new Classifier();
  for (const use of ['predict', 'predictProba', 'score', 'save']) assert.throws(() => classifier[use](features), /not fitted/);
  assert.throws(() => classifier.classes, /not fitted/);
  assert(new Classifier(OPTIONS).fit(features, labels).network instanceof Network);
});
