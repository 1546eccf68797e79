/* The context: memory, threads, instruction set, seed, last error; and reading options of any version. */
#include "context.h"

#include <string.h>

#include <tsnn/version.h>

#include "core/memory.h"
#include "core/parallel.h"

#define TSNNI_MAX_THREADS 1024
/* No options struct will ever be larger; a size beyond it is garbage that must not be walked over. */
#define TSNNI_MAX_STRUCT 4096

#define TSNNI_STRINGIFY_(x) #x
#define TSNNI_STRINGIFY(x) TSNNI_STRINGIFY_(x)

const char *tsnn_version_string(void)
{
    return TSNNI_STRINGIFY(TSNN_VERSION_MAJOR) "." TSNNI_STRINGIFY(TSNN_VERSION_MINOR) "." TSNNI_STRINGIFY(
        TSNN_VERSION_PATCH);
}

int32_t tsnn_version_number(void)
{
    return TSNN_VERSION_MAJOR * 10000 + TSNN_VERSION_MINOR * 100 + TSNN_VERSION_PATCH;
}

const char *tsnn_isa_string(int32_t isa)
{
    switch (isa) {
    case TSNN_ISA_AUTO:
        return "auto";
    case TSNN_ISA_REF:
        return "ref";
    case TSNN_ISA_AVX2:
        return "avx2";
    case TSNN_ISA_AVX512:
        return "avx512";
    case TSNN_ISA_NEON:
        return "neon";
    default:
        return "unknown";
    }
}

/* A size that some version may have given a struct: whole pointers, so that none is cut in two. */
static int32_t is_struct_size(uint32_t size)
{
    return size >= 2 * sizeof size && size <= TSNNI_MAX_STRUCT && size % sizeof(void *) == 0;
}

tsnn_status tsnni_options_read(tsnni_runtime *runtime, const void *options, void *out, size_t known_size,
                               const char *name)
{
    memset(out, 0, known_size);
    if (options == NULL)
        return TSNN_OK;
    uint32_t size;
    memcpy(&size, options, sizeof size);
    if (!is_struct_size(size))
        return tsnni_fail(runtime, TSNN_ERROR_STRUCT_SIZE, "%s: struct_size is %u; was it initialised?", name,
                          (unsigned)size);
    const unsigned char *bytes = options;
    for (size_t i = known_size; i < size; i++)
        if (bytes[i] != 0)
            return tsnni_fail(runtime, TSNN_ERROR_STRUCT_SIZE,
                              "%s: byte %u of %u is set, but this version knows only %u bytes", name, (unsigned)i,
                              (unsigned)size, (unsigned)known_size);
    memcpy(out, options, size < known_size ? size : known_size);
    return TSNN_OK;
}

tsnn_status tsnni_info_write(tsnni_runtime *runtime, void *info, const void *known, size_t known_size, const char *name)
{
    uint32_t size;
    memcpy(&size, info, sizeof size);
    if (!is_struct_size(size))
        return tsnni_fail(runtime, TSNN_ERROR_STRUCT_SIZE, "%s: struct_size is %u; was it initialised?", name,
                          (unsigned)size);
    size_t shared = size < known_size ? size : known_size;
    memcpy((unsigned char *)info + sizeof size, (const unsigned char *)known + sizeof size, shared - sizeof size);
    memset((unsigned char *)info + shared, 0, size - shared);
    return TSNN_OK;
}

tsnn_status tsnni_null_argument(tsnn_context *context, const char *name)
{
    return tsnni_fail(context != NULL ? &context->runtime : NULL, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", name);
}

tsnn_status tsnn_context_options_init(tsnn_context_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_context_options)TSNN_CONTEXT_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnn_context_create(const tsnn_context_options *options, tsnn_context **out)
{
    if (out == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *out = NULL;
    tsnn_context_options given;
    tsnn_status status = tsnni_options_read(NULL, options, &given, sizeof given, "tsnn_context_options");
    if (status < 0)
        return status;
    if (given.reserved != 0 || given.threads < 0 || given.threads > TSNNI_MAX_THREADS || given.isa < TSNN_ISA_AUTO ||
        given.isa > TSNN_ISA_NEON || (given.allocate == NULL) != (given.release == NULL))
        return TSNN_ERROR_INVALID_ARGUMENT;

    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    if (given.allocate != NULL) {
        runtime.huge_pages = 0;
        runtime.allocate = given.allocate;
        runtime.release = given.release;
        runtime.allocator_user = given.allocator_user;
    }
    runtime.log = given.log;
    runtime.log_user = given.log_user;
    runtime.threads = given.threads > 0 ? given.threads : tsnni_parallel_processors();

    const tsnni_kernels *kernels =
        given.isa == TSNN_ISA_AUTO ? tsnni_kernels_best() : tsnni_kernels_for((tsnni_isa)given.isa);
    if (kernels == NULL)
        return TSNN_ERROR_UNSUPPORTED;

    tsnn_context *context;
    status = TSNNI_NEW_ZERO(&runtime, 1, &context);
    if (status < 0)
        return status;
    context->runtime = runtime;
    context->kernels = kernels;
    context->caches = tsnni_caches_of_this_machine();
    context->seed = given.seed;
    *out = context;
    tsnni_log(&context->runtime, TSNN_LOG_INFO, "kernels: %s, %d threads", kernels->name, (int)runtime.threads);
    return TSNN_OK;
}

void tsnn_context_destroy(tsnn_context **context)
{
    if (context == NULL || *context == NULL)
        return;
    tsnni_runtime runtime = (*context)->runtime;
    tsnni_release(&runtime, *context);
    *context = NULL;
}

tsnn_status tsnn_context_error(const tsnn_context *context, char *buffer, int64_t capacity, tsnn_status *code)
{
    if (context == NULL || (buffer == NULL && capacity > 0))
        return TSNN_ERROR_NULL_ARGUMENT;
    if (capacity < 0)
        return TSNN_ERROR_INVALID_ARGUMENT;
    if (code != NULL)
        *code = context->runtime.error;
    if (capacity > 0) {
        size_t length = strlen(context->runtime.error_text);
        if ((int64_t)length >= capacity)
            length = (size_t)capacity - 1;
        memcpy(buffer, context->runtime.error_text, length);
        buffer[length] = '\0';
    }
    return TSNN_OK;
}

tsnn_status tsnn_context_get_info(const tsnn_context *context, tsnn_context_info *info)
{
    if (context == NULL || info == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_context_info known = TSNN_CONTEXT_INFO_INIT;
    known.threads = context->runtime.threads;
    known.isa = (int32_t)context->kernels->isa;
    known.seed = context->seed;
    return tsnni_info_write(NULL, info, &known, sizeof known, "tsnn_context_info");
}

tsnn_status tsnn_context_set_threads(tsnn_context *context, int32_t threads)
{
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (threads < 0 || threads > TSNNI_MAX_THREADS)
        return tsnni_fail(&context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "threads is %d; it must be 0..%d",
                          (int)threads, TSNNI_MAX_THREADS);
    context->runtime.threads = threads > 0 ? threads : tsnni_parallel_processors();
    return TSNN_OK;
}
