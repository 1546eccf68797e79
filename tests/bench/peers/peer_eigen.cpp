/* Eigen: a row-major sparse matrix (outputs x inputs) times a row-major dense one, which is Eigen's vectorised way:
 * one multiply-add of whole rows a connection. */
#include "peer.h"

#include <Eigen/SparseCore>

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

namespace
{

using sparse = Eigen::SparseMatrix<float, Eigen::RowMajor, std::int32_t>;
using dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct forward {
    sparse weights;
    dense x, y;
};

std::string error;

sparse transposed(const peer_matrix &weights)
{
    std::vector<Eigen::Triplet<float, std::int32_t>> triplets;
    triplets.reserve(static_cast<std::size_t>(weights.connections));
    for (std::int64_t i = 0; i < weights.inputs; i++)
        for (std::int64_t k = weights.row_ptr[i]; k < weights.row_ptr[i + 1]; k++)
            triplets.emplace_back(weights.column[k], static_cast<std::int32_t>(i), weights.values[k]);
    sparse matrix(weights.outputs, weights.inputs);
    matrix.setFromTriplets(triplets.begin(), triplets.end());
    matrix.makeCompressed();
    return matrix;
}

} // namespace

const char *peer_version(void)
{
    static const std::string text = "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." +
                                    std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION);
    return text.c_str();
}

const char *peer_error(void)
{
    return error.c_str();
}

void *peer_forward_create(const peer_matrix *weights, std::int64_t batch, const float *x)
{
    try {
        return new forward{transposed(*weights), Eigen::Map<const dense>(x, weights->inputs, batch),
                           dense::Zero(weights->outputs, batch)};
    } catch (const std::exception &failure) {
        error = failure.what();
        return nullptr;
    }
}

std::int32_t peer_forward_run(void *pointer)
{
    auto *f = static_cast<forward *>(pointer);
    f->y.noalias() = f->weights * f->x;
    return 0;
}

std::int32_t peer_forward_result(void *pointer, float *y)
{
    const auto *f = static_cast<const forward *>(pointer);
    std::copy_n(f->y.data(), f->y.size(), y);
    return 0;
}

void peer_forward_destroy(void *pointer)
{
    delete static_cast<forward *>(pointer);
}
