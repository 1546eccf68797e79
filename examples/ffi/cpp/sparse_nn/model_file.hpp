/** How networks and trainers go to files and memory blocks. */
#ifndef SPARSE_NN_MODEL_FILE_HPP
#define SPARSE_NN_MODEL_FILE_HPP

#include <cstddef>
#include <filesystem>
#include <string>

#include "activation.hpp"

namespace sparse_nn
{

/** As tsnn_save_options. */
struct SaveOptions {
    bool momentum = false;
    std::vector<std::pair<std::string, std::string>> metadata{}; /**< Texts of the caller's own, with their keys. */
};

/** As tsnn_load_options. */
struct LoadOptions {
    std::int64_t max_bytes = 0;
    const Activation *custom = nullptr; /**< Stands for a function of the caller's own that was saved by name only. */
};

namespace detail
{

/** SaveOptions as the library reads them, for one call. */
class SaveGiven
{
  public:
    explicit SaveGiven(const SaveOptions &options)
    {
        for (const auto &[key, value] : options.metadata) {
            texts_.push_back(key.c_str());
            texts_.push_back(value.c_str());
        }
        given_.momentum = options.momentum ? 1 : 0;
        given_.metadata = texts_.data();
        given_.metadata_count = length(options.metadata);
    }
    SaveGiven(const SaveGiven &) = delete;
    SaveGiven &operator=(const SaveGiven &) = delete;

    const tsnn_save_options *get() const noexcept
    {
        return &given_;
    }

  private:
    std::vector<const char *> texts_;
    tsnn_save_options given_ = TSNN_SAVE_OPTIONS_INIT;
};

inline tsnn_load_options load_given(const LoadOptions &options)
{
    tsnn_load_options given = TSNN_LOAD_OPTIONS_INIT;
    given.max_bytes = options.max_bytes;
    given.custom = options.custom == nullptr ? nullptr : options.custom->get();
    return given;
}

/** What a function like tsnn_network_save_memory() writes. */
template <class T>
std::vector<std::byte> saved_bytes(const Core &core,
                                   tsnn_status (*save)(const T *, const tsnn_save_options *, void *, std::int64_t,
                                                       std::int64_t *),
                                   const T *object, const SaveOptions &options)
{
    const SaveGiven given(options);
    std::int64_t size = 0;
    call(core, save, object, given.get(), static_cast<void *>(nullptr), std::int64_t{0}, &size);
    std::vector<std::byte> bytes(size_of(size));
    call(core, save, object, given.get(), static_cast<void *>(bytes.data()), size, &size);
    return bytes;
}

} // namespace detail

/** A text of a model file: one of the caller's own, or "tsnn.library". */
inline std::string model_metadata(const Context &context, const std::filesystem::path &path, const std::string &key)
{
    std::int64_t size = 0;
    detail::call(*context.core(), tsnn_model_get_metadata, context.get(), path.c_str(), key.c_str(),
                 static_cast<char *>(nullptr), std::int64_t{0}, &size);
    std::string text(detail::size_of(size), '\0');
    detail::call(*context.core(), tsnn_model_get_metadata, context.get(), path.c_str(), key.c_str(), text.data(), size,
                 &size);
    text.pop_back(); // the closing zero byte
    return text;
}

} // namespace sparse_nn

#endif
