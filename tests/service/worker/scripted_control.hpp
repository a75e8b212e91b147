/// A control process that a test plays: a real control database, real topics, a real link server.
#pragma once

#include "actors/gateway/metrics.hpp"
#include "actors/links/call_desk.hpp"
#include "actors/links/ledger_calls.hpp"
#include "actors/links/link_loop.hpp"
#include "actors/links/link_server.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "k8s-bridge/child_process.hpp"
#include "storage/control_db.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ebb::test {

/// What goes wrong with the world fails the test.
class scripted_control {
public:
  scripted_control();
  ~scripted_control();
  scripted_control(const scripted_control&) = delete;
  scripted_control& operator=(const scripted_control&) = delete;

  [[nodiscard]] const std::string& folder() const noexcept {
    return folder_;
  }

  // The control process itself.

  /// Listens, as incarnation `number`.
  void come(std::uint64_t number);
  /// As if it had been killed: links break, nobody listens, calls are not answered any more.
  void go();
  /// Breaks the links alone.
  void cut_links();

  // Workers.

  /// A process `ebb worker`. Killed with this object, if it still runs.
  std::int64_t start_worker(const std::string& name, const std::string& orphan_timeout = "60");
  void signal(std::int64_t pid, int number);
  /// Waits for its end.
  worker_exit wait_for_exit(std::int64_t pid);
  /// What it has written to standard error.
  [[nodiscard]] std::string log(const std::string& name) const;

  /// The worker that has said hello last gets it.
  void send(const link_message& x);

  // Streams and topics.

  /// A new stream of this name; its uid.
  std::string make_stream(const std::string& name);
  /// From now on calls of this placement alone are carried out, and welcomes accept it.
  void allow(const std::string& uid, std::uint64_t placement);
  [[nodiscard]] std::optional<checkpoint_record> newest_record(const std::string& uid);

  /// Topic `name` with one column `id BIGINT`.
  void make_topic(const std::string& name, std::uint32_t partitions);
  /// Appends `count` rows with numbers from `first` on.
  void add_rows(const std::string& topic, std::uint32_t partition, std::int64_t first,
                std::uint32_t count);

  /// Numbers in one partition of a topic.
  std::vector<std::int64_t> rows_of_topic(const std::string& topic, std::uint32_t partition);

  // What workers have said since the last `forget`, kept in order.

  template <class T>
  std::vector<T> heard() {
    std::lock_guard guard(mutex_);
    return of_kind<T>();
  }

  /// Waits up to 20 s until one of them is as wished, and gives the first such one.
  template <class T, class Wish>
  std::optional<T> wait_for(const Wish& wish) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::unique_lock guard(mutex_);
    while (true) {
      for (const auto& x : of_kind<T>())
        if (wish(x))
          return x;
      if (changed_.wait_until(guard, deadline) == std::cv_status::timeout)
        return std::nullopt;
    }
  }

  template <class T>
  std::optional<T> wait_for() {
    return wait_for<T>([](const T&) { return true; });
  }

  void forget();

private:
  template <class T>
  std::vector<T> of_kind() const {
    std::vector<T> all;
    for (const auto& x : heard_)
      if (const auto* y = std::get_if<T>(&x))
        all.push_back(*y);
    return all;
  }

  struct connection {
    std::uint64_t session = 0;
    std::map<std::string, std::shared_ptr<void>> watches;
  };

  link_handlers accept(const link_pointer& link);
  void take(const link_pointer& link, connection& one, link_message&& x);
  void greet(const link_pointer& link, const worker_hello& x);
  void carry_out(const link_pointer& link, std::uint64_t session, link_call&& call);
  call_outcome answer(const link_call& call);

  std::string folder_;
  io_pool io_;
  metrics_registry metrics_;
  std::unique_ptr<topic_registry> topics_;
  std::mutex database_mutex_;
  std::optional<control_db> database_;

  std::mutex mutex_; ///< guards what follows
  std::condition_variable changed_;
  std::vector<link_message> heard_;
  std::map<std::string, std::uint64_t> allowed_;
  std::map<std::string, std::uint64_t> lanes_;
  std::vector<link_pointer> links_;
  link_pointer last_;
  std::uint64_t incarnation_ = 0;
  std::shared_ptr<call_desk> desk_;

  std::map<std::int64_t, child_process> workers_;
  std::unique_ptr<link_loop> loop_;
  std::unique_ptr<link_server> server_;
};

} // namespace ebb::test
