# What scripts say of the library, line by line, as tests/run.sh counts it; read by them with `.`. They set `log`, a file
# for what a command prints, and may set `about`, which begins each claim. `failed` is 1 once a claim did not hold.
failed=0
: "${about:=}"

# claim TEXT COMMAND...: the claim holds when the command succeeds, which is the status.
claim()
{
    text=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok $about$text"
        return 0
    fi
    echo "not ok $about$text"
    head -n 40 "$log" | sed 's/^/    /'
    failed=1
    return 1
}

# verdict TEXT FILE-OF-OFFENDERS ADVICE: the claim holds when the file is empty.
verdict()
{
    if [ -s "$2" ]; then
        echo "not ok $about$1: $3"
        sed 's/^/    /' "$2"
        failed=1
    else
        echo "ok $about$1"
    fi
}
