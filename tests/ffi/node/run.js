// Runs the tests beside this file and prints one line a test, as tests/run.sh wants them: run.js FOLDER.
'use strict';

const { tests } = require('./support.js');

require('./test_network.js');
require('./test_callbacks.js');
require('./test_classifier.js');
require('./test_lifetime.js');

async function main() {
  for (const { claim, run } of tests) {
    try {
      await run();
      console.log(`ok ffi/node: ${claim}`);
    } catch (error) {
      console.log(`not ok ffi/node: ${claim}`);
      console.log(String(error && error.stack).replace(/^/gm, '    '));
      process.exitCode = 1;
    }
  }
}

main();
