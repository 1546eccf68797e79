/* Memory that ranks of one machine share. In WASAP a worker shares its gradients' and weights' numbers with the server,
 * so that only heads travel as messages: one of half a megabyte wants both sides to look after it, and a worker that
 * computes does not. In WASSP, where all are on one machine, each shares its gradient and takes the sums of others. */
#include <string.h>

#include "core/memory.h"
#include "mpi/ranks.h"
#include "transfer.h"

struct tsnni_mpi_mailboxes {
    MPI_Comm node; /* the ranks of this machine */
    MPI_Win window;
    tsnni_mpi_mailbox *boxes; /* one a lane of all ranks */
};

/* Bytes of one of its two arrays, in whole blocks; and of all that a lane has, with the block for `meetings`. */
static int64_t array_bytes(const tsnn_mpi *mpi)
{
    return tsnni_mpi_room(tsnni_transfer_size(mpi->parallel->options.network) * (int64_t)sizeof(float));
}

static int64_t box_bytes(const tsnn_mpi *mpi)
{
    return 2 * array_bytes(mpi) + TSNNI_MPI_BLOCK;
}

static void place(tsnn_mpi *mpi, int rank, char *memory)
{
    for (int32_t n = 0; n < mpi->lanes; n++) {
        tsnni_mpi_mailbox *box = &mpi->mailboxes->boxes[tsnni_mpi_first_lane(mpi, rank) + n];
        char *own = memory + n * box_bytes(mpi);
        box->meetings = (atomic_int_fast64_t *)(void *)own;
        box->gradient = (float *)(void *)(own + TSNNI_MPI_BLOCK);
        box->weights = (float *)(void *)(own + TSNNI_MPI_BLOCK + array_bytes(mpi));
    }
}

/* The ranks of this machine, and whether memory shared with them is of use: with the server, or by all ranks. */
static tsnn_status find_node(tsnn_mpi *mpi, int *useful)
{
    MPI_Group all, here;
    static const int server = 0;
    int ranks = 0, place_of_server = MPI_UNDEFINED;
    tsnn_status status;
    TSNNI_TRY(tsnni_mpi_result(
        mpi, MPI_Comm_split_type(mpi->comm, MPI_COMM_TYPE_SHARED, mpi->rank, MPI_INFO_NULL, &mpi->mailboxes->node),
        "finding the ranks of a machine"));
    MPI_Comm_size(mpi->mailboxes->node, &ranks);
    MPI_Comm_group(mpi->comm, &all);
    MPI_Comm_group(mpi->mailboxes->node, &here);
    MPI_Group_translate_ranks(all, 1, &server, here, &place_of_server);
    MPI_Group_free(&all);
    MPI_Group_free(&here);
    *useful = mpi->served ? ranks > 1 && place_of_server != MPI_UNDEFINED : ranks == mpi->ranks;
    return TSNN_OK;
fail:
    return status;
}

/* The server finds the memory of each worker of its machine; a worker of WASAP needs its own, one of WASSP all. */
static tsnn_status find_boxes(tsnn_mpi *mpi, char *own)
{
    MPI_Group all, here;
    MPI_Aint size;
    int unit;
    if (mpi->served && mpi->rank != 0) {
        place(mpi, mpi->rank, own);
        return TSNN_OK;
    }
    MPI_Comm_group(mpi->comm, &all);
    MPI_Comm_group(mpi->mailboxes->node, &here);
    int code = MPI_SUCCESS;
    for (int r = mpi->served; r < mpi->ranks && code == MPI_SUCCESS; r++) {
        char *memory = NULL;
        int place_here = MPI_UNDEFINED;
        MPI_Group_translate_ranks(all, 1, &r, here, &place_here);
        if (place_here == MPI_UNDEFINED)
            continue;
        code = MPI_Win_shared_query(mpi->mailboxes->window, place_here, &size, &unit, &memory);
        if (code == MPI_SUCCESS)
            place(mpi, r, memory);
    }
    MPI_Group_free(&all);
    MPI_Group_free(&here);
    return tsnni_mpi_result(mpi, code, "finding shared memory");
}

static tsnn_status make_window(tsnn_mpi *mpi)
{
    int32_t none = mpi->served && mpi->rank == 0;
    MPI_Aint bytes = none ? 0 : (MPI_Aint)(mpi->lanes * box_bytes(mpi));
    MPI_Info info = MPI_INFO_NULL;
    char *own = NULL;
    tsnn_status status;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", "true");
    int code = MPI_Win_allocate_shared(bytes, 1, info, mpi->mailboxes->node, &own, &mpi->mailboxes->window);
    MPI_Info_free(&info);
    TSNNI_TRY(tsnni_mpi_result(mpi, code, "shared memory"));
    TSNNI_TRY(tsnni_mpi_result(mpi, MPI_Win_lock_all(MPI_MODE_NOCHECK, mpi->mailboxes->window), "shared memory"));
    if (!none)
        memset(own, 0, (size_t)bytes);
    return find_boxes(mpi, own);
fail:
    return status;
}

static void forget(tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    if (mpi->mailboxes == NULL)
        return;
    tsnni_release(runtime, mpi->mailboxes->boxes);
    tsnni_release(runtime, mpi->mailboxes);
    mpi->mailboxes = NULL;
}

/* Where one rank gets no memory to share, all send messages: an MPI that refuses it is no reason to fail. */
static tsnn_status share_memory(tsnn_mpi *mpi)
{
    int useful = 0;
    tsnn_status status;
    TSNNI_TRY(find_node(mpi, &useful));
    mpi->own_words[0] = useful ? make_window(mpi) >= 0 : mpi->served;
    mpi->broken = 0;
    TSNNI_TRY(tsnni_mpi_least(mpi, mpi->own_words, mpi->all_words, 1, tsnni_mpi_pause_limit(mpi)));
    if (!mpi->all_words[0])
        forget(mpi); /* the window stays: freeing it wants all ranks */
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_mpi_mailboxes_create(tsnn_mpi *mpi)
{
    tsnni_runtime *runtime = &mpi->context->runtime;
    if (mpi->options.transport == TSNN_MPI_MESSAGES || mpi->ranks == 1)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW_ZERO(runtime, 1, &mpi->mailboxes);
    if (status >= 0) {
        mpi->mailboxes->node = MPI_COMM_NULL;
        mpi->mailboxes->window = MPI_WIN_NULL;
        status = TSNNI_NEW_ZERO(runtime, mpi->all_lanes, &mpi->mailboxes->boxes);
    }
    TSNNI_TRY(tsnni_mpi_agree(mpi, status, tsnni_mpi_pause_limit(mpi)));
    return share_memory(mpi);
fail:
    return status;
}

void tsnni_mpi_mailboxes_free(tsnn_mpi *mpi)
{
    if (mpi->mailboxes == NULL)
        return;
    if (!mpi->broken && mpi->mailboxes->window != MPI_WIN_NULL) {
        MPI_Win_unlock_all(mpi->mailboxes->window);
        MPI_Win_free(&mpi->mailboxes->window);
    }
    if (!mpi->broken && mpi->mailboxes->node != MPI_COMM_NULL)
        MPI_Comm_free(&mpi->mailboxes->node);
    forget(mpi);
}

const tsnni_mpi_mailbox *tsnni_mpi_mailbox_of(const tsnn_mpi *mpi, int32_t lane)
{
    const tsnni_mpi_mailbox *box = mpi->mailboxes != NULL ? &mpi->mailboxes->boxes[lane] : NULL;
    return box != NULL && box->gradient != NULL ? box : NULL;
}

void tsnni_mpi_mailboxes_sync(tsnn_mpi *mpi)
{
    MPI_Win_sync(mpi->mailboxes->window);
}
