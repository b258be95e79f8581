/*
 * What a helper of a benchmark says: for each line that it is sent, how many
 * packets it took and its processor time, user and system, in microseconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t packets;

/* Answers one line of input; 0 at its end. */
static int answer(void) {
  char line[64];
  ssize_t got = read(0, line, sizeof line);
  if (got <= 0) return 0;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  long long cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
                     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  printf("{\"packets\":%llu,\"cpuUs\":%lld}\n", (unsigned long long)packets, cpu_us);
  fflush(stdout);
  return 1;
}
