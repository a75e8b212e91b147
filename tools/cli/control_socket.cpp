#include "tools/cli/control_socket.hpp"

#include <boost/asio.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
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

constexpr std::pair<ec, const char*> kinds[] = {{ec::invalid_argument, "invalid"},
                                                {ec::not_found, "missing"},
                                                {ec::conflict, "conflict"},
                                                {ec::unsupported, "unsupported"}};

std::string error_line(const error& problem) {
  std::string kind = "failed";
  for (const auto& [code, name] : kinds)
    if (code == problem.code)
      kind = name;
  return json{{"error", problem.message}, {"kind", kind}, {"hint", problem.hint}}.dump(
             -1, ' ', false, json::error_handler_t::replace)
         + '\n';
}

error error_of(const json& answer) {
  const auto kind = answer.value("kind", "failed");
  auto code = ec::internal;
  for (const auto& [known, name] : kinds)
    if (kind == name)
      code = known;
  return make_error(code, answer.value("error", "it failed"), answer.value("hint", ""));
}

json to_json(const door_request& x) {
  return {{"command", x.command},
          {"stream", x.stream},
          {"name", x.name},
          {"parallelism", x.parallelism},
          {"sinks", x.sinks}};
}

// Words of a command line may be no UTF-8.
std::string line_of(const door_request& x) {
  return to_json(x).dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::optional<door_request> request_of(const std::string& line) {
  const auto x = json::parse(line, nullptr, false);
  if (!x.is_object())
    return std::nullopt;
  for (const auto* name : {"command", "stream", "name", "sinks"})
    if (x.contains(name) && !x[name].is_string())
      return std::nullopt;
  if (x.contains("parallelism") && !x["parallelism"].is_number_unsigned())
    return std::nullopt;
  return door_request{x.value("command", ""), x.value("stream", ""), x.value("name", ""),
                      x.value("parallelism", 0U), x.value("sinks", "")};
}

/// One client. Lives as long as something is under way.
class session : public std::enable_shared_from_this<session> {
public:
  session(local::socket socket, const door_handler& handle)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), handler_(handle) {}

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
    auto request = request_of(line_);
    if (!request) {
      write(
          error_line(make_error(ec::invalid_argument, "this is no request that is known",
                                "send {\"command\": \"savepoint\", \"stream\": …, \"name\": …}")));
      return;
    }
    // The answer comes from another thread.
    handler_(*std::move(request), [self = shared_from_this()](const result<std::string>& answer) {
      auto line = answer ? *answer + '\n' : error_line(answer.error());
      asio::post(self->socket_.get_executor(),
                 [self, line = std::move(line)] { self->write(line); });
    });
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
  const door_handler& handler_;
  std::string line_;
  std::string out_;
};

class listener final : public control_socket {
public:
  listener(std::string path, door_handler handle)
      : path_(std::move(path)), handler_(std::move(handle)), acceptor_(io_) {}

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
      std::make_shared<session>(std::move(socket), handler_)->start();
      accept();
    });
  }

  std::string path_;
  door_handler handler_;
  asio::io_context io_{1};
  local::acceptor acceptor_;
  std::thread thread_;
};

} // namespace

result<std::unique_ptr<control_socket>> control_socket::listen(const std::string& folder,
                                                               door_handler handle) {
  auto made = std::make_unique<listener>(path_of(folder), std::move(handle));
  EBB_TRY(made->open());
  return std::unique_ptr<control_socket>(std::move(made));
}

result<run_answer> ask_run(const std::string& folder, const door_request& request,
                           std::chrono::milliseconds patience) {
  try {
    asio::io_context io;
    local::socket socket(io);
    boost::system::error_code failed;
    socket.connect(local::endpoint(path_of(folder)), failed);
    if (failed)
      return run_answer{};
    asio::write(socket, asio::buffer(line_of(request)));
    run_answer out{true, false, {}};
    if (patience.count() == 0)
      return out;
    bool ended = false;
    asio::async_read_until(socket, asio::dynamic_buffer(out.text, line_max), '\n',
                           [&](const boost::system::error_code&, std::size_t) { ended = true; });
    io.run_for(patience);
    out.in_time = ended;
    if (!ended) {
      socket.close();
      io.run(); // what waits refers to `out`
      return out;
    }
    const auto answer = json::parse(out.text, nullptr, false);
    if (!answer.is_object())
      return make_error(ec::conflict, "the run ended before it answered",
                        "its last checkpoint has all of it: ebb checkpoints shows it");
    if (answer.contains("error"))
      return error_of(answer);
    return out;
  } catch (const std::exception& x) {
    return make_error(ec::io, std::string("cannot talk to the running ebb: ") + x.what());
  }
}

} // namespace ebb::cli
