// Who gives networks back, on which thread, and what is left when a process or a worker ends.
'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');

const { Network, Status } = require('../../../examples/ffi/node');
const { assertStatus, moons, test } = require('./support.js');

const addon = require(process.env.TSNN_ADDON);
const example = require.resolve('../../../examples/ffi/node');
const { features, labels } = moons();

/** Lets the garbage collector and its finalizers run. */
async function collect() {
  for (let i = 0; i < 5; i++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('networks that nobody holds are given back by the garbage collector', async () => {
  await collect();
  const before = addon.live();
  (() => {
    for (let i = 0; i < 50; i++) new Network([6, 20, 2]).predict(features);
  })();
  assert(addon.live() > before);
  await collect();
  assert(addon.live() <= before);
});

test('close gives a network back at once, and again does nothing', async () => {
  await collect();
  const network = new Network([6, 20, 2]);
  const before = addon.live();
  network.close();
  network.close();
  assert.strictEqual(addon.live(), before - 1);
  for (const use of [() => network.predict(features), () => network.info, () => network.fit(features, labels), () => network.toBytes()]) {
    assertStatus(Status.STATE, 'closed', use);
  }
});

test('a network that could not be made leaves nothing', async () => {
  await collect();
  const before = addon.live();
  for (const run of [() => new Network([6, 0]), () => Network.load('nowhere'), () => Network.load(new Uint8Array(9)), () => Network.load(7)]) {
    assert.throws(run);
  }
  assert.strictEqual(addon.live(), before);
});

test('objects that are no handles are refused', () => {
  for (const object of [{}, [], null, undefined, 5, 'handle', Object.create(new Network([6, 2]))]) {
    assert.throws(() => addon.info(object), TypeError);
    addon.close(Object(object));
  }
});

/** What a worker answers that trains a network, or an error. */
function inWorker(onEpoch) {
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    const { Network } = require(${JSON.stringify(example)});
    const network = new Network([6, 20, 15, 2], { seed: 7, epsilon: 3 });
    network.fit(workerData.features, workerData.labels, { epochs: workerData.epochs, onEpoch: ${onEpoch} });
    parentPort.postMessage(network.predict(workerData.features));`;
  return new Worker(code, { eval: true, workerData: { features, labels, epochs: onEpoch === '() => false' ? 5 : 1e9 } });
}

function answerOf(worker) {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

test('workers train networks of their own to the same bits', async () => {
  const network = new Network([6, 20, 15, 2], { seed: 7, epsilon: 3 });
  network.fit(features, labels, { epochs: 5 });
  const answers = await Promise.all([1, 2, 3].map(() => answerOf(inWorker('() => false'))));
  answers.forEach((answer) => assert.deepStrictEqual(answer, network.predict(features)));
});

test('what a callback throws in a worker reaches its owner', async () => {
  await assert.rejects(answerOf(inWorker("() => { throw new RangeError('mine'); }")), { name: 'RangeError', message: 'mine' });
});

test('a worker can be ended while it trains', async () => {
  const worker = inWorker("(report) => { if (report.epoch === 3) require('node:worker_threads').parentPort.postMessage(3); }");
  assert.strictEqual(await answerOf(worker), 3);
  assert.strictEqual(await worker.terminate(), 1);
});

test('a process may end inside a callback, with networks alive', () => {
  const code = `const { Network } = require(${JSON.stringify(example)});
    globalThis.held = [new Network([6, 9, 2]), new Network([6, 20, 2])];
    held[0].fit(new Float32Array(600), new Int32Array(100), { onEpoch: () => process.exit(7) });`;
  const child = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  assert.deepStrictEqual([child.status, child.signal, child.stderr], [7, null, '']);
});
