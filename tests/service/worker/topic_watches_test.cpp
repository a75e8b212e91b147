#include "actors/service/worker/topic_watches.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace ebb;

namespace {

struct fixture {
  std::vector<std::string> sent;
  topic_watches watches{
      [this](const topic_watch& x) { sent.push_back((x.on ? "+" : "-") + x.uid); }};

  [[nodiscard]] std::vector<std::string> take() {
    return std::exchange(sent, {});
  }
};

using words = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(topic_watches_suite, fixture)

BOOST_AUTO_TEST_CASE(one_subscription_serves_all_watchers_of_a_topic) {
  int first = 0;
  int second = 0;
  auto a = watches.add("t", [&] { ++first; });
  auto b = watches.add("t", [&] { ++second; });
  BOOST_TEST((take() == words{"+t"}));
  watches.moved("t");
  watches.moved("other");
  BOOST_TEST(first == 1);
  BOOST_TEST(second == 1);
  a.reset();
  BOOST_TEST(take().empty());
  watches.moved("t");
  BOOST_TEST(first == 1);
  BOOST_TEST(second == 2);
  b.reset();
  BOOST_TEST((take() == words{"-t"}));
  watches.moved("t");
  BOOST_TEST(second == 2);
  BOOST_TEST(watches.size() == 0U);
  const auto c = watches.add("t", [] {});
  BOOST_TEST((take() == words{"+t"}));
}

BOOST_AUTO_TEST_CASE(a_new_connection_subscribes_again_and_calls_everybody) {
  int calls = 0;
  const auto a = watches.add("t", [&] { ++calls; });
  const auto b = watches.add("t", [&] { ++calls; });
  const auto c = watches.add("u", [&] { ++calls; });
  static_cast<void>(take());
  watches.reconnected();
  BOOST_TEST((take() == words{"+t", "+u"}));
  BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(a_watcher_may_drop_its_handle_in_the_call) {
  int calls = 0;
  std::shared_ptr<void> a;
  a = watches.add("t", [&] {
    ++calls;
    a.reset();
  });
  watches.moved("t");
  watches.moved("t");
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(no_call_comes_after_the_handle_has_gone) {
  std::atomic<bool> inside = false;
  std::atomic<bool> over = false;
  auto a = watches.add("t", [&] {
    inside = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    over = true;
  });
  std::thread other([&] { watches.moved("t"); });
  while (!inside)
    std::this_thread::yield();
  a.reset();
  BOOST_TEST(over.load());
  other.join();
}

BOOST_AUTO_TEST_CASE(handles_may_outlive_the_watches) {
  auto some = std::make_unique<topic_watches>([](const topic_watch&) {});
  const auto a = some->add("t", [] {});
  some.reset();
}

BOOST_AUTO_TEST_SUITE_END()
