/**
 * @file tsnn.h
 * @brief libtsnn: truly sparse neural networks. Includes the whole public interface.
 */
#ifndef TSNN_H
#define TSNN_H

#include <tsnn/activation.h>
#include <tsnn/checkpoint.h>
#include <tsnn/context.h>
#include <tsnn/dataset.h>
#include <tsnn/evolution.h>
#include <tsnn/exchange.h>
#include <tsnn/export.h>
#include <tsnn/export_c.h>
#include <tsnn/gradient.h>
#include <tsnn/layer.h>
#include <tsnn/loss.h>
#include <tsnn/model_file.h>
#include <tsnn/network.h>
#include <tsnn/optimizer.h>
#include <tsnn/predictor.h>
#include <tsnn/parallel.h>
#include <tsnn/pruning.h>
#include <tsnn/publisher.h>
#include <tsnn/schedule.h>
#include <tsnn/status.h>
#include <tsnn/trainer.h>
#include <tsnn/version.h>

#endif
