/* Default services, error text and log lines. */
#include "core/runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *default_allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void default_release(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

void tsnni_runtime_init(tsnni_runtime *runtime)
{
    memset(runtime, 0, sizeof *runtime);
    runtime->huge_pages = 1;
    runtime->allocate = default_allocate;
    runtime->release = default_release;
    runtime->threads = 1;
}

tsnn_status tsnni_fail(tsnni_runtime *runtime, tsnn_status code, const char *format, ...)
{
    if (runtime == NULL)
        return code;
    /* Formatted aside: an argument may be the old text. */
    char text[sizeof runtime->error_text];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    memcpy(runtime->error_text, text, sizeof text);
    runtime->error = code;
    return code;
}

tsnn_status tsnni_fail_at(tsnni_runtime *runtime, tsnn_status code, const char *format, ...)
{
    if (runtime == NULL)
        return code;
    char place[sizeof runtime->error_text];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    return length < 0 ? code : tsnni_fail(runtime, code, "%s: %s", place, runtime->error_text);
}

void tsnni_log(tsnni_runtime *runtime, int32_t level, const char *format, ...)
{
    if (runtime == NULL || runtime->log == NULL)
        return;
    char text[sizeof runtime->error_text];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 0)
        runtime->log(runtime->log_user, level, text);
}
