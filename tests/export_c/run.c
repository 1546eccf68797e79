/* The program around an exported file, which is included for its declarations: its self-test, and that a broken
 * expectation would be seen. MODEL_FILE is the file, MODEL its name, CAPITALS the same in capitals. */
#include <stdint.h>
#include <stdio.h>

#ifdef MODEL_FILE
#include MODEL_FILE
#else /* what it declares, for whoever looks at this file alone */
#define CAPITALS MODEL
#define MODEL_INPUTS 1
#define MODEL_OUTPUTS 1
#define MODEL_WORKSPACE 2
int MODEL_self_test(float *workspace);
void MODEL_predict(const float *input, float *output, float *workspace);
int MODEL_class(const float *output);
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define SELF_TEST JOIN(MODEL, _self_test)
#define PREDICT JOIN(MODEL, _predict)
#define CLASS JOIN(MODEL, _class)
#define INPUTS JOIN(CAPITALS, _INPUTS)
#define OUTPUTS JOIN(CAPITALS, _OUTPUTS)
#define WORKSPACE JOIN(CAPITALS, _WORKSPACE)

static float workspace[WORKSPACE], output[OUTPUTS], again[OUTPUTS], input[INPUTS];

int main(void)
{
    int failed = SELF_TEST(workspace);
    if (failed != 0) {
        printf("sample %d is not as expected\n", failed);
        return 1;
    }
    /* No state: what is left in the workspace does not matter. */
    PREDICT(input, output, workspace);
    for (int i = 0; i < WORKSPACE; i++)
        workspace[i] = 1e30f;
    PREDICT(input, again, workspace);
    for (int i = 0; i < OUTPUTS; i++)
        if (output[i] != again[i])
            return 2;
    return CLASS(output) < 0;
}
