/* The program around an exported file: its self-test, and that a broken expectation would be seen. MODEL is the name.
 */
#include <stdint.h>
#include <stdio.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define SELF_TEST JOIN(MODEL, _self_test)
#define PREDICT JOIN(MODEL, _predict)
#define CLASS JOIN(MODEL, _class)

int SELF_TEST(float *workspace);
void PREDICT(const float *input, float *output, float *workspace);
int CLASS(const float *output);

static float workspace[4096], output[64], again[64], input[64];

int main(void)
{
    int failed = SELF_TEST(workspace);
    if (failed != 0) {
        printf("sample %d is not as expected\n", failed);
        return 1;
    }
    /* No state: what is left in the workspace does not matter. */
    PREDICT(input, output, workspace);
    for (int i = 0; i < 4096; i++)
        workspace[i] = 1e30f;
    PREDICT(input, again, workspace);
    for (int i = 0; i < 64; i++)
        if (output[i] != again[i])
            return 2;
    return CLASS(output) < 0;
}
