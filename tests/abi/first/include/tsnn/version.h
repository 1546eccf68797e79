/**
 * @file version.h
 * @brief The version of the headers and of the library that is linked.
 */
#ifndef TSNN_VERSION_H
#define TSNN_VERSION_H

#include <stdint.h>

#include <tsnn/export.h>

#define TSNN_VERSION_MAJOR 0 /**< The major number of these headers. */
#define TSNN_VERSION_MINOR 1 /**< The minor number of these headers. */
#define TSNN_VERSION_PATCH 0 /**< The patch number of these headers. */

TSNN_BEGIN_DECLS

/** @brief Version of the linked library as "major.minor.patch". @return a static string */
TSNN_API const char *tsnn_version_string(void);

/** @brief Version of the linked library as major * 10000 + minor * 100 + patch. */
TSNN_API int32_t tsnn_version_number(void);

TSNN_END_DECLS

#endif
