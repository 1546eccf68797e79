/* Elements of foreign arrays as numbers of ours. */
#ifndef TSNNI_FORMATS_ELEMENT_H
#define TSNNI_FORMATS_ELEMENT_H

#include "formats/safetensors.h"

/* Element k of an array, whatever its alignment. What does not fit a float becomes infinite. Not F8. */
float tsnni_element_float(tsnni_element element, const unsigned char *array, int64_t k);

/* 0 when the element is no whole number type, or the value does not fit. */
int32_t tsnni_element_whole(tsnni_element element, const unsigned char *array, int64_t k, int64_t *out);

/* 1 when tsnni_element_float() knows the type. */
int32_t tsnni_element_is_number(tsnni_element element);

#endif
