#include "tools/client/line_batches.hpp"

#include "tools/client/interrupt.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace ebb::client {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_bytes = 256 * 1024;
// A writer that writes line by line is not kept waiting, and many lines at once stay together.
constexpr auto moment = 20ms;

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

error file_error(const std::string& name, const std::string& message,
                 const std::string& hint = {}) {
  auto problem = make_error(ec::invalid_argument, message, hint);
  problem.place.file = name;
  return problem;
}

} // namespace

result<line_batches> line_batches::open(const std::string& path, batch_limits limits) {
  if (path == "-")
    return line_batches(STDIN_FILENO, "standard input", limits);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return file_error(path, std::string("cannot read the messages: ") + std::strerror(errno),
                      errno == ENOENT ? "check the path; it is taken from the current folder" : "");
  return line_batches(file, path, limits);
}

line_batches::line_batches(line_batches&& other) noexcept
    : file_(std::exchange(other.file_, -1)), name_(std::move(other.name_)), limits_(other.limits_),
      buffer_(std::move(other.buffer_)), begin_(other.begin_), scanned_(other.scanned_),
      line_(other.line_), ended_(other.ended_) {}

line_batches::~line_batches() {
  if (file_ > STDIN_FILENO)
    ::close(file_);
}

bool line_batches::fill(line_batch& batch) {
  while (begin_ < buffer_.size()) {
    auto end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      if (!ended_)
        return false;
      end = buffer_.size();
    }
    auto line = std::string_view(buffer_).substr(begin_, end - begin_);
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (line_ == 0 && line.substr(0, mark.size()) == mark)
      line.remove_prefix(mark.size());
    const bool blank = is_blank(line);
    if (!blank && !batch.body.empty() && batch.body.size() + line.size() + 1 > limits_.bytes) {
      scanned_ = begin_;
      return true;
    }
    ++line_;
    if (!blank) {
      batch.body.append(line) += '\n';
      batch.lines.push_back(line_);
    }
    begin_ = scanned_ = end + 1 > buffer_.size() ? buffer_.size() : end + 1;
    if (batch.lines.size() >= limits_.rows || batch.body.size() >= limits_.bytes)
      return true;
  }
  return false;
}

result<bool> line_batches::read_more(bool hurry) {
  EBB_ASSIGN(const bool ready, wait_for(file_, readiness::readable, hurry ? after(moment) : never));
  if (!ready)
    return false;
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const auto before = buffer_.size();
  if (before > limits_.line_bytes)
    return file_error(name_, "line " + std::to_string(line_ + 1) + " is longer than 16Mi",
                      "messages are one JSON object a line");
  buffer_.resize(before + read_bytes);
  const auto got = ::read(file_, buffer_.data() + before, read_bytes);
  const int why = errno;
  buffer_.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got < 0 && why != EINTR && why != EAGAIN)
    return file_error(name_, std::string("cannot read the messages: ") + std::strerror(why));
  ended_ = got == 0;
  return true;
}

result<std::optional<line_batch>> line_batches::next() {
  line_batch batch;
  for (;;) {
    if (fill(batch))
      return std::optional(std::move(batch));
    if (ended_)
      return batch.lines.empty() ? std::nullopt : std::optional(std::move(batch));
    // What comes before a line that is too long is not lost with it.
    if (!batch.lines.empty() && buffer_.size() - begin_ > limits_.line_bytes)
      return std::optional(std::move(batch));
    EBB_ASSIGN(const bool more, read_more(!batch.lines.empty()));
    if (!more)
      return std::optional(std::move(batch));
  }
}

} // namespace ebb::client
