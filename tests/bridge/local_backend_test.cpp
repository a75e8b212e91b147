// Real processes: shells and sleeps in the place of workers.
#include "k8s-bridge/local_backend.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace ebb;
using namespace std::chrono_literals;

struct news {
  std::string what; ///< started, failed, gone
  std::string name;
  std::int64_t pid = 0;
  error why;
  worker_exit how;
};

class ears final : public worker_listener {
public:
  void started(const std::string& name, std::int64_t pid) override {
    add({"started", name, pid, {}, {}});
  }

  void failed(const std::string& name, const error& why) override {
    add({"failed", name, 0, why, {}});
  }

  void gone(const std::string& name, const worker_exit& how) override {
    add({"gone", name, 0, {}, how});
  }

  /// The next thing that is told.
  news next() {
    std::unique_lock guard(mutex_);
    if (!changed_.wait_for(guard, 20s, [&] { return !heard_.empty(); }))
      return {"nothing", {}, 0, {}, {}};
    auto x = std::move(heard_.front());
    heard_.pop_front();
    return x;
  }

  bool silent() {
    std::lock_guard guard(mutex_);
    return heard_.empty();
  }

private:
  void add(news x) {
    std::lock_guard guard(mutex_);
    heard_.push_back(std::move(x));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<news> heard_;
};

struct fixture {
  fixture() {
    std::string made = "/tmp/ebb-bridge-XXXXXX";
    folder = ::mkdtemp(made.data());
  }

  ~fixture() {
    backend.reset();
    for (const auto pid : pids)
      ::kill(static_cast<pid_t>(pid), SIGKILL);
    // Whatever was left alive is buried here, so that the next test finds no child.
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    std::filesystem::remove_all(folder);
  }

  void use(const std::string& script, std::chrono::milliseconds end_within = 20s,
           std::chrono::milliseconds at_once = 300ms) {
    local_backend_options options;
    options.program = "/bin/sh";
    options.arguments = {"-c", script};
    options.log_folder = folder + "/logs";
    options.end_within = end_within;
    options.at_once = at_once;
    open(std::move(options));
  }

  void open(local_backend_options options) {
    auto made = make_local_backend(std::move(options), told);
    BOOST_REQUIRE(made);
    backend = *std::move(made);
  }

  std::int64_t start(const std::string& name) {
    backend->start(name);
    const auto x = told.next();
    BOOST_REQUIRE_EQUAL(x.what, "started");
    BOOST_REQUIRE_EQUAL(x.name, name);
    pids.insert(x.pid);
    return x.pid;
  }

  void expect_gone(const std::string& name, worker_exit::kind how, int code) {
    const auto x = told.next();
    BOOST_TEST(x.what == "gone");
    BOOST_TEST(x.name == name);
    BOOST_TEST((x.how.how == how));
    BOOST_TEST(x.how.code == code);
  }

  [[nodiscard]] std::string log(const std::string& name) const {
    std::ifstream in(folder + "/logs/worker-" + name + ".log");
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string folder;
  ears told;
  std::set<std::int64_t> pids;
  std::unique_ptr<worker_backend> backend;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& x : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

const std::string forever = "exec sleep 1000";

} // namespace

BOOST_FIXTURE_TEST_SUITE(local_backend, fixture)

BOOST_AUTO_TEST_CASE(twenty_workers_come_and_go_without_zombies_and_descriptors) {
  use(forever);
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i)
    backend->start(std::to_string(i));
  std::map<std::string, std::int64_t> all;
  for (int i = 0; i < 20; ++i) {
    const auto x = told.next();
    BOOST_REQUIRE_EQUAL(x.what, "started");
    BOOST_TEST(::kill(static_cast<pid_t>(x.pid), 0) == 0);
    // Ctrl-C on the terminal reaches the group of the control process.
    BOOST_TEST(::getpgid(static_cast<pid_t>(x.pid)) == x.pid);
    BOOST_TEST(pids.insert(x.pid).second);
    all[x.name] = x.pid;
  }
  BOOST_TEST(all.size() == 20U);
  for (int i = 0; i < 20; ++i)
    if (i % 2 == 0)
      backend->kill(std::to_string(i));
    else
      backend->end(std::to_string(i));
  std::set<std::string> gone;
  for (int i = 0; i < 20; ++i) {
    const auto x = told.next();
    BOOST_REQUIRE_EQUAL(x.what, "gone");
    BOOST_TEST((x.how.how == worker_exit::kind::signaled));
    BOOST_TEST(x.how.code == (std::stoi(x.name) % 2 == 0 ? SIGKILL : SIGTERM));
    gone.insert(x.name);
  }
  BOOST_TEST(gone.size() == 20U);
  BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);
  BOOST_TEST(errno == ECHILD);
  BOOST_TEST(open_descriptors() == before);
  BOOST_TEST(told.silent());
}

BOOST_AUTO_TEST_CASE(a_worker_inherits_nothing) {
  use("ls /proc/self/fd; cat; trap; sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status");
  // What a library may leave open to be inherited.
  const int open = ::dup(STDERR_FILENO);
  BOOST_REQUIRE(open > 2);
  const int high = ::dup2(open, 77);
  const auto before = std::signal(SIGTERM, SIG_IGN);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t old;
  sigfillset(&blocked);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  start("a");
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  std::signal(SIGTERM, before);
  std::signal(SIGPIPE, pipe_before);
  expect_gone("a", worker_exit::kind::exited, 0);
  ::close(open);
  ::close(high);
  // 3 is the folder that ls reads.
  const auto said = log("a");
  BOOST_REQUIRE(said.starts_with("0\n1\n2\n3\n"));
  // 32 and 33 are the C library's own.
  BOOST_TEST((std::stoull(said.substr(8), nullptr, 16) & 0x7FFFFFFFU) == 0U);
}

BOOST_AUTO_TEST_CASE(an_end_by_itself_is_told_with_its_code) {
  use("sleep 0.5; exit 7");
  start("a");
  expect_gone("a", worker_exit::kind::exited, 7);
  // The name is free again.
  start("a");
  expect_gone("a", worker_exit::kind::exited, 7);
}

BOOST_AUTO_TEST_CASE(one_that_dies_at_once_has_failed) {
  use("echo first >&2; echo 'it has no legs' >&2; exit 3", 20s, 10s);
  start("a");
  const auto x = told.next();
  BOOST_TEST(x.what == "failed");
  BOOST_TEST(x.name == "a");
  BOOST_TEST(x.why.message == "worker a ended at once: exit code 3");
  BOOST_TEST(x.why.hint == "it said: it has no legs");
  BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_has_failed) {
  local_backend_options options;
  options.program = folder + "/nothing";
  options.log_folder = folder + "/logs";
  open(options);
  backend->start("a");
  const auto x = told.next();
  BOOST_TEST(x.what == "failed");
  BOOST_TEST(x.name == "a");
  BOOST_TEST(x.why.message.find("cannot start worker a") == 0U);
  BOOST_TEST(x.why.message.find("No such file or directory") != std::string::npos);
  BOOST_TEST(told.silent());
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_opened_is_a_failure) {
  std::ofstream(folder + "/logs") << "a file";
  use(forever);
  backend->start("a");
  BOOST_TEST(told.next().what == "failed");
}

BOOST_AUTO_TEST_CASE(a_stopped_worker_is_killed) {
  use(forever);
  const auto pid = start("a");
  ::kill(static_cast<pid_t>(pid), SIGSTOP);
  backend->kill("a");
  expect_gone("a", worker_exit::kind::signaled, SIGKILL);
}

BOOST_AUTO_TEST_CASE(one_that_does_not_end_in_time_is_killed) {
  use("trap '' TERM; echo ready; while :; do sleep 0.05; done", 200ms);
  start("a");
  const auto stopped = start("b");
  for (int i = 0; i < 400 && (log("a").empty() || log("b").empty()); ++i)
    std::this_thread::sleep_for(10ms);
  ::kill(static_cast<pid_t>(stopped), SIGSTOP);
  backend->end("a");
  backend->end("b");
  std::set<std::string> gone;
  for (int i = 0; i < 2; ++i) {
    const auto x = told.next();
    BOOST_TEST(x.what == "gone");
    BOOST_TEST(x.how.code == SIGKILL);
    gone.insert(x.name);
  }
  BOOST_TEST(gone.size() == 2U);
}

BOOST_AUTO_TEST_CASE(orders_for_workers_that_are_not_there_do_nothing) {
  use(forever);
  backend->kill("nobody");
  backend->end("nobody");
  start("a");
  backend->start("a"); // it is there
  backend->kill("a");
  expect_gone("a", worker_exit::kind::signaled, SIGKILL);
  backend->kill("a");
  start("b");
  BOOST_TEST(told.silent());
}

BOOST_AUTO_TEST_CASE(workers_outlive_the_backend_and_are_adopted_by_the_next) {
  // A process that is no child of this one.
  auto* shell = ::popen("sleep 1000 > /dev/null 2>&1 & echo $!", "r");
  int pid = 0;
  BOOST_REQUIRE_EQUAL(std::fscanf(shell, "%d", &pid), 1);
  ::pclose(shell);
  pids.insert(pid);
  use(forever);
  const auto child = start("mine");
  backend.reset();
  BOOST_TEST(::kill(static_cast<pid_t>(child), 0) == 0);
  use(forever);
  backend->adopt("theirs", pid);
  backend->adopt("mine", child);
  backend->kill("theirs");
  expect_gone("theirs", worker_exit::kind::unknown, 0);
  pids.erase(pid);
  backend->end("mine");
  expect_gone("mine", worker_exit::kind::signaled, SIGTERM);
  backend->adopt("nobody", pid);
  expect_gone("nobody", worker_exit::kind::unknown, 0);
}

BOOST_AUTO_TEST_CASE(an_idle_backend_costs_no_time) {
  use(forever);
  start("a");
  const auto before = std::clock();
  std::this_thread::sleep_for(500ms);
  BOOST_TEST(std::clock() - before < CLOCKS_PER_SEC / 20);
}

BOOST_AUTO_TEST_SUITE_END()
