#!/bin/sh
# The library for inference only: it builds, knows nothing of training, stays within its budget, and serves a client.
set -u
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=}" "${MAKE:=make}" "${SOVERSION:=0}"
folder=$BUILD/inference
budget=204800 # bytes of the stripped shared library

if ! $MAKE --no-print-directory INFERENCE_ONLY=1 BUILD="$folder" CC="$CC" CFLAGS="$CFLAGS" lib >"$folder.log" 2>&1; then
    echo "not ok the library for inference builds"
    tail -n 20 "$folder.log" | sed 's/^/    /'
    exit 1
fi
echo "ok the library for inference builds"

library=$folder/libtsnn.so.$SOVERSION
unexpected=$(sh tests/abi/list.sh "$library" | grep -vE '^tsnn_(activation|context|predictor|status|isa|version)_')
if [ -z "$unexpected" ]; then
    echo "ok it has predictors and nothing that trains"
else
    echo "not ok it has predictors and nothing that trains"
    echo "$unexpected" | sed 's/^/    /'
fi

case " $CFLAGS " in
*" -O2 "*)
    ${STRIP:-strip} -o "$folder/stripped.so" "$library"
    size=$(wc -c <"$folder/stripped.so")
    if [ "$size" -le $budget ]; then echo "ok it takes $size bytes stripped"; else
        echo "not ok it takes $size bytes stripped; the budget is $budget"
    fi
    ;;
*) echo "skip its size: the budget is for -O2" ;;
esac

if $CC $CFLAGS -std=c99 -Iinclude tests/inference/client.c "$library" -Wl,-rpath,"$folder" -o "$folder/client" \
    >"$folder.log" 2>&1 && "$folder/client" >>"$folder.log" 2>&1; then
    echo "ok a client predicts with it"
else
    echo "not ok a client predicts with it"
    sed 's/^/    /' "$folder.log"
fi
