/*
 * JavaScript's values as C takes them, and failures as exceptions. What returns a bool has thrown when it is false;
 * functions of JavaScript then return NULL at once.
 */
#ifndef SPARSE_NN_NODE_VALUES_H
#define SPARSE_NN_NODE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include <node_api.h>
#include <tsnn.h>

/* One of the words of a choice and its number; a list ends with a NULL word. */
typedef struct js_word {
    const char *word;
    int32_t number;
} js_word;

/* Throws an Error with `status` and `message`, unless something is thrown already. */
void js_throw(napi_env env, tsnn_status status, const char *message);
/* The same with the words of the context, which may be NULL. */
void js_throw_status(napi_env env, const tsnn_context *context, tsnn_status status);

/* The arguments of a call; those that are missing are undefined. */
bool js_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);

/* Properties of an options object. Where one is undefined, or the object is, `out` stays as it is. */
bool js_option_number(napi_env env, napi_value options, const char *name, double *out);
bool js_option_whole(napi_env env, napi_value options, const char *name, int64_t *out);
bool js_option_small(napi_env env, napi_value options, const char *name, int32_t *out);
bool js_option_word(napi_env env, napi_value options, const char *name, const js_word *words, int32_t *out);
bool js_option_value(napi_env env, napi_value options, const char *name, napi_value *out, bool *is_there);

/* An array of whole numbers, to be freed. */
bool js_whole_numbers(napi_env env, napi_value value, const char *name, int64_t **out, int64_t *count);
/* A text, to be freed. */
bool js_text(napi_env env, napi_value value, const char *name, char **out);
/* A typed array, in place: valid until JavaScript runs again. */
bool js_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, void **out, int64_t *count);
/* How many rows of `columns` numbers an array of `count` is. */
bool js_rows(napi_env env, const char *name, int64_t count, int64_t columns, int64_t *rows);

/* Sets a property of an object that was made here. */
void js_set(napi_env env, napi_value object, const char *name, double number);

#endif
