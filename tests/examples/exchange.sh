#!/bin/sh
# What SciPy, NumPy and safetensors write is read, what is written is read by them: with `convert`, to the bit.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
. "$root/tests/examples/common.sh"
needs_model_files
convert=$BUILD/examples/convert

# --- without Python: Matrix Market to each format and back
printf '%%%%MatrixMarket matrix coordinate real general\n3 4 4\n1 2 0.5\n1 4 -1.25\n3 1 2\n3 2 1e-3\n' >"$work/a.mtx"
for format in npz npy safetensors mtx; do
    weights=
    [ $format = safetensors ] && weights="--weights weight"
    "$convert" "$work/a.mtx" "$work/b.$format" >"$work/out" 2>"$work/err" &&
        "$convert" $weights "$work/b.$format" "$work/c.mtx" >"$work/out" 2>"$work/err"
    claim "mtx to $format and back" [ "$(cat "$work/c.mtx" | sed 1,2d | tr '\n' ' ')" = \
        "1 2 0.5 1 4 -1.25 3 1 2 3 2 0.00100000005 " ]
    claim "... counts" grep -q '^inputs=3 outputs=4 entries=[0-9]* connections=4 dropped=0$' "$work/out"
    rm -f "$work/c.mtx"
done
"$convert" --turn "$work/a.mtx" "$work/t.mtx" >"$work/out" 2>"$work/err"
claim "--turn exchanges rows and columns" [ "$(sed -n '2p;3p' "$work/t.mtx" | tr '\n' ' ')" = "4 3 4 1 3 2 " ]
"$convert" --threshold 0.1 "$work/a.mtx" "$work/t.mtx" >"$work/out" 2>"$work/err"
claim "--threshold leaves out" grep -q ' connections=3 dropped=1$' "$work/out"
status=0
"$convert" "$work/out" "$work/t.mtx" >/dev/null 2>"$work/err" || status=$?
claim "what is no matrix is refused" [ "$status $(grep -c '^convert: ' "$work/err")" = "1 1" ]

# --- with Python
if find_python; then
    (cd "$work" && "$python" - "$convert" "$BUILD/examples/predict" >"$work/out" 2>"$work/err" <<'END'
import subprocess, sys
import numpy as np, scipy.io, scipy.sparse as sp
from safetensors.numpy import load_file, save_file

def convert(*arguments):
    subprocess.run([sys.argv[1], *arguments], check=True, stdout=subprocess.DEVNULL)

def same(a, b):
    a, b = sp.csr_array(a), sp.csr_array(b)
    a.sort_indices(), b.sort_indices()
    assert a.shape == b.shape and (a.indptr == b.indptr).all() and (a.indices == b.indices).all()
    assert (a.data.astype("f4") == b.data.astype("f4")).all()

generator = np.random.default_rng(1)
for shape in (30, 20), (1, 1), (500, 300), (3, 1000):
    dense = generator.standard_normal(shape).astype("f4") * (generator.random(shape) < 0.3)
    matrix = sp.csr_array(dense)
    for kind in ("csr", "csc"):
        for compressed in (True, False):
            for element in ("f4", "f8"):
                sp.save_npz("a.npz", matrix.asformat(kind).astype(element), compressed=compressed)
                convert("a.npz", "b.npz")
                same(sp.load_npz("b.npz"), matrix)
    for order in "CF":
        for element in ("f4", "f8", "f2"):
            np.save("a.npy", np.array(dense, dtype=element, order=order))
            convert("a.npy", "b.npz")
            same(sp.load_npz("b.npz"), sp.csr_array(dense.astype(element).astype("f4")))
    scipy.io.mmwrite("a.mtx", sp.coo_array(matrix))
    convert("a.mtx", "b.npy")
    assert (np.load("b.npy") == dense).all()
    convert("a.mtx", "b.mtx")
    same(scipy.io.mmread("b.mtx"), matrix)
    # as torch.nn.Linear has it: [outputs, inputs], with a mask, in a file with other tensors
    bias = generator.standard_normal(shape[1]).astype("f4")
    full = generator.standard_normal(shape).astype("f4")
    save_file({"fc.weight": np.ascontiguousarray(full.T), "fc.bias": bias, "other": np.zeros(3, "f8"),
               "fc.mask": np.ascontiguousarray(dense.T != 0)}, "a.safetensors")
    convert("--turn", "--weights", "fc.weight", "--bias", "fc.bias", "--mask", "fc.mask", "a.safetensors", "b.safetensors")
    back = load_file("b.safetensors")
    assert (back["weight"] == full * (dense != 0)).all() and (back["bias"] == bias).all()
whole = sp.csr_array(np.arange(6, dtype="i8").reshape(2, 3))
sp.save_npz("a.npz", whole)
convert("a.npz", "b.mtx")
same(scipy.io.mmread("b.mtx"), whole)
large = sp.random(3000, 4000, 0.05, format="csr", dtype="f4", random_state=1) # several blocks of deflate
sp.save_npz("a.npz", large)
convert("a.npz", "b.npz")
same(sp.load_npz("b.npz"), large)
# a checkpoint of torch.nn.Sequential(Linear, ReLU, Linear), to a model file and back
state = {"0.weight": generator.standard_normal((30, 8)), "0.bias": generator.standard_normal(30),
         "2.weight": generator.standard_normal((4, 30)) * (generator.random((4, 30)) < 0.5)}
state = {name: np.ascontiguousarray(value, dtype="f4") for name, value in state.items()}
save_file(state, "state.safetensors")
convert("--layers", "0,2", "state.safetensors", "model.safetensors")
features = generator.standard_normal((20, 8)).astype("f4")
np.savetxt("rows.csv", features, fmt="%.9g", delimiter=",")
sums = np.maximum(features @ state["0.weight"].T + state["0.bias"], 0) @ state["2.weight"].T
printed = subprocess.run([sys.argv[2], "--outputs", "model.safetensors", "rows.csv"], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
outputs = np.array([[float(x) for x in line.replace(",", " ").split()[-4:]] for line in printed.split("\n") if line])
wanted = np.exp(sums - sums.max(1, keepdims=True))
assert np.abs(outputs - wanted / wanted.sum(1, keepdims=True)).max() < 1e-4
convert("--layers", "0,2", "model.safetensors", "again.safetensors")
again = load_file("again.safetensors")
assert sorted(again) == ["0.bias", "0.weight", "2.bias", "2.weight"] and not again["2.bias"].any()
assert all((again[name] == value).all() for name, value in state.items())
print("done")
END
    )
    claim "SciPy, NumPy and safetensors agree, both ways" [ "$(cat "$work/out")" = done ]
else
    echo "skip exchange with Python: no safetensors or no SciPy"
fi
finish
