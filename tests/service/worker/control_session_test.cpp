#include "actors/service/worker/control_session.hpp"

#include "tests/service/worker/fake_link.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <string>
#include <vector>

using namespace ebb;
using namespace std::chrono_literals;

namespace {

struct fixture : session_listener {
  worker_hello hello() override {
    ++hellos;
    return {"1", 2, "worker-1", 3, {}};
  }

  void welcomed(const control_welcome& x) override {
    welcomes.push_back(x.incarnation);
  }

  void received(link_message&& x) override {
    heard.push_back(std::move(x));
  }

  void note(log_level, const std::string& text) override {
    notes.push_back(text);
  }

  /// Connects as soon as it may.
  std::shared_ptr<ebb::test::fake_link> link() {
    while (links.empty()) {
      BOOST_REQUIRE(session.next());
      session.step(*session.next());
    }
    auto x = links.front();
    links.pop_front();
    return x;
  }

  std::shared_ptr<ebb::test::fake_link> welcomed_link(std::uint64_t incarnation) {
    auto x = link();
    x->hear(control_welcome{incarnation, {}, {}});
    return x;
  }

  bell wake = *bell::make();
  std::shared_ptr<link_calls> calls = std::make_shared<link_calls>();
  std::deque<std::shared_ptr<ebb::test::fake_link>> links;
  int refusals = 0; ///< connections that fail
  int attempts = 0;
  int hellos = 0;
  std::vector<std::uint64_t> welcomes;
  std::vector<link_message> heard;
  std::vector<std::string> notes;
  control_session session{[this](link_handlers x) -> result<link_pointer> {
                            ++attempts;
                            if (refusals-- > 0)
                              return make_error(ec::not_found, "nobody listens");
                            links.push_back(std::make_shared<ebb::test::fake_link>(std::move(x)));
                            return link_pointer(links.back());
                          },
                          *this, wake, calls, control_session::clock::now()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(control_session_suite, fixture)

BOOST_AUTO_TEST_CASE(hello_comes_first_and_nothing_else_before_the_welcome) {
  const auto x = link();
  BOOST_TEST(x->said<worker_hello>().size() == 1U);
  BOOST_TEST(!session.linked());
  BOOST_TEST(!session.send(savepoint_made{}));
  const auto watch = session.watches()->add("t", [] {});
  BOOST_TEST(x->said<topic_watch>().empty());
  x->hear(control_welcome{4, {}, {}});
  BOOST_TEST(session.linked());
  BOOST_TEST(session.incarnation() == 4U);
  BOOST_TEST(!session.next()); // nothing to do until it breaks
  BOOST_TEST(!session.alone_since());
  BOOST_TEST(x->said<topic_watch>().size() == 1U);
  BOOST_TEST(static_cast<bool>(session.send(savepoint_made{})));
  BOOST_TEST((welcomes == std::vector<std::uint64_t>{4}));
}

BOOST_AUTO_TEST_CASE(attempts_come_after_growing_pauses) {
  refusals = 12;
  auto at = *session.next();
  session.step(at);
  std::vector<std::int64_t> pauses;
  while (attempts < 12) {
    const auto next = *session.next();
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(next - at).count());
    session.step(next - 1ms);
    const int before = attempts;
    session.step(next);
    BOOST_TEST(attempts == before + 1);
    at = next;
  }
  BOOST_TEST(
      (pauses == std::vector<std::int64_t>{10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000}));
  // A welcome makes the next loss a short one.
  const auto x = welcomed_link(1);
  x->break_off();
  BOOST_TEST((*session.next() - control_session::clock::now() <= 10ms));
  BOOST_TEST(session.alone_since().has_value());
}

BOOST_AUTO_TEST_CASE(a_lower_incarnation_is_refused) {
  welcomed_link(5)->break_off();
  const auto old = link();
  old->hear(control_welcome{4, {}, {}});
  BOOST_TEST(!old->open());
  BOOST_TEST(!session.linked());
  old->break_off();
  const auto same = welcomed_link(5);
  BOOST_TEST(session.linked());
  same->break_off();
  welcomed_link(6);
  BOOST_TEST((welcomes == std::vector<std::uint64_t>{5, 5, 6}));
  BOOST_TEST(hellos == 4);
}

BOOST_AUTO_TEST_CASE(a_control_process_that_says_other_things_first_is_left) {
  const auto x = link();
  x->hear(start_stream{});
  BOOST_TEST(!x->open());
  BOOST_TEST(heard.empty());
  x->break_off();
  BOOST_TEST(session.next().has_value());
}

BOOST_AUTO_TEST_CASE(a_control_process_that_never_welcomes_is_left) {
  const auto x = link();
  session.step(control_session::clock::now() + 5s);
  BOOST_TEST(x->open());
  session.step(control_session::clock::now() + 11s);
  BOOST_TEST(!x->open());
  x->break_off();
  BOOST_TEST(link() != x);
}

BOOST_AUTO_TEST_CASE(a_full_link_is_closed) {
  const auto x = welcomed_link(1);
  x->fill(true);
  BOOST_TEST(!session.send(savepoint_made{}));
  BOOST_TEST(!x->open());
}

BOOST_AUTO_TEST_CASE(messages_go_to_whom_they_are_for) {
  int moves = 0;
  const auto watch = session.watches()->add("t", [&] { ++moves; });
  const auto x = welcomed_link(1);
  BOOST_TEST(moves == 1); // something may have been missed
  x->hear(topic_moved{"t"});
  x->hear(topic_moved{"u"});
  BOOST_TEST(moves == 2);
  std::optional<call_outcome> outcome;
  calls->start({"s", 1}, ledger_begin_generation{"s"},
               [&](call_outcome&& y) { outcome = std::move(y); });
  const auto asked = x->said<link_call>();
  BOOST_REQUIRE_EQUAL(asked.size(), 1U);
  x->hear(call_answer{asked[0].id, call_value(std::uint64_t{9})});
  BOOST_REQUIRE(outcome && *outcome);
  x->hear(worker_shutdown{});
  BOOST_TEST(heard.size() == 1U);
}

BOOST_AUTO_TEST_CASE(calls_are_sent_again_over_the_next_link) {
  const auto x = welcomed_link(1);
  calls->start({"s", 1}, ledger_tokens{"s"}, [](call_outcome&&) {});
  x->break_off();
  calls->start({"s", 1}, ledger_records{"s"}, [](call_outcome&&) {});
  const auto y = welcomed_link(1);
  const auto asked = y->said<link_call>();
  BOOST_REQUIRE_EQUAL(asked.size(), 2U);
  BOOST_TEST(asked[0].id == x->said<link_call>()[0].id);
  calls->stop();
}

BOOST_AUTO_TEST_CASE(after_the_end_it_connects_no_more) {
  const auto x = welcomed_link(1);
  BOOST_TEST(session.has_link());
  session.finish();
  BOOST_TEST(x->finished());
  x->break_off();
  BOOST_TEST(!session.has_link());
  BOOST_TEST(!session.next());
  session.step(control_session::clock::now() + 60s);
  BOOST_TEST(attempts == 1);
}

BOOST_AUTO_TEST_SUITE_END()
