#!/bin/sh
# What a leak report is ours for: leaks.sh FILE... prints the blocks of LeakSanitizer's reports whose memory was asked
# for by a file of this tree. MPI implementations keep memory to the end that is no concern of ours.
awk '
    function finish() { if (ours) printf "%s", block; block = ""; ours = 0; depth = 0 }
    /^(Direct|Indirect) leak of/ { finish(); inside = 1 }
    /^SUMMARY:/ { finish(); inside = 0 }
    !inside { next }
    { block = block $0 "\n" }
    # The first frame is the allocator itself, the second who called it.
    /^ *#[0-9]+ / { if (depth++ == 1 && $0 ~ / [^ ]*(src|lib|tests|examples)\/[a-z_0-9\/]+\.c:[0-9]+/) ours = 1 }
    END { finish() }' "$@"
