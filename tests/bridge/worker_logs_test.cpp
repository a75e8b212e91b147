#include "k8s-bridge/worker_logs.hpp"

#include "actors/service/worker/log_rotation.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace ebb;
namespace fs = std::filesystem;

struct fixture {
  fixture() {
    std::string made = "/tmp/ebb-logs-XXXXXX";
    folder = ::mkdtemp(made.data());
  }

  ~fixture() {
    fs::remove_all(folder);
  }

  /// A log of a worker that has been gone for so many seconds.
  void old_log(const std::string& name, const std::string& text, int seconds) const {
    const auto path = worker_logs(folder).path(name);
    std::ofstream(path) << text;
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(seconds));
  }

  [[nodiscard]] bool has(const std::string& file) const {
    return fs::exists(folder + "/" + file);
  }

  static std::string read(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string folder;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(logs_of_workers, fixture)

BOOST_AUTO_TEST_CASE(what_is_large_is_set_aside_when_it_is_opened) {
  worker_logs logs(folder + "/logs", 10);
  {
    auto file = logs.open("a");
    BOOST_REQUIRE(file);
    BOOST_TEST(::write(file->descriptor(), "0123456789", 10) == 10);
  }
  {
    auto file = logs.open("a");
    BOOST_REQUIRE(file);
    BOOST_TEST(::write(file->descriptor(), "new", 3) == 3);
  }
  BOOST_TEST(read(logs.path("a")) == "new");
  BOOST_TEST(read(logs.path("a") + ".1") == "0123456789");
  auto again = logs.open("a"); // not large
  BOOST_REQUIRE(again);
  BOOST_TEST(read(logs.path("a")) == "new");
}

BOOST_AUTO_TEST_CASE(one_worker_has_a_log) {
  worker_logs logs(folder);
  auto first = logs.open("a");
  BOOST_REQUIRE(first);
  auto second = logs.open("a");
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ec::conflict));
  BOOST_TEST(logs.path("a") == folder + "/worker-a.log");
  BOOST_TEST(logs.path("worker-3") == folder + "/worker-3.log");
}

BOOST_AUTO_TEST_CASE(old_and_empty_logs_go_and_those_of_the_living_stay) {
  worker_logs logs(folder, 1 << 20, 2);
  old_log("1", "x", 50);
  old_log("2", "x", 40);
  old_log("3", "x", 30);
  old_log("4", "", 5);
  old_log("5", "x", 100);
  std::ofstream(folder + "/worker-1.log.1") << "older";
  std::ofstream(folder + "/other.txt") << "not mine";
  auto living = logs.open("5");
  auto quiet = logs.open("6");
  BOOST_REQUIRE(living);
  logs.sweep();
  BOOST_TEST(!has("worker-1.log"));
  BOOST_TEST(!has("worker-1.log.1"));
  BOOST_TEST(has("worker-2.log"));
  BOOST_TEST(has("worker-3.log"));
  BOOST_TEST(!has("worker-4.log"));
  BOOST_TEST(has("worker-5.log"));
  BOOST_TEST(has("worker-6.log"));
  BOOST_TEST(has("other.txt"));
  worker_logs(folder + "/nowhere").sweep();
}

BOOST_AUTO_TEST_CASE(those_that_live_are_known_by_their_locks) {
  worker_logs logs(folder);
  BOOST_TEST(logs.living().empty());
  old_log("1", "x", 50);
  auto one = logs.open("2");
  BOOST_REQUIRE(one);
  {
    auto other = logs.open("worker-3");
    BOOST_REQUIRE(other);
    // It is going on in a new file.
    std::filesystem::rename(folder + "/worker-3.log", folder + "/worker-3.log.1");
    BOOST_TEST(logs.living() == (std::vector<std::string>{"worker-2", "worker-3"}),
               boost::test_tools::per_element());
  }
  BOOST_TEST(logs.living() == std::vector<std::string>{"worker-2"},
             boost::test_tools::per_element());
  BOOST_TEST(worker_logs(folder + "/nowhere").living().empty());
}

BOOST_AUTO_TEST_CASE(the_last_line_is_short_and_whole_text) {
  worker_logs logs(folder);
  BOOST_TEST(logs.last_line("none").empty());
  old_log("a", "", 0);
  BOOST_TEST(logs.last_line("a").empty());
  old_log("b", "one\ntwo\n\n", 0);
  BOOST_TEST(logs.last_line("b") == "two");
  old_log("c", "one", 0);
  BOOST_TEST(logs.last_line("c") == "one");
  std::string text = "x";
  for (int i = 0; i < 300; ++i)
    text += "é";
  old_log("d", text, 0);
  const auto line = logs.last_line("d");
  BOOST_TEST(line.size() == 299U);
  BOOST_TEST(text.starts_with(line));
}

BOOST_AUTO_TEST_CASE(a_process_goes_on_in_a_new_file) {
  worker_logs logs(folder);
  // In a process of its own, since it is about standard error.
  std::fflush(nullptr); // what is buffered would come out twice
  const auto child = ::fork();
  if (child == 0) {
    {
      auto file = logs.open("a");
      ::dup2(file->descriptor(), STDERR_FILENO);
      ::dup2(file->descriptor(), STDOUT_FILENO);
    }
    const log_rotation rotation(logs.path("a"), 8);
    bool well = ::write(STDERR_FILENO, "before", 6) == 6;
    rotation.look(); // not large yet
    well &= ::write(STDERR_FILENO, "before", 6) == 6;
    rotation.look();
    well &= ::write(STDERR_FILENO, "behind", 6) == 6 && ::write(STDOUT_FILENO, "+", 1) == 1;
    // Another worker cannot take the file.
    well &= !logs.open("a");
    ::_exit(well ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  BOOST_TEST(read(logs.path("a") + ".1") == "beforebefore");
  BOOST_TEST(read(logs.path("a")) == "behind+");
}

BOOST_AUTO_TEST_SUITE_END()
