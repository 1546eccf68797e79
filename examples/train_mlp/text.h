/* Messages for people: errors, warnings, numbers and times as text. */
#ifndef TRAIN_MLP_TEXT_H
#define TRAIN_MLP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define TEXT_FORMAT __attribute__((format(printf, 1, 2)))
#else
#define TEXT_FORMAT
#endif

/* The program's name, for messages; the file with main() defines it. */
extern const char text_program[];

/* Writes "train_mlp: ..." to standard error. Always false, so that a function can end with `return complain(...)`. */
bool complain(const char *format, ...) TEXT_FORMAT;

/* The same as a warning: the program goes on. */
void warn(const char *format, ...) TEXT_FORMAT;

/* Room for any number or time below. */
struct text {
    char text[32];
};

/* 125685 as "125,685". */
struct text grouped(int64_t number);

/* 75 seconds as "1:15", 3700 as "1:01:40". */
struct text duration(double seconds);

#endif
