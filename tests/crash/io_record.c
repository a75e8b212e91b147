/* Records what a process does to files under one folder, in order, so that a test can build what a
 * disk may hold after a power failure: preload it (LD_PRELOAD).
 *
 *   IO_RECORD_FOLDER   files whose path begins so
 *   IO_RECORD_TO       the record: lines `OPERATION OFFSET SIZE PATH`, after `write` SIZE bytes
 *
 * Operations: create, folder, write, durable (a write to a descriptor that is synchronous), cut,
 * sync, rename (PATH is two, split by a tab), remove. One call at a time, so that the order is
 * that of the calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PATH_BYTES 4096

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char* folder;
static int to = -1;

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("IO_RECORD_TO");
  folder = getenv("IO_RECORD_FOLDER");
  if (folder && path)
    to = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void put(const void* bytes, size_t size) {
  while (size) {
    long done = syscall(SYS_write, to, bytes, size);
    if (done <= 0)
      abort();
    bytes = (const char*)bytes + done;
    size -= (size_t)done;
  }
}

static int counts(const char* path) {
  return to >= 0 && !strncmp(path, folder, strlen(folder));
}

static void note(const char* operation, long long offset, size_t size, const char* path,
                 const char* second) {
  char line[2 * PATH_BYTES + 64];
  int length = snprintf(line, sizeof line, "%s %lld %zu %s%s%s\n", operation, offset, size, path,
                        second ? "\t" : "", second ? second : "");
  put(line, (size_t)length);
}

/* The path of an open file; 0 where it does not count. */
static int path_of(int descriptor, char* path) {
  char link[64];
  ssize_t size;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  size = to < 0 ? -1 : readlink(link, path, PATH_BYTES - 1);
  if (size <= 0)
    return 0;
  path[size] = 0;
  return counts(path);
}

static const char* whole(const char* path, char* room) {
  size_t size;
  if (path[0] == '/' || !getcwd(room, PATH_BYTES / 2))
    return path;
  size = strlen(room);
  snprintf(room + size, PATH_BYTES - size, "/%s", path);
  return room;
}

/* Writes through `syscall` number `number` and notes what was written. */
static ssize_t write_at(int descriptor, const void* bytes, size_t size, off_t at) {
  char path[PATH_BYTES];
  ssize_t done;
  int kept, flags;
  if (!path_of(descriptor, path))
    return at < 0 ? syscall(SYS_write, descriptor, bytes, size)
                  : syscall(SYS_pwrite64, descriptor, bytes, size, at);
  pthread_mutex_lock(&order);
  flags = fcntl(descriptor, F_GETFL);
  if (at < 0) {
    struct stat info;
    off_t place = lseek(descriptor, 0, SEEK_CUR);
    if (flags & O_APPEND && !fstat(descriptor, &info))
      place = info.st_size;
    done = syscall(SYS_write, descriptor, bytes, size);
    at = place;
  } else {
    done = syscall(SYS_pwrite64, descriptor, bytes, size, at);
  }
  kept = errno;
  if (done > 0) {
    note(flags & O_DSYNC ? "durable" : "write", at, (size_t)done, path, NULL);
    put(bytes, (size_t)done);
  }
  pthread_mutex_unlock(&order);
  errno = kept;
  return done;
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return write_at(descriptor, bytes, size, -1);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
  return write_at(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t at) {
  return write_at(descriptor, bytes, size, at);
}

static ssize_t write_parts(int descriptor, const struct iovec* parts, int count, off_t at) {
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    ssize_t done =
        write_at(descriptor, parts[i].iov_base, parts[i].iov_len, at < 0 ? -1 : at + sum);
    if (done < 0)
      return sum ? sum : -1;
    sum += done;
    if ((size_t)done < parts[i].iov_len)
      break;
  }
  return sum;
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  return write_parts(descriptor, parts, count, -1);
}

ssize_t pwritev(int descriptor, const struct iovec* parts, int count, off_t at) {
  return write_parts(descriptor, parts, count, at);
}

ssize_t pwritev64(int descriptor, const struct iovec* parts, int count, off64_t at) {
  return write_parts(descriptor, parts, count, at);
}

/* Callers fall back on reading and writing. */
ssize_t copy_file_range(int from, off64_t* from_at, int target, off64_t* target_at, size_t size,
                        unsigned flags) {
  char path[PATH_BYTES];
  if (!path_of(target, path))
    return REAL(copy_file_range)(from, from_at, target, target_at, size, flags);
  errno = EXDEV;
  return -1;
}

/* Runs `call` and notes it when it went well. */
#define NOTED(call, operation, offset, path, second)                                               \
  do {                                                                                             \
    int result_, kept_;                                                                            \
    pthread_mutex_lock(&order);                                                                    \
    result_ = (int)(call);                                                                         \
    kept_ = errno;                                                                                 \
    if (result_ >= 0)                                                                              \
      note(operation, offset, 0, path, second);                                                    \
    pthread_mutex_unlock(&order);                                                                  \
    errno = kept_;                                                                                 \
    return result_;                                                                                \
  } while (0)

int fsync(int descriptor) {
  char path[PATH_BYTES];
  if (!path_of(descriptor, path))
    return REAL(fsync)(descriptor);
  NOTED(REAL(fsync)(descriptor), "sync", 0, path, NULL);
}

int fdatasync(int descriptor) {
  char path[PATH_BYTES];
  if (!path_of(descriptor, path))
    return REAL(fdatasync)(descriptor);
  NOTED(REAL(fdatasync)(descriptor), "sync", 0, path, NULL);
}

int ftruncate(int descriptor, off_t size) {
  char path[PATH_BYTES];
  if (!path_of(descriptor, path))
    return REAL(ftruncate)(descriptor, size);
  NOTED(REAL(ftruncate)(descriptor, size), "cut", size, path, NULL);
}

int ftruncate64(int descriptor, off64_t size) {
  return ftruncate(descriptor, size);
}

int rename(const char* from, const char* target) {
  char one[PATH_BYTES], two[PATH_BYTES];
  from = whole(from, one);
  target = whole(target, two);
  if (!counts(target))
    return REAL(rename)(from, target);
  NOTED(REAL(rename)(from, target), "rename", 0, from, target);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* target,
              unsigned flags) {
  char one[PATH_BYTES], two[PATH_BYTES];
  from = whole(from, one);
  target = whole(target, two);
  if (!counts(target))
    return REAL(renameat2)(from_folder, from, to_folder, target, flags);
  NOTED(REAL(renameat2)(AT_FDCWD, from, AT_FDCWD, target, flags), "rename", 0, from, target);
}

int link(const char* from, const char* target) {
  static const char refusal[] = "io_record: link is not recorded\n";
  if (counts(target)) {
    syscall(SYS_write, 2, refusal, sizeof refusal - 1);
    abort();
  }
  return REAL(link)(from, target);
}

int unlink(const char* path) {
  char room[PATH_BYTES];
  path = whole(path, room);
  if (!counts(path))
    return REAL(unlink)(path);
  NOTED(REAL(unlink)(path), "remove", 0, path, NULL);
}

int mkdir(const char* path, mode_t mode) {
  char room[PATH_BYTES];
  path = whole(path, room);
  if (!counts(path))
    return REAL(mkdir)(path, mode);
  NOTED(REAL(mkdir)(path, mode), "folder", 0, path, NULL);
}

int mkostemp(char* path, int flags) {
  char room[PATH_BYTES];
  int made;
  pthread_mutex_lock(&order);
  made = REAL(mkostemp)(path, flags);
  if (made >= 0 && counts(whole(path, room)))
    note("create", 0, 0, whole(path, room), NULL);
  pthread_mutex_unlock(&order);
  return made;
}

int mkostemp64(char* path, int flags) {
  return mkostemp(path, flags);
}

static int open_file(int at, const char* path, int flags, mode_t mode) {
  char room[PATH_BYTES];
  int fresh;
  if (at == AT_FDCWD)
    path = whole(path, room);
  if (!(flags & (O_CREAT | O_TRUNC)) || !counts(path))
    return (int)syscall(SYS_openat, at, path, flags, mode);
  fresh = syscall(SYS_access, path, F_OK) != 0;
  if (fresh)
    NOTED(syscall(SYS_openat, at, path, flags, mode), "create", 0, path, NULL);
  if (flags & O_TRUNC)
    NOTED(syscall(SYS_openat, at, path, flags, mode), "cut", 0, path, NULL);
  return (int)syscall(SYS_openat, at, path, flags, mode);
}

#define MODE_OF(flags)                                                                             \
  va_list rest;                                                                                    \
  mode_t mode = 0;                                                                                 \
  va_start(rest, flags);                                                                           \
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)                                         \
    mode = va_arg(rest, mode_t);                                                                   \
  va_end(rest)

int open(const char* path, int flags, ...) {
  MODE_OF(flags);
  return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  MODE_OF(flags);
  return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char* path, int flags, ...) {
  MODE_OF(flags);
  return open_file(at, path, flags, mode);
}
