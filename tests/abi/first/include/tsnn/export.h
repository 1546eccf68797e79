/**
 * @file export.h
 * @brief Linkage of the public functions: C names, default visibility.
 */
#ifndef TSNN_EXPORT_H
#define TSNN_EXPORT_H

#ifdef __cplusplus
#define TSNN_BEGIN_DECLS extern "C" {
#define TSNN_END_DECLS }
#else
#define TSNN_BEGIN_DECLS
#define TSNN_END_DECLS
#endif

#if defined(__GNUC__) || defined(__clang__)
#define TSNN_API __attribute__((visibility("default")))
#else
#define TSNN_API
#endif

#endif
