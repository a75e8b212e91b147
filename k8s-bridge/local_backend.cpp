#include "k8s-bridge/local_backend.hpp"

#include "k8s-bridge/child_process.hpp"
#include "k8s-bridge/worker_logs.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ebb {

namespace {

using clock = std::chrono::steady_clock;

struct order {
  enum class kind : std::uint8_t { start, adopt, end, kill };
  kind what;
  std::string name;
  std::int64_t pid = 0;
};

struct worker {
  child_process process;
  clock::time_point since;
  clock::time_point deadline = clock::time_point::max(); ///< then it is killed
  bool asked = false;                                    ///< to go
};

class local_backend final : public worker_backend {
public:
  local_backend(local_backend_options options, worker_listener& listener, owned_file bell)
      : options_(std::move(options)), listener_(listener), logs_(options_.log_folder),
        bell_(std::move(bell)) {}

  ~local_backend() override {
    {
      std::lock_guard guard(mutex_);
      closing_ = true;
    }
    ring();
    if (thread_.joinable())
      thread_.join();
  }

  result<void> run() {
    try {
      thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& x) {
      return make_error(ec::resource, std::string("cannot start a thread: ") + x.what());
    }
    return {};
  }

  void start(const std::string& name) override {
    submit({order::kind::start, name});
  }

  void adopt(const std::string& name, std::int64_t pid) override {
    submit({order::kind::adopt, name, pid});
  }

  void end(const std::string& name) override {
    submit({order::kind::end, name});
  }

  void kill(const std::string& name) override {
    submit({order::kind::kill, name});
  }

private:
  void submit(order x) {
    {
      std::lock_guard guard(mutex_);
      orders_.push_back(std::move(x));
    }
    ring();
  }

  void ring() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(bell_.descriptor(), &one, sizeof one));
  }

  // What follows runs in the thread.

  void loop() {
    logs_.sweep();
    while (true) {
      {
        std::unique_lock guard(mutex_);
        if (closing_)
          return;
        auto orders = std::exchange(orders_, {});
        guard.unlock();
        for (const auto& x : orders)
          carry_out(x);
        if (!orders.empty())
          continue;
      }
      wait();
    }
  }

  void carry_out(const order& x) {
    const auto found = workers_.find(x.name);
    switch (x.what) {
    case order::kind::start:
      if (found == workers_.end())
        spawn(x.name);
      return;
    case order::kind::adopt:
      if (found == workers_.end())
        take_over(x.name, x.pid);
      return;
    case order::kind::end:
      if (found != workers_.end() && !found->second.asked) {
        found->second.asked = true;
        found->second.deadline = clock::now() + options_.end_within;
        found->second.process.send(SIGTERM);
      }
      return;
    case order::kind::kill:
      if (found != workers_.end()) {
        found->second.asked = true;
        found->second.process.send(SIGKILL);
      }
      return;
    }
  }

  void spawn(const std::string& name) {
    auto started = try_spawn(name);
    if (!started) {
      auto why = std::move(started).error();
      why.message = "cannot start worker " + name + ": " + why.message;
      listener_.failed(name, why);
      return;
    }
    const auto pid = started->pid();
    workers_.emplace(name, worker{*std::move(started), clock::now()});
    listener_.started(name, pid);
  }

  result<child_process> try_spawn(const std::string& name) {
    EBB_ASSIGN(const auto log, logs_.open(name));
    std::vector<std::string> words{"ebb"};
    words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
    for (const auto* x : {"--name", name.c_str(), "--log", log.path().c_str()})
      words.emplace_back(x);
    return child_process::spawn(options_.program, words, log);
  }

  void take_over(const std::string& name, std::int64_t pid) {
    auto found = child_process::find(pid);
    if (found)
      workers_.emplace(name, worker{*std::move(found), clock::time_point::min()});
    else if (found.error().code == ec::not_found)
      listener_.gone(name, {});
    else
      listener_.failed(name, found.error());
  }

  /// Until an order comes, a worker has gone, or one is to be killed.
  void wait() {
    std::vector<pollfd> watched{{bell_.descriptor(), POLLIN, 0}};
    std::vector<std::string> names;
    auto deadline = clock::time_point::max();
    for (const auto& [name, x] : workers_) {
      watched.push_back({x.process.descriptor(), POLLIN, 0});
      names.push_back(name);
      deadline = std::min(deadline, x.deadline);
    }
    int timeout = -1;
    if (deadline != clock::time_point::max())
      timeout = static_cast<int>(std::max<std::int64_t>(
          0, std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count()));
    if (::poll(watched.data(), watched.size(), timeout) < 0)
      return;
    if (watched[0].revents != 0) {
      std::uint64_t rung = 0;
      static_cast<void>(::read(bell_.descriptor(), &rung, sizeof rung));
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      if (watched[i + 1].revents != 0)
        bury(names[i]);
    for (auto& [name, x] : workers_)
      if (x.deadline <= clock::now()) {
        x.deadline = clock::time_point::max();
        x.process.send(SIGKILL);
      }
  }

  void bury(const std::string& name) {
    const auto found = workers_.find(name);
    const auto how = found->second.process.reap();
    const bool well = how.how == worker_exit::kind::exited && how.code == 0;
    const bool at_once = !found->second.asked && !well
                         && found->second.since != clock::time_point::min()
                         && clock::now() - found->second.since < options_.at_once;
    workers_.erase(found);
    const auto said = at_once ? logs_.last_line(name) : std::string();
    logs_.sweep();
    if (at_once)
      listener_.failed(name,
                       make_error(ec::io, "worker " + name + " ended at once: " + to_string(how),
                                  said.empty() ? "" : "it said: " + said));
    else
      listener_.gone(name, how);
  }

  const local_backend_options options_;
  worker_listener& listener_;
  worker_logs logs_;
  const owned_file bell_;
  std::map<std::string, worker> workers_; ///< used by the thread alone

  std::mutex mutex_; ///< guards what follows
  std::deque<order> orders_;
  bool closing_ = false;

  std::thread thread_;
};

} // namespace

std::string to_string(const worker_exit& x) {
  switch (x.how) {
  case worker_exit::kind::exited:
    return "exit code " + std::to_string(x.code);
  case worker_exit::kind::signaled:
    return "killed by signal " + std::to_string(x.code);
  case worker_exit::kind::unknown:
    break;
  }
  return "gone";
}

result<std::unique_ptr<worker_backend>> make_local_backend(local_backend_options options,
                                                           worker_listener& listener) {
  const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bell < 0)
    return system_error("eventfd", "open");
  auto made =
      std::make_unique<local_backend>(std::move(options), listener, owned_file(bell, "eventfd"));
  EBB_TRY(made->run());
  return std::unique_ptr<worker_backend>(std::move(made));
}

} // namespace ebb
