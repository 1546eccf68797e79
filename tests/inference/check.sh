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

library=$folder/libtsnn-inference.so.$SOVERSION
exported=$(sh tests/abi/list.sh "$library")
unexpected=$(echo "$exported" | grep -vE '^tsnn_(activation|context|predictor|publisher|subscriber|status|isa|version)_')
missing=
for function in context_create predictor_create_from_layers predictor_load predictor_predict publisher_publish subscriber_predict; do
    echo "$exported" | grep -qx "tsnn_$function" || missing="$missing tsnn_$function"
done
if [ -z "$unexpected$missing" ]; then
    echo "ok it has predictors and nothing that trains"
else
    echo "not ok it has predictors and nothing that trains"
    [ -z "$missing" ] || echo "    missing:$missing"
    [ -z "$unexpected" ] || echo "$unexpected" | sed 's/^/    /'
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

# client NAME WHAT ARGUMENT...
client()
{
    name=$1
    what=$2
    shift 2
    $CC $CFLAGS -std=c99 -Iinclude "tests/inference/$name.c" "$library" -Wl,-rpath,"$folder" -o "$folder/$name" \
        >"$folder.log" 2>&1 && "$folder/$name" "$@" >>"$folder.log" 2>&1
    case $? in
    0) echo "ok $what" ;;
    77) echo "skip $what: a build without model files" ;;
    *)
        echo "not ok $what"
        sed 's/^/    /' "$folder.log"
        ;;
    esac
}
# It must not take the place of the whole library.
stage=$folder/stage
rm -rf "$stage"
if $MAKE --no-print-directory INFERENCE_ONLY=1 BUILD="$folder" DESTDIR="$stage" install >"$folder.log" 2>&1 ||
    [ -e "$stage" ] || ! grep -q '^install: .*INFERENCE_ONLY=1' "$folder.log"; then
    echo "not ok make install refuses it"
    sed 's/^/    /' "$folder.log"
else
    echo "ok make install refuses it"
fi
if readelf -d "$library" | grep -q "SONAME.*libtsnn-inference.so.$SOVERSION"; then
    echo "ok it has a soname of its own"
else
    echo "not ok it has a soname of its own"
fi

client client "a client predicts with it"
client serve "a client loads a model file, predicts, and swaps it for another" "$folder/served.safetensors"
