// measure_messages [-- SECONDS [FOLDER [TOPICS]]]: one-message requests on keep-alive connections,
// and lines of bids in requests of 1,000 rows; logged and durable. The client is in this process,
// the server in one of its own. And what topics cost that nobody uses: with a third argument only
// that.

#include "actors/gateway/http_server.hpp"
#include "actors/gateway/service_routes.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/service/topics/message_api.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "schemas/batch_codec.hpp"
#include "tests/gateway/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// http_client.cpp checks with these; there is no test here.
#include <boost/test/included/unit_test.hpp>

namespace {

using namespace ebb;
using clock_type = std::chrono::steady_clock;

schema bid_columns() {
  return {{"auction", {type_kind::bigint}, true}, {"bidder", {type_kind::bigint}, true},
          {"price", {type_kind::bigint}, true},   {"channel", {type_kind::text}, true},
          {"url", {type_kind::text}, true},       {"date_time", {type_kind::timestamp}, true},
          {"extra", {type_kind::text}, true}};
}

std::string bid_line(int i) {
  return fmt::format(R"({{"auction":{},"bidder":{},"price":{},"channel":"channel-{}",)"
                     R"("url":"https://www.nexmark.com/item.htm?query=1&channel_id={}",)"
                     R"("date_time":"2015-07-15T00:{:02}:{:02}.{:03}","extra":"abcdefgh"}})",
                     1000 + i % 977, 2000 + i % 331, 100 + i * 7 % 100'000, i % 10'000, i % 100'000,
                     i / 60'000 % 60, i / 1000 % 60, i % 1000);
}

class service final : public gateway_service {
public:
  explicit service(const std::string& folder) {
    topic_registry_options options;
    options.data_folder = folder;
    const auto now = [] {
      return std::chrono::duration_cast<std::chrono::microseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
          .count();
    };
    auto opened = topic_registry::open(std::move(options), io, now, metrics);
    if (!opened)
      std::abort();
    topics = *std::move(opened);
    topic_settings bids;
    bids.uid = bids.name = "bids";
    bids.columns = bid_columns();
    if (!topics->put(bids))
      std::abort();
    api = std::make_unique<message_api>(*topics, io, nullptr, metrics);
  }

  void handle(std::shared_ptr<const http_request> request, http_reply reply) override {
    api->handle(std::move(request), std::move(reply));
  }

  void look_ready(std::function<void(const result<void>&)> answer) override {
    answer({});
  }

  metrics_registry metrics;
  io_pool io{4};
  std::unique_ptr<topic_registry> topics;
  std::unique_ptr<message_api> api;
};

// A server in a child process. It answers each byte written to it with its CPU times.
class child_server {
public:
  struct costs {
    double server_cpu = 0;  ///< seconds, of the server's thread
    double process_cpu = 0; ///< seconds, of all
  };

  explicit child_server(const std::string& folder) {
    if (::pipe(ask_) != 0 || ::pipe(answer_) != 0)
      std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      serve(folder);
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
  void serve(const std::string& folder) const {
    ::close(ask_[1]);
    ::close(answer_[0]);
    service behind(folder);
    http_options how;
    how.port = 0;
    auto server = http_server::start(how, service_routes(), behind, behind.metrics);
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
      (void)!::write(answer_[1], &out, sizeof out);
    }
    if (std::getenv("SHOW_METRICS") != nullptr)
      std::fputs(behind.metrics.text().c_str(), stderr);
  }

  int ask_[2] = {};
  int answer_[2] = {};
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

// Each connection sends the next request as soon as it has the answer.
void measure(const char* name, const std::vector<std::string>& requests, double rows,
             std::size_t connections, double seconds, const std::string& folder) {
  std::filesystem::remove_all(folder);
  const child_server server(folder);
  std::vector<std::unique_ptr<test::http_client>> clients;
  std::vector<clock_type::time_point> sent(connections);
  const int poll = ::epoll_create1(0);
  for (std::size_t i = 0; i < connections; ++i) {
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
  std::size_t next = 0;
  const auto send = [&](std::size_t i) {
    sent[i] = clock_type::now();
    clients[i]->send(requests[next++ % requests.size()]);
  };
  for (std::size_t i = 0; i < connections; ++i)
    send(i);
  std::vector<epoll_event> events(connections);
  std::array<char, 4'096> bytes;
  for (auto now = begin; now < end;) {
    const int count = ::epoll_wait(poll, events.data(), static_cast<int>(connections), 1'000);
    now = clock_type::now();
    for (int k = 0; k < count; ++k) {
      const auto i = events[static_cast<std::size_t>(k)].data.u32;
      // Small answers come whole.
      const auto got = ::read(clients[i]->descriptor(), bytes.data(), bytes.size());
      if (got <= 0 || std::memcmp(bytes.data() + 9, "200", 3) != 0) {
        fmt::print(stderr, "{}\n", std::string(bytes.data(), static_cast<std::size_t>(got)));
        std::abort();
      }
      now = clock_type::now();
      took.push_back(std::chrono::duration<float, std::milli>(now - sent[i]).count());
      send(i);
    }
  }
  const auto wall = std::chrono::duration<double>(clock_type::now() - begin).count();
  const auto after = server.now();
  ::close(poll);
  std::sort(took.begin(), took.end());
  const auto count = static_cast<double>(took.size());
  const auto at = [&](std::size_t percent) { return took[took.size() * percent / 100]; };
  fmt::print("{:42} {:8.0f} requests/s, {:9.0f} rows/s, p50 {:.2f} ms, p99 {:.2f} ms; CPU a "
             "request: server thread {:.1f} us, process {:.1f} us\n",
             name, count / wall, count * rows / wall, at(50), at(99),
             (after.server_cpu - before.server_cpu) / count * 1e6,
             (after.process_cpu - before.process_cpu) / count * 1e6);
  std::fflush(stdout);
}

std::uint64_t resident_bytes() {
  std::ifstream status("/proc/self/statm");
  std::uint64_t pages = 0;
  status >> pages >> pages;
  return pages * 4'096;
}

// What topics cost that nobody uses, and how fast a start with them is.
void measure_many(int count, const std::string& folder) {
  const auto settings = [](int i) {
    topic_settings x;
    x.uid = fmt::format("01890a5d-ac96-774b-bcce-{:012}", i);
    x.name = fmt::format("topic-{}", i);
    x.columns = bid_columns();
    return x;
  };
  std::filesystem::remove_all(folder);
  for (int round = 0; round < 2; ++round) {
    metrics_registry metrics;
    io_pool io;
    topic_registry_options options;
    options.data_folder = folder;
    const auto before = resident_bytes();
    const auto begin = clock_type::now();
    auto topics = topic_registry::open(
        options, io, [] { return micros{1'000'000}; }, metrics);
    if (!topics)
      std::abort();
    for (int i = 0; i < count; ++i)
      if (!(*topics)->put(settings(i)))
        std::abort();
    const auto made = clock_type::now();
    const auto bytes = resident_bytes() - before;
    for (int i = 0; i < count; ++i)
      if (!(*topics)->bounds(settings(i).uid))
        std::abort();
    const auto asked = clock_type::now();
    if (round == 0)
      fmt::print("{} topics: {:.0f} bytes each, made known in {:.0f} ms\n", count,
                 static_cast<double>(bytes) / count,
                 std::chrono::duration<double, std::milli>(made - begin).count());
    else
      fmt::print("the same after a restart: all ends found in {:.0f} ms, {} logs open\n",
                 std::chrono::duration<double, std::milli>(asked - made).count(),
                 (*topics)->open_logs());
    if (round != 0)
      break;
    for (int i = 0; i < count; ++i) {
      const auto read = (*topics)->read(settings(i).uid, 0, 0, {}); // makes the log
      if (!read)
        std::abort();
    }
  }
}

std::string batch_of_bids(int rows) {
  batch x;
  x.rows = static_cast<std::uint32_t>(rows);
  std::vector<std::string> kept;
  for (const auto& of : bid_columns()) {
    auto c = make_column(of.type, x.rows);
    for (int i = 0; i < rows; ++i)
      if (of.type.kind == type_kind::text)
        c.mutable_data<text_ref>()[i] = text_ref("https://www.nexmark.com/item.htm", 20);
      else
        c.mutable_data<std::int64_t>()[i] = 1000 + i;
    x.columns.push_back(std::move(c));
  }
  const auto bytes = encode_batch(x);
  return {bytes.as<const char>(), bytes.size()};
}

} // namespace

boost::unit_test::test_suite* init_unit_test_suite(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  const std::string folder =
      argc > 2 ? argv[2]
               : (std::filesystem::temp_directory_path() / "ebb-measure-messages").string();
  const std::string path = "/v1/topics/bids/messages";
  std::vector<std::string> single;
  for (int i = 0; i < 1000; ++i)
    single.push_back(test::post(path, bid_line(i)));
  std::vector<std::string> lines;
  for (int i = 0; i < 20; ++i) {
    std::string body;
    for (int k = 0; k < 1000; ++k)
      body += bid_line(i * 1000 + k) + '\n';
    lines.push_back(test::post(path, body, "application/x-ndjson"));
  }
  if (argc > 3) { // only this
    measure_many(std::atoi(argv[3]), folder);
    std::filesystem::remove_all(folder);
    std::exit(0);
  }
  measure("one message, 100 connections", single, 1, 100, seconds, folder);
  measure("one message, 1 connection", single, 1, 1, seconds, folder);
  measure("1,000 lines, 16 connections", lines, 1000, 16, seconds, folder);
  measure("1,000 lines, 2 connections", lines, 1000, 2, seconds, folder);
  measure("a batch of 1,000 rows, 16 connections",
          {test::post(path, batch_of_bids(1000), "application/x-ebb-batch")}, 1000, 16, seconds,
          folder);
  std::filesystem::remove_all(folder);
  std::exit(0);
}
