/// Windows at the ends of time, windows as columns, and where watermarks come from.
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/stamp_time.hpp"
#include "actors/dataflow/operators/union_all.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "actors/dataflow/operators/window_assign.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"
#include "tests/dataflow/window_model.hpp"

using namespace window_tests;

BOOST_AUTO_TEST_SUITE(window_edges)

BOOST_AUTO_TEST_CASE(slicing_rounds_towards_the_past_and_stops_at_the_ends_of_time) {
  const window_slicer hours(tumble(3'600'000'000));
  BOOST_TEST((hours.pane_of(-1) == pane_id{0, -3'600'000'000}));
  BOOST_TEST((hours.pane_of(0) == pane_id{3'600'000'000, 0}));
  BOOST_TEST((hours.pane_of(3'600'000'000) == pane_id{7'200'000'000, 3'600'000'000}));
  BOOST_TEST(hours.pane_of(max_time - 1).end == max_time);
  BOOST_TEST(hours.pane_of(min_time + 1).start == min_time);

  const window_slicer odd(hop(4, 10, 1)); // panes of 2
  const auto pane = odd.pane_of(0);
  BOOST_TEST((pane == pane_id{1, -1}));
  // Windows [-7, 3) and [-3, 7) have the pane; [1, 11) does not, and [-11, -1) ends before it.
  BOOST_TEST(*odd.next_end(pane, min_time) == 3);
  BOOST_TEST(*odd.next_end(pane, 3) == 7);
  BOOST_TEST(!odd.next_end(pane, 7));
  BOOST_TEST(*odd.last_end(pane) == 7);
  BOOST_TEST(odd.start_of(pane, 7) == -3);

  const window_slicer gaps(hop(10, 4)); // [0, 4), [10, 14), …
  BOOST_TEST(gaps.last_end(gaps.pane_of(3)).has_value());
  BOOST_TEST(!gaps.last_end(gaps.pane_of(4)).has_value());
  BOOST_TEST(!gaps.next_end(gaps.pane_of(-1), min_time).has_value());

  const window_slicer steps(cumulate(10, 30));
  BOOST_TEST(*steps.next_end(steps.pane_of(-25), min_time) == -20);
  BOOST_TEST(*steps.next_end(steps.pane_of(-25), -20) == -10);
  BOOST_TEST(*steps.last_end(steps.pane_of(-25)) == 0);
  BOOST_TEST(steps.start_of(steps.pane_of(-5), 0) == -30);
}

BOOST_AUTO_TEST_CASE(windows_that_reach_beyond_the_range_of_times_are_refused) {
  struct edge {
    window_spec window;
    micros time;
    bool fits;
  };

  const edge edges[] = {
      {tumble(100), max_time - 1, false},
      {tumble(100), min_time + 1, false},
      {tumble(100), max_time - 107, true}, // max_time is 7 modulo 100
      {tumble(100), max_time - 7, false},
      {hop(50, 100), max_time - 107, true},
      {hop(50, 100), max_time - 57, false},
      {hop(50, 100), min_time + 120, true},
      {hop(50, 100), min_time + 10, false},
      {cumulate(10, 100), max_time - 107, true},
      {cumulate(10, 100), max_time - 7, false},
      {session(100), max_time - 101, true},
      {session(100), max_time - 100, false},
      {session(100), min_time + 1, true},
      {tumble(100), min_time, true}, // an infinity lies in no window
      {session(100), max_time, true},
  };
  for (const auto& x : edges)
    for (const auto what : {"aggregate", "partial", "assign"})
      BOOST_TEST_CONTEXT(what << " time " << x.time << " size " << x.window.size << " kind "
                              << static_cast<int>(x.window.kind)) {
        const bool is_session = x.window.kind == window_kind::session;
        if (is_session && what != std::string_view("aggregate"))
          continue;
        auto spec = by_key(x.window);
        if (what == std::string_view("partial"))
          spec.phase = aggregate_phase::partial;
        const auto op = what == std::string_view("assign")
                            ? make_window_assign({x.window}, context())
                            : make_window_aggregate(spec, context());
        recorder out;
        const row rows[] = {{0, 1, 1}, {x.time, 1, 1}};
        auto item = batch_item(std::make_shared<batch>(make_batch(rows, 2)));
        step_budget budget;
        const auto done = op->step(&item, budget, out);
        BOOST_TEST(static_cast<bool>(done) == x.fits);
        if (!done) {
          BOOST_TEST((done.error().code == ec::evaluation));
          BOOST_TEST(done.error().message.rfind("timestamp out of range", 0) == 0U);
        }
      }
}

BOOST_AUTO_TEST_CASE(assigning_repeats_a_row_for_each_of_its_windows) {
  for (const std::uint32_t budget : {4096U, 1U}) {
    recorder out;
    const auto op = make_window_assign({hop(2, 5)}, context());
    const row rows[] = {{4, 1, 7}, {min_time, 2, 8}, {-1, 3, 9}};
    feed(*op, batch_item(std::make_shared<batch>(make_batch(rows, 3))), out, budget);
    feed(*op, time_item(item_kind::watermark, 9), out, budget);
    BOOST_TEST(out.rows()
                   == (std::vector<std::string>{"4 1 7 0 5", "4 1 7 2 7", "4 1 7 4 9",
                                                "-1 3 9 -4 1", "-1 3 9 -2 3"}),
               boost::test_tools::per_element());
    BOOST_TEST(op->counters().late_rows == 1U);
    BOOST_TEST(op->counters().rows_out == 5U);
    BOOST_TEST(out.events.back().time == 9);
  }
  BOOST_TEST(output_types_of(window_assign_spec{hop(2, 5)}, {row_types}).size() == 5U);
}

BOOST_AUTO_TEST_CASE(stamping_appends_the_last_tick) {
  recorder out;
  const auto op = make_stamp_time({}, context());
  BOOST_TEST(op->wants_ticks());
  const row r{5, 1, 2};
  feed(*op, time_item(item_kind::tick, 77), out);
  feed(*op, batch_item(std::make_shared<batch>(make_batch(&r, 1))), out);
  BOOST_TEST(out.rows() == std::vector<std::string>{"5 1 2 77"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(watermarks)

BOOST_AUTO_TEST_CASE(a_source_s_watermark_is_the_least_of_its_partitions) {
  recorder out;
  const auto op = make_assign_watermarks({0, 5}, context());
  const auto send = [&](std::uint32_t partition, std::vector<micros> times) {
    std::vector<row> rows;
    for (const auto t : times)
      rows.push_back({t, 1, 1});
    auto x = make_batch(rows.data(), rows.size());
    x.partition = partition;
    feed(*op, batch_item(std::make_shared<batch>(x)), out);
  };
  send(0, {10, 30, 25});
  BOOST_TEST(out.events.size() == 2U);
  BOOST_TEST(!out.events[0].rows->watermarks); // 25 is not behind 30 - 5
  BOOST_TEST(out.events[1].time == 25);
  send(0, {20, 50, 45, 44});
  const auto* marks = out.events[2].rows->watermarks.as<const micros>();
  const std::vector<micros> expected{25, 25, 45, 45};
  BOOST_TEST(std::vector<micros>(marks, marks + 4) == expected, boost::test_tools::per_element());
  BOOST_TEST(out.events[3].time == 45);
  send(1, {60}); // a second partition: the first one holds it back
  BOOST_TEST(out.events.size() == 5U);
  send(0, {100, 46, 70});
  BOOST_TEST(out.events.back().time == 55); // partition 1: 60 - 5
  marks = out.events[5].rows->watermarks.as<const micros>();
  BOOST_TEST(marks[1] == 55);
  send(0, {min_time, max_time, 101});
  BOOST_TEST((out.events.back().what == event::kind::batch));
  feed(*op, time_item(item_kind::end, 0), out);
  BOOST_TEST(out.events.back().time == max_time);
}

BOOST_AUTO_TEST_CASE(a_partition_without_rows_holds_the_watermark_back_until_it_ends) {
  recorder out;
  const auto op = make_assign_watermarks({0, 5}, context());
  const auto send = [&](std::uint32_t partition, std::uint32_t ended, micros time) {
    const row r{time, 1, 1};
    auto x = make_batch(&r, 1);
    x.partition = partition;
    x.partitions = 3;
    x.partitions_ended = ended;
    feed(*op, batch_item(std::make_shared<batch>(x)), out);
  };
  send(0, 0, 100);
  send(1, 1, 50); // partition 0 has ended
  BOOST_TEST(out.events.size() == 2U);
  BOOST_TEST(!out.events[1].rows->watermarks); // 50 is not late: partition 2 may bring older rows
  send(2, 2, 20);
  BOOST_REQUIRE(out.events.size() == 4U);
  BOOST_TEST(!out.events[2].rows->watermarks);
  BOOST_TEST(out.events[3].time == 15); // the last partition alone decides
}

BOOST_AUTO_TEST_CASE(a_union_takes_the_least_of_its_active_inputs) {
  recorder out;
  const auto op = make_union_all({2}, {"test", {row_types, row_types}, 16});
  const auto time = [&](item_kind kind, std::uint32_t input, micros t) {
    auto item = time_item(kind, t);
    item.input = input;
    feed(*op, item, out);
    return out.events.empty() ? min_time : out.events.back().time;
  };
  time(item_kind::watermark, 0, 50);
  BOOST_TEST(out.events.empty());
  BOOST_TEST(time(item_kind::watermark, 1, 20) == 20);
  // A row behind input 0's watermark is measured by input 1's, too.
  const row r{10, 1, 1};
  auto x = make_batch(&r, 1);
  x.watermarks = buffer_ptr::of<micros>(1);
  x.watermarks.as<micros>()[0] = 50;
  auto item = batch_item(std::make_shared<batch>(x));
  feed(*op, item, out);
  BOOST_TEST(out.events.back().rows->watermarks.as<const micros>()[0] == 20);
  BOOST_TEST(time(item_kind::idle, 1, 0) == 50);
  BOOST_TEST(time(item_kind::watermark, 0, 60) == 60);
  time(item_kind::idle, 0, 0);
  BOOST_TEST((out.events.back().what == event::kind::idle));
  BOOST_TEST(time(item_kind::watermark, 1, 70) == 70); // active again; 0 is still idle
  time(item_kind::end, 0, 0);
  BOOST_TEST(time(item_kind::watermark, 1, 90) == 90);
  BOOST_TEST(time(item_kind::end, 1, 0) == max_time);
}

BOOST_AUTO_TEST_SUITE_END()
