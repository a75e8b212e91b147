#include "storage/topic_log.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

BOOST_AUTO_TEST_SUITE(topic_logs)

BOOST_AUTO_TEST_CASE(rows_come_back_with_offsets_and_times) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {});
  auto reader = log->make_reader();
  BOOST_TEST(log->bounds() == std::vector<topic_bounds>{{}});
  auto first = must_append(*log, plain(rows_from(0, 3)), 100);
  BOOST_TEST(first.ranges == std::vector<topic_range>{(topic_range{0, 3, 0})});
  BOOST_TEST(first.time == 100);
  // A clock that goes back does not take the append time with it.
  auto second = must_append(*log, plain(rows_from(3, 2)), 50);
  BOOST_TEST(second.ranges == std::vector<topic_range>{(topic_range{0, 2, 3})});
  BOOST_TEST(second.time == 100);
  const auto slice = value_of(reader.read(0, 0, {}));
  BOOST_TEST(slice.batches.size() == 2);
  BOOST_TEST(slice.batches[1].first == 3);
  BOOST_TEST(slice.batches[1].time == 100);
  BOOST_TEST(slice.next == 5);
  BOOST_TEST(slice.end == 5);
  BOOST_TEST(read_ids(reader, 0) == counted(0, 5), boost::test_tools::per_element());
  // From the middle of a batch, and a number of rows that ends in one.
  BOOST_TEST(read_ids(reader, 0, 1) == counted(1, 5), boost::test_tools::per_element());
  const auto two = value_of(reader.read(0, 1, {1 << 20, 3}));
  BOOST_TEST(two.next == 4);
  BOOST_TEST(two.batches.back().rows->rows == 1);
  BOOST_TEST((value_of(reader.bounds()) == std::vector<topic_bounds>{{0, 5}}));
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_wrongly_is_refused) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {.partitions = 2});
  auto reader = log->make_reader();
  must_append(*log, plain(rows_from(0, 3), {0}));
  auto behind = reader.read(0, 4, {});
  BOOST_REQUIRE(!behind);
  BOOST_TEST((behind.error().code == ec::invalid_argument));
  BOOST_TEST(behind.error().message == "offset 4 of partition 0 is behind the end, which is 3");
  auto partition = reader.read(2, 0, {});
  BOOST_REQUIRE(!partition);
  BOOST_TEST(partition.error().hint == "partitions are 0 to 1");
  BOOST_TEST(append_one(*log, plain(rows_from(0, 1), {2})).status == append_status::invalid);
  BOOST_TEST(append_one(*log, plain(rows_from(0, 3), {0, 1})).status == append_status::invalid);
  BOOST_TEST(append_one(*log, plain(rows_from(0, 0))).status == append_status::invalid);
  BOOST_TEST(append_one(*log, topic_append{}).status == append_status::invalid);
  auto both = with_key(rows_from(0, 1), "k");
  both.producer = producer_position{"p", 0, 0};
  BOOST_TEST(append_one(*log, both).status == append_status::invalid);
  BOOST_TEST(append_one(*log, from_producer(rows_from(0, 1), "", 0)).status
             == append_status::invalid);
  BOOST_TEST(append_one(*log, from_producer(rows_from(0, 1), std::string(256, 'p'), 0)).status
             == append_status::invalid);
  BOOST_TEST(append_one(*log, from_producer(rows_from(0, 2), "p", UINT64_MAX)).status
             == append_status::invalid);
  BOOST_TEST((log->bounds() == std::vector<topic_bounds>{{0, 3}, {0, 0}}));
  for (const std::uint32_t partitions : {0U, topic_partitions_max + 1}) {
    auto refused = topic_log::open(folder.file("other"), {.partitions = partitions}, 1);
    BOOST_TEST((!refused && refused.error().code == ec::invalid_argument));
  }
}

BOOST_AUTO_TEST_CASE(a_log_has_one_writer_one_uid_and_one_number_of_partitions) {
  const memory_folder folder;
  topic_options options{.uid = "topic-1", .partitions = 3};
  auto log = open_topic(folder.path(), options);
  auto second = topic_log::open(folder.path(), options, 1);
  BOOST_REQUIRE(!second);
  BOOST_TEST((second.error().code == ec::conflict));
  log.reset();
  auto other = topic_log::open(folder.path(), {.uid = "topic-2", .partitions = 3}, 1);
  BOOST_TEST((!other && other.error().code == ec::conflict));
  auto fewer = topic_log::open(folder.path(), {.uid = "topic-1", .partitions = 2}, 1);
  BOOST_REQUIRE(!fewer);
  BOOST_TEST(fewer.error().message.ends_with("the topic has 3 partitions, not 2"));
  BOOST_TEST(open_topic(folder.path(), options)->bounds().size() == 3);
}

BOOST_AUTO_TEST_CASE(rows_go_to_their_partitions_in_order) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {.partitions = 3});
  auto reader = log->make_reader();
  std::vector<std::vector<std::int64_t>> expected(3);
  std::mt19937 random{7};
  std::int64_t id = 0;
  for (int group = 0; group < 20; ++group) {
    std::vector<topic_append> requests;
    std::vector<std::vector<topic_range>> ranges;
    for (int r = 0; r < 5; ++r) {
      const auto count = 1 + static_cast<std::uint32_t>(random() % 50);
      std::vector<std::uint32_t> partitions;
      ranges.emplace_back();
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto p = static_cast<std::uint32_t>(random() % (r == 0 ? 1 : 3));
        partitions.push_back(p);
        auto known = std::find_if(ranges.back().begin(), ranges.back().end(),
                                  [&](const auto& x) { return x.partition == p; });
        if (known == ranges.back().end())
          known = ranges.back().insert(known, {p, 0, expected[p].size()});
        ++known->rows;
        expected[p].push_back(id + i);
      }
      std::sort(ranges.back().begin(), ranges.back().end(),
                [](const auto& a, const auto& b) { return a.partition < b.partition; });
      requests.push_back(plain(rows_from(id, count), partitions));
      id += count;
    }
    const auto answers = log->append(requests, group);
    for (std::size_t r = 0; r < requests.size(); ++r) {
      BOOST_TEST(answers[r].status == append_status::appended);
      BOOST_TEST(answers[r].ranges == ranges[r], boost::test_tools::per_element());
    }
  }
  for (std::uint32_t p = 0; p < 3; ++p)
    BOOST_TEST(read_ids(reader, p) == expected[p], boost::test_tools::per_element());
  require(log->verify());
}

BOOST_AUTO_TEST_CASE(without_a_key_the_producer_or_the_turn_decides) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {.partitions = 4});
  std::vector<std::uint32_t> turns;
  for (int i = 0; i < 8; ++i)
    turns.push_back(must_append(*log, plain(rows_from(i, 2))).ranges.front().partition);
  BOOST_TEST((turns == std::vector<std::uint32_t>{0, 1, 2, 3, 0, 1, 2, 3}));
  std::vector<bool> seen(4);
  for (int p = 0; p < 40; ++p) {
    const auto name = fmt::format("p{}", p);
    const auto first = must_append(*log, from_producer(rows_from(0, 1), name, 0)).ranges;
    const auto second = must_append(*log, from_producer(rows_from(1, 1), name, 1)).ranges;
    BOOST_TEST(first.front().partition == second.front().partition);
    seen[first.front().partition] = true;
  }
  BOOST_TEST((seen == std::vector<bool>(4, true)));
}

BOOST_AUTO_TEST_CASE(requests_of_a_group_share_batches_of_64_kib) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {});
  auto reader = log->make_reader();
  std::vector<topic_append> requests;
  for (int i = 0; i < 100; ++i)
    requests.push_back(plain(rows_from(i, 1)));
  for (const auto& x : log->append(requests, 1))
    BOOST_TEST(x.status == append_status::appended);
  BOOST_TEST(value_of(reader.read(0, 0, {})).batches.size() == 1);
  // Large requests are cut, and a single row may be larger.
  std::int64_t id = 100;
  for (const auto& [count, text] :
       std::vector<std::pair<std::uint32_t, std::size_t>>{{10'000, 20},
                                                          {3, 40'000},
                                                          {1, 1'000'000},
                                                          {1, 10},
                                                          {2, 65'300},
                                                          {700, 93},
                                                          {9, 30'000}}) {
    must_append(*log, plain(rows_from(id, count, text)));
    id += count;
  }
  for (std::uint64_t at = 0; at < static_cast<std::uint64_t>(id);) {
    const auto slice = value_of(reader.read(0, at, {1, UINT64_MAX}));
    BOOST_REQUIRE(slice.batches.size() == 1);
    const auto& rows = *slice.batches.front().rows;
    BOOST_TEST((rows.rows == 1 || byte_size(rows) < 110'000)); // references in memory are larger
    at = slice.next;
  }
  BOOST_TEST((read_ids(reader, 0) == counted(0, id)));
  log.reset();
  log = open_topic(folder.path(), {});
  reader = log->make_reader();
  BOOST_TEST((read_ids(reader, 0, 50) == counted(50, id)));
}

BOOST_AUTO_TEST_CASE(columns_of_all_kinds_weights_and_changed_schemas) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), {});
  auto reader = log->make_reader();
  auto nulls = std::make_shared<batch>(*rows_from(0, 5));
  nulls->columns.push_back(make_null_column(sql_type{type_kind::timestamp}, 5));
  auto numbers = make_column(sql_type{type_kind::array, type_kind::integer}, 5);
  auto child = std::make_shared<column>(make_column(sql_type{type_kind::integer}, 10));
  for (std::uint32_t i = 0; i < 10; ++i)
    child->mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  for (std::uint32_t i = 0; i <= 5; ++i)
    numbers.mutable_data<std::uint32_t>()[i] = 2 * i;
  numbers.child = child;
  nulls->columns.push_back(numbers);
  auto weights = buffer_ptr::of<std::int32_t>(5);
  for (int i = 0; i < 5; ++i)
    weights.as<std::int32_t>()[i] = i % 2 == 0 ? 1 : -1;
  nulls->weights = weights;
  nulls->hashes = buffer_ptr::of<std::uint64_t>(5);
  std::memset(nulls->hashes.as<char>(), 1, 40);
  const std::vector<topic_append> requests{plain(rows_from(0, 2)), plain(nulls), plain(nulls)};
  for (const auto& x : log->append(requests, 1))
    BOOST_TEST(x.status == append_status::appended);
  const auto slice = value_of(reader.read(0, 4, {}));
  BOOST_REQUIRE(slice.batches.size() == 1);
  const auto& rows = *slice.batches.front().rows;
  BOOST_TEST(rows.rows == 8);
  BOOST_TEST(rows.columns[2].is_null(3));
  BOOST_TEST(rows.columns[3].child->data<std::int32_t>()[rows.columns[3].data<std::uint32_t>()[3]]
             == 0); // the second request's first row
  BOOST_TEST(rows.weights.as<std::int32_t>()[0] == 1);
  BOOST_TEST(rows.weights.as<std::int32_t>()[1] == -1);
  BOOST_TEST(!rows.hashes);
}

BOOST_AUTO_TEST_CASE(files_are_rolled_and_read_across) {
  const memory_folder folder;
  topic_options options{.partitions = 2, .file_bytes = 256 << 10};
  auto log = open_topic(folder.path(), options);
  auto reader = log->make_reader();
  std::int64_t id = 0;
  // Partition 1 gets rows only in the beginning, in the middle and at the end.
  std::vector<std::int64_t> rare;
  for (int i = 0; i < 200; ++i) {
    must_append(*log, plain(rows_from(id, 100, 50), {0}), i);
    id += 100;
    if (i % 80 == 0) {
      must_append(*log, plain(rows_from(i, 1), {1}), i);
      rare.push_back(i);
    }
  }
  const auto size = log->size();
  BOOST_TEST(size.files > 5);
  BOOST_TEST(size.rows_appended == 20'000 + rare.size());
  for (const auto& name : value_of(list_files(folder.path())))
    BOOST_TEST(std::filesystem::file_size(folder.file(name)) <= options.file_bytes);
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST((read_ids(reader, 0) == counted(0, id)));
    BOOST_TEST((read_ids(reader, 0, 0, {40'000, 777}) == counted(0, id)));
    BOOST_TEST(read_ids(reader, 1) == rare, boost::test_tools::per_element());
    for (std::uint64_t at = 3; at < 20'000; at += 1'337)
      BOOST_TEST(value_of(reader.read(0, at, {1, 1}))
                     .batches.front()
                     .rows->columns[0]
                     .data<std::int64_t>()[0]
                 == static_cast<std::int64_t>(at));
    require(log->verify());
    log.reset();
    log = open_topic(folder.path(), options);
    BOOST_TEST(log->size().files == size.files);
    reader = log->make_reader();
  }
  must_append(*log, plain(rows_from(id, 1), {0}));
  BOOST_TEST((read_ids(reader, 0) == counted(0, id + 1)));
}

BOOST_AUTO_TEST_CASE(retention_by_age_and_bytes) {
  const memory_folder folder;
  topic_options options{.partitions = 2, .file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  std::int64_t id = 0;
  for (micros time = 1; time <= 100; ++time, id += 100)
    must_append(*log, plain(rows_from(id, 100, 50), {0}), time * 1'000);
  must_append(*log, plain(rows_from(0, 1), {1}), 100'000);
  auto slow = log->make_reader();
  BOOST_TEST(value_of(slow.read(0, 0, {1, 10})).next == 10);
  const auto before = log->size();
  // Nothing to do.
  BOOST_TEST(value_of(log->retain({}, 1'000'000)).files == 0);
  BOOST_TEST(value_of(log->retain({.age = 200'000}, 100'000)).files == 0);
  // Held back by who still needs it.
  BOOST_TEST(value_of(log->retain({.bytes = 1, .needed = {10, 0}}, 100'000)).files == 0);
  // All that half of the bytes do not need.
  const auto removed = value_of(log->retain({.bytes = before.bytes / 2}, 100'000));
  BOOST_TEST(removed.files > 2);
  BOOST_TEST(removed.files == before.files - log->size().files);
  BOOST_TEST(log->size().bytes >= before.bytes / 2);
  const auto begin = log->bounds()[0].begin;
  BOOST_TEST(begin > 0);
  BOOST_TEST(log->bounds()[1].begin == 0);
  auto gone = slow.read(0, begin - 1, {});
  BOOST_REQUIRE(!gone);
  BOOST_TEST((gone.error().code == ec::not_found));
  BOOST_TEST(gone.error().message
             == fmt::format("offset {} of partition 0 has been removed by retention, the oldest is "
                            "{}",
                            begin - 1, begin));
  BOOST_TEST((read_ids(slow, 0, begin) == counted(static_cast<std::int64_t>(begin), id)));
  // By age, up to an offset that somebody needs.
  const std::uint64_t needed = begin + 2'500;
  value_of(log->retain({.age = 1, .needed = {needed, 1}}, 1'000'000));
  BOOST_TEST(log->bounds()[0].begin > begin);
  BOOST_TEST(log->bounds()[0].begin <= needed);
  BOOST_TEST(log->bounds()[1].begin == 0);
  // All of it: the newest file is sealed first.
  value_of(log->retain({.age = 1}, 1'000'000));
  BOOST_TEST((log->bounds() == std::vector<topic_bounds>{{10'000, 10'000}, {1, 1}}));
  BOOST_TEST(log->size().files == 1);
  BOOST_TEST(value_of(log->retain({.age = 1}, 1'000'000)).files == 0);
  BOOST_TEST(value_of(slow.read(0, 10'000, {})).batches.empty());
  log.reset();
  log = open_topic(folder.path(), options);
  BOOST_TEST((log->bounds() == std::vector<topic_bounds>{{10'000, 10'000}, {1, 1}}));
  BOOST_TEST(must_append(*log, plain(rows_from(id, 1), {0})).ranges.front().first == 10'000);
  // Append times do not go back over a roll either.
  BOOST_TEST(append_one(*log, plain(rows_from(id, 1), {0}), 5).time == 1'000'000);
  std::size_t files = 0;
  for (const auto& name : value_of(list_files(folder.path())))
    files += name.ends_with(".mdb");
  BOOST_TEST(files == 1);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_removed_stays_readable_for_who_has_it_open) {
  const memory_folder folder;
  topic_options options{.file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  for (int i = 0; i < 40; ++i)
    must_append(*log, plain(rows_from(i * 100, 100, 50)), i);
  auto reader = log->make_reader();
  const auto kept = value_of(reader.read(0, 0, {1 << 20, 150}));
  value_of(log->retain({.bytes = 1}, 100));
  // What was read is memory of its own.
  BOOST_TEST(kept.batches[1].rows->columns[0].data<std::int64_t>()[20] == 120);
  BOOST_TEST(!reader.read(0, 0, {}));
}

BOOST_AUTO_TEST_CASE(a_quota_refuses_and_retention_makes_room) {
  const memory_folder folder;
  topic_options options{.file_bytes = 128 << 10, .quota_bytes = 1 << 20};
  auto log = open_topic(folder.path(), options);
  std::int64_t id = 0;
  append_answer last;
  for (;; id += 100) {
    last = append_one(*log, plain(rows_from(id, 100, 50)));
    if (last.status != append_status::appended)
      break;
  }
  BOOST_TEST(last.status == append_status::over_quota);
  BOOST_TEST((last.problem.code == ec::resource));
  BOOST_TEST(log->size().bytes <= options.quota_bytes + (64 << 10));
  BOOST_TEST(id > 5'000);
  // Each request of a group for itself.
  const std::vector<topic_append> mixed{plain(rows_from(0, 100, 5'000)),
                                        with_key({rows_from(0, 0)}, "k")};
  BOOST_TEST(log->append(mixed, 1)[0].status == append_status::over_quota);
  BOOST_TEST(value_of(log->retain({.bytes = 500'000}, 1'000)).files > 2);
  must_append(*log, plain(rows_from(id, 100, 50)));
}

BOOST_AUTO_TEST_CASE(another_process_reads_while_this_one_writes) {
  const memory_folder folder;
  topic_options options{.file_bytes = 128 << 10};
  BOOST_TEST((topic_reader::open(folder.path()).error().code == ec::not_found));
  auto log = open_topic(folder.path(), options);
  must_append(*log, plain(rows_from(0, 100, 50)));
  int started[2];
  BOOST_REQUIRE(::pipe(started) == 0);
  log.reset(); // LMDB files do not survive a fork
  const auto child = ::fork();
  if (child == 0) {
    auto opened = topic_reader::open(folder.path());
    if (!opened || ::write(started[1], "x", 1) != 1)
      ::_exit(1);
    std::uint64_t at = 0;
    while (at < 30'000) {
      auto slice = opened->read(0, at, {});
      if (!slice) {
        std::fputs((to_string(slice.error()) + "\n").c_str(), stderr);
        ::_exit(2);
      }
      for (const auto& x : slice->batches)
        for (std::uint32_t i = 0; i < x.rows->rows; ++i)
          if (x.rows->columns[0].data<std::int64_t>()[i] != static_cast<std::int64_t>(at++))
            ::_exit(3);
    }
    ::_exit(0);
  }
  char byte = 0;
  BOOST_REQUIRE(::read(started[0], &byte, 1) == 1);
  log = open_topic(folder.path(), options);
  for (std::int64_t id = 100; id < 30'000; id += 100)
    must_append(*log, plain(rows_from(id, 100, 50)));
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_CASE(readers_beside_a_writer_and_retention) {
  const memory_folder folder;
  topic_options options{.partitions = 2, .file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::atomic<int> problems{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      auto reader = log->make_reader();
      std::uint64_t at = 0;
      for (bool last = false; !last;) {
        last = done;
        const auto least = acknowledged.load();
        auto slice = reader.read(0, at, {t == 0 ? std::size_t{1} : std::size_t{1} << 20, 5'000});
        if (!slice && slice.error().code == ec::not_found) {
          at = (*reader.bounds())[0].begin; // retention was faster
          continue;
        }
        if (!slice || slice->end < least) {
          ++problems;
          return;
        }
        for (const auto& x : slice->batches)
          for (std::uint32_t i = 0; i < x.rows->rows; ++i)
            problems +=
                x.rows->columns[0].data<std::int64_t>()[i] != static_cast<std::int64_t>(at++);
        last = last && slice->next == slice->end;
      }
    });
  for (std::int64_t id = 0; id < 60'000; id += 100) {
    must_append(*log, plain(rows_from(id, 100, 50), {0}));
    acknowledged = static_cast<std::uint64_t>(id) + 100;
    if (id % 5'000 == 0)
      value_of(log->retain({.bytes = 500'000}, 1'000));
  }
  done = true;
  for (auto& x : threads)
    x.join();
  BOOST_TEST(problems == 0);
}

BOOST_AUTO_TEST_SUITE_END()
