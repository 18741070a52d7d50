// SPDX-License-Identifier: Apache-2.0
// A wall clock that a test can step: preloaded, it adds the seconds that stand in the file
// STEPPED_CLOCK (a double, in the machine's order) to CLOCK_REALTIME, for one process. The other
// clocks go on, as they do when an administrator sets the time. Thread: any.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double* offset;

__attribute__((constructor)) static void open_offset(void) {
  const char* path = getenv("STEPPED_CLOCK");
  const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) offset = mapped;
}

int clock_gettime(clockid_t id, struct timespec* out) {
  const int failed = (int)syscall(SYS_clock_gettime, id, out);
  if (failed == 0 && id == CLOCK_REALTIME && offset != NULL) out->tv_sec += (time_t)*offset;
  return failed;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
