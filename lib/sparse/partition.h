/* Cuts rows into chunks of about equal work. Depends on the shape only, never on the threads that will run them. */
#ifndef TSNNI_SPARSE_PARTITION_H
#define TSNNI_SPARSE_PARTITION_H

#include <stdint.h>

/* First row of `chunk` when rows are cut into `chunks` parts balanced by connections (pointer: row_ptr or column_ptr)
 * plus `row_cost` connections for each row. chunk == chunks gives rows. O(log rows), no state. */
int64_t tsnni_partition_bound(const int64_t *pointer, int64_t rows, int64_t row_cost, int64_t chunk, int64_t chunks);

/* The same for items of equal cost. */
int64_t tsnni_partition_even(int64_t items, int64_t chunk, int64_t chunks);

/* How many of the rising numbers are below the bound. */
int64_t tsnni_count_below(const int64_t *numbers, int64_t count, int64_t bound);

#endif
