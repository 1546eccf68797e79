/* Cuts rows into chunks of about equal work, and runs loops over them. Where the cuts are depends on the shape and the
 * number of chunks only, never on the threads that will run them. */
#ifndef TSNNI_SPARSE_PARTITION_H
#define TSNNI_SPARSE_PARTITION_H

#include <stdint.h>

/* First row of `chunk` when rows are cut into `chunks` parts balanced by connections (pointer: row_ptr or column_ptr)
 * plus `row_cost` connections for each row. chunk == chunks gives rows. O(log rows), no state. */
int64_t tsnni_partition_bound(const int64_t *pointer, int64_t rows, int64_t row_cost, int64_t chunk, int64_t chunks);

/* The same for items of equal cost. */
int64_t tsnni_partition_even(int64_t items, int64_t chunk, int64_t chunks);

/* What a loop does with the items from `begin` to before `end`. */
typedef void (*tsnni_span_function)(void *task, int64_t begin, int64_t end);

/* Calls body(task, begin, end) for parts of [0, items) on up to `threads` threads, as tsnni_parallel_for() does; in one
 * part where that would be serial. An item's result must not depend on the part that it is in. */
void tsnni_parallel_items(int32_t threads, int64_t work, int64_t items, tsnni_span_function body, void *task);

/* The same for rows, in parts balanced as in tsnni_partition_bound(); pointer may be NULL: rows of equal cost. */
void tsnni_parallel_rows(int32_t threads, int64_t work, const int64_t *pointer, int64_t rows, int64_t row_cost,
                         tsnni_span_function body, void *task);

/* How many of the rising numbers are below the bound. */
int64_t tsnni_count_below(const int64_t *numbers, int64_t count, int64_t bound);

#endif
