/* What is seen while the network learns: an epoch table, and on a terminal a bar that is redrawn in place. */
#define _DEFAULT_SOURCE /* struct winsize */

#include "progress.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define REDRAW_SECONDS 0.1
enum { BAR_WIDTH = 30, BAR_TEXT = 62 }; /* columns: of the bar, and of the words beside it at their longest */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void progress_start(struct progress *progress, bool quiet, int64_t epochs)
{
    const char *terminal = getenv("TERM");
    memset(progress, 0, sizeof *progress);
    progress->quiet = quiet;
    progress->epochs = epochs;
    progress->start = now();
    progress->bar = !quiet && isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    progress->colour = progress->bar && getenv("NO_COLOR") == NULL;
    /* Character type only: numbers keep their decimal point. */
    progress->utf8 = progress->bar && setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!quiet) {
        printf("\n%s  epoch   train loss   train acc   test acc   connections   replaced   seconds%s\n",
               progress->colour ? "\033[1m" : "", progress->colour ? "\033[0m" : "");
        fflush(stdout);
    }
}

static void clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stdout);
    progress->drawn = false;
}

static int terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void put_bar(const struct progress *progress, double share, int width)
{
    int full = (int)(share * width + 0.5);
    fputs(progress->colour ? "\033[36m" : "", stdout);
    for (int i = 0; i < width; i++) {
        if (i == full && progress->colour)
            fputs("\033[90m", stdout);
        if (progress->utf8)
            fputs(i < full || progress->colour ? "\xE2\x94\x81" : "\xE2\x95\x8C", stdout);
        else
            fputc(i < full ? '=' : '.', stdout);
    }
    fputs(progress->colour ? "\033[0m" : "", stdout);
}

void progress_step(struct progress *progress, const tsnn_step_report *report)
{
    double time = now();
    if (!progress->bar || time < progress->redraw)
        return;
    progress->redraw = time + REDRAW_SECONDS;
    double share =
        ((double)(report->epoch - 1) + (double)report->step / (double)report->steps) / (double)progress->epochs;
    double left = share > 0 ? (time - progress->start) * (1 - share) / share : 0;
    int columns = terminal_columns();
    int width = columns - BAR_TEXT < BAR_WIDTH ? columns - BAR_TEXT : BAR_WIDTH;
    char words[120];
    snprintf(words, sizeof words, "  epoch %lld of %lld  %3.0f %%  loss %.4f  %s left", (long long)report->epoch,
             (long long)progress->epochs, 100 * share, report->loss, duration(left).text);
    clear(progress);
    fputs("  ", stdout);
    if (width >= 5)
        put_bar(progress, share, width);
    printf("%.*s", columns > 4 ? columns - 3 - (width >= 5 ? width : 0) : 0, words);
    fflush(stdout);
    progress->drawn = true;
}

void progress_epoch(struct progress *progress, const tsnn_epoch_report *report)
{
    if (progress->quiet)
        return;
    bool best = report->validation_accuracy > progress->best;
    if (best)
        progress->best = report->validation_accuracy;
    clear(progress);
    printf("  %5lld   %10.4f   %9.4f   %s%8.4f%s   %11s   %8s   %7.2f", (long long)report->epoch, report->train_loss,
           report->train_accuracy, best && progress->colour ? "\033[32m" : "", report->validation_accuracy,
           best && progress->colour ? "\033[0m" : "", grouped(report->connections).text, grouped(report->replaced).text,
           report->train_seconds);
    if (report->pruned > 0)
        printf("   %s neurons pruned", grouped(report->pruned).text);
    putchar('\n');
    fflush(stdout);
}

void progress_end(struct progress *progress)
{
    clear(progress);
    fflush(stdout);
}
