/* MPI's functions as the library calls them, counted on their way. MPI gives each a second name for this, PMPI_, which
 * the tests themselves use. */
#include "ranks.h"

/* Of what WASAP's server says besides answers, as often as time passes. */
#define NOTICE_TAG 16384

tsnni_wire tsnni_wire_counts;
int64_t tsnni_wire_refuses;
uintptr_t tsnni_wire_stack;

static int64_t bytes_of(int count, MPI_Datatype type)
{
    int size;
    PMPI_Type_size(type, &size);
    return (int64_t)count * size;
}

static int64_t active_of(int count, const MPI_Request *requests)
{
    int64_t active = 0;
    for (int n = 0; n < count; n++)
        active += requests[n] != MPI_REQUEST_NULL;
    return active;
}

/* The stack grows downwards: between a caller's frame and this one lies what is gone when the library has returned. */
static void check_place(const void *data)
{
    char here;
    uintptr_t at = (uintptr_t)data;
    if (at > (uintptr_t)&here && at < tsnni_wire_stack)
        tsnni_wire_counts.on_stack++;
}

/* ---- messages ---- */

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)
{
    tsnni_wire_counts.sends++;
    check_place(data);
    if (tsnni_wire_counts.sends == tsnni_wire_refuses)
        return MPI_ERR_OTHER;
    tsnni_wire_counts.pending++;
    if (tag == NOTICE_TAG)
        tsnni_wire_counts.notice_bytes += bytes_of(count, type);
    else
        tsnni_wire_counts.bytes += bytes_of(count, type);
    return PMPI_Isend(data, count, type, to, tag, comm, request);
}

int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request)
{
    tsnni_wire_counts.receives++;
    check_place(data);
    tsnni_wire_counts.pending++;
    return PMPI_Irecv(data, count, type, from, tag, comm, request);
}

int MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request)
{
    int rank;
    PMPI_Comm_rank(comm, &rank);
    check_place(data);
    tsnni_wire_counts.pending++;
    tsnni_wire_counts.meeting_bytes += rank == root ? bytes_of(count, type) : 0;
    return PMPI_Ibcast(data, count, type, root, comm, request);
}

int MPI_Iallreduce(const void *own, void *all, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm,
                   MPI_Request *request)
{
    check_place(own);
    check_place(all);
    tsnni_wire_counts.pending++;
    tsnni_wire_counts.meeting_bytes += bytes_of(count, type);
    return PMPI_Iallreduce(own, all, count, type, operation, comm, request);
}

int MPI_Iallgather(const void *own, int count, MPI_Datatype type, void *all, int count_all, MPI_Datatype type_all,
                   MPI_Comm comm, MPI_Request *request)
{
    check_place(own);
    check_place(all);
    tsnni_wire_counts.pending++;
    tsnni_wire_counts.meeting_bytes += bytes_of(count, type);
    return PMPI_Iallgather(own, count, type, all, count_all, type_all, comm, request);
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    tsnni_wire_counts.pending++;
    return PMPI_Ibarrier(comm, request);
}

/* ---- their end ---- */

int MPI_Testall(int count, MPI_Request requests[], int *done, MPI_Status statuses[])
{
    int64_t before = active_of(count, requests);
    int code = PMPI_Testall(count, requests, done, statuses);
    tsnni_wire_counts.pending -= before - active_of(count, requests);
    return code;
}

int MPI_Testany(int count, MPI_Request requests[], int *index, int *done, MPI_Status *status)
{
    int64_t before = active_of(count, requests);
    int code = PMPI_Testany(count, requests, index, done, status);
    tsnni_wire_counts.pending -= before - active_of(count, requests);
    return code;
}

int MPI_Testsome(int count, MPI_Request requests[], int *done, int indices[], MPI_Status statuses[])
{
    int64_t before = active_of(count, requests);
    int code = PMPI_Testsome(count, requests, done, indices, statuses);
    tsnni_wire_counts.pending -= before - active_of(count, requests);
    return code;
}

int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    int64_t before = active_of(1, request);
    int code = PMPI_Test(request, done, status);
    tsnni_wire_counts.pending -= before - active_of(1, request);
    return code;
}

/* ---- objects ---- */

int MPI_Comm_idup(MPI_Comm comm, MPI_Comm *out, MPI_Request *request)
{
    tsnni_wire_counts.communicators++;
    tsnni_wire_counts.pending++;
    return PMPI_Comm_idup(comm, out, request);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *out)
{
    tsnni_wire_counts.communicators++;
    return PMPI_Comm_split_type(comm, type, key, info, out);
}

int MPI_Comm_free(MPI_Comm *comm)
{
    tsnni_wire_counts.communicators--;
    return PMPI_Comm_free(comm);
}

int MPI_Type_contiguous(int count, MPI_Datatype old, MPI_Datatype *out)
{
    tsnni_wire_counts.types++;
    return PMPI_Type_contiguous(count, old, out);
}

int MPI_Type_free(MPI_Datatype *type)
{
    tsnni_wire_counts.types--;
    return PMPI_Type_free(type);
}
