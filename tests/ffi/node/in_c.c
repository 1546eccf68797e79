/* The course of ../in_c.c on data that is read: in_c < features-and-labels > outputs. */
#include <stdio.h>

#include "../in_c.h"

enum { SAMPLES = 200, FEATURES = 6, OUTPUTS = 2 };

int main(void)
{
    static float features[SAMPLES * FEATURES];
    static int32_t labels[SAMPLES];
    static float outputs[SAMPLES * OUTPUTS];
    if (fread(features, sizeof features, 1, stdin) != 1 || fread(labels, sizeof labels, 1, stdin) != 1 ||
        tsnni_trained_in_c(features, labels, SAMPLES, outputs) != 0)
        return 1;
    return fwrite(outputs, sizeof outputs, 1, stdout) == 1 ? 0 : 1;
}
