#include "actors/service/worker/remote_topics.hpp"

#include "tests/service/worker/fake_link.hpp"
#include "tests/support/rows.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <thread>

using namespace ebb;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    calls->connected(link, 1);
  }

  ~fixture() {
    calls->stop();
  }

  /// Answers call number `n`, from 0, when it comes; what was asked.
  call_operation answer(std::size_t n, call_outcome outcome) {
    const auto asked = link->wait_for<link_call>(n + 1);
    BOOST_REQUIRE(asked.size() > n);
    BOOST_TEST(asked[n].uid == "s");
    BOOST_TEST(asked[n].placement == 4U);
    calls->answered({asked[n].id, std::move(outcome)});
    return asked[n].operation;
  }

  /// Calls what blocks while the call that it makes is answered.
  template <class Call>
  auto with_answer(std::size_t n, call_outcome outcome, const Call& call) {
    std::thread other([&] { operation = answer(n, std::move(outcome)); });
    auto got = call();
    other.join();
    return got;
  }

  std::shared_ptr<ebb::test::fake_link> link =
      std::make_shared<ebb::test::fake_link>(link_handlers{});
  std::shared_ptr<link_calls> calls = std::make_shared<link_calls>();
  std::shared_ptr<topic_watches> watches =
      std::make_shared<topic_watches>([](const topic_watch&) {});
  std::unique_ptr<topic_access> topics =
      make_remote_topics(calls, watches, {"s", 4}, topic_reading::files, 20s);
  call_operation operation;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(remote_topics_suite, fixture)

BOOST_AUTO_TEST_CASE(a_topic_is_found_or_not) {
  link_topic there{"u", "t", "/data/topics/u", 3, {{"id", sql_type{type_kind::bigint}}}, "id"};
  const auto found = with_answer(0, call_value(there), [&] { return topics->find("t"); });
  BOOST_TEST(std::get<topic_find_call>(operation).name == "t");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->uid == "u");
  BOOST_TEST(found->name == "t");
  BOOST_TEST(found->folder == "/data/topics/u");
  BOOST_TEST(found->partitions == 3U);
  BOOST_TEST(found->columns.size() == 1U);
  BOOST_TEST(found->key == "id");
  const auto missing = with_answer(1, make_error(ec::not_found, "there is no topic named x"),
                                   [&] { return topics->find("x"); });
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ec::not_found));
  const auto wrong =
      with_answer(2, call_value(std::uint64_t{1}), [&] { return topics->find("t"); });
  BOOST_REQUIRE(!wrong);
  BOOST_TEST((wrong.error().code == ec::internal));
}

BOOST_AUTO_TEST_CASE(an_append_is_answered_later_with_all_that_it_says) {
  topic_append request;
  request.parts.push_back({ebb::test::row_range(0, 3), {0, 1, 0}});
  request.producer = producer_position{"p", 2, 30};
  request.idempotency_key = "k";
  request.mark = sink_mark{"m", 5, 6};
  std::optional<append_answer> got;
  topics->append("u", std::move(request), [&](append_answer x) { got = std::move(x); });
  BOOST_TEST(!got.has_value());
  link_append_answer said;
  said.status = static_cast<std::uint8_t>(append_status::conflict);
  said.ranges = {{1, 10, 3}};
  said.time = 77;
  said.expected_sequence = 12;
  said.problem = make_error(ec::conflict, "a gap");
  const auto asked = std::get<topic_append_call>(answer(0, call_value(said)));
  BOOST_TEST(asked.topic == "u");
  BOOST_REQUIRE_EQUAL(asked.parts.size(), 1U);
  BOOST_TEST(asked.parts[0].rows->rows == 3U);
  BOOST_TEST((asked.parts[0].partitions == std::vector<std::uint32_t>{0, 1, 0}));
  BOOST_TEST((asked.producer == link_producer{"p", 2, 30}));
  BOOST_TEST(asked.idempotency_key == "k");
  BOOST_TEST((asked.mark == link_mark{"m", 5, 6}));
  BOOST_REQUIRE(got);
  BOOST_TEST((got->status == append_status::conflict));
  BOOST_TEST((got->ranges == said.ranges));
  BOOST_TEST(got->time == 77);
  BOOST_TEST(got->expected_sequence.value() == 12U);
  BOOST_TEST((got->problem == said.problem));
}

BOOST_AUTO_TEST_CASE(an_append_that_cannot_be_answered_has_failed) {
  std::vector<append_answer> got;
  const auto append = [&] {
    topic_append request;
    request.parts.push_back({ebb::test::row_range(0, 1), {0}});
    topics->append("u", std::move(request), [&](append_answer x) { got.push_back(std::move(x)); });
  };
  append();
  link_append_answer unknown;
  unknown.status = 99;
  answer(0, call_value(unknown));
  append();
  answer(1, call_value(std::uint64_t{3}));
  append();
  answer(2, make_error(ec::conflict, "this start has been replaced"));
  append();
  calls->cancel({"s", 4}); // its stream is killed
  append();
  BOOST_REQUIRE_EQUAL(got.size(), 5U);
  for (const auto& x : got)
    BOOST_TEST((x.status == append_status::failed && !x.problem.message.empty()));
  BOOST_TEST((got[2].problem.code == ec::conflict));
  BOOST_TEST((got[3].problem.code == ec::cancelled));
}

BOOST_AUTO_TEST_CASE(a_file_is_appended_or_not) {
  const auto append = [&] { return topics->append_file("u", "/x.out", {"m", 5, 6}); };
  BOOST_TEST(static_cast<bool>(with_answer(0, call_value{}, append)));
  const auto& asked = std::get<topic_append_file_call>(operation);
  BOOST_TEST(asked.topic == "u");
  BOOST_TEST(asked.path == "/x.out");
  BOOST_TEST((asked.mark == link_mark{"m", 5, 6}));
  const auto failed = with_answer(1, make_error(ec::corrupt, "it is damaged"), append);
  BOOST_REQUIRE(!failed);
  BOOST_TEST((failed.error().code == ec::corrupt));
}

BOOST_AUTO_TEST_CASE(patience_ends) {
  topics = make_remote_topics(calls, watches, {"s", 4}, topic_reading::files, 50ms);
  const auto none = topics->find("t");
  BOOST_REQUIRE(!none);
  BOOST_TEST((none.error().code == ec::resource));
}

BOOST_AUTO_TEST_SUITE_END()
