/* The text of every status. */
#include <tsnn/status.h>

const char *tsnn_status_string(tsnn_status status)
{
    switch (status) {
    case TSNN_OK:
        return "success";
    case TSNN_STOPPED:
        return "stopped by a callback";
    case TSNN_ERROR_OUT_OF_MEMORY:
        return "out of memory";
    case TSNN_ERROR_OVERFLOW:
        return "a size is too large";
    case TSNN_ERROR_NULL_ARGUMENT:
        return "a required pointer is NULL";
    case TSNN_ERROR_INVALID_ARGUMENT:
        return "invalid argument";
    case TSNN_ERROR_STRUCT_SIZE:
        return "options struct of an unknown size";
    case TSNN_ERROR_BUFFER_TOO_SMALL:
        return "buffer too small";
    case TSNN_ERROR_SHAPE:
        return "sizes do not fit together";
    case TSNN_ERROR_STRUCTURE:
        return "invalid sparse structure";
    case TSNN_ERROR_NOT_FINITE:
        return "a number is NaN or infinite";
    case TSNN_ERROR_LABEL:
        return "class label out of range";
    case TSNN_ERROR_STATE:
        return "the object is not in a state for this call";
    case TSNN_ERROR_UNSUPPORTED:
        return "not supported on this machine or in this build";
    case TSNN_ERROR_CALLBACK:
        return "a callback reported a failure";
    case TSNN_ERROR_IO:
        return "a file cannot be read or written";
    case TSNN_ERROR_FORMAT:
        return "not a valid file of its format";
    case TSNN_ERROR_COMMUNICATION:
        return "another process does not answer";
    default:
        return "unknown status";
    }
}
