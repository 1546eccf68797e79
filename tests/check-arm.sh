#!/bin/sh
# Builds the kernel layer for aarch64 and compares the neon kernels with the reference under qemu.
set -u
: "${BUILD:=build}"
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "check-arm: skipped, no $tool (make deps-dev)"
        exit 0
    fi
done
program=$BUILD/tests/kernels-aarch64
mkdir -p "$BUILD/tests"
aarch64-linux-gnu-gcc -std=c11 -O2 -ffp-contract=off -Wall -Wextra -static -DTSNN_MODEL_FILES=0 -Iinclude -Ilib -Itests/unit \
    lib/*/*.c lib/*/*/*.c tests/unit/kernel_*.c tests/unit/kernels_standalone.c -lm -o "$program" || exit 1
qemu-aarch64 "$program" || {
    echo "check-arm: failed" >&2
    exit 1
}
echo "check-arm: the neon kernels agree with the reference"
