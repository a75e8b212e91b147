#include "actors/service/worker/worker_log.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace ebb;

namespace {

struct fixture {
  [[nodiscard]] std::vector<std::string> take() {
    std::vector<std::string> texts;
    for (const auto& x : std::exchange(sent, {}))
      texts.push_back((x.uid.empty() ? "" : x.uid + ": ") + x.text);
    return texts;
  }

  std::vector<log_line> sent;
  bool linked = true;
  worker_log log{[this](const log_line& x) {
    if (linked)
      sent.push_back(x);
    return linked;
  }};
};

using words = std::vector<std::string>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_log_suite, fixture)

BOOST_AUTO_TEST_CASE(a_line_says_when_and_of_what) {
  log.write(log_level::debug, "a", "s");
  BOOST_REQUIRE_EQUAL(sent.size(), 1U);
  BOOST_TEST(sent[0].uid == "s");
  BOOST_TEST((sent[0].level == log_level::debug));
  BOOST_TEST(sent[0].time > 0);
}

BOOST_AUTO_TEST_CASE(lines_of_a_start_have_the_trace_of_the_request_that_has_woken_it) {
  using fields = std::vector<std::pair<std::string, std::string>>;
  const std::string trace = "0af7651916cd43dd8448eb211c80319c";
  log.know("s", "shop.orders", "00-" + trace + "-b7ad6b7169203331-01");
  log.write(log_level::debug, "a", "s");
  BOOST_TEST((sent[0].fields == fields{{"traceId", trace}}));
  BOOST_TEST(sent[0].uid == "s");
  log.write(log_level::debug, "b");
  BOOST_TEST(sent[1].fields.empty());
  // The next start, of which nobody has asked, before the end of this one is said.
  log.know("s", "shop.orders", "");
  log.forget("s");
  log.write(log_level::debug, "c", "s");
  BOOST_TEST(sent[2].fields.empty());
  log.forget("s");
}

BOOST_AUTO_TEST_CASE(lines_wait_for_a_control_process_in_order) {
  linked = false;
  log.write(log_level::debug, "a");
  log.write(log_level::debug, "b");
  log.flush(); // still none
  linked = true;
  log.flush();
  BOOST_TEST((take() == words{"a", "b"}));
  log.flush();
  BOOST_TEST(take().empty());
}

BOOST_AUTO_TEST_CASE(too_many_lines_lose_the_oldest_and_say_so) {
  linked = false;
  for (int i = 0; i < 300; ++i)
    log.write(log_level::debug, std::to_string(i));
  linked = true;
  log.flush();
  const auto all = take();
  BOOST_REQUIRE_EQUAL(all.size(), 257U);
  BOOST_TEST(all[0] == "44 earlier lines were lost while there was no control process");
  BOOST_TEST(all[1] == "44");
  BOOST_TEST(all[256] == "299");
}

BOOST_AUTO_TEST_CASE(an_alarm_is_said_when_its_reason_changes) {
  log.alarm("s", "");
  log.alarm("s", "/a/1.seg: open: no room");
  log.alarm("s", "/a/2.seg: open: no room");
  log.alarm("s", "/a/2.seg: open: it is broken");
  log.alarm("t", "slow");
  log.alarm("s", "");
  log.alarm("s", "");
  log.forget("t");
  log.alarm("t", "");
  BOOST_TEST((take()
              == words{"s: the checkpoint is held up: /a/1.seg: open: no room",
                       "s: the checkpoint is held up: /a/2.seg: open: it is broken",
                       "t: the checkpoint is held up: slow", "s: checkpoints go on"}));
}

BOOST_AUTO_TEST_SUITE_END()
