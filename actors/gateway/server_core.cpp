#include "actors/gateway/server_core.hpp"

#include "actors/gateway/connection.hpp"
#include "actors/gateway/openapi.hpp"
#include "actors/gateway/reply_channel.hpp"
#include "actors/gateway/response_text.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <vector>

namespace ebb {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr int accepts_in_turn = 64;
constexpr int unsent_bytes = 128 << 10; // of a connection, with the system
// Descriptors that the process needs besides connections.
constexpr std::size_t other_files = 256;

// What limits by address count as one: all of a small IPv6 network. Empty = not counted.
std::string address_key(const boost::asio::ip::address& address) {
  if (address.is_loopback())
    return {};
  if (address.is_v4())
    return address.to_string();
  const auto bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped())
    return {bytes.begin() + 12, bytes.end()};
  constexpr int network_bytes = 8;
  return {bytes.begin(), bytes.begin() + network_bytes};
}

http_problem not_ready(const error& why) {
  auto problem = make_problem(503, "not-ready", why.message, {}, why.hint);
  problem.retry_after_seconds = 1;
  return problem;
}

} // namespace

/// What comes while the server's thread is busy is one batch, with one wake.
class server_core::door_to_io final : public loop_door,
                                      public std::enable_shared_from_this<door_to_io> {
public:
  explicit door_to_io(boost::asio::io_context& io) : io_(&io) {}

  void post(std::function<void()> work) override {
    std::lock_guard guard(mutex_);
    if (io_ == nullptr)
      return;
    waiting_.push_back(std::move(work));
    if (std::exchange(called_, true))
      return;
    boost::asio::post(*io_, [self = shared_from_this()] { self->run(); });
  }

  // The io_context may go from now on.
  void close() {
    std::vector<std::function<void()>> dropped;
    std::lock_guard guard(mutex_);
    io_ = nullptr;
    dropped.swap(waiting_);
  }

private:
  void run() {
    std::vector<std::function<void()>> batch;
    {
      std::lock_guard guard(mutex_);
      batch.swap(waiting_);
      called_ = false;
    }
    for (auto& work : batch)
      work();
  }

  std::mutex mutex_;
  boost::asio::io_context* io_;
  std::vector<std::function<void()>> waiting_;
  bool called_ = false; ///< run() is on its way
};

server_core::server_core(const http_options& how, route_table table, gateway_service& behind,
                         metrics_registry& registry, std::optional<tls_identity> identity,
                         token_guard guard)
    : options(how), routes(std::move(table)), service(behind), metrics(registry),
      counts(registry, routes), tls(std::move(identity)), tokens(std::move(guard)), io(1),
      acceptor_(io), accept_again_(io), deadline_timer_(io), token_timer_(io), stop_timer_(io) {
  door = std::make_shared<door_to_io>(io);
  connections_max_ = std::min(options.limits.connections, open_connections_max());
}

server_core::~server_core() {
  static_cast<door_to_io&>(*door).close();
  // Some are held by operations of the io_context, which goes first: they close their socket, but
  // find no core to tell.
}

// Room for connections among open files; the soft limit is raised as far as it goes.
std::size_t server_core::open_connections_max() const {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
    return options.limits.connections;
  const rlim_t wanted = options.limits.connections + other_files;
  if (files.rlim_cur < wanted) {
    files.rlim_cur = std::min(wanted, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  return files.rlim_cur > 2 * other_files ? files.rlim_cur - other_files : files.rlim_cur / 2;
}

result<void> server_core::listen(const tcp::endpoint& where) {
  error_code problem;
  acceptor_.open(where.protocol(), problem);
  if (!problem)
    acceptor_.set_option(tcp::acceptor::reuse_address(true), problem);
  if (!problem)
    acceptor_.bind(where, problem);
  if (!problem)
    acceptor_.listen(boost::asio::socket_base::max_listen_connections, problem);
  if (!problem)
    acceptor_.non_blocking(true, problem);
  const auto name = where.address().to_string() + ':' + std::to_string(where.port());
  if (problem == boost::asio::error::address_in_use)
    return make_error(ec::conflict, "another program listens on " + name,
                      "stop it, or listen elsewhere: --listen ADDRESS:PORT");
  if (problem)
    return make_error(ec::io, "cannot listen on " + name + ": " + problem.message(),
                      "give an address of this machine: --listen ADDRESS:PORT");
  port = acceptor_.local_endpoint(problem).port();
  accept_soon();
  refresh_tokens();
  return {};
}

void server_core::run() {
  const auto work = boost::asio::make_work_guard(io);
  io.run();
}

void server_core::accept_soon() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& problem) {
    if (!problem)
      accept_some();
  });
}

void server_core::accept_some() {
  for (int i = 0; i < accepts_in_turn; ++i) {
    error_code problem;
    tcp::socket socket(io);
    acceptor_.accept(socket, problem);
    if (problem == boost::asio::error::would_block)
      break;
    if (problem == boost::asio::error::connection_aborted)
      continue;
    if (problem) {
      // No more files may be open: those who wait are taken later.
      accept_again_.expires_after(100ms);
      accept_again_.async_wait([this](const error_code& cancelled) {
        if (!cancelled)
          accept_soon();
      });
      return;
    }
    admit(std::move(socket));
  }
  accept_soon();
}

// For one more connection: the one that has waited for a request the longest goes.
bool server_core::make_room() {
  constexpr auto worth_keeping = 1s;
  if (connections_.size() < connections_max_)
    return true;
  if (idle_first_ == nullptr || clock::now() - idle_first_->idle_since() < worth_keeping)
    return false;
  idle_first_->close();
  return true;
}

void server_core::admit(tcp::socket socket) {
  error_code problem;
  const auto peer = socket.remote_endpoint(problem);
  auto key = problem ? std::string() : address_key(peer.address());
  const auto found = key.empty() ? per_address_.end() : per_address_.find(key);
  const bool crowded =
      found != per_address_.end() && found->second >= options.limits.connections_per_address;
  if (problem || crowded || !make_room()) {
    counts.refused.add();
    constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n"
        "Retry-After: 1\r\n\r\n";
    if (!tls)
      (void)transport(socket.native_handle(), nullptr).write({answer});
    return;
  }
  socket.native_non_blocking(true, problem);
  // An answer is complete when it is written: nothing is gained by waiting for more.
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // What a client does not read stays with us, where it costs nothing yet: the system would take
  // some MB of each one.
  const int unsent = unsent_bytes;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  // Finds out about machines that are gone, where nothing is sent for long.
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (!key.empty())
    ++per_address_[key];
  auto made = std::make_shared<connection>(*this, std::move(socket), peer.address().to_string(),
                                           std::move(key));
  connections_.emplace(made.get(), made);
  counts.connections.set(static_cast<double>(connections_.size()));
  made->start();
}

void server_core::gone(connection& x) {
  wheel_.clear(x);
  const auto& key = x.counted_address();
  if (const auto found = per_address_.find(key); found != per_address_.end())
    if (--found->second == 0)
      per_address_.erase(found);
  connections_.erase(&x);
  counts.connections.set(static_cast<double>(connections_.size()));
  if (stopping && connections_.empty())
    io.stop();
}

void server_core::idle(connection& x, bool now) {
  if (now == x.in_idle_list)
    return;
  x.in_idle_list = now;
  if (now) {
    x.idle_previous = idle_last_;
    x.idle_next = nullptr;
    (idle_last_ != nullptr ? idle_last_->idle_next : idle_first_) = &x;
    idle_last_ = &x;
    return;
  }
  (x.idle_previous != nullptr ? x.idle_previous->idle_next : idle_first_) = x.idle_next;
  (x.idle_next != nullptr ? x.idle_next->idle_previous : idle_last_) = x.idle_previous;
}

void server_core::set_deadline(deadline_entry& entry, clock::time_point when) {
  wheel_.set(entry, when, clock::now());
  if (when + deadline_wheel::tick < armed_for_)
    arm_timer(when + deadline_wheel::tick);
}

void server_core::arm_timer(clock::time_point when) {
  armed_for_ = when;
  deadline_timer_.expires_at(when);
  deadline_timer_.async_wait([this](const error_code& cancelled) {
    if (cancelled)
      return;
    armed_for_ = clock::time_point::max();
    const auto now = clock::now();
    wheel_.run(now);
    if (const auto next = wheel_.next(now); next && *next < armed_for_)
      arm_timer(*next);
  });
}

void server_core::refresh_tokens() {
  if (options.token_folder.empty())
    return;
  tokens.refresh();
  tell_of_tokens();
  token_timer_.expires_after(1s);
  token_timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled)
      refresh_tokens();
  });
}

void server_core::tell_of_tokens() {
  if (tokens.tokens() == nullptr)
    return;
  // One that closes leaves the list.
  std::vector<std::shared_ptr<connection>> all;
  for (const auto& [_, x] : connections_)
    if (x->streams())
      all.push_back(x);
  for (const auto& x : all)
    x->on_tokens();
}

void server_core::stop(clock::duration patience) {
  if (stopping)
    return;
  stopping = true;
  error_code ignored;
  acceptor_.close(ignored);
  accept_again_.cancel();
  std::vector<std::shared_ptr<connection>> all;
  for (const auto& [_, x] : connections_)
    all.push_back(x);
  for (const auto& x : all)
    x->wind_up();
  if (connections_.empty()) {
    io.stop();
    return;
  }
  stop_timer_.expires_after(patience);
  stop_timer_.async_wait([this](const error_code&) {
    std::vector<std::shared_ptr<connection>> left;
    for (const auto& [_, x] : connections_)
      left.push_back(x);
    for (const auto& x : left)
      x->close();
    io.stop();
  });
}

bool server_core::answer(const http_request& request, const http_reply& reply) {
  switch (request.to->call) {
  case api_call::metrics:
    reply.send({200, "text/plain; version=0.0.4; charset=utf-8", metrics.text(), {}});
    return true;
  case api_call::healthz:
    reply.json(200, R"({"status":"ok"})");
    return true;
  case api_call::readyz:
    if (stopping)
      reply.fail(not_ready(make_error(ec::cancelled, "the service stops", "ask the next one")));
    else
      service.look_ready([reply](const result<void>& found) {
        if (found)
          reply.json(200, R"({"status":"ready"})");
        else
          reply.fail(not_ready(found.error()));
      });
    return true;
  case api_call::openapi:
    if (openapi_.empty())
      openapi_ = openapi_document(routes, options.version);
    reply.json(200, openapi_);
    return true;
  default:
    return false;
  }
}

std::string_view server_core::date() {
  constexpr micros second = micros_per_second;
  const auto now = wall_time() / second;
  if (now != date_second_) {
    date_second_ = now;
    date_ = http_date(now);
  }
  return date_;
}

micros server_core::wall_time() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace ebb
