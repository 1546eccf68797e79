#!/bin/sh
# Exported networks are freestanding C99 and give the library's outputs: on this machine, and on others where a cross
# compiler is installed.
set -u
: "${BUILD:=build}" "${CC:=cc}"
folder=$BUILD/tests/export_c
models="classify small regress binary curves halved"
mkdir -p "$folder"
log=$folder/log
. tests/claims.sh
"$BUILD/tests/export_c_write" "$folder" >"$folder/report" || { echo "not ok every kind of network is written"; exit 1; }
echo "ok every kind of network is written"

freestanding="-std=c99 -pedantic -Wall -Wextra -Werror -ffreestanding -O2"
for model in $models; do
    claim "$model.c is freestanding C99 without a warning" $CC $freestanding -c "$folder/$model.c" -o "$folder/$model.o"
    unknown=$(nm -u "$folder/$model.o" | awk '{ print $NF }' | grep -v -e '^expf$' -e '^_GLOBAL_OFFSET_TABLE_$' | tr '\n' ' ')
    claim "$model.c calls nothing but expf ($unknown)" [ -z "$unknown" ]
    claim "$model.c passes its self-test" sh -c "$CC -O2 -DMODEL=$model tests/export_c/run.c $folder/$model.o -lm \
        -o $folder/$model && $folder/$model"
    sed 's/_expected0\[[0-9]*\] = {/&\n    0x1p9f, 1 ? 0.0f :/' "$folder/$model.c" >"$folder/broken.c"
    claim "$model.c with a broken expectation fails it" sh -c "$CC -O2 -w -DMODEL=$model tests/export_c/run.c \
        $folder/broken.c -lm -o $folder/broken && ! $folder/broken"
done

constants() { awk -v name="$1" '$1 == name { print $2 }' "$folder/report"; }
claim "8-bit weights take less memory" [ "$(constants small)" -lt "$(constants classify)" ]

if command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 && command -v qemu-aarch64 >/dev/null 2>&1; then
    for model in $models; do
        claim "$model.c passes its self-test on aarch64" sh -c "aarch64-linux-gnu-gcc -O2 -static -DMODEL=$model \
            tests/export_c/run.c $folder/$model.c -lm -o $folder/$model-arm && qemu-aarch64 $folder/$model-arm"
    done
else
    echo "skip aarch64: no cross compiler and emulator (make deps-dev)"
fi
if command -v arm-none-eabi-gcc >/dev/null 2>&1; then
    for model in $models; do
        claim "$model.c compiles for a Cortex-M4" arm-none-eabi-gcc $freestanding -mcpu=cortex-m4 -mthumb \
            -mfloat-abi=hard -mfpu=fpv4-sp-d16 -c "$folder/$model.c" -o "$folder/$model-m4.o"
    done
else
    echo "skip Cortex-M4: no arm-none-eabi-gcc (make deps-dev)"
fi
