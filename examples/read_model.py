#!/usr/bin/env python3
# Opens a model file with safetensors and SciPy, and prints the connections and the density of each layer: read_model.py FILE
import sys

from safetensors.numpy import load_file
from scipy.sparse import csr_array

tensors = load_file(sys.argv[1])
layer = 0
while f"layers.{layer}.row_ptr" in tensors:
    row_ptr, col_idx, values, bias = (tensors[f"layers.{layer}.{name}"] for name in ("row_ptr", "col_idx", "values", "bias"))
    weights = csr_array((values, col_idx, row_ptr), shape=(len(row_ptr) - 1, len(bias)))
    weights.check_format(full_check=True)
    print(f"layer {layer}: {weights.shape[0]} x {weights.shape[1]}, {weights.nnz} connections, "
          f"{100 * weights.nnz / (weights.shape[0] * weights.shape[1]):.1f} %, mean weight {weights.data.mean():+.4f}")
    layer += 1
