#!/bin/sh
# Exported networks are freestanding C99 and give the library's outputs: on this machine, and on others where a cross
# compiler is installed.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CXX:=c++}"
folder=$BUILD/tests/export_c
models="classify small regress binary curves halved"
mkdir -p "$folder"
log=$folder/log
. tests/claims.sh
"$BUILD/tests/export_c_write" "$folder" >"$folder/report" || { echo "not ok every kind of network is written"; exit 1; }
echo "ok every kind of network is written"

freestanding="-std=c99 -pedantic -Wall -Wextra -Werror -ffreestanding -O2"

# client MODEL OBJECT COMPILER...: the program around a model, which has the model's own file for a header.
client()
{
    model=$1
    object=$2
    shift 2
    capitals=$(echo "$model" | tr a-z A-Z)
    "$@" -O2 -Wall -Wextra -Werror -DMODEL="$model" -DCAPITALS="$capitals" -D"${capitals}_DECLARATIONS_ONLY" \
        -I. -DMODEL_FILE="\"$folder/$model.c\"" -c tests/export_c/run.c -o "$object"
}

# passes PROGRAM OBJECTS COMPILER...: what is linked passes its self-test.
passes()
{
    program=$1
    objects=$2
    shift 2
    "$@" $objects -lm -o "$program" && "$program"
}

twice_declared()
{
    printf '#define %s_DECLARATIONS_ONLY\n#include "%s"\n#include "%s"\nint nothing;\n' \
        "$(echo "$1" | tr a-z A-Z)" "$1.c" "$1.c" | $CC $freestanding -I"$folder" -x c -c - -o "$folder/declared.o" &&
        [ "$(nm "$folder/declared.o" | grep -c .)" -eq 1 ]
}

as_cpp()
{
    $CXX -std=c++17 -pedantic -Wall -Wextra -Werror -O2 -x c++ -c "$folder/$1.c" -o "$folder/$1-cpp.o" &&
        client "$1" "$folder/$1-run-cpp.o" $CXX -std=c++11 -x c++ &&
        passes "$folder/$1-cpp" "$folder/$1-run-cpp.o $folder/$1-cpp.o" $CXX &&
        passes "$folder/$1-mixed" "$folder/$1-run-cpp.o $folder/$1.o" $CXX
}

broken()
{
    sed 's/_expected0\[[0-9]*\] = {/&\n    0x1p9f, 1 ? 0.0f :/' "$folder/$1.c" >"$folder/broken.c"
    $CC -O2 -w -c "$folder/broken.c" -o "$folder/broken.o" &&
        ! passes "$folder/broken" "$folder/$1-run.o $folder/broken.o" $CC
}

for model in $models; do
    claim "$model.c is freestanding C99 without a warning" $CC $freestanding -c "$folder/$model.c" -o "$folder/$model.o"
    unknown=$(nm -u "$folder/$model.o" | awk '{ print $NF }' | grep -v -e '^expf$' -e '^_GLOBAL_OFFSET_TABLE_$' | tr '\n' ' ')
    claim "$model.c calls nothing but expf ($unknown)" [ -z "$unknown" ]
    claim "$model.c gives its declarations, and nothing else, to a file that includes it" twice_declared "$model"
    claim "a program takes the declarations from $model.c" client "$model" "$folder/$model-run.o" $CC
    claim "$model.c passes its self-test" passes "$folder/$model" "$folder/$model-run.o $folder/$model.o" $CC
    claim "$model.c with a broken expectation fails it" broken "$model"
    if command -v "${CXX%% *}" >/dev/null 2>&1; then
        claim "$model.c compiles and links as C++, and with a program in C++" as_cpp "$model"
    else
        echo "skip $model.c as C++: no $CXX"
    fi
done

constants() { awk -v name="$1" '$1 == name { print $2 }' "$folder/report"; }
claim "8-bit weights take less memory" [ "$(constants small)" -lt "$(constants classify)" ]

on_arm()
{
    arm=aarch64-linux-gnu-gcc
    client "$1" "$folder/$1-run-arm.o" $arm && $arm -O2 -c "$folder/$1.c" -o "$folder/$1-arm.o" &&
        $arm -static "$folder/$1-run-arm.o" "$folder/$1-arm.o" -lm -o "$folder/$1-arm" && qemu-aarch64 "$folder/$1-arm"
}

if command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 && command -v qemu-aarch64 >/dev/null 2>&1; then
    for model in $models; do
        claim "$model.c passes its self-test on aarch64" on_arm "$model"
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
