// A token that has ended while its file has the next one.
#include "k8s-bridge/client/curl_world.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <future>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ebb::test {

namespace {

/// An API server that knows one token, and counts.
class one_token_server {
public:
  explicit one_token_server(std::string token) : token_(std::move(token)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    BOOST_REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    BOOST_REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    BOOST_REQUIRE(::listen(socket_, 8) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~one_token_server() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  one_token_server(const one_token_server&) = delete;
  one_token_server& operator=(const one_token_server&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }

  std::atomic<int> refused = 0;
  std::atomic<int> taken = 0;

private:
  void serve() {
    for (;;) {
      const int one = ::accept(socket_, nullptr, nullptr);
      if (one < 0)
        return;
      std::string text;
      char piece[4096];
      while (text.find("\r\n\r\n") == std::string::npos) {
        const auto got = ::recv(one, piece, sizeof piece, 0);
        if (got <= 0)
          break;
        text.append(piece, static_cast<std::size_t>(got));
      }
      const bool known = text.find("Bearer " + token_ + "\r\n") != std::string::npos;
      ++(known ? taken : refused);
      const std::string answer =
          std::string(known ? "HTTP/1.1 200 OK" : "HTTP/1.1 401 Unauthorized")
          + "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
      static_cast<void>(::send(one, answer.data(), answer.size(), MSG_NOSIGNAL));
      ::close(one);
    }
  }

  const std::string token_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class token_file {
public:
  token_file() : path("/tmp/ebb-token-" + std::to_string(::getpid())) {}

  ~token_file() {
    std::remove(path.c_str());
  }

  token_file(const token_file&) = delete;
  token_file& operator=(const token_file&) = delete;

  void write(const std::string& text) const {
    std::ofstream(path) << text << '\n';
  }

  const std::string path;
};

int status_of(curl_world& world, const char* method) {
  std::promise<int> done;
  world.post([&] {
    kube_request x;
    x.method = method;
    x.path = "/api";
    x.content_type = "application/json";
    x.body = "{}";
    world.send(std::move(x),
               [&](result<kube_response> got) { done.set_value(got ? got->status : -1); });
  });
  return done.get_future().get();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_token_that_has_ended_is_read_again_at_once) {
  const one_token_server server("second");
  const token_file file;
  file.write("first");
  kube_access access;
  access.server = server.url();
  access.token_file = file.path;
  auto world = curl_world::start(access);
  BOOST_REQUIRE(world);
  // The file has nothing better: refused once, not again and again.
  BOOST_TEST(status_of(**world, "GET") == 401);
  BOOST_TEST(server.refused == 1);
  BOOST_TEST(status_of(**world, "GET") == 401);
  BOOST_TEST(server.refused == 2);
  file.write("second");
  BOOST_TEST(status_of(**world, "GET") == 200);
  file.write("third");
  BOOST_TEST(status_of(**world, "POST") == 200); // what it has holds
  world->reset();
}

BOOST_AUTO_TEST_CASE(a_call_that_a_token_was_refused_for_is_made_again) {
  const token_file file;
  file.write("first");
  const one_token_server server("second");
  kube_access access;
  access.server = server.url();
  access.token_file = file.path;
  auto world = curl_world::start(access);
  BOOST_REQUIRE(world);
  BOOST_TEST(status_of(**world, "GET") == 401);
  // It reads "first" for the next call; by the answer the file has another one.
  std::promise<int> done;
  (*world)->post([&] {
    kube_request x;
    x.method = "POST";
    x.path = "/api";
    x.content_type = "application/json";
    x.body = "{}";
    (*world)->send(std::move(x),
                   [&](result<kube_response> got) { done.set_value(got ? got->status : -1); });
    file.write("second");
  });
  BOOST_TEST(done.get_future().get() == 200);
  BOOST_TEST(server.refused == 2);
  BOOST_TEST(server.taken == 1);
  world->reset();
}

} // namespace ebb::test
