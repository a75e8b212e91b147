// The worker in this process, without sockets; its streams are in worker_streams_test.cpp.
#include "actors/service/worker/worker_process.hpp"

#include "tests/service/worker/fake_link.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <deque>
#include <thread>

using namespace ebb;
using namespace std::chrono_literals;

namespace {

struct fixture {
  ~fixture() {
    if (process)
      process->stop();
    // A link that is being finished is closed by its loop.
    for (int i = 0; i < 2000 && thread.joinable() && !returned; ++i) {
      std::shared_ptr<ebb::test::fake_link> x;
      {
        std::lock_guard guard(mutex);
        if (!links.empty())
          x = links.back();
      }
      if (x && x->finished() && !std::exchange(finished, true))
        x->break_off();
      std::this_thread::sleep_for(5ms);
    }
    if (thread.joinable())
      thread.join();
  }

  void run(worker_options options = {}) {
    options.name = "worker-1";
    options.version = "9";
    options.connect = [this](link_handlers x) -> result<link_pointer> {
      std::lock_guard guard(mutex);
      if (refuse)
        return make_error(ec::not_found, "nobody listens");
      links.push_back(std::make_shared<ebb::test::fake_link>(std::move(x)));
      return link_pointer(links.back());
    };
    auto made = worker_process::make(std::move(options));
    BOOST_REQUIRE(made);
    process = *std::move(made);
    thread = std::thread([this] {
      outcome = process->run();
      returned = true;
    });
  }

  /// Connection number `n`, from 0, after its hello.
  std::shared_ptr<ebb::test::fake_link> link(std::size_t n) {
    for (int i = 0; i < 4000; ++i) {
      {
        std::lock_guard guard(mutex);
        if (links.size() > n && !links[n]->said<worker_hello>().empty())
          return links[n];
      }
      std::this_thread::sleep_for(5ms);
    }
    BOOST_FAIL("no connection");
    return nullptr;
  }

  bool wait_for_return() {
    for (int i = 0; i < 4000 && !returned; ++i)
      std::this_thread::sleep_for(5ms);
    return returned;
  }

  std::mutex mutex;
  std::deque<std::shared_ptr<ebb::test::fake_link>> links;
  bool refuse = false;
  bool finished = false;
  std::unique_ptr<worker_process> process;
  std::thread thread;
  std::atomic<bool> returned = false;
  worker_outcome outcome{};
};

start_stream broken_order(std::uint64_t placement) {
  start_stream x;
  x.uid = "u";
  x.placement = placement;
  x.name = "s";
  x.name_space = "default";
  x.manifest = "this is no manifest";
  return x;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_process_suite, fixture)

BOOST_AUTO_TEST_CASE(it_says_who_it_is) {
  run();
  const auto first = link(0)->said<worker_hello>()[0];
  BOOST_TEST(first.name == "worker-1");
  BOOST_TEST(first.version == "9");
  BOOST_TEST(first.pid == ::getpid());
  BOOST_TEST(first.session != 0U);
  BOOST_TEST(first.hosted.empty());
  link(0)->break_off();
  BOOST_TEST(link(1)->said<worker_hello>()[0].session == first.session);
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_is_an_end_that_is_said_until_it_is_released) {
  run();
  auto x = link(0);
  x->hear(control_welcome{1, {}, {}});
  x->hear(broken_order(3));
  auto ends = x->wait_for<stream_ended>(1);
  BOOST_REQUIRE_EQUAL(ends.size(), 1U);
  BOOST_TEST(ends[0].placement == 3U);
  BOOST_TEST(ends[0].problem.has_value());
  BOOST_TEST(!ends[0].cut);
  // The order again: the same answer.
  x->hear(broken_order(3));
  BOOST_TEST(x->wait_for<stream_ended>(2).size() == 2U);
  x->break_off();
  x = link(1);
  const auto hosted = x->said<worker_hello>()[0].hosted;
  BOOST_REQUIRE_EQUAL(hosted.size(), 1U);
  BOOST_TEST((hosted[0] == hosted_stream{"u", 3, 0}));
  x->hear(control_welcome{2, {{"u", 3}}, {}});
  BOOST_TEST(x->wait_for<stream_ended>(1).size() == 1U);
  // Released: said once more, since a kill may have crossed the end, and then no more.
  x->hear(stop_stream{"u", 3, true});
  BOOST_TEST(x->said<stream_ended>().size() == 2U);
  x->hear(stop_stream{"u", 3, true});
  BOOST_TEST(x->said<stream_ended>().size() == 2U);
  x->break_off();
  BOOST_TEST(link(2)->said<worker_hello>()[0].hosted.empty());
}

BOOST_AUTO_TEST_CASE(a_welcome_that_does_not_list_an_end_releases_it) {
  run();
  link(0)->hear(control_welcome{1, {}, {}});
  link(0)->hear(broken_order(3));
  static_cast<void>(link(0)->wait_for<stream_ended>(1));
  link(0)->break_off();
  link(1)->hear(control_welcome{2, {}, {{"u", 3, "another start has taken its place"}}});
  BOOST_TEST(link(1)->said<stream_ended>().empty());
  link(1)->break_off();
  BOOST_TEST(link(2)->said<worker_hello>()[0].hosted.empty());
}

BOOST_AUTO_TEST_CASE(kills_of_what_is_not_there_are_not_answered) {
  run();
  const auto x = link(0);
  x->hear(control_welcome{1, {}, {}});
  x->hear(stop_stream{"u", 1, true});
  x->hear(stop_stream{"u", 1, false});
  x->hear(savepoint_stream{7, "u", 1, "n"});
  const auto made = x->wait_for<savepoint_made>(1);
  BOOST_REQUIRE_EQUAL(made.size(), 1U);
  BOOST_TEST(made[0].id == 7U);
  BOOST_TEST(made[0].problem.has_value());
  BOOST_TEST(x->said<stream_ended>().empty());
  // What only workers say is no reason to end.
  x->hear(stream_ended{});
  BOOST_TEST(x->open());
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_it) {
  run();
  link(0)->hear(control_welcome{1, {}, {}});
  link(0)->hear(worker_shutdown{});
  for (int i = 0; i < 4000 && !link(0)->finished(); ++i)
    std::this_thread::sleep_for(5ms);
  BOOST_TEST(link(0)->finished());
  finished = true;
  link(0)->break_off();
  BOOST_TEST(wait_for_return());
  BOOST_TEST((outcome == worker_outcome::stopped));
}

BOOST_AUTO_TEST_CASE(no_stream_is_taken_while_it_ends) {
  worker_options options;
  options.stop_within = 0ms;
  run(std::move(options));
  const auto x = link(0);
  x->hear(control_welcome{1, {}, {}});
  x->hear(worker_shutdown{});
  x->hear(broken_order(1));
  const auto ends = x->said<stream_ended>();
  if (!x->finished()) {
    BOOST_REQUIRE_EQUAL(ends.size(), 1U);
    BOOST_TEST(ends[0].problem->message == "worker worker-1 is ending");
  }
}

BOOST_AUTO_TEST_CASE(it_stops_without_a_control_process) {
  refuse = true;
  run();
  std::this_thread::sleep_for(30ms);
  process->stop();
  BOOST_TEST(wait_for_return());
  BOOST_TEST((outcome == worker_outcome::stopped));
}

BOOST_AUTO_TEST_CASE(without_a_control_process_for_too_long_it_ends) {
  worker_options options;
  options.orphan_timeout = 300ms;
  run(std::move(options));
  link(0)->hear(control_welcome{1, {}, {}});
  std::this_thread::sleep_for(600ms);
  BOOST_TEST(!returned);
  {
    std::lock_guard guard(mutex);
    refuse = true;
  }
  const auto before = std::chrono::steady_clock::now();
  link(0)->break_off();
  BOOST_TEST(wait_for_return());
  BOOST_TEST((std::chrono::steady_clock::now() - before >= 290ms));
  BOOST_TEST((outcome == worker_outcome::orphaned));
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_welcome_is_no_control_process) {
  worker_options options;
  options.orphan_timeout = 200ms;
  run(std::move(options));
  static_cast<void>(link(0));
  BOOST_TEST(wait_for_return());
  BOOST_TEST((outcome == worker_outcome::orphaned));
}

BOOST_AUTO_TEST_CASE(memory_is_given_back_once_while_nothing_runs) {
  std::atomic<int> rests = 0;
  std::atomic<int> looks = 0;
  worker_options options;
  options.rested = [&] { ++rests; };
  options.looked = [&] { ++looks; };
  run(std::move(options));
  link(0)->hear(control_welcome{1, {}, {}});
  for (int i = 0; i < 4000 && rests == 0; ++i)
    std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(400ms);
  BOOST_TEST(rests == 1);
  BOOST_TEST(looks <= 4);
}

BOOST_AUTO_TEST_SUITE_END()
