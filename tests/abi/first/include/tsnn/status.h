/**
 * @file status.h
 * @brief The result of every call: zero for success, negative for an error, positive for information.
 *
 * The values are fixed for good; new ones are added inside the gaps of a family.
 */
#ifndef TSNN_STATUS_H
#define TSNN_STATUS_H

#include <stdint.h>

#include <tsnn/export.h>

TSNN_BEGIN_DECLS

/** What a call returns. `status < 0` is the test for failure. */
typedef int32_t tsnn_status;

enum {
    TSNN_OK = 0,      /**< The call did what it says. */
    TSNN_STOPPED = 1, /**< A callback asked to stop; what was learned until then is kept. */

    /* resources */
    TSNN_ERROR_OUT_OF_MEMORY = -10, /**< The allocator returned NULL. */
    TSNN_ERROR_OVERFLOW = -11,      /**< A size does not fit the type that counts it. */

    /* arguments */
    TSNN_ERROR_NULL_ARGUMENT = -20,    /**< A pointer that must not be NULL is. */
    TSNN_ERROR_INVALID_ARGUMENT = -21, /**< A value outside its range, or an unknown choice. */
    TSNN_ERROR_STRUCT_SIZE = -22,      /**< An options struct of a size that this version cannot read. */
    TSNN_ERROR_BUFFER_TOO_SMALL = -23, /**< The caller's buffer cannot hold the answer. */

    /* shapes and sparse structure */
    TSNN_ERROR_SHAPE = -40,     /**< Two objects whose sizes do not fit together. */
    TSNN_ERROR_STRUCTURE = -41, /**< Row pointers or indices that are no valid sparse matrix. */

    /* numbers */
    TSNN_ERROR_NOT_FINITE = -60, /**< A NaN or an infinity where a number is needed. */
    TSNN_ERROR_LABEL = -61,      /**< A class label outside [0, classes). */

    /* state */
    TSNN_ERROR_STATE = -80,       /**< The object is not in a state in which the call makes sense. */
    TSNN_ERROR_UNSUPPORTED = -81, /**< Valid, but not on this machine or in this build. */
    TSNN_ERROR_CALLBACK = -90     /**< A caller's function reported a failure. */
};

/**
 * @brief A short English description of a status.
 * @param status any value, known or not
 * @return a static string, never NULL; unknown values give "unknown status"
 * @note Safe from any thread. The detail of the last failure is in the context: tsnn_context_error().
 */
TSNN_API const char *tsnn_status_string(tsnn_status status);

TSNN_END_DECLS

#endif
