#include "actors/links/link_stream.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ebb {

namespace {

class plain final : public link_stream {
public:
  explicit plain(int socket) : socket_(socket) {}

  step handshake() override {
    return {outcome::moved, 0};
  }

  step read(std::span<std::byte> to) override {
    for (;;) {
      const auto got = ::recv(socket_, to.data(), to.size(), MSG_DONTWAIT);
      if (got > 0)
        return {outcome::moved, static_cast<std::size_t>(got)};
      if (got == 0)
        return {outcome::ended, 0};
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {outcome::want_read, 0};
      if (errno != EINTR)
        return failed(read_problem_);
    }
  }

  step write(std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    for (;;) {
      const auto sent = ::sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0)
        return {outcome::moved, static_cast<std::size_t>(sent)};
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return {outcome::want_write, 0};
      if (errno != EINTR)
        return failed(write_problem_);
    }
  }

  [[nodiscard]] bool holds_bytes() const noexcept override {
    return false;
  }

  [[nodiscard]] std::string problem() const override {
    return std::strerror(read_problem_ != 0 ? read_problem_ : write_problem_);
  }

  [[nodiscard]] bool exclusive() const noexcept override {
    return false;
  }

private:
  // Threads that read and write at the same time do not share a number.
  static step failed(int& problem) {
    problem = errno;
    return {outcome::failed, 0};
  }

  int socket_;
  int read_problem_ = 0;
  int write_problem_ = 0;
};

} // namespace

std::unique_ptr<link_stream> plain_stream(int socket) {
  return std::make_unique<plain>(socket);
}

} // namespace ebb
