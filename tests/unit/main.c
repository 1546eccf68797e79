/* Runs every suite. `CK_RUN_SUITE=name` picks one. */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    srunner_add_suite(runner, tsnni_suite_core());
    srunner_add_suite(runner, tsnni_suite_random());
    srunner_add_suite(runner, tsnni_suite_sparse());
    srunner_add_suite(runner, tsnni_suite_sampling());
    srunner_add_suite(runner, tsnni_suite_kernels());
    srunner_add_suite(runner, tsnni_suite_plan());
    srunner_add_suite(runner, tsnni_suite_bf16());
    srunner_add_suite(runner, tsnni_suite_oracle());
    srunner_add_suite(runner, tsnni_suite_gradient());
    srunner_add_suite(runner, tsnni_suite_activation());
    srunner_add_suite(runner, tsnni_suite_layer());
    srunner_add_suite(runner, tsnni_suite_network());
    srunner_add_suite(runner, tsnni_suite_dataset());
    srunner_add_suite(runner, tsnni_suite_schedule());
    srunner_add_suite(runner, tsnni_suite_loss());
    srunner_add_suite(runner, tsnni_suite_trainer());
    srunner_add_suite(runner, tsnni_suite_callbacks());
    srunner_add_suite(runner, tsnni_suite_dropout());
    srunner_add_suite(runner, tsnni_suite_bits());
    srunner_add_suite(runner, tsnni_suite_threads());
    srunner_add_suite(runner, tsnni_suite_abuse());
    srunner_add_suite(runner, tsnni_suite_abuse_training());
    srunner_add_suite(runner, tsnni_suite_structs());
    srunner_add_suite(runner, tsnni_suite_memory());
    srunner_add_suite(runner, tsnni_suite_select());
    srunner_add_suite(runner, tsnni_suite_evolution());
    srunner_add_suite(runner, tsnni_suite_pruning());
    srunner_add_suite(runner, tsnni_suite_predictor());
    srunner_add_suite(runner, tsnni_suite_predictor_load());
    srunner_add_suite(runner, tsnni_suite_publisher());
    srunner_add_suite(runner, tsnni_suite_abuse_predictor());
    srunner_add_suite(runner, tsnni_suite_model_file());
    srunner_add_suite(runner, tsnni_suite_model_hostile());
    srunner_add_suite(runner, tsnni_suite_resume());
    srunner_add_suite(runner, tsnni_suite_exchange());
    srunner_add_suite(runner, tsnni_suite_checkpoint());
    srunner_add_suite(runner, tsnni_suite_inflate());
    srunner_add_suite(runner, tsnni_suite_export_c());
    srunner_add_suite(runner, tsnni_suite_average());
    srunner_add_suite(runner, tsnni_suite_commit());
    srunner_add_suite(runner, tsnni_suite_replay());
    srunner_add_suite(runner, tsnni_suite_parallel());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
