#include "tools/cli/control_socket.hpp"

#include <boost/asio.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ebb::cli {

namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using nlohmann::json;

constexpr std::size_t line_max = 64 << 10;
constexpr auto request_deadline = std::chrono::seconds(10);

std::string path_of(const std::string& folder) {
  return folder + "/control.sock";
}

std::string error_line(const error& problem) {
  return json{{"error", problem.message}, {"hint", problem.hint}}.dump() + '\n';
}

/// One client. Lives as long as something is under way.
class session : public std::enable_shared_from_this<session> {
public:
  session(local::socket socket, const std::function<void(savepoint_request)>& savepoint)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), savepoint_(savepoint) {}

  void start() {
    deadline_.expires_after(request_deadline);
    deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
      boost::system::error_code ignored;
      if (!failed)
        self->socket_.close(ignored);
    });
    asio::async_read_until(
        socket_, asio::dynamic_buffer(line_, line_max), '\n',
        [self = shared_from_this()](const boost::system::error_code& failed, std::size_t) {
          self->deadline_.cancel();
          if (!failed)
            self->handle();
        });
  }

private:
  void handle() {
    const auto request = json::parse(line_, nullptr, false);
    if (!request.is_object() || request.value("command", json()) != "savepoint"
        || !request.value("stream", json()).is_string()
        || !request.value("name", json()).is_string()) {
      write(
          error_line(make_error(ec::invalid_argument, "this is no request that is known",
                                "send {\"command\": \"savepoint\", \"stream\": …, \"name\": …}")));
      return;
    }
    savepoint_request wish;
    wish.stream = request["stream"];
    wish.name = request["name"];
    // The answer comes from an actor's thread.
    wish.answer = [self = shared_from_this()](const result<std::uint64_t>& answer) {
      auto line = answer ? json{{"epoch", *answer}}.dump() + '\n' : error_line(answer.error());
      asio::post(self->socket_.get_executor(),
                 [self, line = std::move(line)] { self->write(line); });
    };
    savepoint_(std::move(wish));
  }

  void write(std::string line) {
    out_ = std::move(line);
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const boost::system::error_code&, std::size_t) {
                        boost::system::error_code ignored;
                        self->socket_.close(ignored);
                      });
  }

  local::socket socket_;
  asio::steady_timer deadline_;
  const std::function<void(savepoint_request)>& savepoint_;
  std::string line_;
  std::string out_;
};

class listener final : public control_socket {
public:
  listener(std::string path, std::function<void(savepoint_request)> savepoint)
      : path_(std::move(path)), savepoint_(std::move(savepoint)), acceptor_(io_) {}

  ~listener() override {
    io_.stop();
    if (thread_.joinable())
      thread_.join();
    ::unlink(path_.c_str());
  }

  result<void> open() {
    ::unlink(path_.c_str());
    try {
      const local::endpoint at(path_);
      acceptor_.open(at.protocol());
      // Between bind and chmod nobody else may connect.
      const auto before = ::umask(0177);
      boost::system::error_code failed;
      acceptor_.bind(at, failed);
      ::umask(before);
      if (failed)
        throw boost::system::system_error(failed);
      acceptor_.listen();
    } catch (const boost::system::system_error& x) {
      return make_error(ec::io, "cannot listen on " + path_ + ": " + x.code().message(),
                        "the path of a socket has at most 107 bytes: use a shorter --data");
    }
    accept();
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& failed, local::socket socket) {
      if (failed)
        return;
      std::make_shared<session>(std::move(socket), savepoint_)->start();
      accept();
    });
  }

  std::string path_;
  std::function<void(savepoint_request)> savepoint_;
  asio::io_context io_{1};
  local::acceptor acceptor_;
  std::thread thread_;
};

} // namespace

result<std::unique_ptr<control_socket>>
control_socket::listen(const std::string& folder,
                       std::function<void(savepoint_request)> savepoint) {
  auto made = std::make_unique<listener>(path_of(folder), std::move(savepoint));
  EBB_TRY(made->open());
  return std::unique_ptr<control_socket>(std::move(made));
}

result<std::uint64_t> ask_for_savepoint(const std::string& folder, const std::string& stream,
                                        const std::string& name) {
  try {
    asio::io_context io;
    local::socket socket(io);
    boost::system::error_code failed;
    socket.connect(local::endpoint(path_of(folder)), failed);
    if (failed)
      return make_error(ec::not_found, "no ebb run uses " + folder,
                        "a savepoint is made by the running stream: start it with ebb run FILE "
                        "--data "
                            + folder);
    asio::write(
        socket,
        asio::buffer(json{{"command", "savepoint"}, {"stream", stream}, {"name", name}}.dump()
                     + '\n'));
    std::string line;
    asio::read_until(socket, asio::dynamic_buffer(line, line_max), '\n', failed);
    const auto answer = json::parse(line, nullptr, false);
    if (!answer.is_object())
      return make_error(ec::conflict, "the stream ended before the savepoint was made",
                        "its last checkpoint has all of it: ebb checkpoints shows it");
    if (answer.contains("epoch"))
      return answer["epoch"].get<std::uint64_t>();
    return make_error(ec::conflict, answer.value("error", "it failed"), answer.value("hint", ""));
  } catch (const std::exception& x) {
    return make_error(ec::io, std::string("cannot talk to the running ebb: ") + x.what());
  }
}

} // namespace ebb::cli
