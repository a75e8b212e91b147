#include "tests/gateway/http_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ebb::test {

namespace {

sockaddr_in address_of(const char* text, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  BOOST_REQUIRE(inet_pton(AF_INET, text, &out.sin_addr) == 1);
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

} // namespace

http_client::http_client(std::uint16_t port, bool tls, std::string source) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BOOST_REQUIRE(socket_ >= 0);
  if (!source.empty()) {
    const auto from = address_of(source.c_str(), 0);
    BOOST_REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
  }
  const timeval limit{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto to = address_of("127.0.0.1", port);
  BOOST_REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  if (!tls)
    return;
  static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  tls_ = SSL_new(context);
  SSL_set_fd(tls_, socket_);
  BOOST_REQUIRE(SSL_connect(tls_) == 1);
}

http_client::~http_client() {
  if (tls_ != nullptr)
    SSL_free(tls_);
  if (socket_ >= 0)
    ::close(socket_);
}

bool http_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = tls_ != nullptr
                          ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool http_client::fill() {
  std::array<char, 64 << 10> bytes;
  const auto got = tls_ != nullptr ? SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                   : ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (got <= 0)
    return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<http_answer> http_client::receive(bool head_only) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill())
      return std::nullopt;
  http_answer out;
  out.head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  if (out.head.size() < 12)
    return std::nullopt;
  out.status = std::stoi(out.head.substr(9, 3));
  for (std::size_t at = out.head.find("\r\n") + 2; at + 2 < out.head.size();) {
    const auto line_end = out.head.find("\r\n", at);
    const auto line = out.head.substr(at, line_end - at);
    const auto colon = line.find(": ");
    BOOST_REQUIRE(colon != std::string::npos);
    out.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
    at = line_end + 2;
  }
  if (head_only || out.status == 204 || out.status == 100)
    return out;
  if (out.headers.count("transfer-encoding") == 0) {
    const auto length = out.headers.count("content-length") != 0
                            ? std::stoul(out.headers["content-length"])
                            : std::string::npos;
    while (buffer_.size() < length)
      if (!fill()) {
        if (length != std::string::npos)
          return std::nullopt;
        break;
      }
    out.body = buffer_.substr(0, length);
    buffer_.erase(0, std::min(length, buffer_.size()));
    return out;
  }
  for (;;) {
    while (buffer_.find("\r\n") == std::string::npos)
      if (!fill())
        return std::nullopt;
    const auto line = buffer_.find("\r\n");
    const auto size = std::stoul(buffer_.substr(0, line), nullptr, 16);
    while (buffer_.size() < line + 2 + size + 2)
      if (!fill())
        return std::nullopt;
    out.body += buffer_.substr(line + 2, size);
    buffer_.erase(0, line + 2 + size + 2);
    if (size == 0)
      return out;
  }
}

std::optional<http_answer> http_client::ask(std::string_view bytes, bool head_only) {
  send(bytes);
  return receive(head_only);
}

bool http_client::ends_within(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd one{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) <= 0)
      return false;
    std::array<char, 4096> bytes;
    if (::recv(socket_, bytes.data(), bytes.size(), 0) <= 0)
      return true;
  }
}

std::string http_client::read_until(std::string_view enough) {
  while (buffer_.find(enough) == std::string::npos)
    if (!fill())
      break;
  return std::exchange(buffer_, {});
}

void http_client::end_sending() {
  ::shutdown(socket_, SHUT_WR);
}

void http_client::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(socket_, -1));
}

std::string get(std::string_view path, std::string_view headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers)
         + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view type,
                 std::string_view headers) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         + std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"
         + std::string(headers) + "\r\n" + std::string(body);
}

} // namespace ebb::test
