/// A client that sends exactly the bytes that a test gives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

struct ssl_st;

namespace ebb::test {

struct http_answer {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;                           ///< of chunks put together
  std::string head;                           ///< as it came
};

/// Blocking, with a time limit of ten seconds. Fails the test when it cannot connect.
class http_client {
public:
  explicit http_client(std::uint16_t port, bool tls = false, std::string source = {});
  ~http_client();

  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Whether all of it was sent.
  bool send(std::string_view bytes);

  /// The next answer; nothing where the connection ends before. `head_only`: one without body
  /// whatever its head says.
  [[nodiscard]] std::optional<http_answer> receive(bool head_only = false);

  /// send() and receive().
  [[nodiscard]] std::optional<http_answer> ask(std::string_view bytes, bool head_only = false);

  /// Whether the server ends the connection within the time; what it sent before is dropped.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time);

  /// Some bytes of the stream: what has come until `enough` is in it, or the end.
  [[nodiscard]] std::string read_until(std::string_view enough);

  /// Tells the server that nothing more will come.
  void end_sending();

  /// Cuts the connection.
  void reset();

  [[nodiscard]] int descriptor() const noexcept {
    return socket_;
  }

private:
  [[nodiscard]] bool fill();

  int socket_ = -1;
  ssl_st* tls_ = nullptr;
  std::string buffer_;
};

/// `GET path HTTP/1.1` with Host and further header lines, each ending in CRLF.
[[nodiscard]] std::string get(std::string_view path, std::string_view headers = {});
[[nodiscard]] std::string post(std::string_view path, std::string_view body,
                               std::string_view type = "application/json",
                               std::string_view headers = {});

} // namespace ebb::test
