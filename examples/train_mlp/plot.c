/* Pictures of a training run: data files and scripts, which gnuplot turns into PNG. */
#define _GNU_SOURCE /* fork, chdir, strdup with -std=c11 */

#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "input.h"
#include "text.h"

static const char learning_style[] =
    "set multiplot layout 1,2 margins 0.06,0.98,0.12,0.81 spacing 0.08,0\n"
    "set border 3 linecolor rgb '#555555'\n"
    "set tics nomirror textcolor rgb '#333333'\n"
    "set grid linecolor rgb '#e4e4e4' linetype 1 linewidth 1\n"
    "set xlabel 'epoch'\n"
    "set xrange [0:1.01 * last]\n"
    "if (last <= 12) set xtics 1\n"
    "set key bottom right\n"
    "set title 'accuracy' noenhanced font ',13'\n"
    "plot 'learning_curves.dat' using 1:4 with lines linewidth 2 linecolor rgb '#9fb8cf' title 'training', \\\n"
    "     '' using 1:5 with linespoints linewidth 2.5 pointtype 7 pointsize 0.5 linecolor rgb '#c8402f' title 'test'\n"
    "unset label 1\n"
    "set key top right\n"
    "set title 'loss'\n"
    "plot 'learning_curves.dat' using 1:2 with lines linewidth 2 linecolor rgb '#9fb8cf' title 'training', \\\n"
    "     '' using 1:3 with linespoints linewidth 2.5 pointtype 7 pointsize 0.5 linecolor rgb '#c8402f' title 'test'\n"
    "unset multiplot\n";

/* Viridis: even in brightness, and fit for colour-blind eyes. */
static const char map_style[] =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4989', 3 '#31688e', 4 '#26828e', 5 '#1f9e89', \\\n"
    "                     6 '#35b779', 7 '#6ece58', 8 '#b5de2b', 9 '#fde725')\n"
    "set multiplot layout 1,3 margins 0.025,0.975,0.17,0.83 spacing 0.025,0\n"
    "set size ratio -1\n"
    "unset border\n"
    "unset tics\n"
    "unset key\n"
    "set xrange [-0.5:side - 0.5]\n"
    "set yrange [side - 0.5:-0.5]\n"
    "set colorbox horizontal user origin 0.10,0.09 size 0.46,0.03 noborder\n"
    "set cbtics scale 0 textcolor rgb '#333333'\n"
    "set cbrange [least:most]\n"
    "set title 'connections before: drawn at random' font ',12'\n"
    "plot 'input_connections.dat' using 2:1:3 with image\n"
    "unset label 1\n"
    "unset colorbox\n"
    "set title 'connections after: evolved' font ',12'\n"
    "plot 'input_connections.dat' using 2:1:4 with image\n"
    "set colorbox horizontal user origin 0.70,0.09 size 0.26,0.03 noborder\n"
    "set cbrange [0:*]\n"
    "set title 'strength after: sum of |weight|' font ',12'\n"
    "plot 'input_connections.dat' using 2:1:6 with image\n"
    "unset multiplot\n";

static const char bars_style[] =
    "set multiplot layout 2,1 margins 0.07,0.98,0.10,0.85 spacing 0,0.13\n"
    "set border 3 linecolor rgb '#555555'\n"
    "set tics nomirror textcolor rgb '#333333'\n"
    "set grid y linecolor rgb '#e4e4e4' linetype 1 linewidth 1\n"
    "set xrange [0:features + 1]\n"
    "set yrange [0:*]\n"
    "set offsets 0,0,graph 0.12,0\n"
    "set key top right horizontal\n"
    "set title 'connections' font ',13'\n"
    "plot 'input_connections.dat' using 1:3 with impulses linewidth 1.5 linecolor rgb '#c8402f' \\\n"
    "     title 'after: evolved', \\\n"
    "     '' using 1:2 with points pointtype 7 pointsize 0.35 linecolor rgb '#5b7f9f' \\\n"
    "     title 'before: drawn at random'\n"
    "unset label 1\n"
    "set xlabel 'input feature'\n"
    "set title 'strength: sum of |weight|'\n"
    "plot 'input_connections.dat' using 1:5 with impulses linewidth 1.5 linecolor rgb '#c8402f' \\\n"
    "     title 'after training', \\\n"
    "     '' using 1:4 with points pointtype 7 pointsize 0.35 linecolor rgb '#5b7f9f' title 'before'\n"
    "unset multiplot\n";

bool plot_prepare(const char *directory)
{
    char *path = path_copy(directory);
    if (path == NULL)
        return false;
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        mkdir(path, 0777); /* may be there; what counts comes below */
        *at = end;
        if (end == '\0')
            break;
    }
    free(path);
    struct stat status;
    if (stat(directory, &status) != 0)
        return complain("--plot %s: cannot be made: %s", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return complain("--plot %s: is not a directory", directory);
    return access(directory, W_OK) == 0 || complain("--plot %s: %s", directory, strerror(errno));
}

static FILE *create(const struct plot *plot, const char *name, const char *suffix)
{
    char *path = path_join(plot->directory, name, suffix);
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (path != NULL && file == NULL)
        complain("%s: %s", path, strerror(errno));
    free(path);
    return file;
}

static bool finish(FILE *file, const struct plot *plot, const char *name)
{
    bool good = ferror(file) == 0;
    return (fclose(file) == 0 && good) ||
           complain("%s/%s: cannot be written: %s", plot->directory, name, strerror(errno));
}

static bool write_epochs(const struct plot *plot)
{
    FILE *file = create(plot, "learning_curves", ".dat");
    if (file == NULL)
        return false;
    fputs("# epoch train_loss test_loss train_accuracy test_accuracy connections replaced\n", file);
    for (int64_t i = 0; i < plot->epoch_count; i++) {
        const tsnn_epoch_report *epoch = &plot->epochs[i];
        fprintf(file, "%lld %.6f %.6f %.6f %.6f %lld %lld\n", (long long)epoch->epoch, epoch->train_loss,
                epoch->validation_loss, epoch->train_accuracy, epoch->validation_accuracy,
                (long long)epoch->connections, (long long)epoch->replaced);
    }
    return finish(file, plot, "learning_curves.dat");
}

/* The side of the picture that the features are, or 0. */
static int64_t square_side(int64_t features)
{
    int64_t side = (int64_t)(sqrt((double)features) + 0.5);
    return side > 1 && side * side == features ? side : 0;
}

static bool write_connections(const struct plot *plot, int64_t side)
{
    FILE *file = create(plot, "input_connections", ".dat");
    if (file == NULL)
        return false;
    fputs(side > 0 ? "# row column connections_before connections_after strength_before strength_after\n"
                   : "# feature connections_before connections_after strength_before strength_after\n",
          file);
    for (int64_t i = 0; i < plot->features; i++) {
        if (side > 0)
            fprintf(file, "%lld %lld", (long long)(i / side), (long long)(i % side));
        else
            fprintf(file, "%lld", (long long)(i + 1));
        fprintf(file, " %lld %lld %.6g %.6g\n", (long long)plot->before->connections[i],
                (long long)plot->after->connections[i], plot->before->strength[i], plot->after->strength[i]);
    }
    return finish(file, plot, "input_connections.dat");
}

/* Starts a script: size, font and title. In gnuplot's single quotes a quote is doubled. */
static FILE *start_script(const struct plot *plot, const char *name, const char *heading, int width, int height)
{
    FILE *file = create(plot, name, ".gp");
    if (file == NULL)
        return NULL;
    fprintf(file,
            "# In this directory: gnuplot %s.gp\n"
            "if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {\n"
            "    set terminal pngcairo size %d,%d font 'DejaVu Sans,11' background rgb '#ffffff'\n"
            "} else {\n"
            "    set terminal png size %d,%d\n"
            "}\n"
            "set output '%s.png'\n"
            "set label 1 '",
            name, width, height, width, height, name);
    for (const char *at = heading; *at != '\0'; at++)
        fputs(*at == '\'' ? "''" : (const char[]){*at, '\0'}, file);
    fputs("' at screen 0.5,0.945 center noenhanced font ',15'\n", file);
    return file;
}

static bool write_learning_script(const struct plot *plot)
{
    FILE *file = start_script(plot, "learning_curves", plot->title, 1200, 520);
    if (file == NULL)
        return false;
    fprintf(file, "last = %lld\n%s", (long long)(plot->epoch_count > 0 ? plot->epoch_count : 1), learning_style);
    return finish(file, plot, "learning_curves.gp");
}

static bool write_connection_script(const struct plot *plot, int64_t side)
{
    const int64_t *before = plot->before->connections;
    const int64_t *after = plot->after->connections;
    int64_t least = before[0];
    int64_t most = before[0] + 1; /* a range of colours may not be empty */
    FILE *file = start_script(plot, "input_connections",
                              side > 0 ? "What the network looks at: every input pixel"
                                       : "What the network looks at: every input feature",
                              1200, side > 0 ? 540 : 680);
    if (file == NULL)
        return false;
    for (int64_t i = 0; i < plot->features; i++) {
        int64_t low = before[i] < after[i] ? before[i] : after[i];
        int64_t high = before[i] < after[i] ? after[i] : before[i];
        least = low < least ? low : least;
        most = high > most ? high : most;
    }
    if (side > 0)
        fprintf(file, "side = %lld\nleast = %lld\nmost = %lld\n%s", (long long)side, (long long)least, (long long)most,
                map_style);
    else
        fprintf(file, "features = %lld\n%s", (long long)plot->features, bars_style);
    return finish(file, plot, "input_connections.gp");
}

int plot_run_gnuplot(const char *directory, const char *script)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return 126;
    if (child == 0) {
        if (chdir(directory) == 0)
            execlp("gnuplot", "gnuplot", script, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

bool plot_draw(const struct plot *plot, bool *drawn)
{
    static const char *const scripts[] = {"learning_curves.gp", "input_connections.gp"};
    int64_t side = square_side(plot->features);
    *drawn = false;
    if (!write_epochs(plot) || !write_connections(plot, side) || !write_learning_script(plot) ||
        !write_connection_script(plot, side))
        return false;
    if (plot->epoch_count == 0) {
        warn("--plot: no epoch was finished, so nothing is drawn");
        return true;
    }
    for (int i = 0; i < 2; i++) {
        int status = plot_run_gnuplot(plot->directory, scripts[i]);
        if (status == 0)
            continue;
        if (status == 127)
            warn("gnuplot is not installed, so nothing is drawn; data and scripts are in %s (there: gnuplot *.gp)",
                 plot->directory);
        else
            warn("gnuplot failed on %s/%s (status %d)", plot->directory, scripts[i], status);
        return true;
    }
    *drawn = true;
    return true;
}
