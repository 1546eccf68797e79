/* Packs two features into one output and predicts: what a program with the library for inference only does. */
#include <tsnn.h>

int main(void)
{
    static const int64_t row_ptr[] = {0, 1, 2};
    static const int32_t column[] = {0, 0};
    static const float values[] = {2, -3}, features[] = {5, 1};
    tsnn_context *context;
    tsnn_predictor *predictor;
    tsnn_predictor_workspace *workspace;
    tsnn_predictor_layer layer = TSNN_PREDICTOR_LAYER_INIT;
    float output = 0;
    layer.inputs = 2;
    layer.outputs = 1;
    layer.connections = 2;
    layer.row_ptr = row_ptr;
    layer.column = column;
    layer.values = values;
    if (tsnn_context_create(0, &context) < 0 ||
        tsnn_predictor_create_from_layers(context, &layer, 1, 0, 0, 0, &predictor) < 0 ||
        tsnn_predictor_workspace_create(predictor, 1, &workspace) < 0 ||
        tsnn_predictor_predict(predictor, workspace, features, 1, &output, 1) < 0)
        return 1;
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    tsnn_context_destroy(&context);
    return output == 7 ? 0 : 2;
}
