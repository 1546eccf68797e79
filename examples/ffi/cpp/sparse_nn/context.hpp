/** The context: memory, threads, instruction set, seed and log of the objects made with it. */
#ifndef SPARSE_NN_CONTEXT_HPP
#define SPARSE_NN_CONTEXT_HPP

#include "object.hpp"

namespace sparse_nn
{

/** Instruction sets of the kernels. */
enum class Isa : std::int32_t {
    automatic = TSNN_ISA_AUTO,
    ref = TSNN_ISA_REF,
    avx2 = TSNN_ISA_AVX2,
    avx512 = TSNN_ISA_AVX512,
    neon = TSNN_ISA_NEON,
};

using ContextInfo = tsnn_context_info;

/** As tsnn_context_options. */
struct ContextOptions {
    std::uint64_t seed = 0;
    std::int32_t threads = 0;
    Isa isa = Isa::automatic;
    std::function<void *(std::size_t)> allocate{}; /**< NULL, or throwing, is TSNN_ERROR_OUT_OF_MEMORY. */
    std::function<void(void *)> release{};         /**< Must not throw. */
    std::function<void(LogLevel, std::string_view)> log{};
};

/**
 * Thread rule: a context and the objects made with it are used by one thread at a time; there is no lock in here. The
 * exception is Predictor. Objects keep their context alive, so it may go before them.
 */
class Context
{
  public:
    explicit Context(ContextOptions options = {}) : core_(std::make_shared<detail::Core>())
    {
        core_->allocate = std::move(options.allocate);
        core_->release = std::move(options.release);
        core_->log = std::move(options.log);
        tsnn_context_options given = TSNN_CONTEXT_OPTIONS_INIT;
        given.threads = options.threads;
        given.isa = detail::number(options.isa);
        given.seed = options.seed;
        given.allocate = core_->allocate ? allocate : nullptr;
        given.release = core_->release ? release : nullptr;
        given.log = core_->log ? log : nullptr;
        given.allocator_user = given.log_user = core_.get();
        const detail::Call scope;
        const tsnn_status status = tsnn_context_create(&given, &core_->pointer);
        scope.throw_again();
        detail::check(status);
    }

    /** The library's context; NULL after a move. */
    tsnn_context *get() const noexcept
    {
        return core_ ? core_->pointer : nullptr;
    }

    const std::shared_ptr<detail::Core> &core() const
    {
        if (!core_)
            throw Error(TSNN_ERROR_STATE, "a context that was moved from");
        return core_;
    }

    Context(Context &&) noexcept = default;
    Context &operator=(Context &&) noexcept = default;

    ContextInfo info() const
    {
        ContextInfo info = TSNN_CONTEXT_INFO_INIT;
        detail::call(*core(), tsnn_context_get_info, get(), &info);
        return info;
    }

    /** 0: the processors of this process. Results do not depend on it. */
    void set_threads(std::int32_t threads)
    {
        detail::call(*core(), tsnn_context_set_threads, get(), threads);
    }

  private:
    static void *allocate(void *user, std::size_t size) noexcept
    {
        try {
            return static_cast<detail::Core *>(user)->allocate(size);
        } catch (...) {
            return nullptr;
        }
    }

    static void release(void *user, void *pointer) noexcept
    {
        static_cast<detail::Core *>(user)->release(pointer);
    }

    static void log(void *user, std::int32_t level, const char *text) noexcept
    {
        try {
            static_cast<detail::Core *>(user)->log(static_cast<LogLevel>(level), text);
        } catch (...) {
            detail::Thrown::here().keep();
        }
    }

    std::shared_ptr<detail::Core> core_;
};

} // namespace sparse_nn

#endif
