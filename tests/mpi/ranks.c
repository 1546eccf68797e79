/* libtsnn-mpi as a caller sees it, on however many ranks this is started with. `ranks GROUP...` makes the claims of
 * groups, a line each: training, refusals, failures, memory, version, single. `ranks stress N` runs N times. `ranks
 * lose MODE HOW FILE WHO` loses a rank (stop, kill, pause: stop in a callback; worker, server) in the middle of a run,
 * `ranks resume FILE` goes on from what was saved. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ranks.h"

static int argument_count;
static char **arguments;

/* ---- MPI that is not there yet, or no longer ---- */

static tsnn_status create_without_mpi(void)
{
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    tsnn_mpi *mpi = NULL;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, &mpi);
    tsnn_mpi_destroy(&mpi);
    tsnni_course_free(&course);
    return status;
}

static tsnn_status early, late;

START_TEST(before_mpi)
{
    early = create_without_mpi();
}
END_TEST

START_TEST(after_mpi)
{
    late = create_without_mpi();
}
END_TEST

/* ---- groups ---- */

/* After whatever happened, MPI has nothing of the library's: it would be lost in the next run. */
static void claim_nothing_is_left(void)
{
    int64_t sends = tsnni_sum_over_ranks(tsnni_wire_counts.sends);
    int64_t receives = tsnni_sum_over_ranks(tsnni_wire_counts.receives);
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail,
             ": %lld sends, %lld receives; here %lld pending, %lld communicators, %lld types", (long long)sends,
             (long long)receives, (long long)tsnni_wire_counts.pending, (long long)tsnni_wire_counts.communicators,
             (long long)tsnni_wire_counts.types);
    tsnni_claim("every message was received, no request is pending, and MPI's objects are freed",
                sends == receives && tsnni_wire_counts.pending == 0 && tsnni_wire_counts.communicators == 0 &&
                    tsnni_wire_counts.types == 0);
}

static void claim_stack_is_left_alone(void)
{
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": %lld buffers", (long long)tsnni_wire_counts.on_stack);
    tsnni_claim("MPI has no buffer on the stack, where a late message would overwrite the caller's",
                tsnni_wire_counts.on_stack == 0);
}

static void claim_group(const char *name)
{
    static const struct {
        const char *name;
        void (*claim)(void);
    } groups[] = {{"training", tsnni_claim_training},     {"refusals", tsnni_claim_refusals},
                  {"failures", tsnni_claim_failures},     {"memory", tsnni_claim_memory},
                  {"version", tsnni_claim_other_version}, {"single", tsnni_claim_single}};
    for (size_t n = 0; n < sizeof groups / sizeof groups[0]; n++)
        if (strcmp(groups[n].name, name) == 0) {
            groups[n].claim();
            return;
        }
    tsnni_claim(name, 0);
}

/* The helpers of the unit tests assert; outside of a test they could not. */
START_TEST(what_was_asked_for)
{
    if (argument_count == 7 && strcmp(arguments[1], "lose") == 0) {
        tsnni_lose_a_rank(atoi(arguments[2]), arguments[3], arguments[4],
                          strcmp(arguments[5], "server") == 0 ? 0 : tsnni_ranks - 1,
                          strcmp(arguments[6], "local") == 0);
        return;
    }
    tsnni_claim("without MPI there is no training", early == TSNN_ERROR_STATE);
    if (argument_count == 3 && strcmp(arguments[1], "resume") == 0)
        tsnni_resume(arguments[2]);
    else if (argument_count == 3 && strcmp(arguments[1], "stress") == 0)
        tsnni_claim_stress(atoi(arguments[2]));
    else
        for (int n = 1; n < argument_count; n++)
            claim_group(arguments[n]);
    claim_nothing_is_left();
    claim_stack_is_left_alone();
}
END_TEST

/* 0: it failed. */
static int run_test(const TTest *test)
{
    Suite *suite = suite_create("ranks");
    TCase *group = tcase_create("ranks");
    tcase_add_test(group, test);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    int failures = srunner_ntests_failed(runner);
    if (failures > 0)
        srunner_print(runner, CK_NORMAL);
    srunner_free(runner);
    return failures == 0;
}

int main(int argc, char **argv)
{
    int level;
    tsnni_wire_stack = (uintptr_t)&level;
    argument_count = argc;
    arguments = argv;
    int good = run_test(before_mpi);
    if (argc > 1 && strcmp(argv[1], "single") == 0)
        MPI_Init(&argc, &argv);
    else
        MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &tsnni_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &tsnni_ranks);
    good &= run_test(what_was_asked_for);
    if (!good)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
    good &= run_test(after_mpi) && late == TSNN_ERROR_STATE;
    return !good || tsnni_claim_failed;
}
