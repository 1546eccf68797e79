#!/bin/sh
# The benchmark's options, and that a quick look measures and writes what it says. How fast anything is, is no test.
set -u
: "${BUILD:=build}" "${PYTHON:=python3}"
bench=$BUILD/bench/bench
json=$BUILD/tests/bench.json
log=$BUILD/tests/bench.log
about="bench: "
. tests/claims.sh

refused()
{
    "$bench" "$@"
    [ $? -eq 2 ]
}

quick_look()
{
    rm -f "$json"
    "$bench" --quick --section kernels --shape S7 --threads 1 --json "$json" && grep -q '"kernels"' "$json" &&
        grep -q '"S7"' "$json" && ! grep -q '"steps"' "$json"
}

# On one thread, and on as many as were asked for.
quick_evolution()
{
    rm -f "$json"
    "$bench" --quick --section topology --shape S1 --threads 2 --json "$json" &&
        [ "$(grep -c '"evolution_ns_per_connection"' "$json")" -eq 2 ]
}

# Every option that the documents name is one that it has.
documented()
{
    cat docs/*.md README.md | grep -o 'bench/bench --[^`]*\|BENCH_FLAGS="[^"]*"' | grep -o -e '--[a-z]*' | sort -u |
        while read -r option; do
            "$bench" --help | grep -q -e "^  $option" || echo "no $option"
        done | { ! grep .; }
}

claim "help is given" "$bench" --help
claim "an unknown option is refused" refused --nothing
claim "an unknown shape is refused" refused --shape S99
claim "an unknown section is refused" refused --section nothing
claim "no threads are refused" refused --threads 0
claim "a network is refused where only layers are measured" refused --choice --shape fashion
claim "a layer of the choice grid alone is refused for inference" refused --section inference --shape S1b32
claim "one of them is refused for evolution" refused --section topology --shape F2
claim "a full layer, which cannot evolve, is refused for evolution" refused --section topology --shape S7
claim "a file that cannot be written is refused before anything is measured" refused --json /nowhere/at/all.json
claim "a quick look at one shape writes its results" quick_look
claim "a quick look at evolution takes the threads that it is given" quick_evolution
claim "model files are loaded in every way" "$bench" --quick --section loading --shape madelon
claim "the documents name options that it has" documented
exit $failed
