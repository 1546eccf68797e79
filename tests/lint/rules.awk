# House rules that a compiler does not check. Reads what strip.awk prints: code without comments and strings.
function complain(text) { print file ":" number ": " text }

{
    split($0, field, ":")
    file = field[1]
    number = field[2]
    code = substr($0, length(file) + length(number) + 3)
    library = file ~ /^(lib|src)\//
}

library && code ~ /(^|[^A-Za-z0-9_])(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|putc|perror)[ ]*\(/ {
    complain("the library never prints")
}
library && code ~ /(^|[^A-Za-z0-9_])(abort|exit|_exit|_Exit|quick_exit|raise|signal|assert)[ ]*\(/ {
    complain("the library never ends the process or touches signals")
}
library && code ~ /(^|[^A-Za-z0-9_])(rand|srand|random|srandom|drand48|strtok|setlocale)[ ]*\(/ {
    complain("hidden state of the process: pass it in")
}
file != "lib/core/parallel.c" && file !~ /^tests\// && (code ~ /# *pragma +omp/ || code ~ /<omp\.h>/) {
    complain("OpenMP lives in lib/core/parallel.c only")
}
library && code ~ /omp_set_num_threads/ { complain("the caller's OpenMP settings stay as they are") }
