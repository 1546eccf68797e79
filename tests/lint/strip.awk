# Prints C files without comments and without the text inside strings, each line as FILE:LINE:CODE. Lines keep their numbers.
FNR == 1 { in_comment = 0 }
{
    code = ""
    line = $0
    while (line != "") {
        if (in_comment) {
            end = index(line, "*/")
            if (end == 0) { line = ""; continue }
            line = substr(line, end + 2)
            in_comment = 0
            code = code " "
        } else if (match(line, /\/\*|\/\/|"|'/) == 0) {
            code = code line
            line = ""
        } else {
            mark = substr(line, RSTART, RLENGTH)
            code = code substr(line, 1, RSTART - 1)
            line = substr(line, RSTART + RLENGTH)
            if (mark == "//") {
                line = ""
            } else if (mark == "/*") {
                in_comment = 1
            } else {
                code = code mark
                # An include keeps its name, everything else in quotes goes.
                while (line != "") {
                    c = substr(line, 1, 1)
                    if (c == "\\") { line = substr(line, 3); continue }
                    line = substr(line, 2)
                    if (c == mark) break
                    if (code ~ /^ *# *include/) code = code c
                }
                code = code mark
            }
        }
    }
    print FILENAME ":" FNR ":" code
}
