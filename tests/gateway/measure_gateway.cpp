// measure_gateway [-- SECONDS [CERTIFICATE KEY]]: requests a second on 100 keep-alive connections,
// latencies, the server's CPU time for a request, and what an idle connection costs. The server
// runs in a process of its own.

#include "actors/gateway/http_server.hpp"
#include "actors/gateway/service_routes.hpp"
#include "tests/gateway/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <mutex>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

// http_client.cpp checks with these; there is no test here.
#include <boost/test/included/unit_test.hpp>

namespace {

using namespace ebb;
using clock_type = std::chrono::steady_clock;

// Answers at once, or through another thread as an actor would.
class bench_service final : public gateway_service {
public:
  explicit bench_service(bool elsewhere) {
    if (elsewhere)
      thread_ = std::thread([this] { run(); });
  }

  ~bench_service() override {
    {
      std::lock_guard guard(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable())
      thread_.join();
  }

  void handle(std::shared_ptr<const http_request> /*request*/, http_reply reply) override {
    if (!thread_.joinable()) {
      answer(reply);
      return;
    }
    bool first = false;
    {
      std::lock_guard guard(mutex_);
      first = waiting_.empty();
      waiting_.push_back(std::move(reply));
    }
    if (first)
      changed_.notify_one();
  }

  void look_ready(std::function<void(const result<void>&)> answer) override {
    answer({});
  }

private:
  static void answer(const http_reply& to) {
    to.json(200, R"({"topic":"t","partitions":[{"partition":0,"first":1,"last":1}],"token":"x"})");
  }

  void run() {
    std::unique_lock guard(mutex_);
    for (;;) {
      changed_.wait(guard, [this] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty())
        return;
      std::deque<http_reply> now;
      now.swap(waiting_);
      guard.unlock();
      for (const auto& x : now)
        answer(x);
      guard.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<http_reply> waiting_;
  bool ended_ = false;
  std::thread thread_;
};

// A server in a child process. It answers each byte written to it with its costs.
class child_server {
public:
  struct costs {
    double server_cpu = 0;  ///< seconds, of the server's thread
    double process_cpu = 0; ///< seconds, of all
    std::uint64_t resident = 0;
  };

  child_server(const http_options& how, bool elsewhere) {
    if (::pipe(ask_) != 0 || ::pipe(answer_) != 0)
      std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      serve(how, elsewhere);
      ::_exit(0);
    }
    ::close(ask_[0]);
    ::close(answer_[1]);
    if (::read(answer_[0], &port_, sizeof port_) != sizeof port_)
      std::abort();
  }

  ~child_server() {
    ::close(ask_[1]);
    ::close(answer_[0]);
    ::waitpid(pid_, nullptr, 0);
  }

  child_server(const child_server&) = delete;
  child_server& operator=(const child_server&) = delete;

  [[nodiscard]] costs now() const {
    costs out;
    if (::write(ask_[1], "?", 1) != 1 || ::read(answer_[0], &out, sizeof out) != sizeof out)
      std::abort();
    return out;
  }

  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }

private:
  void serve(const http_options& how, bool elsewhere) const {
    ::close(ask_[1]);
    ::close(answer_[0]);
    bench_service service(elsewhere);
    metrics_registry metrics;
    auto server = http_server::start(how, service_routes(), service, metrics);
    if (!server)
      std::abort();
    const auto port = (*server)->port();
    (void)!::write(answer_[1], &port, sizeof port);
    char byte = 0;
    while (::read(ask_[0], &byte, 1) == 1) {
      costs out;
      out.server_cpu = (*server)->cpu_seconds();
      rusage used{};
      ::getrusage(RUSAGE_SELF, &used);
      out.process_cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
                        + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
      std::ifstream status("/proc/self/statm");
      std::uint64_t pages = 0;
      status >> pages >> pages;
      out.resident = pages * 4'096;
      (void)!::write(answer_[1], &out, sizeof out);
    }
  }

  int ask_[2] = {};
  int answer_[2] = {};
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

void measure_requests(const char* name, const std::string& request, bool elsewhere,
                      double seconds) {
  constexpr int connections = 100;
  http_options how;
  how.port = 0;
  const child_server server(how, elsewhere);
  std::vector<std::unique_ptr<test::http_client>> clients;
  std::vector<clock_type::time_point> sent(connections);
  const int poll = ::epoll_create1(0);
  for (int i = 0; i < connections; ++i) {
    clients.push_back(std::make_unique<test::http_client>(server.port()));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(i);
    ::epoll_ctl(poll, EPOLL_CTL_ADD, clients.back()->descriptor(), &event);
  }
  const auto before = server.now();
  const auto begin = clock_type::now();
  const auto end =
      begin
      + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  std::vector<float> took;
  for (int i = 0; i < connections; ++i) {
    sent[static_cast<std::size_t>(i)] = clock_type::now();
    clients[static_cast<std::size_t>(i)]->send(request);
  }
  std::array<epoll_event, connections> events;
  std::array<char, 4'096> bytes;
  for (auto now = begin; now < end;) {
    const int count = ::epoll_wait(poll, events.data(), connections, 1'000);
    now = clock_type::now();
    for (int k = 0; k < count; ++k) {
      const auto i = events[static_cast<std::size_t>(k)].data.u32;
      // Small answers come whole.
      if (::read(clients[i]->descriptor(), bytes.data(), bytes.size()) <= 0
          || std::memcmp(bytes.data() + 9, "200", 3) != 0)
        std::abort();
      now = clock_type::now();
      took.push_back(std::chrono::duration<float, std::milli>(now - sent[i]).count());
      sent[i] = now;
      clients[i]->send(request);
    }
  }
  const auto wall = std::chrono::duration<double>(clock_type::now() - begin).count();
  const auto after = server.now();
  ::close(poll);
  std::sort(took.begin(), took.end());
  const auto count = static_cast<double>(took.size());
  const auto at = [&](std::size_t percent) { return took[took.size() * percent / 100]; };
  fmt::print("{:34} {:8.0f} requests/s, p50 {:.2f} ms, p99 {:.2f} ms; server thread {:.1f} us CPU "
             "a request, its process {:.1f}\n",
             name, count / wall, at(50), at(99),
             (after.server_cpu - before.server_cpu) / count * 1e6,
             (after.process_cpu - before.process_cpu) / count * 1e6);
}

void measure_idle(const http_options& how, const char* name, std::size_t count) {
  const child_server server(how, false);
  std::vector<std::unique_ptr<test::http_client>> clients;
  const auto open = [&](std::size_t to) {
    while (clients.size() < to) {
      clients.push_back(
          std::make_unique<test::http_client>(server.port(), !how.tls_certificate.empty(),
                                              "127.0.0." + std::to_string(2 + clients.size() % 8)));
      if (clients.back()->ask(test::get("/healthz")).value().status != 200)
        std::abort();
    }
  };
  open(100);
  const auto before = server.now();
  open(100 + count);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto after = server.now();
  constexpr int watched_seconds = 10;
  std::this_thread::sleep_for(std::chrono::seconds(watched_seconds));
  const auto later = server.now();
  fmt::print("{:34} {:8.0f} bytes of the server each ({} of them, each after a request); "
             "{:.1f} ms CPU in {} s\n",
             name,
             static_cast<double>(after.resident - before.resident) / static_cast<double>(count),
             count, (later.process_cpu - after.process_cpu) * 1e3, watched_seconds);
}

// A client that asks again and again: alone, then beside many that do nothing and some that ask
// for much and do not read it.
void measure_beside(std::size_t idle_count, std::size_t slow_count) {
  http_options how;
  how.port = 0;
  const child_server server(how, false);
  test::http_client healthy(server.port());
  const auto request = test::get("/v1/streams");
  const auto measure = [&](const char* name) {
    std::vector<float> took;
    constexpr int requests = 50'000;
    for (int i = 0; i < requests; ++i) {
      const auto before = clock_type::now();
      if (!healthy.ask(request))
        std::abort();
      took.push_back(std::chrono::duration<float, std::micro>(clock_type::now() - before).count());
    }
    std::sort(took.begin(), took.end());
    fmt::print("{:34} p50 {:.0f} us, p99 {:.0f} us, p99.9 {:.0f} us\n", name, took[requests / 2],
               took[requests / 100 * 99], took[requests / 1'000 * 999]);
  };
  measure("one client alone");
  std::vector<std::unique_ptr<test::http_client>> others;
  for (std::size_t i = 0; i < idle_count + slow_count; ++i) {
    others.push_back(std::make_unique<test::http_client>(server.port(), false,
                                                         "127.0.0." + std::to_string(2 + i % 8)));
    if (i < idle_count && !others.back()->ask(test::get("/healthz")))
      std::abort();
  }
  measure("beside idle connections");
  std::string much;
  constexpr int answers = 200;
  for (int i = 0; i < answers; ++i)
    much += test::get("/v1/openapi.json");
  for (std::size_t i = idle_count; i < others.size(); ++i)
    others[i]->send(much);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto before = server.now();
  measure("beside those who do not read, too");
  fmt::print("{:34} {:.1f} MB resident, with {} idle and {} that do not read\n", "",
             static_cast<double>(before.resident) / 1e6, idle_count, slow_count);
}

} // namespace

boost::unit_test::test_suite* init_unit_test_suite(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  const auto message = test::post(
      "/v1/topics/t/messages",
      R"({"auction":1007,"bidder":2001,"price":12345,"channel":"Google","url":"https://www.example.org/item","date_time":"2015-07-15T00:00:00"})",
      "application/json", "Ebb-Producer: p\r\nEbb-Sequence: 1\r\n");
  measure_requests("GET, answered at once", test::get("/v1/streams"), false, seconds);
  measure_requests("message, answered at once", message, false, seconds);
  measure_requests("message, answered by a thread", message, true, seconds);
  measure_beside(10'000, 200);
  http_options how;
  how.port = 0;
  measure_idle(how, "idle connections", 10'000);
  if (argc > 3) {
    how.tls_certificate = argv[2];
    how.tls_key = argv[3];
    measure_idle(how, "idle connections with TLS", 2'000);
  }
  std::exit(0);
}
