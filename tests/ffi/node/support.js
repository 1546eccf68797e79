// What the tests of the Node example share: claims, data, and errors as they must be.
'use strict';

const assert = require('node:assert');
const path = require('node:path');

const tests = [];

/** A test; what it claims is its name. It may be async. */
function test(claim, run) {
  tests.push({ claim, run });
}

/** 200 rows of 6 numbers; the class is an exclusive or of two of them. */
function moons(samples = 200) {
  let state = 1;
  const features = Float32Array.from({ length: samples * 6 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 8388608 - 1;
  });
  const labels = Int32Array.from({ length: samples }, (_, i) => (features[6 * i + 1] * features[6 * i + 4] > 0 ? 1 : 0));
  return { features, labels };
}

/** Whether run() throws an error of the library with this status, whose message holds these words. */
function assertStatus(status, words, run) {
  assert.throws(run, (error) => {
    assert(error instanceof Error);
    assert.strictEqual(error.status, status, error.message);
    assert(error.message.includes(words), error.message);
    return true;
  });
}

/** A path in the folder for temporary files. */
function temporary(name) {
  return path.join(process.argv[2] || '.', name);
}

module.exports = { assertStatus, moons, temporary, test, tests };
