/* JavaScript's values as C takes them, and failures as exceptions. */
#include "values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest whole number up to which all are exact. */
#define MOST_WHOLE 9007199254740991.0

void js_throw(napi_env env, tsnn_status status, const char *message)
{
    bool pending = false;
    napi_value text, error, value;
    if (napi_is_exception_pending(env, &pending) != napi_ok || pending)
        return;
    if (napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) != napi_ok ||
        napi_create_error(env, NULL, text, &error) != napi_ok || napi_create_int32(env, status, &value) != napi_ok ||
        napi_set_named_property(env, error, "status", value) != napi_ok)
        napi_throw_error(env, NULL, message);
    else
        napi_throw(env, error);
}

void js_throw_status(napi_env env, const tsnn_context *context, tsnn_status status)
{
    char text[512] = "";
    tsnn_status code = TSNN_OK;
    if (context != NULL)
        tsnn_context_error(context, text, sizeof text, &code);
    js_throw(env, status, code == status && text[0] != '\0' ? text : tsnn_status_string(status));
}

static bool wrong_type(napi_env env, const char *name, const char *wanted)
{
    char message[256];
    bool pending = false;
    snprintf(message, sizeof message, "%s must be %s", name, wanted);
    if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
        napi_throw_type_error(env, NULL, message);
    return false;
}

bool js_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments)
{
    if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok)
        return true;
    js_throw(env, TSNN_ERROR_STATE, "the arguments of a call cannot be read");
    return false;
}

bool js_option_value(napi_env env, napi_value options, const char *name, napi_value *out, bool *is_there)
{
    napi_valuetype type;
    *is_there = false;
    if (napi_typeof(env, options, &type) != napi_ok)
        return wrong_type(env, name, "readable");
    if (type == napi_undefined)
        return true;
    if (type != napi_object)
        return wrong_type(env, "options", "an object");
    if (napi_get_named_property(env, options, name, out) != napi_ok || napi_typeof(env, *out, &type) != napi_ok)
        return wrong_type(env, name, "readable"); /* or its getter has thrown */
    *is_there = type != napi_undefined;
    return true;
}

bool js_option_number(napi_env env, napi_value options, const char *name, double *out)
{
    napi_value value;
    bool is_there;
    if (!js_option_value(env, options, name, &value, &is_there))
        return false;
    if (is_there && napi_get_value_double(env, value, out) != napi_ok)
        return wrong_type(env, name, "a number");
    return true;
}

static bool is_whole(double number)
{
    return number == floor(number) && fabs(number) <= MOST_WHOLE;
}

bool js_option_whole(napi_env env, napi_value options, const char *name, int64_t *out)
{
    double number = (double)*out;
    if (!js_option_number(env, options, name, &number))
        return false;
    if (!is_whole(number))
        return wrong_type(env, name, "a whole number");
    *out = (int64_t)number;
    return true;
}

bool js_option_small(napi_env env, napi_value options, const char *name, int32_t *out)
{
    int64_t number = *out;
    if (!js_option_whole(env, options, name, &number))
        return false;
    if (number < INT32_MIN || number > INT32_MAX)
        return wrong_type(env, name, "a number of 32 bits");
    *out = (int32_t)number;
    return true;
}

bool js_option_word(napi_env env, napi_value options, const char *name, const js_word *words, int32_t *out)
{
    napi_value value;
    bool is_there;
    char text[32];
    size_t length;
    if (!js_option_value(env, options, name, &value, &is_there) || !is_there)
        return !is_there;
    if (napi_get_value_string_utf8(env, value, text, sizeof text, &length) == napi_ok)
        for (const js_word *word = words; word->word != NULL; word++)
            if (strcmp(word->word, text) == 0) {
                *out = word->number;
                return true;
            }
    char wanted[200] = "one of";
    for (const js_word *word = words; word->word != NULL; word++) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, " '%s'", word->word);
    }
    return wrong_type(env, name, wanted);
}

bool js_whole_numbers(napi_env env, napi_value value, const char *name, int64_t **out, int64_t *count)
{
    bool is_array = false;
    uint32_t length;
    *out = NULL;
    if (napi_is_array(env, value, &is_array) != napi_ok || !is_array ||
        napi_get_array_length(env, value, &length) != napi_ok)
        return wrong_type(env, name, "an array of whole numbers");
    int64_t *numbers = malloc(sizeof *numbers * ((size_t)length + 1));
    if (numbers == NULL) {
        js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY));
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        napi_value element;
        double number;
        if (napi_get_element(env, value, i, &element) != napi_ok ||
            napi_get_value_double(env, element, &number) != napi_ok || !is_whole(number)) {
            free(numbers);
            return wrong_type(env, name, "an array of whole numbers");
        }
        numbers[i] = (int64_t)number;
    }
    *out = numbers;
    *count = length;
    return true;
}

bool js_text(napi_env env, napi_value value, const char *name, char **out)
{
    size_t length, written = 0;
    *out = NULL;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
        return wrong_type(env, name, "a string");
    char *text = malloc(length + 1);
    if (text == NULL) {
        js_throw(env, TSNN_ERROR_OUT_OF_MEMORY, tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY));
        return false;
    }
    if (napi_get_value_string_utf8(env, value, text, length + 1, &written) != napi_ok || strlen(text) != written) {
        free(text);
        return wrong_type(env, name, "a string without zero characters");
    }
    *out = text;
    return true;
}

bool js_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, void **out, int64_t *count)
{
    bool is_typed = false;
    napi_typedarray_type found;
    size_t length;
    if (napi_is_typedarray(env, value, &is_typed) == napi_ok && is_typed &&
        napi_get_typedarray_info(env, value, &found, &length, out, NULL, NULL) == napi_ok && found == type) {
        *count = (int64_t)length;
        return true;
    }
    return wrong_type(env, name,
                      type == napi_float32_array ? "a Float32Array"
                      : type == napi_int32_array ? "an Int32Array"
                                                 : "a Uint8Array");
}

bool js_rows(napi_env env, const char *name, int64_t count, int64_t columns, int64_t *rows)
{
    char message[160];
    if (columns >= 1 && count % columns == 0) {
        *rows = count / columns;
        return true;
    }
    snprintf(message, sizeof message, "%s: %lld numbers, which are not rows of %lld", name, (long long)count,
             (long long)columns);
    js_throw(env, TSNN_ERROR_SHAPE, message);
    return false;
}

void js_set(napi_env env, napi_value object, const char *name, double number)
{
    napi_value value;
    if (napi_create_double(env, number, &value) == napi_ok)
        napi_set_named_property(env, object, name, value);
}
