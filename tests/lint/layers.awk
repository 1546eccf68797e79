# The law of dependence: include <- lib/cpu, lib/core <- lib/sparse <- lib/formats, lib/kernels <- src <- examples, tests.
# Reads what strip.awk prints and prints each #include that points the wrong way. `files` names every file, for resolving.
BEGIN {
    rank["include"] = 0; rank["lib/cpu"] = 1; rank["lib/core"] = 1; rank["lib/sparse"] = 2; rank["lib/formats"] = 3; rank["lib/kernels"] = 3
    rank["src"] = 4; rank["examples"] = 5; rank["tests"] = 5
    shares["examples/train_parallel"] = "^examples/train_mlp/" # whose files are linked into it
    shares["examples/train_mpi"] = "^examples/train_(mlp|parallel)/"
    while ((getline name < files) > 0) known[name] = 1
}

function room(path, part)
{
    split(path, part, "/")
    return part[1] == "lib" ? part[1] "/" part[2] : part[1]
}

# a/b/../c is a/c
function tidy(path)
{
    gsub(/\/\.\//, "/", path)
    while (match(path, /[^\/.]+\/\.\.\//)) path = substr(path, 1, RSTART - 1) substr(path, RSTART + RLENGTH)
    return path
}

function complain(text) { print file ":" number ": " text; }

{
    split($0, field, ":")
    file = field[1]
    number = field[2]
    code = substr($0, length(file) + length(number) + 3)
    if (code !~ /^ *# *include/) next
    here = room(file)

    if (match(code, /<[^>]*>/)) {
        name = substr(code, RSTART + 1, RLENGTH - 2)
        if (name !~ /^tsnn/) next
        if (here ~ /^lib\// && name != "tsnn/status.h" && name != "tsnn/export.h")
            complain("<" name ">: lib knows no public header but tsnn/status.h and tsnn/export.h")
        if (here == "examples" && name != "tsnn.h" && name != "tsnn-mpi.h")
            complain("<" name ">: an example includes <tsnn.h> or <tsnn-mpi.h> only")
        if (!(("include/" name) in known)) complain("<" name ">: there is no such header in include/")
        next
    }
    if (!match(code, /"[^"]*"/)) next
    name = substr(code, RSTART + 1, RLENGTH - 2)
    if (here == "include") { complain("\"" name "\": public headers include <tsnn/...> and the system's"); next }

    folder = file
    sub(/\/[^\/]*$/, "", folder)
    target = tidy(folder "/" name)
    if (!(target in known)) target = "lib/" name
    if (!(target in known)) target = "tests/unit/" name
    if (!(target in known)) target = "src/" name
    if (!(target in known) && here == "tests") target = "examples/ffi/cpp/" name
    if (!(target in known)) { complain("\"" name "\": not found"); next }
    there = room(target)
    if (here == "examples") {
        if (target !~ ("^" folder "/") && !(folder in shares && target ~ shares[folder])) complain("\"" name "\": an example stays in its own folder")
    } else if (!(there in rank) || !(here in rank)) {
        complain("\"" name "\": a folder that the law of dependence does not know")
    } else if (rank[there] > rank[here]) {
        complain("\"" name "\": " here " must not know " there)
    }
}
