/** Arrays of the caller: pointer and size. */
#ifndef SPARSE_NN_VIEW_HPP
#define SPARSE_NN_VIEW_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <type_traits>

#include "error.hpp"

namespace sparse_nn
{

/** Numbers that lie in a row somewhere: a std::vector, std::array, std::span, C array. Copies nothing, owns nothing. */
template <class T> class View
{
    template <class Range> using Element = std::remove_reference_t<decltype(*std::data(std::declval<Range &>()))>;

  public:
    constexpr View() noexcept = default;

    constexpr View(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }

    template <class Range, class = std::enable_if_t<!std::is_same_v<std::decay_t<Range>, View> &&
                                                    std::is_convertible_v<Element<Range> (*)[], T (*)[]>>>
    constexpr View(Range &&range) noexcept : data_(std::data(range)), size_(std::size(range))
    {
    }

    constexpr T *data() const noexcept
    {
        return data_;
    }

    constexpr std::size_t size() const noexcept
    {
        return size_;
    }

    constexpr bool empty() const noexcept
    {
        return size_ == 0;
    }

    constexpr T *begin() const noexcept
    {
        return data_;
    }

    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }

    constexpr T &operator[](std::size_t index) const noexcept
    {
        return data_[index];
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail
{

/** A size as the library counts. */
template <class Range> std::int64_t length(const Range &range) noexcept
{
    return static_cast<std::int64_t>(std::size(range));
}

/** A size as C++ counts. */
inline std::size_t size_of(std::int64_t count) noexcept
{
    return static_cast<std::size_t>(count);
}

/** Where an array that may be left out lies; NULL where it was. */
template <class T> T *given(View<T> array) noexcept
{
    return array.empty() ? nullptr : array.data();
}

/** The number behind a choice. */
template <class Choice> std::int32_t number(Choice choice) noexcept
{
    return static_cast<std::int32_t>(choice);
}

[[noreturn]] inline void fail_shape(const char *name, std::int64_t have, const std::string &wanted)
{
    throw Error(TSNN_ERROR_SHAPE,
                std::string(name) + ": " + std::to_string(have) + " numbers, which are not " + wanted);
}

/** How many rows of `columns` numbers an array is. */
template <class T> std::int64_t rows_of(const char *name, View<T> array, std::int64_t columns)
{
    if (columns < 1 || length(array) % columns != 0)
        fail_shape(name, length(array), "rows of " + std::to_string(columns));
    return length(array) / columns;
}

/** An array that the library takes without asking for its length. */
template <class T> void check_length(const char *name, View<T> array, std::int64_t wanted)
{
    if (length(array) != wanted)
        fail_shape(name, length(array), std::to_string(wanted));
}

} // namespace detail
} // namespace sparse_nn

#endif
