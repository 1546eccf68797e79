/* Inside of parallel training by MPI ranks. ranks.c holds the object and a run, agree.c what all ranks find out about
 * each other, wire.c messages that end in bounded time, message.c networks as bytes, mailbox.c shared memory, notice.c
 * signs of life; ranks_sync.c, ranks_server.c, ranks_worker.c and ranks_local.c run an epoch's steps. What a worker
 * does is in src/parallel*.c. */
#ifndef TSNNI_MPI_RANKS_H
#define TSNNI_MPI_RANKS_H

#include <tsnn-mpi.h>

#include "parallel.h"

/* Bytes. Messages are counted in these, so that counts that are ints reach to 128 GiB. */
#define TSNNI_MPI_BLOCK 64
#define TSNNI_MPI_BLOCK_FLOATS 16

/* What a rank tells all others at the end of an epoch's steps. Sums over its runs, but for those of the epoch. */
typedef struct tsnni_mpi_record {
    int64_t status, epoch_samples, epoch_correct, epoch_replaced;
    double epoch_loss, learning_rate;
    double epoch_seconds; /* phase 2: of its steps */
    double compute_seconds, exchange_seconds, wait_seconds, serve_seconds;
    int64_t step_bytes, topology_bytes, average_bytes;
    int64_t epochs_done, exchanges;
    uint64_t network_bits;  /* WASSP: a checksum, equal on all ranks */
    int64_t message_bytes;  /* phase 2: of the network that follows ... */
    int64_t message_brings; /* ... and its parts */
} tsnni_mpi_record;

/* What went wrong on a rank, for all. */
typedef struct tsnni_mpi_failure {
    int32_t status;
    char text[508];
} tsnni_mpi_failure;

struct tsnn_mpi {
    tsnn_context *context;
    MPI_Comm comm;
    MPI_Datatype block; /* TSNNI_MPI_BLOCK bytes */
    int rank, ranks;
    tsnn_mpi_options options; /* with defaults filled in */
    tsnn_parallel *parallel;  /* of all workers; this rank has those of its engine */
    int32_t workers;          /* ranks that train */
    int32_t served;           /* 1: WASAP's phase 1 has a server, rank 0 */
    int32_t apart;            /* 1: which is no worker */
    int32_t lanes, all_lanes; /* gradients in flight of a rank but the server, and of all: workers to the algorithm */
    int32_t crowded;          /* 1: this machine may have more threads of all its ranks than processors */
    int32_t broken;           /* communication has failed: nobody is waited for any more */
    int32_t agreed;           /* a failure that all know of: nothing is left to agree on */
    double longest;           /* seconds of a step here, in phase 2 of an epoch anywhere; the longest so far */
    double batch_seconds;     /* WASAP's server: of a mini-batch of a worker, the longest so far */
    int32_t own_words[2], all_words[2]; /* of agreeing. What MPI writes to is here or on the heap, as a wait that was
                                           given up may still end. */
    int32_t stops, anyone_stops;        /* of a step */
    int64_t samples;                    /* of the own training set */
    int64_t head[TSNNI_MPI_BLOCK / sizeof(int64_t)]; /* of a network that is handed round */
    tsnni_mpi_failure failure;
    tsnni_mpi_record own, *records;
    uint64_t stamp; /* phase 2: the topology that rank 0 knows of this rank's copy */

    int64_t *shard_samples; /* of each rank's training set */

    /* the worker side of WASAP */
    int64_t exchanges_done, shard_exchanges; /* on shards: in the phase so far, in an epoch of the shard */
    int64_t first_epoch;                     /* of the phase in this run */
    int64_t order_epoch[2];                  /* whose order of samples parallel->order has; -1: unknown */
    struct tsnni_mpi_server *server;         /* rank 0, in a served phase 1 */
    struct tsnni_mpi_mailboxes *mailboxes;   /* in phase 1; NULL: none */
};

/* ---- wire.c: all of these may fail with COMMUNICATION, after which mpi->broken is 1 ---- */

/* Room for a message of so many bytes, in whole blocks; and its blocks. */
int64_t tsnni_mpi_room(int64_t bytes);
tsnn_status tsnni_mpi_blocks(tsnn_mpi *mpi, int64_t bytes, int *out);

/* The buffers have tsnni_mpi_room(bytes). */
tsnn_status tsnni_mpi_send(tsnn_mpi *mpi, const void *data, int64_t bytes, int to, int tag, MPI_Request *request);
tsnn_status tsnni_mpi_receive(tsnn_mpi *mpi, void *data, int64_t bytes, int from, int tag, MPI_Request *request);

/* What an MPI call returned, as a status. */
tsnn_status tsnni_mpi_result(tsnn_mpi *mpi, int code, const char *what);

/* COMMUNICATION, with a text that names the rank (below 0: it is not known) and what it was expected to send. */
tsnn_status tsnni_mpi_lost(tsnn_mpi *mpi, int rank, double seconds, const char *what);

/* Until all requests are done, at most `limit` seconds; peers[] names the ranks they are with, or is NULL. */
tsnn_status tsnni_mpi_wait(tsnn_mpi *mpi, MPI_Request *requests, const int *peers, int count, double limit,
                           const char *what);

/* Between looks at requests: 0, 1, 2, ... looks so far. */
void tsnni_mpi_rest(const tsnn_mpi *mpi, int64_t looks);

tsnn_status tsnni_mpi_broadcast(tsnn_mpi *mpi, void *data, int64_t bytes, int root, double limit);
tsnn_status tsnni_mpi_least(tsnn_mpi *mpi, const int32_t *own, int32_t *all, int count, double limit);
tsnn_status tsnni_mpi_gather(tsnn_mpi *mpi, const void *own, void *all, int64_t bytes, double limit);

/* How long to wait: within an epoch; where ranks may come late, as rank 0 from a callback; at an epoch's end, where
 * only rank 0 may. */
double tsnni_mpi_step_limit(const tsnn_mpi *mpi);
double tsnni_mpi_pause_limit(const tsnn_mpi *mpi);
double tsnni_mpi_end_limit(const tsnn_mpi *mpi);

/* ---- agree.c ---- */

/* The first rank's failure, with its text, on every rank; else STOPPED if any, else OK. */
tsnn_status tsnni_mpi_agree(tsnn_mpi *mpi, tsnn_status status, double limit);

/* Whether all ranks have the same version, instruction set, options and shape of network. */
tsnn_status tsnni_mpi_compare_ranks(tsnn_mpi *mpi);

/* Sets mpi->crowded. */
tsnn_status tsnni_mpi_count_neighbours(tsnn_mpi *mpi);

/* Whether their data fit together; counts mini-batches and exchanges. */
tsnn_status tsnni_mpi_compare_data(tsnn_mpi *mpi, const tsnn_dataset *train);

/* Sets the own record up, with what a worker's epoch gave unless that is NULL. */
void tsnni_mpi_fill_record(tsnn_mpi *mpi, const tsnni_worker *worker);

/* Hands the records round, into mpi->records, and what they say of an epoch into the workers. */
tsnn_status tsnni_mpi_exchange_records(tsnn_mpi *mpi, double limit);

/* ---- message.c ---- */

enum { TSNNI_MPI_PATTERN = 1, TSNNI_MPI_VELOCITY = 2 };

/* A network as bytes: weights and biases, with patterns and velocities when `parts` has them. */
int64_t tsnni_mpi_message_size(const tsnn_network *network, int32_t parts);
void tsnni_mpi_message_pack(const tsnn_network *network, int32_t parts, void *bytes);

/* Into a network of as many layers; of the same topology unless the message has patterns. After a failure (FORMAT,
 * OUT_OF_MEMORY) it is as it was. */
tsnn_status tsnni_mpi_message_unpack(tsnn_network *network, const void *bytes, int64_t size);

/* Differs when the topology of a layer does, for networks of one context. */
uint64_t tsnni_mpi_stamp(const tsnn_network *network);

/* Takes bytes into a checksum: FNV-1a, over words of four bytes where there are any. */
uint64_t tsnni_mpi_mix(uint64_t hash, const void *bytes, int64_t size);

/* Of all weights, biases and connections. */
uint64_t tsnni_mpi_checksum(const tsnn_network *network);

/* Rank 0's network, momentum included, and its epochs, for all; agreed. */
tsnn_status tsnni_mpi_share(tsnn_mpi *mpi);

/* ---- mailbox.c ---- */

/* Numbers of one lane that others see: what messages would bring. */
typedef struct tsnni_mpi_mailbox {
    float *gradient, *weights;     /* WASSP: the latter are the sums of all gradients */
    atomic_int_fast64_t *meetings; /* WASSP: so many has the rank come to */
} tsnni_mpi_mailbox;

/* Collective. Where there is no memory to be shared there are no mailboxes, which is no failure. */
tsnn_status tsnni_mpi_mailboxes_create(tsnn_mpi *mpi);
void tsnni_mpi_mailboxes_free(tsnn_mpi *mpi);

/* NULL: the numbers of that lane travel as messages. */
const tsnni_mpi_mailbox *tsnni_mpi_mailbox_of(const tsnn_mpi *mpi, int32_t lane);

/* Before telling of numbers in a mailbox, and after having been told. */
void tsnni_mpi_mailboxes_sync(tsnn_mpi *mpi);

/* ---- an epoch's steps ---- */

void tsnni_mpi_run_sync(tsnn_mpi *mpi);
void tsnni_mpi_run_local(tsnn_mpi *mpi);

/* The lanes of a rank: from this on, up to the next rank's. The server has one if it is a worker too. */
int32_t tsnni_mpi_first_lane(const tsnn_mpi *mpi, int rank);
int tsnni_mpi_rank_of_lane(const tsnn_mpi *mpi, int32_t lane);

/* The mini-batches of an exchange, numbered over all epochs, with the order of their samples in place. On shards they
 * are the rank's own, one after another, whatever the exchange is called. */
void tsnni_mpi_find_batches(tsnn_mpi *mpi, int64_t exchange, int64_t *first, int64_t *end);

/* WASAP's phase 1: rank 0 runs epochs and serves within them; the others work through all of it. */
tsnn_status tsnni_mpi_serve(tsnn_mpi *mpi, const tsnn_dataset *validation);
tsnn_status tsnni_mpi_work(tsnn_mpi *mpi);

/* The messages of WASAP: a head of one block, and numbers behind it; the tag is the lane. */
enum { TSNNI_MPI_GRADIENT = 1, TSNNI_MPI_FAILED = 2, TSNNI_MPI_WEIGHTS = 3, TSNNI_MPI_NETWORK = 4, TSNNI_MPI_END = 5 };

typedef struct tsnni_mpi_push { /* from a worker; FAILED: followed by a text of TSNNI_MPI_TEXT bytes */
    int32_t kind, status;
    int64_t generation, steps, samples, correct;
    double loss, norm, seconds; /* that it took */
} tsnni_mpi_push;

typedef struct tsnni_mpi_pull { /* from the server; NETWORK: it comes as a message of its own */
    int64_t kind, exchange, generation, bytes, spare[4];
} tsnni_mpi_pull;

#define TSNNI_MPI_TEXT 448
#define TSNNI_MPI_NETWORK_TAG 8192 /* + lane */
#define TSNNI_MPI_NOTICE_TAG 16384

/* What the server tells every worker besides answers. It is never silent for long, unless it has said that it PAUSES to
 * evolve or to call back; what comes next is AT_WORK again. LOST: a rank is, with the text. DONE: the phase is over. */
enum { TSNNI_MPI_AT_WORK = 1, TSNNI_MPI_PAUSES = 2, TSNNI_MPI_LOST = 3, TSNNI_MPI_DONE = 4 };

typedef struct tsnni_mpi_notice {
    int64_t kind;
    char text[TSNNI_MPI_TEXT + TSNNI_MPI_BLOCK - sizeof(int64_t)];
} tsnni_mpi_notice;

/* ---- notice.c ---- */

typedef struct tsnni_mpi_teller { /* the server's */
    tsnni_mpi_notice *notices;    /* one a rank */
    MPI_Request *sent;
    double told_at;
    int32_t pauses;
} tsnni_mpi_teller;

tsnn_status tsnni_mpi_teller_create(tsnn_mpi *mpi, tsnni_mpi_teller *teller);
void tsnni_mpi_teller_free(tsnn_mpi *mpi, tsnni_mpi_teller *teller);

/* Tells all workers: AT_WORK, PAUSES, DONE. */
tsnn_status tsnni_mpi_tell(tsnn_mpi *mpi, tsnni_mpi_teller *teller, int64_t kind);

/* AT_WORK, unless it was said a moment ago or is not so. */
tsnn_status tsnni_mpi_tell_on(tsnn_mpi *mpi, tsnni_mpi_teller *teller);

/* After communication failed: why, to whoever can hear it. */
void tsnni_mpi_tell_loss(tsnn_mpi *mpi, tsnni_mpi_teller *teller);

typedef struct tsnni_mpi_listener { /* a worker's */
    tsnni_mpi_notice *notice;
    MPI_Request coming;
    double heard_at, suspected_at; /* 0: it is not */
    int32_t pauses, done;
} tsnni_mpi_listener;

tsnn_status tsnni_mpi_listener_create(tsnn_mpi *mpi, tsnni_mpi_listener *listener);
void tsnni_mpi_listener_free(tsnn_mpi *mpi, tsnni_mpi_listener *listener);

/* Hears the notices that have come; COMMUNICATION: a rank is lost. */
tsnn_status tsnni_mpi_listen(tsnn_mpi *mpi, tsnni_mpi_listener *listener);

/* Until the requests are done, as long as the server lives; 0 requests: until it says that the phase is over. */
tsnn_status tsnni_mpi_listen_for(tsnn_mpi *mpi, tsnni_mpi_listener *listener, MPI_Request *requests, int count,
                                 const char *what);

#endif
