// libtsnn for Node: sparse networks as objects, and a classifier that takes labels of any kind.
'use strict';

const path = require('node:path');

const addon = require(process.env.TSNN_ADDON || path.join(__dirname, 'sparse_nn.node'));

/** The values of an error's `status`. */
const Status = Object.freeze(addon.status);

/** In place of sizes: the handle comes from a file. */
const LOADED = Symbol('loaded');

/** Numbers in a row: a Float32Array as it is, else a copy of rows of numbers. */
function floats(rows) {
  if (rows instanceof Float32Array) return rows;
  if (!Array.isArray(rows)) throw new TypeError('features must be a Float32Array or an array of rows');
  const flat = rows.flat();
  if (rows.some((row) => row.length !== rows[0].length)) throw new TypeError('rows must be of one length');
  if (!flat.every((number) => typeof number === 'number')) throw new TypeError('rows must hold numbers only');
  return Float32Array.from(flat);
}

/** Class numbers as an Int32Array; a Float32Array holds targets. */
function truths(labels) {
  if (labels instanceof Int32Array || labels instanceof Float32Array) return labels;
  if (!Array.isArray(labels) || !labels.every((label) => Number.isInteger(label) && Math.abs(label) < 2 ** 31)) {
    throw new TypeError('labels must be an Int32Array or an array of whole numbers; targets, a Float32Array');
  }
  return Int32Array.from(labels);
}

/** An epoch callback that the addon can call: only `true` stops. */
function watcher(onEpoch) {
  if (onEpoch === undefined) return () => false;
  if (typeof onEpoch !== 'function') throw new TypeError('onEpoch must be a function');
  return (report) => {
    const answer = onEpoch(report);
    if (answer && typeof answer.then === 'function') {
      answer.then(undefined, () => {}); // what it comes to, nobody waits for
      throw new TypeError('onEpoch must not be async: training does not wait for promises');
    }
    return answer === true;
  };
}

/**
 * A sparse network with a context of its own. Errors of the library are Error objects with `status` and `message`, and
 * leave the network as it was. What a network holds goes with it, or with close().
 */
class Network {
  #handle;

  /**
   * @param {number[]} sizes neurons of the input, of each hidden layer and of the output
   * @param {object} [options] seed, threads, epsilon (connections = epsilon (inputs + outputs) for each layer), dropout,
   *   activation and output ('all_relu', 'relu', 'leaky_relu', 'sigmoid', 'tanh', 'identity', 'softmax')
   */
  constructor(sizes, options = {}) {
    this.#handle = sizes === LOADED ? undefined : addon.create(sizes, options);
  }

  /** From a model file, or from the bytes of one. Options: seed, threads, maxBytes. */
  static load(source, options = {}) {
    const network = new Network(LOADED);
    network.#handle = addon.load(source instanceof ArrayBuffer ? new Uint8Array(source) : source, options);
    return network;
  }

  /** layers, inputs, outputs, neurons, connections, bytes. */
  get info() {
    return addon.info(this.#handle);
  }

  /**
   * Learns; the network's own thread is busy meanwhile.
   * @param {Float32Array|number[][]} features rows; they are copied
   * @param {Int32Array|number[]|Float32Array} truth a class number for each row, or a row of targets (Float32Array)
   * @param {object} [options] epochs, batch, learningRate, optimizer ('momentum', 'sgd', 'nesterov'), momentum,
   *   weightDecay, schedule ('constant', 'step', 'cosine'), warmupEpochs, clipNorm, zeta (share of the connections that
   *   evolution replaces after each epoch; 0: none), loss ('cross_entropy', 'mean_squared_error',
   *   'binary_cross_entropy'), labelSmoothing, standardize (true: raw features are standardised as they enter).
   *   Otherwise 0 is the library's default.
   *   onEpoch(report): `true` stops the training; what it throws stops it too, and comes out of fit().
   * @returns {boolean} whether all epochs were done
   */
  fit(features, truth, options = {}) {
    const { onEpoch, standardize, ...given } = options;
    given.standardize = standardize ? 1 : 0;
    return addon.fit(this.#handle, floats(features), truths(truth), given, watcher(onEpoch));
  }

  /** Samples, correct, accuracy and loss. */
  evaluate(features, truth, options = {}) {
    return addon.evaluate(this.#handle, floats(features), truths(truth), options);
  }

  /** The outputs for rows of features, which are read in place; written into `outputs` where it is given. */
  predict(features, outputs) {
    const rows = floats(features);
    const { inputs, outputs: width } = this.info;
    const out = outputs === undefined ? new Float32Array(Math.floor(rows.length / inputs) * width) : outputs;
    addon.predict(this.#handle, rows, out);
    return out;
  }

  /** The class number of each row; written into `labels` where it is given. */
  classify(features, labels) {
    const rows = floats(features);
    const out = labels === undefined ? new Int32Array(Math.floor(rows.length / this.info.inputs)) : labels;
    addon.classify(this.#handle, rows, out);
    return out;
  }

  /** Writes a model file (safetensors). `metadata`: one key with its text, as [key, text]. */
  save(file, metadata = []) {
    addon.save(this.#handle, file, ...metadata);
  }

  /** The bytes that save() writes. */
  toBytes() {
    return new Uint8Array(addon.toBytes(this.#handle));
  }

  /** The text that a model file holds under a key. */
  metadataOf(file, key) {
    return addon.metadata(this.#handle, file, key);
  }

  /** Gives the network back now. Closing again does nothing; using it afterwards throws. */
  close() {
    addon.close(this.#handle);
  }
}

/** Learns classes that are strings, numbers or booleans. */
class Classifier {
  #network;
  #classes;

  /** @param {object} [options] hidden (neurons of each hidden layer; [100, 100]) and the options of Network and of fit() */
  constructor(options = {}) {
    const { hidden = [100, 100], ...rest } = options;
    this.hidden = hidden;
    this.options = rest;
  }

  /** The classes, in the order of the probabilities. */
  get classes() {
    return this.#fitted() && this.#classes;
  }

  /** The network that was learned. */
  get network() {
    return this.#fitted();
  }

  /** Learns anew. A failure leaves what was learned before; a callback that stops keeps what was learned until then. */
  fit(features, labels, options = {}) {
    const rows = floats(features);
    const samples = labels.length;
    if (samples < 1 || rows.length % samples !== 0) {
      throw new TypeError(`${rows.length} features are not rows for ${samples} labels`);
    }
    const classes = [...new Set(labels)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    if (classes.length < 2) throw new TypeError('at least two classes are needed');
    if (!classes.every((label) => ['string', 'number', 'boolean'].includes(typeof label))) {
      throw new TypeError('labels must be strings, numbers or booleans');
    }
    const numbers = new Map(classes.map((label, number) => [label, number]));
    const given = { batch: 32, learningRate: 0.01, standardize: true, ...this.options, ...options };
    const network = new Network([rows.length / samples, ...this.hidden, classes.length], given);
    try {
      network.fit(rows, Int32Array.from(labels, (label) => numbers.get(label)), given);
    } catch (error) {
      network.close();
      throw error;
    }
    this.#network = network;
    this.#classes = classes;
    return this;
  }

  /** The class of each row. */
  predict(features) {
    return Array.from(this.#fitted().classify(features), (number) => this.#classes[number]);
  }

  /** A probability for each class of each row. */
  predictProba(features, outputs) {
    return this.#fitted().predict(features, outputs);
  }

  /** The share of rows whose class is found. */
  score(features, labels) {
    const predicted = this.predict(features);
    return predicted.filter((label, i) => label === labels[i]).length / predicted.length;
  }

  /** Writes a model file, which holds the classes too. */
  save(file) {
    this.#fitted().save(file, ['classes', JSON.stringify(this.#classes)]);
  }

  static load(file, options = {}) {
    const classifier = new Classifier();
    const network = Network.load(file, options);
    const classes = JSON.parse(network.metadataOf(file, 'classes'));
    if (!Array.isArray(classes) || classes.length !== network.info.outputs) {
      throw new TypeError(`${file}: its classes are not those of its ${network.info.outputs} outputs`);
    }
    classifier.#network = network;
    classifier.#classes = classes;
    return classifier;
  }

  #fitted() {
    if (this.#network === undefined) throw new Error('this classifier is not fitted yet; call fit() first');
    return this.#network;
  }
}

module.exports = { Network, Classifier, Status };
