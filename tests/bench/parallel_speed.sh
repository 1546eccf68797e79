#!/bin/sh
# Epochs of Fashion-MNIST in sequence by one thread, and by workers, turn by turn on the same machine; prints the fastest
# of each, for docs/parallel.md. BUILD names the build folder, ROUNDS the turns, EPOCHS the epochs of a run, WORKERS
# the workers, MODES the ways to train (may be empty). Each worker wants an idle processor. Where libtsnn-mpi has been built (make
# MPI=1), ranks run too, by the command in MPIEXEC; MPI_MODES= leaves them out.
set -eu
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
EPOCHS=${EPOCHS:-2}
WORKERS=${WORKERS:-2}
MODES=${MODES-wasap wassp replicas}
MPI_MODES=${MPI_MODES-wasap wassp}
if [ -z "${MPIEXEC:-}" ]; then
    MPIEXEC=mpiexec
    # Open MPI wants to be told that root may, and that workers may be as many as processors.
    if mpiexec --version 2>&1 | grep -q 'Open MPI\|OpenRTE'; then
        MPIEXEC="mpiexec --oversubscribe"
        [ "$(id -u)" -ne 0 ] || MPIEXEC="$MPIEXEC --allow-run-as-root"
    fi
fi
[ -x "$BUILD/mpi/train_mpi" ] && command -v "${MPIEXEC%% *}" >/dev/null 2>&1 || MPI_MODES=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run NAME PROGRAM ARGUMENT...: appends the seconds of each epoch to NAME.seconds, the result to NAME.result.
run()
{
    name=$1
    program=$2
    shift 2
    # shellcheck disable=SC2086
    $launch "$BUILD/$program" --quiet --epochs "$EPOCHS" --metrics "$work/metrics" "$@" >>"$work/$name.result"
    sed 's/.*"train_seconds": \([0-9.]*\).*/\1/' "$work/metrics" >>"$work/$name.seconds"
}

round=0
while [ "$round" -lt "$ROUNDS" ]; do
    launch=
    run sequential examples/train_mlp --threads 1
    for mode in $MODES; do
        # Phase 1 for the whole run; replicas have phase 2 only.
        split=$([ "$mode" = replicas ] || echo --phase-split=1)
        run "$mode" examples/train_parallel --mode "$mode" --workers "$WORKERS" --threads "$WORKERS" $split
    done
    launch="$MPIEXEC -n $WORKERS"
    for mode in $MPI_MODES; do
        split=$([ "$mode" = replicas ] || echo "--phase-split 1")
        run "$mode-on-mpi" mpi/train_mpi --mode "$mode" --threads 1 $split
    done
    round=$((round + 1))
done

best=$(sort -n "$work/sequential.seconds" | head -n 1)
echo "in sequence: $best s an epoch"
for mode in $MODES $(printf '%s-on-mpi ' $MPI_MODES); do
    [ -f "$work/$mode.seconds" ] || continue
    sort -n "$work/$mode.seconds" | head -n 1 | awk -v best="$best" -v mode="$mode" -v workers="$WORKERS" \
        '{ printf "%s, %d workers: %.3f s an epoch, %.2f times as many samples a second", mode, workers, $1, best / $1 }'
    sed 's/.*exchange_share=\([0-9.]*\) wait_share=\([0-9.]*\).*/\1 \2/' "$work/$mode.result" | sort -n -k 2 |
        awk '{ exchange[NR] = $1; wait[NR] = $2 }
             END { m = int((NR + 1) / 2); printf "; exchanging %.1f %%, waiting %.1f %%\n", 100 * exchange[m], 100 * wait[m] }'
done
