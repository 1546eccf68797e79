/* Messages for people: errors, warnings, numbers and times as text. */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const char *kind, const char *format, va_list arguments)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s", text_program, kind);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

bool complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
    return false;
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("warning: ", format, arguments);
    va_end(arguments);
}

struct text grouped(int64_t number)
{
    struct text out = {""};
    char digits[24];
    size_t written = 0;
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRId64, number);
    for (size_t i = 0; i < length; i++) {
        size_t left = length - i;
        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-')
            out.text[written++] = ',';
        out.text[written++] = digits[i];
    }
    return out;
}

struct text duration(double seconds)
{
    struct text out;
    int64_t all = seconds > 0 && seconds < 1e12 ? (int64_t)(seconds + 0.5) : 0;
    int64_t hours = all / 3600;
    int minutes = (int)(all / 60 % 60);
    int rest = (int)(all % 60);
    if (hours > 0)
        snprintf(out.text, sizeof out.text, "%" PRId64 ":%02d:%02d", hours, minutes, rest);
    else
        snprintf(out.text, sizeof out.text, "%d:%02d", minutes, rest);
    return out;
}
