/**
 * @file tsnn-mpi.h
 * @brief Parallel training by the processes of an MPI communicator: the side library libtsnn-mpi (sparse-nn-mpi.pc).
 *
 * The algorithms and options are those of <tsnn/parallel.h>, with ranks in place of threads:
 *
 * - TSNN_PARALLEL_WASAP: every rank is a worker, and rank 0 the server besides: it answers the others between the
 *   layers of its own passes. With `workers` one less than there are ranks, rank 0 only serves, and sleeps meanwhile. A
 *   communicator of one rank is one worker.
 * - TSNN_PARALLEL_WASSP, TSNN_PARALLEL_REPLICAS: every rank is a worker.
 *
 * WASSP and replicas give the bits that as many threads give; a WASAP run leaves a log that threads can replay.
 *
 * All ranks make the same calls in the same order, with the same options, seed, library version and instruction set;
 * what differs is found and reported on all of them. Callbacks and validation belong to rank 0. Every call that is
 * collective returns the same status on every rank, the failure of one included; a rank that does not answer within
 * the limits below makes the others return TSNN_ERROR_COMMUNICATION. After that only tsnn_mpi_destroy() and MPI_Abort()
 * make sense: MPI_Finalize() may wait for the lost rank for ever.
 *
 * MPI must be initialised by the caller, with MPI_THREAD_FUNNELED where a context has more than one thread. The library
 * works on a duplicate of the communicator, whose errors return.
 */
#ifndef TSNN_MPI_H
#define TSNN_MPI_H

#include <mpi.h>

#include <tsnn.h>

TSNN_BEGIN_DECLS

/** What the training set of a rank is. */
enum {
    TSNN_MPI_WHOLE = 0,  /**< The same on every rank: each reads all of it. */
    TSNN_MPI_SHARDED = 1 /**< The rank's own part. WASAP hands the next mini-batch of an epoch to whoever asks: of small
                            shards and those of fast ranks each sample is seen more often than of others. Of a server's
                            that does not train nothing is learned; one sample is enough. */
};

/** How gradients and weights travel in phase 1. */
enum {
    TSNN_MPI_AUTOMATIC = 0, /**< Through shared memory, where MPI has it, between WASAP's server and the workers on its
                               machine, or between the ranks of WASSP if all are on one; else as messages. */
    TSNN_MPI_MESSAGES = 1   /**< As messages, on one machine too. */
};

/** A rank's part in training. */
typedef struct tsnn_mpi tsnn_mpi;

/** Options of tsnn_mpi_create() beyond those of tsnn_parallel_create(). Zero means the default. */
typedef struct tsnn_mpi_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t data;         /**< TSNN_MPI_WHOLE or TSNN_MPI_SHARDED. */
    int32_t
        in_flight;   /**< WASAP: gradients that a worker has under way, 1 to 8. With 2, the default, it computes one
                        while the other travels, and never waits; each is then a worker of its own to the algorithm. */
    int32_t version; /**< The version of the headers, set by the macro; 0: not told. */
    double timeout_seconds; /**< How long another rank may be silent within an epoch, on_step included, beyond four
                               times the longest step so far; default 8. */
    double pause_seconds;   /**< The same before the first step is done, and where the others wait for rank 0 to evolve
                               or for its on_epoch, in WASSP and replicas also to validate; default 600. */
    int32_t transport;      /**< TSNN_MPI_AUTOMATIC or TSNN_MPI_MESSAGES; the bits are the same. */
    int32_t reserved;       /**< 0. */
} tsnn_mpi_options;

/** Initialises a tsnn_mpi_options to its defaults. */
#define TSNN_MPI_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_mpi_options), 0, 0,                                                                      \
            TSNN_VERSION_MAJOR * 10000 + TSNN_VERSION_MINOR * 100 + TSNN_VERSION_PATCH, 0.0, 0.0, 0, 0                 \
    }

/** @brief The same as TSNN_MPI_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_mpi_options_init(tsnn_mpi_options *options);

/**
 * @brief Sets up training by the ranks of a communicator; collective.
 *
 * The network, loss, optimizer and rules must outlive the object, as in tsnn_parallel_create(). Every rank brings a
 * network of the same shape; rank 0's is the one that is trained. `workers` may be 0 or as many as there are ranks; in
 * WASAP also one less, for a server that does not train. A replay is for threads only. WASAP's gradients in flight, 1 +
 * (ranks - 1) in_flight or without the server's one less, are at most 1024.
 * @param communicator the caller's; used for one duplication only
 * @param options NULL: defaults
 * @param[out] out NULL on failure
 * @return as tsnn_parallel_create(), and: INVALID_ARGUMENT (ranks that differ in an option), UNSUPPORTED (in the
 * library's version or instruction set), SHAPE (in their networks), STATE (MPI is not initialised, or without threads),
 * COMMUNICATION
 */
TSNN_API tsnn_status tsnn_mpi_create(tsnn_context *context, MPI_Comm communicator,
                                     const tsnn_parallel_options *parallel, const tsnn_mpi_options *options,
                                     tsnn_mpi **out);

/** @brief Frees it and sets *mpi to NULL; collective, unless communication has failed. Takes NULL. */
TSNN_API void tsnn_mpi_destroy(tsnn_mpi **mpi);

/**
 * @brief Trains for the epochs that are left; collective. Every rank's network becomes rank 0's, at the start and the
 * end, and after a failure that is not COMMUNICATION, unless there is no memory for it.
 *
 * The on_epoch callback of rank 0 may read and save the network, but not change it; those of other ranks are not
 * called.
 * @param train this rank's samples, see TSNN_MPI_WHOLE
 * @param validation of rank 0; ignored elsewhere
 * @return as tsnn_parallel_run(), and COMMUNICATION
 */
TSNN_API tsnn_status tsnn_mpi_run(tsnn_mpi *mpi, const tsnn_dataset *train, const tsnn_dataset *validation);

/** What the runs so far did, all ranks together. */
typedef struct tsnn_mpi_info {
    uint32_t struct_size;   /**< Set by the caller. */
    int32_t rank;           /**< This one. */
    int32_t ranks;          /**< Of the communicator. */
    int32_t workers;        /**< Ranks that train. */
    int64_t step_bytes;     /**< Sent for gradients and weights in phase 1; each byte counted once. */
    int64_t topology_bytes; /**< Sent because a topology had changed in phase 1. */
    int64_t average_bytes;  /**< Sent for the means of phase 2. */
    int64_t exchanges;      /**< A worker's: gradients handed in, by all of them. */
    double exchange_bytes;  /**< step_bytes of one exchange, as a mean. */
    double value_bytes;     /**< What a gradient's values and the model's values are: 8 bytes a connection and bias. */
    double serve_seconds;   /**< WASAP: what the server was busy for with others' exchanges. */
    int32_t gradients;      /**< WASAP: in flight, of all ranks: a log is replayed by as many threads. */
    int32_t reserved;       /**< 0. */
} tsnn_mpi_info;

/** Initialises a tsnn_mpi_info. */
#define TSNN_MPI_INFO_INIT                                                                                             \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_mpi_info), 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0, 0                                      \
    }

/** @brief Tells what the runs so far did; not collective. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_mpi_get_info(const tsnn_mpi *mpi, tsnn_mpi_info *info);

/**
 * @brief The same as tsnn_parallel_get_info() tells, of all ranks; staleness, dropped and retained entries on rank 0
 * only.
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE
 */
TSNN_API tsnn_status tsnn_mpi_get_parallel_info(const tsnn_mpi *mpi, tsnn_parallel_info *info);

/**
 * @brief WASAP, rank 0: copies out the log of commits (tsnn_parallel_get_log()). Its workers are the gradients in
 * flight: a replay is by `gradients` threads (tsnn_mpi_info), with the same local_multiple.
 */
TSNN_API tsnn_status tsnn_mpi_get_log(const tsnn_mpi *mpi, tsnn_parallel_commit *commits, int64_t capacity,
                                      int64_t *count);

TSNN_END_DECLS

#endif
