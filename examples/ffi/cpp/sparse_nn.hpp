/**
 * libtsnn for C++17 and later: a header-only wrapper over <tsnn.h>. Objects free themselves, failures are exceptions,
 * callbacks are whatever can be called, arrays are anything with data() and size().
 */
#ifndef SPARSE_NN_HPP
#define SPARSE_NN_HPP

#include "sparse_nn/activation.hpp"
#include "sparse_nn/context.hpp"
#include "sparse_nn/data.hpp"
#include "sparse_nn/error.hpp"
#include "sparse_nn/exchange.hpp"
#include "sparse_nn/gradient.hpp"
#include "sparse_nn/layer.hpp"
#include "sparse_nn/model_file.hpp"
#include "sparse_nn/network.hpp"
#include "sparse_nn/object.hpp"
#include "sparse_nn/parallel.hpp"
#include "sparse_nn/predictor.hpp"
#include "sparse_nn/rules.hpp"
#include "sparse_nn/topology.hpp"
#include "sparse_nn/trainer.hpp"
#include "sparse_nn/view.hpp"

#endif
