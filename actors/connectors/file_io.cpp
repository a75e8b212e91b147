#include "actors/connectors/file_io.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

// A pipe whose reader has gone raises SIGPIPE, which would end the process before the error can be
// told. It is held back for this thread during the write, and taken if the write raised it.
class pipe_signal_guard {
public:
  pipe_signal_guard() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }

  ~pipe_signal_guard() {
    if (raised_ && !was_pending_) {
      const timespec now{};
      while (sigtimedwait(&pipe_, nullptr, &now) == -1 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  pipe_signal_guard(const pipe_signal_guard&) = delete;
  pipe_signal_guard& operator=(const pipe_signal_guard&) = delete;

  void raised() noexcept {
    raised_ = true;
  }

private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
  bool raised_ = false;
};

class plain_reader final : public byte_reader {
public:
  plain_reader(descriptor file, std::string shown, std::function<bool()> stopped)
      : file_(std::move(file)), shown_(std::move(shown)), stopped_(std::move(stopped)) {
    struct stat info {};

    regular_ = ::fstat(file_.number(), &info) == 0 && S_ISREG(info.st_mode);
  }

  result<std::size_t> read(char* to, std::size_t room) override {
    for (;;) {
      if (!regular_)
        EBB_TRY(wait());
      const auto count = ::read(file_.number(), to, room);
      if (count >= 0)
        return static_cast<std::size_t>(count);
      if (errno != EINTR && errno != EAGAIN)
        return file_error("read", shown_, errno);
    }
  }

  result<bool> seek(std::uint64_t offset) override {
    struct stat info {};

    if (::fstat(file_.number(), &info) != 0 || !S_ISREG(info.st_mode)
        || static_cast<std::uint64_t>(info.st_size) < offset)
      return false;
    if (::lseek(file_.number(), static_cast<off_t>(offset), SEEK_SET) < 0)
      return file_error("read", shown_, errno);
    return true;
  }

private:
  // Until there is something to read, or the last writer has gone. A pipe that had no writer yet is
  // neither.
  result<void> wait() {
    constexpr int look_milliseconds = 100;
    pollfd ready{file_.number(), POLLIN, 0};
    while (::poll(&ready, 1, look_milliseconds) <= 0)
      if (stopped_())
        return make_error(ec::cancelled, "the stream was stopped");
    return {};
  }

  descriptor file_;
  std::string shown_;
  std::function<bool()> stopped_;
  bool regular_ = false;
};

class plain_writer final : public byte_writer {
public:
  plain_writer(descriptor file, std::string shown)
      : file_(std::move(file)), shown_(std::move(shown)) {}

  result<void> write(const char* bytes, std::size_t size) override {
    pipe_signal_guard guard;
    while (size != 0) {
      const auto count = ::write(file_.number(), bytes, size);
      if (count >= 0) {
        bytes += count;
        size -= static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        const int problem = errno;
        if (problem == EPIPE)
          guard.raised();
        return file_error("write", shown_, problem);
      }
    }
    return {};
  }

  result<void> flush() override {
    return {};
  }

  result<void> finish() override {
    if (const int problem = file_.close(); problem != 0)
      return file_error("write", shown_, problem);
    return {};
  }

private:
  descriptor file_;
  std::string shown_;
};

} // namespace

compression compression_of(const std::string& path) noexcept {
  if (ends_with(path, ".gz"))
    return compression::gzip;
  if (ends_with(path, ".zst"))
    return compression::zstd;
  return compression::none;
}

error file_error(const char* action, const std::string& path, int problem) {
  std::string hint;
  auto code = ec::io;
  switch (problem) {
  case ENOENT:
    code = ec::not_found;
    break;
  case EACCES:
  case EPERM:
    hint = "give the user who runs ebb the right to " + std::string(action) + " it";
    break;
  case EROFS:
    hint = "choose a path on a file system that is not read-only";
    break;
  case ENOSPC:
  case EDQUOT:
    code = ec::resource;
    hint = "free space on the disk that holds it, then run again";
    break;
  case EFBIG:
    code = ec::resource;
    break;
  case EMFILE:
  case ENFILE:
    code = ec::resource;
    hint = "raise the limit of open files (ulimit -n)";
    break;
  case EPIPE:
    hint = "the program that reads it has ended";
    break;
  default:
    break;
  }
  return make_error(code, "cannot " + std::string(action) + " " + path + ": " + strerror(problem),
                    std::move(hint));
}

descriptor::descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

descriptor::~descriptor() {
  close();
}

int descriptor::close() noexcept {
  if (number_ < 0)
    return 0;
  const int failed = ::close(std::exchange(number_, -1));
  return failed == 0 || errno == EINTR ? 0 : errno;
}

result<std::unique_ptr<byte_reader>> open_reader(const std::string& path, const std::string& shown,
                                                 std::function<bool()> stopped) {
  // Opening a pipe would wait for its writer.
  descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0)
    return file_error("open", shown, errno);
  // Only advice: it fails on pipes, and nothing depends on it.
  static_cast<void>(::posix_fadvise(file.number(), 0, 0, POSIX_FADV_SEQUENTIAL));
  std::unique_ptr<byte_reader> plain =
      std::make_unique<plain_reader>(std::move(file), shown, std::move(stopped));
  return decompress(compression_of(path), std::move(plain), shown);
}

std::unique_ptr<byte_writer> make_writer(descriptor file, compression method,
                                         const std::string& shown) {
  return compress(method, std::make_unique<plain_writer>(std::move(file), shown), shown);
}

} // namespace ebb
