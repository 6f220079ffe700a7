/* SPDX-License-Identifier: Apache-2.0 */
/* Channel Access in C, on libca itself: what the C tools cost, without their printing.

   access_libca WORK PREFIX COUNT [plain|checked|printed SECONDS]; prints the same JSON as its
   neighbours.  `printed` also writes each update to /dev/null as camonitor does. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <alarm.h>
#include <alarmString.h>
#include <cadef.h>
#include <epicsTime.h>

#define PATIENCE_S 120.0
#define EPICS_EPOCH 631152000.0
#define SAMPLED 16

static int count;
static chid *channels;
static double *values;
static double *last;
static long number, lost, lag_count;
static double *lags;
static int checked;
static FILE *paper;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void must(int status, const char *what)
{
    if (status != ECA_NORMAL) {
        fprintf(stderr, "%s: %s\n", what, ca_message(status));
        exit(1);
    }
}

static void connect_all(const char *prefix)
{
    char name[80];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%d", prefix, i);
        must(ca_create_channel(name, NULL, NULL, 0, &channels[i]), name);
    }
    must(ca_pend_io(PATIENCE_S), "connect");
}

static void get_all(void)
{
    for (int i = 0; i < count; i++) {
        values[i] = NAN;
        must(ca_get(DBR_DOUBLE, channels[i], &values[i]), "get");
    }
    must(ca_pend_io(PATIENCE_S), "get");
    if (isnan(values[count - 1])) {
        fprintf(stderr, "get: nothing came\n");
        exit(1);
    }
}

static void on_update(struct event_handler_args args)
{
    const struct dbr_time_double *update = args.dbr;
    long i = (long)args.usr;
    number++;
    if (paper) {
        char stamp[40];
        epicsTimeToStrftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S.%06f", &update->stamp);
        fprintf(paper, "%-30s %s %g %s %s\n", ca_name(args.chid), stamp, update->value,
                epicsAlarmConditionStrings[update->status],
                epicsAlarmSeverityStrings[update->severity]);
    }
    if (!checked)
        return;
    if (!isnan(last[i]) && update->value != last[i] + 1)
        lost += update->value - last[i] - 1;
    last[i] = update->value;
    if (number % SAMPLED == 0 && lag_count < 10000000)
        lags[lag_count++] = now(CLOCK_REALTIME) - EPICS_EPOCH - update->stamp.secPastEpoch
                            - 1e-9 * update->stamp.nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_lap(double wall, double cpu, double items)
{
    printf("{\"figures\": {\"wall_us\": %g, \"cpu_us\": %g}}\n", wall * 1e6 / items,
           cpu * 1e6 / items);
}

static void updates(const char *prefix, double seconds)
{
    connect_all(prefix);
    for (long i = 0; i < count; i++)
        must(ca_create_subscription(DBR_TIME_DOUBLE, 1, channels[i], DBE_VALUE | DBE_ALARM,
                                    on_update, (void *)i, NULL), "subscribe");
    ca_flush_io();
    while (number < count)
        ca_pend_event(0.1);
    ca_pend_event(2.0);
    number = lost = lag_count = 0;
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    ca_pend_event(seconds);
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"figures\": {\"rate\": %g, \"cpu_us\": %g, \"load\": %g", number / wall,
           cpu * 1e6 / number, 100 * cpu / wall);
    if (lag_count) {
        qsort(lags, lag_count, sizeof *lags, by_size);
        printf(", \"p50_ms\": %g, \"p99_ms\": %g, \"lost\": %ld", lags[lag_count / 2] * 1e3,
               lags[lag_count * 99 / 100] * 1e3, lost);
    }
    printf("}}\n");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    const char *work = argv[1], *prefix = argv[2];
    count = atoi(argv[3]);
    channels = calloc(count, sizeof *channels);
    values = calloc(count, sizeof *values);
    last = calloc(count, sizeof *last);
    lags = malloc(10000000 * sizeof *lags);
    for (int i = 0; i < count; i++)
        last[i] = NAN;
    must(ca_context_create(ca_disable_preemptive_callback), "context");
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    int rounds = 1, items = 1;
    if (!strcmp(work, "updates")) {
        checked = argc > 4 && !strcmp(argv[4], "checked");
        if (argc > 4 && !strcmp(argv[4], "printed"))
            paper = fopen("/dev/null", "w");
        updates(prefix, argc > 5 ? atof(argv[5]) : 5.0);
        fflush(stdout);
        _Exit(0);
    } else if (!strcmp(work, "cold")) {
        items = count;
        connect_all(prefix);
        get_all();
    } else if (!strcmp(work, "array")) {
        char name[80];
        snprintf(name, sizeof name, "%sBIG", prefix);
        must(ca_create_channel(name, NULL, NULL, 0, &channels[0]), name);
        must(ca_pend_io(PATIENCE_S), name);
        unsigned long length = ca_element_count(channels[0]);
        double *array = malloc(length * sizeof *array);
        rounds = 20;
        for (int i = -1; i < rounds; i++) {
            if (i == 0) {
                wall = now(CLOCK_MONOTONIC);
                cpu = now(CLOCK_PROCESS_CPUTIME_ID);
            }
            must(ca_array_get(DBR_DOUBLE, length, channels[0], array), "get");
            must(ca_pend_io(PATIENCE_S), "get");
        }
    } else if (!strcmp(work, "one") || !strcmp(work, "bulk")) {
        if (!strcmp(work, "one")) {
            rounds = 2000;
            count = 1;
        } else {
            rounds = 5;
            items = count;
        }
        connect_all(prefix);
        get_all();
        wall = now(CLOCK_MONOTONIC);
        cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < rounds; i++)
            get_all();
    } else {
        fprintf(stderr, "no work %s\n", work);
        return 2;
    }
    print_lap(now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
              (double)rounds * items);
    fflush(stdout);
    _Exit(0);
}
