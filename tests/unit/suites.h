/* Every suite of the unit tests; main.c runs them all. */
#ifndef TSNN_TESTS_SUITES_H
#define TSNN_TESTS_SUITES_H

#include <check.h>

Suite *tsnni_suite_core(void);
Suite *tsnni_suite_random(void);
Suite *tsnni_suite_sparse(void);
Suite *tsnni_suite_sampling(void);
Suite *tsnni_suite_kernels(void);
Suite *tsnni_suite_plan(void);
Suite *tsnni_suite_bf16(void);
Suite *tsnni_suite_oracle(void);
Suite *tsnni_suite_gradient(void);
Suite *tsnni_suite_activation(void);
Suite *tsnni_suite_layer(void);
Suite *tsnni_suite_network(void);
Suite *tsnni_suite_dataset(void);
Suite *tsnni_suite_schedule(void);
Suite *tsnni_suite_loss(void);
Suite *tsnni_suite_trainer(void);
Suite *tsnni_suite_callbacks(void);
Suite *tsnni_suite_dropout(void);
Suite *tsnni_suite_bits(void);
Suite *tsnni_suite_threads(void);
Suite *tsnni_suite_abuse(void);
Suite *tsnni_suite_abuse_training(void);
Suite *tsnni_suite_structs(void);
Suite *tsnni_suite_memory(void);
Suite *tsnni_suite_select(void);
Suite *tsnni_suite_evolution(void);
Suite *tsnni_suite_pruning(void);
Suite *tsnni_suite_predictor(void);
Suite *tsnni_suite_predictor_load(void);
Suite *tsnni_suite_publisher(void);
Suite *tsnni_suite_abuse_predictor(void);
Suite *tsnni_suite_model_file(void);
Suite *tsnni_suite_model_hostile(void);
Suite *tsnni_suite_resume(void);
Suite *tsnni_suite_exchange(void);
Suite *tsnni_suite_checkpoint(void);
Suite *tsnni_suite_inflate(void);
Suite *tsnni_suite_export_c(void);
Suite *tsnni_suite_average(void);
Suite *tsnni_suite_parallel(void);
Suite *tsnni_suite_commit(void);
Suite *tsnni_suite_replay(void);

#endif
