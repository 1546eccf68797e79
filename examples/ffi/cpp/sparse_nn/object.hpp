/** What all objects share: who owns them, how they call the library, and what becomes of a callback's exception. */
#ifndef SPARSE_NN_OBJECT_HPP
#define SPARSE_NN_OBJECT_HPP

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "view.hpp"

namespace sparse_nn
{

/** Levels of log lines. */
enum class LogLevel : std::int32_t {
    warning = TSNN_LOG_WARNING,
    info = TSNN_LOG_INFO,
    debug = TSNN_LOG_DEBUG,
};

namespace detail
{

/** What a callback has thrown on this thread. It cannot cross the library's frames: it waits here until the call in
 * which it was thrown has returned. */
struct Thrown {
    std::exception_ptr exception;
    int calls = 0; /**< That run now, one inside a callback of the other. */

    static Thrown &here() noexcept
    {
        thread_local Thrown thrown;
        return thrown;
    }

    /** Keeps the exception that is being handled. @return whether there is a call that will throw it again */
    bool keep() noexcept
    {
        if (calls > 0 && !exception)
            exception = std::current_exception();
        return calls > 0;
    }
};

/** One call of the library. */
class Call
{
  public:
    Call() noexcept
    {
        Thrown::here().calls++;
    }
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;
    ~Call()
    {
        Thrown::here().calls--;
    }

    void throw_again() const
    {
        if (Thrown::here().exception)
            std::rethrow_exception(std::exchange(Thrown::here().exception, nullptr));
    }
};

/** A context, and the functions that it was given. */
struct Core {
    tsnn_context *pointer = nullptr;
    std::function<void *(std::size_t)> allocate;
    std::function<void(void *)> release;
    std::function<void(LogLevel, std::string_view)> log;

    Core() = default;
    Core(const Core &) = delete;
    Core &operator=(const Core &) = delete;
    ~Core()
    {
        tsnn_context_destroy(&pointer);
    }
};

[[noreturn]] inline void fail(const Core &core, tsnn_status status)
{
    std::array<char, 1024> text{};
    tsnn_status code = TSNN_OK;
    tsnn_context_error(core.pointer, text.data(), length(text), &code);
    throw Error(status, code == status && text[0] != '\0' ? text.data() : tsnn_status_string(status));
}

/** Calls a function of the library: throws what a callback threw, or the error; else returns the status. */
template <class... Parameters, class... Arguments>
tsnn_status call(const Core &core, tsnn_status (*function)(Parameters...), Arguments... arguments)
{
    const Call scope;
    const tsnn_status status = function(arguments...);
    scope.throw_again();
    if (status < 0)
        fail(core, status);
    return status;
}

struct Custom;

/** An object of the library with what it must not outlive: its context, and what it was made with. */
template <class T, void (*destroy)(T **)> struct Box {
    std::shared_ptr<Core> core;
    std::vector<std::shared_ptr<Custom>> functions;       /**< Custom activations that it calls. */
    std::vector<std::shared_ptr<const void>> ingredients; /**< Other objects that it uses. */
    T *pointer = nullptr;

    explicit Box(std::shared_ptr<Core> owner) noexcept : core(std::move(owner))
    {
    }
    Box(const Box &) = delete;
    Box &operator=(const Box &) = delete;
    ~Box()
    {
        destroy(&pointer);
    }
};

} // namespace detail

/**
 * Base of all objects. They can be moved, not copied, and go in any order: each keeps alive what it was made with.
 * Using one that was moved from throws an Error with TSNN_ERROR_STATE or TSNN_ERROR_NULL_ARGUMENT.
 */
template <class T, void (*destroy)(T **)> class Object
{
  public:
    Object(Object &&) noexcept = default;
    Object &operator=(Object &&) noexcept = default;

    /** The library's object, for calls that this wrapper lacks; NULL after a move. */
    T *get() const noexcept
    {
        return box_ ? box_->pointer : nullptr;
    }

    explicit operator bool() const noexcept
    {
        return get() != nullptr;
    }

    /** Keeps the object alive, whatever becomes of this one. */
    std::shared_ptr<const void> keep() const noexcept
    {
        return box_;
    }

    /** The context that it was made with. */
    const std::shared_ptr<detail::Core> &core() const
    {
        return box().core;
    }

  protected:
    ~Object() = default;

    explicit Object(std::shared_ptr<detail::Core> core)
        : box_(std::make_shared<detail::Box<T, destroy>>(std::move(core)))
    {
    }

    detail::Box<T, destroy> &box() const
    {
        if (!box_)
            throw Error(TSNN_ERROR_STATE, "an object that was moved from");
        return *box_;
    }

    template <class... Parameters, class... Arguments>
    tsnn_status call(tsnn_status (*function)(Parameters...), Arguments... arguments) const
    {
        return detail::call(*core(), function, arguments...);
    }

    /** Calls a function that creates: what it makes has its owner before anything can be thrown. */
    template <class... Parameters, class... Arguments>
    void create(tsnn_status (*function)(Parameters...), Arguments... arguments)
    {
        call(function, arguments..., &box().pointer);
    }

  private:
    std::shared_ptr<detail::Box<T, destroy>> box_;
};

} // namespace sparse_nn

#endif
