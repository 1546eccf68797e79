#!/bin/sh
# Writes the API reference to $BUILD/docs; a public thing without documentation is an error.
set -u
: "${BUILD:=build}" "${VERSION:=}"
if ! command -v doxygen >/dev/null 2>&1; then
    echo "docs: skipped, no doxygen for the API reference here (make deps-dev); the guide is in docs/"
    exit 0
fi
[ -e docs/Doxyfile ] || { echo "docs: no docs/Doxyfile" >&2; exit 1; }
mkdir -p "$BUILD/docs"
{
    cat docs/Doxyfile
    echo "PROJECT_NUMBER = $VERSION"
    echo "OUTPUT_DIRECTORY = \"$BUILD/docs\""
} | doxygen - || {
    echo "docs: the warnings above are errors" >&2
    exit 1
}
echo "API reference: $BUILD/docs/html/index.html"
