// Producers, idempotency keys and sinks' marks: what comes a second time is known again.
#include "schemas/topic_codec.hpp"
#include "storage/topic_admission.hpp"
#include "storage/topic_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

constexpr auto appended = append_status::appended;
constexpr auto duplicate = append_status::duplicate;
constexpr auto conflict = append_status::conflict;

std::string contents(const topic_memory& x) {
  std::string text;
  for (const auto& chunk : x.chunks(1'000))
    text += encode(chunk);
  return text;
}

logged_request of_producer(const std::string& name, std::uint64_t sequence, std::uint32_t rows,
                           bool starts = false, std::uint64_t epoch = 0) {
  logged_request x;
  x.starts = starts;
  x.name = name;
  x.epoch = epoch;
  x.sequence = sequence;
  x.rows = rows;
  x.ranges = {{0, rows, sequence}};
  return x;
}

logged_request of_key(std::uint64_t number) {
  logged_request x;
  x.kind = logged_kind::key;
  x.key = {number, number};
  x.rows = 1;
  return x;
}

void random_retries(std::uint32_t replayed) {
  const memory_folder folder;
  topic_options options{.partitions = 2, .file_bytes = 256 << 10, .replayed_requests = replayed};
  auto log = open_topic(folder.path(), options);
  std::mt19937 random{5};
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::uint32_t>>> sent;
  std::map<std::string, std::vector<std::vector<topic_range>>> ranges;
  std::uint64_t rows = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<topic_append> group;
    std::vector<std::pair<std::string, std::size_t>> which;
    for (int i = 0; i < 20; ++i) {
      const auto name = fmt::format("p{}", random() % 6);
      auto& mine = sent[name];
      auto k = mine.size();
      if (!mine.empty() && random() % 2 == 0)
        k -= 1 + random() % std::min<std::size_t>(mine.size(), 30);
      if (k == mine.size()) {
        const auto next = mine.empty() ? 0 : mine.back().first + mine.back().second;
        mine.emplace_back(next, 1 + random() % 9);
        ranges[name].emplace_back();
        rows += mine.back().second;
      }
      group.push_back(
          from_producer(rows_from(static_cast<std::int64_t>(mine[k].first), mine[k].second, 30),
                        name, mine[k].first));
      which.emplace_back(name, k);
    }
    const auto answers = log->append(group, round);
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto& first = ranges[which[i].first][which[i].second];
      if (first.empty()) {
        BOOST_REQUIRE(answers[i].status == appended);
        first = answers[i].ranges;
      } else {
        BOOST_REQUIRE(answers[i].status == duplicate);
        BOOST_REQUIRE(answers[i].ranges == first);
      }
    }
    if (random() % 8 == 0) {
      log.reset();
      log = open_topic(folder.path(), options);
    }
  }
  BOOST_TEST(log->size().rows_appended == rows);
  require(log->verify());
}

} // namespace

BOOST_AUTO_TEST_SUITE(topic_producers)

BOOST_AUTO_TEST_CASE(the_cases_of_a_sequence) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {.partitions = 3});

  struct step {
    const char* what;
    std::string producer;
    std::uint64_t epoch, sequence;
    std::uint32_t rows;
    append_status status;
    std::optional<std::uint64_t> expected;
  };

  const std::vector<step> steps{
      {"a new producer starts anywhere", "a", 0, 7, 3, appended, {}},
      {"another one", "b", 5, 0, 1, appended, {}},
      {"the next", "a", 0, 10, 2, appended, {}},
      {"the next again", "a", 0, 10, 2, duplicate, {}},
      {"an older one", "a", 0, 7, 3, duplicate, {}},
      {"a gap", "a", 0, 13, 1, conflict, 12},
      {"before what is known", "a", 0, 6, 1, conflict, 12},
      {"within a request", "a", 0, 8, 1, conflict, 12},
      {"a request of another length", "a", 0, 7, 2, conflict, {}},
      {"a request of another length", "a", 0, 10, 5, conflict, {}},
      {"the next, after all that", "a", 0, 12, 1, appended, {}},
      {"a lower epoch", "b", 4, 1, 1, conflict, {}},
      {"a higher epoch starts anywhere", "a", 2, 100, 1, appended, {}},
      {"and fences", "a", 0, 13, 1, conflict, {}},
      {"also a repetition", "a", 1, 7, 3, conflict, {}},
      {"its own repetition", "a", 2, 100, 1, duplicate, {}},
      {"what the lower epoch sent is not known any more", "a", 2, 10, 2, conflict, 101},
      {"epochs may leave numbers out", "a", 9, 0, 1, appended, {}},
  };
  std::map<std::pair<std::string, std::uint64_t>, std::vector<topic_range>> ranges;
  for (const auto& x : steps)
    BOOST_TEST_CONTEXT(x.what) {
      const auto answer =
          append_one(*log, from_producer(rows_from(0, x.rows), x.producer, x.sequence, x.epoch));
      BOOST_TEST(answer.status == x.status);
      BOOST_TEST((answer.expected_sequence == x.expected));
      BOOST_TEST(answer.problem.message.empty() == (x.status != conflict));
      BOOST_TEST(answer.problem.hint.empty() == (x.status != conflict));
      auto& first = ranges[{x.producer, x.sequence}];
      if (x.status == appended)
        first = answer.ranges;
      if (x.status == duplicate)
        BOOST_TEST(answer.ranges == first, boost::test_tools::per_element());
    }
  const auto gap = append_one(*log, from_producer(rows_from(0, 1), "a", 5, 9));
  BOOST_TEST(gap.problem.message == "producer a: sequence 5 is behind a gap, expected 1");
}

BOOST_AUTO_TEST_CASE(requests_of_one_group_know_each_other) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {});
  const std::vector<topic_append> group{
      from_producer(rows_from(0, 2), "p", 5),    // starts
      from_producer(rows_from(2, 1), "p", 7),    // next
      from_producer(rows_from(0, 2), "p", 5),    // again
      from_producer(rows_from(9, 1), "p", 9),    // gap
      from_producer(rows_from(3, 1), "p", 8),    // next
      from_producer(rows_from(4, 1), "p", 0, 1), // a new epoch
      from_producer(rows_from(2, 1), "p", 7),    // fenced
      from_producer(rows_from(2, 1), "p", 7, 1), // not of this epoch
      from_producer(rows_from(4, 1), "p", 0, 1), // again
      with_key(rows_from(5, 3), "k"),
      with_key(rows_from(5, 3), "k"),
      with_key(rows_from(5, 2), "k"),
  };
  const std::vector<append_status> expected{appended,  appended, duplicate, conflict,
                                            appended,  appended, conflict,  conflict,
                                            duplicate, appended, duplicate, conflict};
  for (int round = 0; round < 3; ++round) {
    const auto answers = log->append(group, 1);
    for (std::size_t i = 0; i < group.size(); ++i)
      BOOST_TEST_CONTEXT("round " << round << ", request " << i) {
        if (round == 0)
          BOOST_TEST(answers[i].status == expected[i]);
        else // of the first epoch all is fenced now
          BOOST_TEST(answers[i].status
                     == (i < 5 || expected[i] == conflict ? conflict : duplicate));
      }
    if (round == 0) {
      BOOST_TEST(answers[2].ranges == answers[0].ranges, boost::test_tools::per_element());
      BOOST_TEST(answers[10].ranges == answers[9].ranges, boost::test_tools::per_element());
    }
    if (round == 1) {
      log.reset();
      log = open_topic(folder.path(), {});
    }
  }
  auto reader = log->make_reader();
  BOOST_TEST(read_ids(reader, 0) == counted(0, 8), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_1024_requests_survive_files_and_restarts) {
  const memory_folder folder;
  topic_options options{.partitions = 4, .file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  std::vector<std::vector<topic_range>> ranges;
  std::uint64_t sequence = 0;
  const auto request = [&](std::uint64_t i) {
    auto x = from_producer(rows_from(static_cast<std::int64_t>(i) * 2, 2, 60), "p", i * 2);
    x.parts.front().partitions = {static_cast<std::uint32_t>(i % 4),
                                  static_cast<std::uint32_t>(i % 3)};
    return x;
  };
  for (std::uint64_t i = 0; i < 3'000; i += 50) {
    std::vector<topic_append> group;
    for (std::uint64_t k = i; k < i + 50; ++k)
      group.push_back(request(k));
    for (auto& x : log->append(group, 1)) {
      BOOST_REQUIRE(x.status == appended);
      ranges.push_back(std::move(x.ranges));
    }
    sequence += 100;
  }
  BOOST_TEST(log->size().files > 2);
  BOOST_TEST(log->size().requests == 1'024);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 3'000 - 1'024; i < 3'000; i += 13) {
      const auto answer = append_one(*log, request(i));
      BOOST_REQUIRE(answer.status == duplicate);
      BOOST_TEST(answer.ranges == ranges[i], boost::test_tools::per_element());
    }
    const auto oldest = append_one(*log, request(3'000 - 1'024));
    BOOST_TEST(oldest.status == duplicate);
    const auto older = append_one(*log, request(3'000 - 1'025));
    BOOST_TEST(older.status == conflict);
    BOOST_TEST((older.expected_sequence == 6'000));
    // Also where the files of the first time are gone.
    value_of(log->retain({.age = 1}, 1'000));
    log.reset();
    log = open_topic(folder.path(), options);
  }
}

BOOST_AUTO_TEST_CASE(keys_are_kept_for_a_time_and_a_count) {
  const memory_folder folder;
  topic_options options;
  options.memory.keys = 10;
  options.memory.key_age = 1'000;
  auto log = open_topic(folder.path(), options);
  const auto first = must_append(*log, with_key(rows_from(0, 3), "k0"), 100);
  const auto again = append_one(*log, with_key(rows_from(0, 3), "k0"), 200);
  BOOST_TEST(again.status == duplicate);
  BOOST_TEST(again.ranges == first.ranges, boost::test_tools::per_element());
  BOOST_TEST(append_one(*log, with_key(rows_from(0, 4), "k0"), 200).status == conflict);
  BOOST_TEST(append_one(*log, with_key(rows_from(0, 1), std::string(256, 'k')), 200).status
             == append_status::invalid);
  for (int i = 1; i < 10; ++i)
    must_append(*log, with_key(rows_from(i, 1), fmt::format("k{}", i)), 300);
  BOOST_TEST(append_one(*log, with_key(rows_from(0, 3), "k0"), 300).status == duplicate);
  must_append(*log, with_key(rows_from(0, 1), "k10"), 300);
  BOOST_TEST(append_one(*log, with_key(rows_from(0, 3), "k0"), 300).status == appended);
  BOOST_TEST(append_one(*log, with_key(rows_from(2, 1), "k2"), 300).status == duplicate);
  // Age, as of the next append that stores anything.
  must_append(*log, with_key(rows_from(0, 1), "late"), 2'000);
  BOOST_TEST(log->size().keys == 1);
  BOOST_TEST(append_one(*log, with_key(rows_from(2, 1), "k2"), 2'000).status == appended);
}

BOOST_AUTO_TEST_CASE(marks_of_sinks) {
  const memory_folder folder;
  topic_options options{.file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  BOOST_TEST(!log->mark("uid/out/0"));
  must_append(*log, with_mark(rows_from(0, 10), "uid/out/0", 1, 5));
  BOOST_TEST(append_one(*log, with_mark(rows_from(0, 10), "uid/out/0", 1, 5)).status == duplicate);
  BOOST_TEST(append_one(*log, with_mark(rows_from(0, 10), "uid/out/0", 1, 4)).status == duplicate);
  must_append(*log, with_mark(rows_from(10, 10), "uid/out/0", 1, 7));
  // A new generation applies the last epoch again: it fences, and nothing is doubled.
  const auto taken_over = append_one(*log, with_mark(rows_from(10, 10), "uid/out/0", 2, 7));
  BOOST_TEST(taken_over.status == duplicate);
  BOOST_TEST(append_one(*log, with_mark(rows_from(20, 1), "uid/out/0", 1, 8)).status == conflict);
  // An epoch without rows counts as well.
  must_append(*log, with_mark(rows_from(0, 0), "uid/out/0", 2, 8));
  must_append(*log, with_mark(rows_from(20, 10), "uid/out/0", 3, 9));
  must_append(*log, with_mark(rows_from(0, 0), "uid/out/1", 1, 1));
  must_append(*log, with_mark(rows_from(0, 0), "uie/out/1", 1, 0));
  for (std::int64_t i = 30; i < 3'030; i += 100)
    must_append(*log, plain(rows_from(i, 100, 50)));
  BOOST_TEST(log->size().files > 1);
  log.reset();
  log = open_topic(folder.path(), options);
  BOOST_TEST(log->mark("uid/out/0")->generation == 3);
  BOOST_TEST(log->mark("uid/out/0")->epoch == 9);
  auto reader = log->make_reader();
  BOOST_TEST((read_ids(reader, 0) == counted(0, 3'030)));
  require(log->forget_marks("uid/", 1));
  BOOST_TEST(!log->mark("uid/out/0"));
  BOOST_TEST(!log->mark("uid/out/1"));
  log.reset();
  log = open_topic(folder.path(), options);
  BOOST_TEST(!log->mark("uid/out/0"));
  BOOST_TEST(log->mark("uie/out/1").has_value());
}

BOOST_AUTO_TEST_CASE(the_memory_of_producers_is_bounded) {
  topic_memory_limits limits;
  limits.requests_a_producer = 4;
  limits.requests = 16;
  limits.producers = 5;
  limits.producer_age = 100;
  topic_memory memory{limits};
  for (std::uint64_t i = 0; i < 10; ++i)
    memory.apply({1, {of_producer("a", i, 1, i == 0)}});
  BOOST_TEST(memory.requests() == 4);
  BOOST_TEST((topic_memory::find_request(*memory.find_producer("a"), 5) == nullptr));
  BOOST_TEST((topic_memory::find_request(*memory.find_producer("a"), 6) != nullptr));
  for (const auto* name : {"b", "c", "d", "e"})
    for (std::uint64_t i = 0; i < 4; ++i)
      memory.apply({2, {of_producer(name, i, 1, i == 0)}});
  // 20 requests are too many: those of the longest silent go, but not its place.
  BOOST_TEST(memory.requests() <= 16);
  BOOST_TEST(memory.find_producer("a")->next_sequence == 10);
  BOOST_TEST(memory.find_producer("a")->requests.empty());
  BOOST_TEST(memory.find_producer("e")->requests.size() == 4);
  // A sixth producer: the longest silent one is forgotten.
  memory.apply({3, {of_producer("f", 0, 1, true)}});
  BOOST_TEST((memory.find_producer("a") == nullptr));
  BOOST_TEST((memory.find_producer("b") != nullptr));
  // Age.
  memory.apply({50, {of_producer("b", 4, 1)}});
  memory.apply({102, {}});
  BOOST_TEST(memory.producers() == 5);
  memory.apply({103, {}});
  BOOST_TEST(memory.producers() == 2);
  memory.apply({200, {}});
  BOOST_TEST(memory.producers() == 0);
  BOOST_TEST(memory.requests() == 0);
}

BOOST_AUTO_TEST_CASE(chunks_give_the_same_memory) {
  topic_memory_limits limits;
  limits.requests_a_producer = 8;
  limits.requests = 60;
  limits.producers = 12;
  limits.producer_age = 400;
  limits.keys = 20;
  limits.key_age = 300;
  std::mt19937 random{99};
  topic_memory whole{limits};
  auto resumed = std::make_unique<topic_memory>(limits);
  std::map<std::string, std::uint64_t> next;
  for (micros time = 0; time < 3'000; time += static_cast<micros>(random() % 20)) {
    logged_group group{time, {}};
    for (auto i = random() % 4; i != 0; --i) {
      const auto name = fmt::format("p{}", random() % 20);
      const bool starts = whole.find_producer(name) == nullptr || random() % 10 == 0;
      group.requests.push_back(of_producer(name, next[name], 2, starts, time));
      next[name] += 2;
      group.requests.push_back(of_key(random() % 40));
    }
    logged_request mark;
    mark.kind = random() % 9 == 0 ? logged_kind::forgotten : logged_kind::mark;
    mark.name = fmt::format("s{}", random() % 3);
    group.requests.push_back(mark);
    whole.apply(group);
    resumed->apply(value_of(decode_logged_group(encode(group))));
    if (random() % 10 == 0) {
      auto again = std::make_unique<topic_memory>(limits);
      for (const auto& chunk : resumed->chunks(500))
        again->restore(value_of(decode_topic_memory(encode(chunk))));
      resumed = std::move(again);
    }
    BOOST_REQUIRE(contents(whole) == contents(*resumed));
    BOOST_REQUIRE_EQUAL(whole.requests(), resumed->requests());
  }
}

BOOST_AUTO_TEST_CASE(random_retries_against_a_model) {
  // Each producer sends each of its requests one to five times, in and out of order, over restarts.
  // Requests are kept one by one, or folded again and again.
  for (const std::uint32_t replayed : {1U << 16, 100U})
    random_retries(replayed);
}

BOOST_AUTO_TEST_SUITE_END()
