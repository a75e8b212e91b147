/// What links cost: calls a second, bytes a second, rest. `measure_links [SECONDS]`.
#include "actors/links/link_calls.hpp"
#include "actors/links/link_server.hpp"
#include "schemas/batch_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace ebb;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point x) {
  return std::chrono::duration<double>(clock_type::now() - x).count();
}

template <class T>
T take(result<T> x) {
  if (!x) {
    fmt::print(stderr, "{}\n", to_string(x.error()));
    std::exit(1);
  }
  return *std::move(x);
}

double process_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

// Two ends, by a unix socket or by TLS.
class ends {
public:
  ends(const std::string& folder, bool is_tls, link_handlers control, link_handlers worker)
      : control_(take(link_loop::start())), worker_(take(link_loop::start())) {
    const auto accept = [handlers = std::move(control)](const link_pointer&) { return handlers; };
    if (is_tls) {
      const auto load = [&](link_side side) { return take(link_identity::load(folder, side)); };
      server_ =
          take(link_server::listen(*control_, {"127.0.0.1", 0}, load(link_side::control), accept));
      link = take(connect_link(*worker_, {"127.0.0.1", server_->port()}, load(link_side::worker),
                               std::move(worker)));
    } else {
      server_ = take(link_server::listen(*control_, folder + "/links", accept));
      link = take(connect_link(*worker_, folder + "/links", std::move(worker)));
    }
  }

private:
  std::unique_ptr<link_loop> control_;
  std::unique_ptr<link_loop> worker_;
  std::unique_ptr<link_server> server_;

public:
  link_pointer link;
};

// Answers each call with a number, on the loop's thread.
link_handlers answering() {
  return {[](const link_pointer& link, link_message&& x) {
            if (const auto* call = std::get_if<link_call>(&x))
              static_cast<void>(link->send(call_answer{call->id, call_value{call->id}}));
          },
          {}};
}

void measure_calls(const std::string& folder, bool is_tls, double seconds, int threads) {
  link_calls calls;
  const ends both(folder, is_tls, answering(),
                  {[&](const link_pointer&, link_message&& x) {
                     calls.answered(std::move(std::get<call_answer>(x)));
                   },
                   {}});
  calls.connected(both.link, 1);
  std::mutex mutex;
  std::vector<double> times;
  const auto begun = clock_type::now();
  const auto cpu = process_seconds();
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < threads; ++i)
      callers.emplace_back([&] {
        std::vector<double> mine;
        while (seconds_since(begun) < seconds) {
          const auto at = clock_type::now();
          static_cast<void>(
              take(calls.call({"uid", 1}, ledger_begin_generation{"0123456789abcdef"}, 10s)));
          mine.push_back(seconds_since(at));
        }
        std::lock_guard guard(mutex);
        times.insert(times.end(), mine.begin(), mine.end());
      });
  }
  const auto took = seconds_since(begun);
  std::sort(times.begin(), times.end());
  const auto count = static_cast<double>(times.size());
  fmt::print("calls, {} at a time: {:.0f}/s, p50 {:.0f} us, p99 {:.0f} us, {:.1f} us of processor "
             "a call\n",
             threads, count / took, times[times.size() / 2] * 1e6,
             times[times.size() * 99 / 100] * 1e6, (process_seconds() - cpu) / count * 1e6);
}

void measure_bytes(const std::string& folder, bool is_tls, double seconds, std::size_t size) {
  std::atomic<std::uint64_t> got = 0;
  const ends both(
      folder, is_tls,
      {[&](const link_pointer&, link_message&& x) { got += std::get<log_line>(x).text.size(); },
       {}},
      {});
  const auto& link = both.link;
  const link_message message = log_line{"uid", log_level::info, 0, std::string(size, 'x'), {}};
  const auto begun = clock_type::now();
  const auto cpu = process_seconds();
  std::uint64_t sent = 0;
  while (seconds_since(begun) < seconds) {
    if (link->waiting() < (std::size_t{8} << 20) && link->send(message))
      sent += size;
    else
      std::this_thread::sleep_for(200us);
  }
  while (got < sent)
    std::this_thread::sleep_for(100us);
  const auto took = seconds_since(begun);
  const auto bytes = static_cast<double>(got.load());
  fmt::print("messages of {} KiB: {:.0f} MB/s, {:.2f} ns of processor a byte\n", size >> 10,
             bytes / took / 1e6, (process_seconds() - cpu) / bytes * 1e9);
}

// As the channels between the parts of a stream send them: bids, as many as fit 256 KiB.
batch_ptr bids() {
  constexpr std::uint32_t rows = 2'048;
  auto made = std::make_shared<batch>();
  made->rows = rows;
  for (const auto kind : {type_kind::bigint, type_kind::bigint, type_kind::bigint, type_kind::text,
                          type_kind::text, type_kind::timestamp, type_kind::text}) {
    auto c = make_column({kind}, rows);
    for (std::uint32_t i = 0; i < rows; ++i)
      if (kind == type_kind::text)
        c.mutable_data<text_ref>()[i] = text_ref("https://www.nexmark.com/item.htm", 28);
      else
        c.mutable_data<std::int64_t>()[i] = i * 7;
    made->columns.push_back(std::move(c));
  }
  return made;
}

void measure_batches(const std::string& folder, bool is_tls, double seconds) {
  std::atomic<std::uint64_t> got = 0;
  std::atomic<std::uint64_t> sum = 0; // of what was read: as who receives them would
  const ends both(folder, is_tls,
                  {[&](const link_pointer&, link_message&& x) {
                     for (const auto& item :
                          std::get<peer_items>(std::get<peer_message>(x)).items) {
                       sum += item.rows->columns.front().data<std::int64_t>()[item.rows->rows - 1];
                       ++got;
                     }
                   },
                   {}},
                  {});
  const auto& link = both.link;
  const auto rows = bids();
  peer_items items;
  items.items.push_back({0, 0, rows, 0, 0});
  const link_message message = peer_message{std::move(items)};
  const auto size = encode_batch(*rows).size();
  const auto begun = clock_type::now();
  const auto cpu = process_seconds();
  std::uint64_t sent = 0;
  while (seconds_since(begun) < seconds) {
    if (link->waiting() < (std::size_t{8} << 20) && link->send(message))
      ++sent;
    else
      std::this_thread::sleep_for(200us);
  }
  while (got < sent)
    std::this_thread::sleep_for(100us);
  const auto took = seconds_since(begun);
  const auto bytes = static_cast<double>(sent * size);
  fmt::print("batches of {} KiB: {:.0f} MB/s, {:.1f} M rows/s, {:.2f} ns of processor a byte\n",
             size >> 10, bytes / took / 1e6, static_cast<double>(sent * rows->rows) / took / 1e6,
             (process_seconds() - cpu) / bytes * 1e9);
}

void measure_rest(const std::string& path, double seconds, std::size_t connections) {
  auto control = take(link_loop::start());
  auto worker = take(link_loop::start());
  const auto server = take(
      link_server::listen(*control, path, [](const link_pointer&) { return link_handlers{}; }));
  std::vector<link_pointer> links;
  for (std::size_t i = 0; i < connections; ++i)
    links.push_back(take(connect_link(*worker, path, {})));
  std::this_thread::sleep_for(1s);
  const auto before = control->cpu_seconds();
  const auto begun = clock_type::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  fmt::print("{} idle connections: {:.2f} % of a processor in the server's thread\n", connections,
             (control->cpu_seconds() - before) / seconds_since(begun) * 100);
  for (const auto& x : links)
    if (!x->open())
      fmt::print("a connection was lost\n");
}

} // namespace

int main(int count, char** arguments) {
  const double seconds = count > 1 ? std::atof(arguments[1]) : 3;
  std::string folder = "/tmp/ebb-links-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr)
    return 1;
  const auto path = folder + "/links";
  if (!link_identity::make(folder))
    return 1;
  for (const bool is_tls : {false, true}) {
    fmt::print("{}\n", is_tls ? "TLS" : "unix socket");
    for (const int threads : {1, 8, 64})
      measure_calls(folder, is_tls, seconds, threads);
    for (const std::size_t size : {std::size_t{64} << 10, std::size_t{1} << 20})
      measure_bytes(folder, is_tls, seconds, size);
    measure_batches(folder, is_tls, seconds);
  }
  for (const std::size_t connections : {std::size_t{1}, std::size_t{100}})
    measure_rest(path, std::max(seconds, 5.0), connections);
  std::filesystem::remove_all(folder);
  return 0;
}
