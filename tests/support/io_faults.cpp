// Both names of each call are defined here; with this macro the headers would make them one.
#undef _FILE_OFFSET_BITS

#include "tests/support/io_faults.hpp"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

enum class fault { none, eio, enospc, eintr, half };

char watched[4096];
fault kind = fault::none;
unsigned long first = 0;
unsigned long length = 1;
std::atomic<unsigned long> calls{0};
int log_file = -1;

fault kind_of(const char* text) {
  if (std::strcmp(text, "eio") == 0)
    return fault::eio;
  if (std::strcmp(text, "enospc") == 0)
    return fault::enospc;
  if (std::strcmp(text, "eintr") == 0)
    return fault::eintr;
  if (std::strcmp(text, "short") == 0)
    return fault::half;
  std::fprintf(stderr, "io_faults: there is no fault '%s'\n", text);
  std::_Exit(2);
}

// For LD_PRELOAD. Constant-initialised state above, so that the order of constructors is no matter.
__attribute__((constructor)) void arm_from_environment() {
  const auto* text = std::getenv("EBB_IO_FAULTS");
  const auto* folder = std::getenv("EBB_IO_FAULTS_FOLDER");
  if (text == nullptr || folder == nullptr)
    return;
  char name[16] = {};
  unsigned long nth = 0;
  unsigned long count = 1;
  if (std::sscanf(text, "%15[a-z]:%lu:%lu", name, &nth, &count) < 2) {
    std::fprintf(stderr, "EBB_IO_FAULTS: '%s' is not KIND:NTH[:LENGTH]\n", text);
    std::_Exit(2);
  }
  if (const auto* log = std::getenv("EBB_IO_FAULTS_LOG"); log != nullptr)
    log_file = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  io_faults_arm(folder, name, nth, count);
}

bool is_watched(const char* path) {
  return std::strncmp(path, watched, std::strlen(watched)) == 0;
}

void note(const char* call, const char* path) {
  char line[4200];
  const int size = std::snprintf(line, sizeof line, "%s %s\n", call, path);
  static_cast<void>(::syscall(SYS_write, log_file, line, static_cast<std::size_t>(size)));
}

// Counts the call; what is to happen to it.
fault next_fault(const char* call, const char* path) {
  if (log_file >= 0)
    note(call, path);
  const auto n = calls.fetch_add(1) + 1;
  const bool hit = n >= first && (length == 0 || n < first + length);
  return hit ? kind : fault::none;
}

fault fault_at(const char* call, const char* path) {
  if (kind == fault::none)
    return fault::none;
  const int kept = errno;
  const auto found = is_watched(path) ? next_fault(call, path) : fault::none;
  errno = kept;
  return found;
}

fault fault_at(const char* call, int descriptor) {
  if (kind == fault::none)
    return fault::none;
  const int kept = errno;
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const auto size = ::readlink(link, path, sizeof path - 1);
  auto found = fault::none;
  if (size > 0) {
    path[size] = 0;
    found = fault_at(call, static_cast<const char*>(path));
  }
  errno = kept;
  return found;
}

// True with errno set where the call fails. A half write is for the caller to make.
bool fails(fault x) {
  switch (x) {
  case fault::eio:
    errno = EIO;
    return true;
  case fault::enospc:
    errno = ENOSPC;
    return true;
  case fault::eintr:
    errno = EINTR;
    return true;
  case fault::none:
  case fault::half:
    break;
  }
  return false;
}

template <class Function>
Function real(const char* name) {
  auto* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr)
    std::abort();
  return reinterpret_cast<Function>(found);
}

#define EBB_REAL(name)                                                                             \
  static const auto call = real<decltype(&::name)>(#name) // NOLINT(bugprone-macro-parentheses)

size_t half_of(size_t bytes) {
  return bytes / 2;
}

} // namespace

extern "C" {

void io_faults_arm(const char* folder, const char* name, unsigned long nth, unsigned long count) {
  kind = fault::none;
  calls = 0;
  if (folder == nullptr)
    return;
  std::snprintf(watched, sizeof watched, "%s", folder);
  first = nth;
  length = count;
  kind = kind_of(name);
}

unsigned long io_faults_count() {
  return calls;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  EBB_REAL(write);
  const auto x = fault_at("write", fd);
  return fails(x) ? -1 : call(fd, bytes, x == fault::half ? half_of(size) : size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  EBB_REAL(pwrite);
  const auto x = fault_at("pwrite", fd);
  return fails(x) ? -1 : call(fd, bytes, x == fault::half ? half_of(size) : size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  EBB_REAL(pwrite64);
  const auto x = fault_at("pwrite64", fd);
  return fails(x) ? -1 : call(fd, bytes, x == fault::half ? half_of(size) : size, at);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  EBB_REAL(writev);
  const auto x = fault_at("writev", fd);
  if (x == fault::half)
    return ::write(fd, parts[0].iov_base, half_of(parts[0].iov_len));
  return fails(x) ? -1 : call(fd, parts, count);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  EBB_REAL(pwritev);
  const auto x = fault_at("pwritev", fd);
  if (x == fault::half)
    return real<decltype(&::pwrite)>("pwrite")(fd, parts[0].iov_base, half_of(parts[0].iov_len),
                                               at);
  return fails(x) ? -1 : call(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t at) {
  EBB_REAL(pwritev64);
  const auto x = fault_at("pwritev64", fd);
  if (x == fault::half)
    return real<decltype(&::pwrite)>("pwrite")(fd, parts[0].iov_base, half_of(parts[0].iov_len),
                                               at);
  return fails(x) ? -1 : call(fd, parts, count, at);
}

ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t size,
                        unsigned flags) {
  EBB_REAL(copy_file_range);
  const auto x = fault_at("copy_file_range", to);
  return fails(x) ? -1
                  : call(from, from_at, to, to_at, x == fault::half ? half_of(size) : size, flags);
}

int fsync(int fd) {
  EBB_REAL(fsync);
  return fails(fault_at("fsync", fd)) ? -1 : call(fd);
}

int fdatasync(int fd) {
  EBB_REAL(fdatasync);
  return fails(fault_at("fdatasync", fd)) ? -1 : call(fd);
}

int msync(void* address, size_t size, int flags) {
  EBB_REAL(msync);
  return fails(kind == fault::none ? fault::none : next_fault("msync", ""))
             ? -1
             : call(address, size, flags);
}

int ftruncate(int fd, off_t size) noexcept {
  EBB_REAL(ftruncate);
  return fails(fault_at("ftruncate", fd)) ? -1 : call(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  EBB_REAL(ftruncate64);
  return fails(fault_at("ftruncate64", fd)) ? -1 : call(fd, size);
}

int rename(const char* from, const char* to) noexcept {
  EBB_REAL(rename);
  return fails(fault_at("rename", to)) ? -1 : call(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  EBB_REAL(renameat2);
  return fails(fault_at("renameat2", to)) ? -1 : call(from_folder, from, to_folder, to, flags);
}

int link(const char* from, const char* to) noexcept {
  EBB_REAL(link);
  return fails(fault_at("link", to)) ? -1 : call(from, to);
}

int mkostemp(char* path, int flags) {
  EBB_REAL(mkostemp);
  return fails(fault_at("mkostemp", static_cast<const char*>(path))) ? -1 : call(path, flags);
}

int mkostemp64(char* path, int flags) {
  EBB_REAL(mkostemp64);
  return fails(fault_at("mkostemp64", static_cast<const char*>(path))) ? -1 : call(path, flags);
}

// The mode is there only when a file may be made.
#define EBB_MODE                                                                                   \
  mode_t mode = 0;                                                                                 \
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                                                      \
    va_list more;                                                                                  \
    va_start(more, flags);                                                                         \
    mode = va_arg(more, mode_t);                                                                   \
    va_end(more);                                                                                  \
  }

int open(const char* path, int flags, ...) {
  EBB_REAL(open);
  EBB_MODE
  return (flags & O_CREAT) != 0 && fails(fault_at("open", path)) ? -1 : call(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  EBB_REAL(open64);
  EBB_MODE
  return (flags & O_CREAT) != 0 && fails(fault_at("open64", path)) ? -1 : call(path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  EBB_REAL(openat);
  EBB_MODE
  return (flags & O_CREAT) != 0 && fails(fault_at("openat", path))
             ? -1
             : call(folder, path, flags, mode);
}
}
