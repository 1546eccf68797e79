/** A failed call as an exception. */
#ifndef SPARSE_NN_ERROR_HPP
#define SPARSE_NN_ERROR_HPP

#include <stdexcept>
#include <string>

#include <tsnn.h>

namespace sparse_nn
{

/** A call of the library failed; objects are as they were before it, but for what the library's headers except. */
class Error : public std::runtime_error
{
  public:
    Error(tsnn_status status, const std::string &message) : std::runtime_error(message), status_(status)
    {
    }

    /** TSNN_ERROR_*; what() is the library's message with the numbers in it. */
    tsnn_status status() const noexcept
    {
        return status_;
    }

  private:
    tsnn_status status_;
};

namespace detail
{

/** For calls without a context to ask. */
inline void check(tsnn_status status)
{
    if (status < 0)
        throw Error(status, tsnn_status_string(status));
}

} // namespace detail
} // namespace sparse_nn

#endif
