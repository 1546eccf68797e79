/* The version that the library has in the program that stands for another one's: the linker puts this in the place of
 * tsnn_version_number(). */
#include <tsnn.h>

int32_t __real_tsnn_version_number(void);
int32_t __wrap_tsnn_version_number(void);

int32_t __wrap_tsnn_version_number(void)
{
    return __real_tsnn_version_number() + 1;
}
