/* Makes a machine odd for one process, by LD_PRELOAD: its clocks are moved by the seconds in the file $ODD_CLOCKS
 * ("wall boot"), flock fails with $ODD_FLOCK, fsync of a folder with $ODD_FOLDER_SYNC, and the listing of
 * $ODD_HUNG_FOLDER never comes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, time);
  const char *path = getenv("ODD_CLOCKS");
  if (!path || (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME)) return result;
  long wall = 0, boot = 0;
  FILE *file = fopen(path, "r");
  if (file) {
    if (fscanf(file, "%ld %ld", &wall, &boot) != 2) wall = boot = 0;
    fclose(file);
  }
  time->tv_sec += id == CLOCK_REALTIME ? wall + boot : boot;
  return result;
}

static int fails(const char *name) {
  const char *number = getenv(name);
  if (!number) return 0;
  errno = atoi(number);
  return 1;
}

int flock(int file, int operation) {
  static int (*real)(int, int);
  if (fails("ODD_FLOCK")) return -1;
  if (!real) real = dlsym(RTLD_NEXT, "flock");
  return real(file, operation);
}

int fsync(int file) {
  static int (*real)(int);
  struct stat status;
  if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode) && fails("ODD_FOLDER_SYNC")) return -1;
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  return real(file);
}

DIR *opendir(const char *path) {
  static DIR *(*real)(const char *);
  const char *hung = getenv("ODD_HUNG_FOLDER");
  while (hung && strcmp(path, hung) == 0) pause();
  if (!real) real = dlsym(RTLD_NEXT, "opendir");
  return real(path);
}
