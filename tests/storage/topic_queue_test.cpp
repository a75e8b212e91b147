#include "storage/topic_queue.hpp"

#include <boost/test/unit_test.hpp>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

// As if the group had been appended.
std::vector<append_answer> answers_to(const std::vector<topic_append>& group) {
  std::vector<append_answer> answers(group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    answers[i].status = append_status::appended;
    answers[i].time = group[i].parts.front().rows->columns[0].data<std::int64_t>()[0];
  }
  return answers;
}

} // namespace

BOOST_AUTO_TEST_SUITE(topic_queues)

BOOST_AUTO_TEST_CASE(answers_find_their_tickets) {
  topic_queue queue{{}};
  std::vector<topic_queue::ticket> tickets;
  for (int i = 0; i < 5; ++i)
    tickets.push_back(value_of(queue.offer(plain(rows_from(i, 1)))));
  BOOST_TEST(std::is_sorted(tickets.begin(), tickets.end()));
  const auto group = queue.take();
  BOOST_TEST(group.size() == 5);
  BOOST_TEST(queue.under_way());
  BOOST_TEST(!queue.due());
  // Gathers meanwhile.
  const auto late = value_of(queue.offer(plain(rows_from(9, 1))));
  BOOST_TEST(!queue.due());
  const auto answers = queue.finish(answers_to(group));
  for (std::size_t i = 0; i < 5; ++i) {
    BOOST_TEST(answers[i].first == tickets[i]);
    BOOST_TEST(answers[i].second.time == static_cast<micros>(i));
  }
  BOOST_TEST(!queue.under_way());
  BOOST_TEST(queue.due());
  const auto next = queue.take();
  BOOST_TEST(queue.finish(answers_to(next)).front().first == late);
  BOOST_TEST(!queue.due());
  BOOST_TEST(queue.take().empty());
  BOOST_TEST(!queue.under_way());
}

BOOST_AUTO_TEST_CASE(groups_are_what_came_during_the_one_before) {
  topic_queue queue{{.group_requests = 10}};
  const auto offer = [&](int count) {
    for (int i = 0; i < count; ++i)
      value_of(queue.offer(plain(rows_from(i, 1))));
  };
  BOOST_TEST(!queue.due());
  offer(1);
  BOOST_TEST(queue.due());
  const auto first = queue.take();
  offer(4);
  BOOST_TEST(!queue.due());
  static_cast<void>(queue.finish(answers_to(first)));
  BOOST_TEST(queue.due());
  const auto second = queue.take();
  BOOST_TEST(second.size() == 4);
  // No more than a group is taken.
  offer(23);
  static_cast<void>(queue.finish(answers_to(second)));
  for (const std::size_t size : {10U, 10U, 3U}) {
    BOOST_TEST(queue.due());
    BOOST_TEST(queue.take().size() == size);
    static_cast<void>(queue.finish(std::vector<append_answer>(size)));
  }
  BOOST_TEST(!queue.due());
}

BOOST_AUTO_TEST_CASE(bounded_by_bytes) {
  const auto one = byte_size(plain(rows_from(0, 100, 100)));
  topic_queue queue{{.group_bytes = 3 * one, .waiting_bytes = 5 * one}};
  for (int i = 0; i < 5; ++i)
    value_of(queue.offer(plain(rows_from(100, 100, 100))));
  BOOST_TEST(queue.waiting_bytes() == 5 * one);
  auto refused = queue.offer(plain(rows_from(100, 100, 100)));
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::resource));
  BOOST_TEST(queue.take().size() == 3);
  BOOST_TEST(queue.waiting_bytes() == 2 * one);
  static_cast<void>(queue.finish(std::vector<append_answer>(3)));
  BOOST_TEST(queue.take().size() == 2);
  static_cast<void>(queue.finish(std::vector<append_answer>(2)));
  // A request larger than everything still passes, alone.
  value_of(queue.offer(plain(rows_from(0, 1'000, 100))));
  BOOST_TEST(queue.due());
  BOOST_TEST(!queue.offer(plain(rows_from(0, 1))));
  BOOST_TEST(queue.take().size() == 1);
  BOOST_TEST(queue.waiting_bytes() == 0);
}

BOOST_AUTO_TEST_CASE(bounded_by_count) {
  topic_queue queue{{.waiting_requests = 3}};
  for (int i = 0; i < 3; ++i)
    value_of(queue.offer(plain(rows_from(0, 1))));
  BOOST_TEST(!queue.offer(plain(rows_from(0, 1))));
  BOOST_TEST(queue.take().size() == 3);
  value_of(queue.offer(plain(rows_from(0, 1))));
}

BOOST_AUTO_TEST_SUITE_END()
