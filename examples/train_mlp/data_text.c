/* Samples as lines of text: CSV, TSV, and Madelon's pair of rows and labels. */
#include "data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "text.h"

/* A file of lines with the same number of fields each, as it is being read. */
struct table {
    struct input *input;
    char separator;       /* ' ': any number of blanks */
    int64_t label_column; /* from 1; 0: the last */
    bool has_features;
    bool has_labels;
    int64_t columns;    /* 0 before the first line */
    int64_t first_line; /* 0 before the first sample */
    int64_t rows;
    int64_t capacity; /* rows that the arrays have room for */
    float *features;  /* rows x features */
    int32_t *labels;
};

static int64_t table_features(const struct table *table)
{
    return table->columns - (table->has_labels ? 1 : 0);
}

/* Cuts the next field off *rest, which becomes NULL after the last; quotes and blanks around it go. */
static char *next_field(char **rest, char separator)
{
    char *field = *rest + strspn(*rest, " ");
    size_t length = separator == ' ' ? strcspn(field, " \t") : strcspn(field, separator == ',' ? "," : "\t");
    char *end = field + length;
    char *next = *end == '\0' ? NULL : end + 1;
    if (separator == ' ' && next != NULL) {
        next += strspn(next, " \t");
        if (*next == '\0')
            next = NULL;
    }
    while (end > field && end[-1] == ' ')
        end--;
    if (end - field >= 2 && *field == '"' && end[-1] == '"') {
        field++;
        end--;
    }
    *end = '\0';
    *rest = next;
    return field;
}

/* Most fields are short whole numbers, for which strtod() is slow. */
static bool parse_number(const char *field, double *number)
{
    int value = 0;
    size_t length = 0;
    while (field[length] >= '0' && field[length] <= '9' && length < 8)
        value = 10 * value + (field[length++] - '0');
    if (length > 0 && field[length] == '\0') {
        *number = value;
        return true;
    }
    char *end = NULL;
    *number = strtod(field, &end);
    return end != field && *end == '\0';
}

static bool is_header(const char *line, char separator)
{
    double number;
    size_t length = strlen(line);
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return false; /* the line is then read as numbers, and refused */
    memcpy(copy, line, length + 1);
    char *rest = copy;
    bool header = true;
    while (rest != NULL && header)
        header = !parse_number(next_field(&rest, separator), &number);
    free(copy);
    return header;
}

static bool count_columns(struct table *table, const char *line)
{
    const char *path = input_path(table->input);
    if (table->separator == ' ') {
        for (line += strspn(line, " \t"); *line != '\0'; line += strspn(line, " \t")) {
            line += strcspn(line, " \t");
            table->columns++;
        }
    } else {
        for (table->columns = 1; *line != '\0'; line++)
            table->columns += *line == table->separator;
    }
    if (table->columns > INT32_MAX)
        return complain("%s: has %s columns: too many", path, grouped(table->columns).text);
    if (table->has_features && table_features(table) < 1)
        return complain("%s: line %lld has one column: there must be features and a label, with %s between", path,
                        (long long)input_line_number(table->input), table->separator == ',' ? "commas" : "tabs");
    if (!table->has_features && table->columns != 1)
        return complain("%s: line %lld has %lld numbers: there must be one label a line", path,
                        (long long)input_line_number(table->input), (long long)table->columns);
    if (table->label_column > table->columns)
        return complain("%s: has %lld columns: no column %lld for the label", path, (long long)table->columns,
                        (long long)table->label_column);
    return true;
}

static bool grow(struct table *table)
{
    if (table->rows < table->capacity)
        return true;
    int64_t capacity = table->capacity > 0 ? table->capacity + table->capacity / 2 : 256;
    uint64_t bytes = (uint64_t)capacity * (uint64_t)table_features(table) * sizeof(float);
    float *features = table->features;
    int32_t *labels = table->labels;
    if (table->has_features && bytes <= SIZE_MAX / 2 && (features = realloc(table->features, (size_t)bytes)) != NULL)
        table->features = features;
    if (table->has_labels && (labels = realloc(table->labels, (size_t)capacity * sizeof(int32_t))) != NULL)
        table->labels = labels;
    if ((table->has_features && (features == NULL || bytes > SIZE_MAX / 2)) || (table->has_labels && labels == NULL) ||
        table->rows >= INT32_MAX)
        return complain("%s: out of memory for %s rows", input_path(table->input), grouped(capacity).text);
    table->capacity = capacity;
    return true;
}

static bool wrong_field(const struct table *table, int64_t column, const char *field, const char *what)
{
    return complain("%s: line %lld, column %lld: '%.40s' is %s", input_path(table->input),
                    (long long)input_line_number(table->input), (long long)column, field, what);
}

static bool read_row(struct table *table, char *line)
{
    int64_t label_column = table->label_column > 0 ? table->label_column : table->columns;
    float *features = table->has_features ? table->features + table->rows * table_features(table) : NULL;
    int64_t column = 0;
    char *rest = line + (table->separator == ' ' ? strspn(line, " \t") : 0);
    while (rest != NULL) {
        char *field = next_field(&rest, table->separator);
        double number;
        if (++column > table->columns)
            continue; /* counted for the message */
        if (!parse_number(field, &number))
            return wrong_field(table, column, field, "not a number");
        if (!isfinite(number) || !isfinite((float)number))
            return wrong_field(table, column, field, "not a finite number");
        if (!table->has_labels || column != label_column) {
            *features++ = (float)number;
        } else {
            if (number != floor(number) || fabs(number) > INT32_MAX)
                return wrong_field(table, column, field, "not a label, which is a whole number");
            table->labels[table->rows] = (int32_t)number;
        }
    }
    if (column != table->columns)
        return complain("%s: line %lld has %lld columns, but line %lld has %lld", input_path(table->input),
                        (long long)input_line_number(table->input), (long long)column, (long long)table->first_line,
                        (long long)table->columns);
    table->rows++;
    return true;
}

static bool read_lines(struct table *table, bool maybe_header)
{
    char *line = NULL;
    int64_t blank = 0;
    int got;
    while ((got = input_line(table->input, &line)) > 0) {
        int64_t number = input_line_number(table->input);
        if (number == 1 && strncmp(line, "\xEF\xBB\xBF", 3) == 0)
            line += 3; /* the byte order mark that spreadsheets write */
        if (line[strspn(line, " \t")] == '\0') {
            blank = number;
            continue;
        }
        if (maybe_header && number == 1 && is_header(line, table->separator))
            continue;
        if (blank > 0 && table->rows > 0)
            return complain("%s: line %lld is blank", input_path(table->input), (long long)blank);
        if (table->rows == 0) {
            table->first_line = number;
            if (!count_columns(table, line))
                return false;
        }
        if (!grow(table) || !read_row(table, line))
            return false;
    }
    if (got == 0 && table->rows == 0)
        return complain("%s: holds no samples", input_path(table->input));
    return got == 0;
}

/* Reads a whole file into the arrays of *table, which the caller frees. */
static bool read_table(struct table *table, const char *path, bool maybe_header)
{
    table->input = input_open(path);
    bool good = table->input != NULL && read_lines(table, maybe_header);
    input_close(table->input);
    table->input = NULL;
    return good;
}

bool samples_read_table(struct samples *samples, const char *path, char separator, int64_t label_column)
{
    struct table table = {
        .separator = separator, .label_column = label_column, .has_features = true, .has_labels = true};
    bool good = read_table(&table, path, true) && (samples->path = path_copy(path)) != NULL;
    samples->count = table.rows;
    samples->features = table_features(&table);
    samples->first_line = table.first_line;
    samples->feature_data = table.features;
    samples->labels = table.labels;
    return good;
}

bool samples_read_pair(struct samples *samples, const char *row_path, const char *label_path)
{
    struct table rows = {.separator = ' ', .has_features = true};
    struct table labels = {.separator = ' ', .has_labels = true};
    bool good = read_table(&rows, row_path, false) && read_table(&labels, label_path, false);
    if (good && labels.rows != rows.rows)
        good = complain("%s: has %lld labels, but %s has %lld rows", label_path, (long long)labels.rows, row_path,
                        (long long)rows.rows);
    samples->path = good ? path_copy(label_path) : NULL;
    samples->count = rows.rows;
    samples->features = rows.columns;
    samples->first_line = labels.first_line;
    samples->feature_data = rows.features;
    samples->labels = labels.labels;
    return good && samples->path != NULL;
}
