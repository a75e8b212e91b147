/// Aggregates over windows: results, phases, times.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "tests/dataflow/window_model.hpp"

#include <functional>

using namespace window_tests;

namespace {

/// Windows come in order of their ends, each before the watermark that closes it and none after.
void check_order(const recorder& out, std::size_t end_column, bool strict) {
  micros watermark = min_time;
  micros last_end = min_time;
  for (const auto& e : out.events) {
    if (e.what == event::kind::watermark) {
      watermark = e.time;
      last_end = min_time;
    }
    if (e.what != event::kind::batch)
      continue;
    BOOST_TEST(e.rows->rows <= 4096U);
    const auto* ends = e.rows->columns[end_column].data<micros>();
    for (std::uint32_t i = 0; i < e.rows->rows; ++i) {
      BOOST_REQUIRE((strict ? ends[i] >= watermark : ends[i] > watermark));
      BOOST_REQUIRE(ends[i] >= last_end);
      last_end = ends[i];
    }
  }
}

answer run_complete(const std::vector<row>& rows, const window_spec& w, bool keyed, micros delay,
                    std::size_t batch_size, std::uint32_t budget, calls which = calls::all) {
  recorder out;
  const auto op = make_window_aggregate(by_key(w, keyed, which), context());
  chain to_op(*op, out, budget);
  const auto head = make_assign_watermarks({0, delay}, context());
  feed_rows(*head, rows, batch_size, to_op);
  to_op.advance(max_time);
  check_order(out, keyed ? 2 : 1, w.kind == window_kind::session);
  const auto counters = op->counters();
  BOOST_TEST(counters.rows_in == rows.size());
  BOOST_TEST(counters.rows_out == out.rows().size());
  return {out.sorted_rows(), counters.late_rows};
}

} // namespace

BOOST_AUTO_TEST_SUITE(windows)

BOOST_AUTO_TEST_CASE(results_are_the_model_s_whatever_the_batches) {
  for (unsigned seed = 1; seed <= 6; ++seed)
    for (const auto& s : shapes)
      for (const bool keyed : {true, false})
        BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name << (keyed ? " keyed" : " global")) {
          std::mt19937 random(seed);
          const micros disorder = seed % 3 == 0 ? 0 : static_cast<micros>(20 * (seed % 5) + 1);
          const micros delay = seed % 2 == 0 ? disorder : disorder / 2;
          const auto rows = random_rows(random, 700, 9, disorder);
          const auto expected = model(rows, s.window, keyed, delay);
          for (const std::size_t batch_size : {1, 7, 4096})
            for (const std::uint32_t budget : {4096U, 3U}) {
              const auto got = run_complete(rows, s.window, keyed, delay, batch_size, budget);
              BOOST_TEST_CONTEXT("batches of " << batch_size << ", budget " << budget) {
                BOOST_TEST(got.rows == expected.rows, boost::test_tools::per_element());
                BOOST_TEST(got.late == expected.late);
              }
            }
        }
}

BOOST_AUTO_TEST_CASE(overlapping_windows_are_kept_up_pane_by_pane) {
  for (unsigned seed = 51; seed <= 56; ++seed)
    for (const auto& s : shapes)
      BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name) {
        std::mt19937 random(seed);
        const micros disorder = static_cast<micros>(30 * (seed % 4) + 1);
        const auto rows = random_rows(random, 900, seed % 2 == 0 ? 9 : 25, disorder);
        for (const bool keyed : {true, false}) {
          const auto expected = model(rows, s.window, keyed, disorder / 2, calls::sums);
          for (const std::size_t batch_size : {1, 9, 4096}) {
            const auto got = run_complete(rows, s.window, keyed, disorder / 2, batch_size,
                                          batch_size == 9 ? 2 : 4096, calls::sums);
            BOOST_TEST(got.rows == expected.rows, boost::test_tools::per_element());
            BOOST_TEST(got.late == expected.late);
          }
        }
      }
}

// The watermark lags, so that panes are put together before their window fires; and rows come late
// to them, while it is done and after.
BOOST_AUTO_TEST_CASE(windows_are_prepared_before_they_fire) {
  constexpr micros disorder = 10'000;
  constexpr micros delay = 30'000;
  const std::vector<shape> wide{{"hop", hop(8'000, 40'000)},
                                {"hop, size no multiple of slide", hop(16'000, 40'000, 7)},
                                {"cumulate", cumulate(8'000, 40'000, 10)}};
  for (unsigned seed = 61; seed <= 63; ++seed)
    for (const auto& s : wide)
      BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name) {
        std::mt19937 random(seed);
        auto rows = random_rows(random, 15'000, 4, disorder);
        for (auto& r : rows)
          r.key = static_cast<std::int64_t>(random() % 3000);
        const auto expected = model(rows, s.window, true, delay, calls::sums);
        for (const std::size_t batch_size : {3, 40}) {
          const auto got = run_complete(rows, s.window, true, delay, batch_size, 4096, calls::sums);
          BOOST_TEST((got.rows == expected.rows));
          BOOST_TEST(got.late == expected.late);
        }
      }
}

// A pane is entered after 16 quiet batches, 512 groups a step: a late batch meets it at each stage.
BOOST_AUTO_TEST_CASE(late_rows_find_a_pane_that_is_entered_in_part) {
  const auto spec = by_key(hop(100, 500), true, calls::sums);
  std::vector<row> first, second, late;
  for (std::int64_t key = 0; key < 2000; ++key) {
    first.push_back({10, key, 1});
    second.push_back({110, key, 2});
  }
  for (const std::int64_t key : {0, 511, 512, 1023, 1999, 2500})
    late.push_back({120, key, 5});
  const auto give = [](stream_operator& op, recorder& out, const std::vector<row>& rows) {
    feed(op, batch_item(std::make_shared<batch>(make_batch(rows.data(), rows.size()))), out);
  };
  const auto answer_with = [&](std::uint32_t quiet) {
    recorder out;
    const auto op = make_window_aggregate(spec, context());
    give(*op, out, first);
    give(*op, out, second);
    feed(*op, time_item(item_kind::watermark, 100), out);
    for (std::uint32_t i = 0; i < quiet; ++i)
      give(*op, out, {{210, 1, 1}});
    give(*op, out, late);
    for (std::uint32_t i = quiet; i < 24; ++i)
      give(*op, out, {{210, 1, 1}});
    feed(*op, time_item(item_kind::watermark, max_time), out);
    return out.sorted_rows();
  };
  const auto expected = answer_with(0);
  for (std::uint32_t quiet = 14; quiet <= 24; ++quiet)
    BOOST_TEST_CONTEXT(quiet << " quiet batches") {
      BOOST_TEST((answer_with(quiet) == expected));
    }
}

BOOST_AUTO_TEST_CASE(two_phases_equal_one) {
  for (unsigned seed = 21; seed <= 24; ++seed)
    for (const auto& s : shapes) {
      if (s.window.kind == window_kind::session)
        continue;
      BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name) {
        std::mt19937 random(seed);
        const auto rows = random_rows(random, 600, 9, 40);
        const micros delay = seed % 2 == 0 ? 40 : 15;
        const auto expected = model(rows, s.window, true, delay);
        for (const std::size_t batch_size : {1, 7, 4096}) {
          recorder out;
          auto spec = by_key(s.window);
          spec.phase = aggregate_phase::partial;
          const auto partial = make_window_aggregate(spec, context());
          const auto between = output_types_of(spec, {row_types});
          spec.phase = aggregate_phase::final;
          const auto final = make_window_aggregate(spec, context(between));
          chain to_final(*final, out, 5);
          chain to_partial(*partial, to_final);
          const auto head = make_assign_watermarks({0, delay}, context());
          feed_rows(*head, rows, batch_size, to_partial);
          to_partial.advance(max_time);
          BOOST_TEST(out.sorted_rows() == expected.rows, boost::test_tools::per_element());
          BOOST_TEST(partial->counters().late_rows + final->counters().late_rows == expected.late);
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(other_channels_hold_a_late_row_s_watermark_back) {
  // Channel 0 is far ahead, channel 1 behind: a row behind its own channel's watermark is in time
  // as long as the other channel has not come as far.
  for (const auto& w : {tumble(100), hop(50, 100), session(10)}) {
    recorder out;
    const auto op = make_window_aggregate(by_key(w, false), context());
    const row rows[] = {{40, 1, 1}, {900, 1, 2}, {50, 1, 4}};
    auto x = make_batch(rows, 3);
    x.watermarks = buffer_ptr::of<micros>(3);
    const micros marks[] = {min_time, 40, 900};
    std::copy(marks, marks + 3, x.watermarks.as<micros>());
    feed(*op, batch_item(std::make_shared<batch>(x), 30), out);
    feed(*op, time_item(item_kind::watermark, max_time), out);
    BOOST_TEST(op->counters().late_rows == 0U);
    std::int64_t counted = 0;
    for (const auto& e : out.events)
      if (e.what == event::kind::batch)
        for (std::uint32_t i = 0; i < e.rows->rows; ++i)
          counted += e.rows->columns[2].data<std::int64_t>()[i];
    BOOST_TEST(counted == (w.kind == window_kind::hop ? 6 : 3));
  }
}

BOOST_AUTO_TEST_CASE(rows_of_an_input_that_was_idle_do_not_enter_fired_windows) {
  for (const auto& w : {tumble(100), hop(50, 100), session(10)}) {
    recorder out;
    const auto op = make_window_aggregate(by_key(w, false), context());
    const row first{10, 1, 1};
    feed(*op, batch_item(std::make_shared<batch>(make_batch(&first, 1))), out);
    feed(*op, time_item(item_kind::idle, 0), out);
    feed(*op, time_item(item_kind::watermark, 500), out);
    const auto fired = out.rows().size();
    const row late{20, 1, 2}; // no watermark column: it was on time on its own channel
    feed(*op, batch_item(std::make_shared<batch>(make_batch(&late, 1))), out);
    feed(*op, time_item(item_kind::watermark, max_time), out);
    BOOST_TEST(out.rows().size() == fired);
    BOOST_TEST(op->counters().late_rows == 1U);
    BOOST_TEST(
        (out.events.front().what == event::kind::idle || out.events[1].what == event::kind::idle));
  }
}

BOOST_AUTO_TEST_CASE(rows_without_a_time_are_dropped_and_counted) {
  for (const auto& w : {tumble(100), hop(20, 100), session(10)}) {
    recorder out;
    const auto op = make_window_aggregate(by_key(w), context());
    const row rows[] = {{10, 1, 1}, {10, 1, 2}, {10, 2, 4}};
    auto x = make_batch(rows, 3);
    set_null(x.columns[0], 1);
    set_null(x.columns[0], 2);
    feed(*op, batch_item(std::make_shared<batch>(x)), out);
    feed(*op, time_item(item_kind::end, 0), out);
    BOOST_TEST(op->counters().late_rows == 2U);
    for (const auto& text : out.rows())
      BOOST_TEST(text.starts_with("1 "));
  }
}

BOOST_AUTO_TEST_CASE(attached_windows_fire_at_their_end) {
  window_aggregate_spec spec;
  spec.window.kind = window_kind::attached;
  spec.window.start_column = 0;
  spec.window.end_column = 1;
  spec.calls = {call_of("count", {})};
  const std::vector<sql_type> types(2, sql_type{type_kind::timestamp});
  const auto rows_of = [&](std::vector<std::pair<micros, micros>> windows) {
    value_builder starts(types[0]);
    value_builder ends(types[0]);
    for (const auto& [start, end] : windows) {
      starts.append(start);
      ends.append(end);
    }
    batch x;
    x.rows = static_cast<std::uint32_t>(windows.size());
    x.columns = {starts.take(), ends.take()};
    return std::make_shared<batch>(std::move(x));
  };
  for (const bool with_start : {true, false}) {
    spec.window.start_column = with_start ? 0 : -1;
    recorder out;
    const auto op = make_window_aggregate(spec, context(types));
    feed(*op, batch_item(rows_of({{0, 10}, {0, 10}, {5, 10}, {0, 20}, {0, 10}})), out);
    feed(*op, time_item(item_kind::watermark, 9), out);
    BOOST_TEST(out.rows().empty());
    feed(*op, time_item(item_kind::watermark, 10), out);
    const auto expected = with_start ? std::vector<std::string>{"0 10 3", "5 10 1"}
                                     : std::vector<std::string>{"NULL 10 4"};
    BOOST_TEST(out.sorted_rows() == expected, boost::test_tools::per_element());
    feed(*op, batch_item(rows_of({{0, 10}, {0, 20}})), out);
    BOOST_TEST(op->counters().late_rows == 1U);
    feed(*op, time_item(item_kind::watermark, max_time), out);
    BOOST_TEST(out.rows().back() == (with_start ? "0 20 2" : "NULL 20 2"));
  }
}

/// Rows of (window_start, window_end, value); every so often one has no window or no start.
batch_ptr window_rows_of(std::mt19937& random, std::uint32_t count, unsigned windows) {
  const sql_type timestamp{type_kind::timestamp};
  value_builder starts(timestamp);
  value_builder ends(timestamp);
  value_builder values(sql_type{type_kind::bigint});
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto end = static_cast<micros>(10 * (random() % windows + 1));
    if (random() % 9 == 0)
      starts.append_null();
    else
      starts.append(end - static_cast<micros>(10 * (1 + random() % 2)));
    if (random() % 50 == 0)
      ends.append_null();
    else
      ends.append(end);
    values.append(static_cast<std::int64_t>(random() % 1000));
  }
  batch x;
  x.rows = count;
  x.columns = {starts.take(), ends.take(), values.take()};
  return std::make_shared<batch>(std::move(x));
}

BOOST_AUTO_TEST_CASE(two_phases_over_windows_equal_one) {
  std::vector<sql_type> types(2, sql_type{type_kind::timestamp});
  types.push_back(sql_type{type_kind::bigint});
  for (unsigned seed = 31; seed <= 34; ++seed)
    for (const std::int32_t start : {-1, 0})
      for (const unsigned windows : {1U, 2U, 40U})
        BOOST_TEST_CONTEXT("seed " << seed << " start " << start << " windows " << windows) {
          std::mt19937 random(seed);
          window_aggregate_spec spec;
          spec.window.kind = window_kind::attached;
          spec.window.start_column = start;
          spec.window.end_column = 1;
          spec.calls = {call_of("count", {}), call_of("sum", {2}), call_of("max", {2})};
          recorder one;
          recorder two;
          const auto complete = make_window_aggregate(spec, context(types));
          auto phase = spec;
          phase.phase = aggregate_phase::partial;
          const auto partial = make_window_aggregate(phase, context(types));
          const auto between = output_types_of(phase, {types});
          phase.phase = aggregate_phase::final;
          phase.window.start_column = start < 0 ? -1 : 0;
          const auto final = make_window_aggregate(phase, context(between));
          chain to_final(*final, two, 5);
          for (int k = 0; k < 5; ++k) {
            const auto rows = window_rows_of(random, 60, windows);
            feed(*complete, batch_item(rows), one);
            feed(*partial, batch_item(rows), to_final);
            const auto until = static_cast<micros>(15 * k);
            feed(*complete, time_item(item_kind::watermark, until), one);
            feed(*partial, time_item(item_kind::watermark, until), to_final);
          }
          feed(*complete, time_item(item_kind::watermark, max_time), one);
          feed(*partial, time_item(item_kind::watermark, max_time), to_final);
          BOOST_TEST(!one.rows().empty());
          BOOST_TEST(two.sorted_rows() == one.sorted_rows(), boost::test_tools::per_element());
        }
}

/// Takes partial results and checks the hashes that come with them.
class hash_checker final : public output {
public:
  explicit hash_checker(std::size_t keys) : keys_(keys) {}

  void emit(batch_ptr rows) override {
    if (!rows->hashes)
      return;
    std::vector<const column*> keys;
    for (std::size_t k = 0; k < keys_; ++k)
      keys.push_back(&rows->columns[k]);
    std::vector<std::uint64_t> hashes(rows->rows);
    hash_keys(keys, rows->rows, hashes.data());
    BOOST_REQUIRE(std::equal(hashes.begin(), hashes.end(), rows->hashes.as<const std::uint64_t>()));
    checked += rows->rows;
  }

  void advance(micros) override {}

  void idle() override {}

  std::size_t checked = 0;

private:
  std::size_t keys_;
};

BOOST_AUTO_TEST_CASE(partial_results_carry_the_hashes_of_their_keys) {
  for (const auto& w : {tumble(100), hop(20, 100)}) {
    std::mt19937 random(5);
    auto spec = by_key(w);
    spec.phase = aggregate_phase::partial;
    const auto partial = make_window_aggregate(spec, context());
    hash_checker out(1);
    const auto head = make_assign_watermarks({0, 10}, context());
    chain to_partial(*partial, out);
    feed_rows(*head, random_rows(random, 600, 9, 40), 7, to_partial);
    BOOST_TEST(out.checked > 100U);
  }
}

BOOST_AUTO_TEST_CASE(processing_time_windows_follow_the_ticks) {
  for (const bool sessions : {false, true}) {
    auto w = sessions ? session(10) : tumble(100);
    w.time_column = -1;
    w.processing_time = true;
    recorder out;
    const auto op = make_window_aggregate(by_key(w, false), context());
    BOOST_TEST(op->wants_ticks());
    BOOST_TEST(op->next_tick() == max_time);
    const row r{0, 1, 1};
    const auto send = [&](micros now) {
      feed(*op, time_item(item_kind::tick, now), out);
      feed(*op, batch_item(std::make_shared<batch>(make_batch(&r, 1))), out);
    };
    send(1005);
    send(1007);
    feed(*op, time_item(item_kind::watermark, 5000), out); // event time means nothing here
    BOOST_TEST(out.rows().empty());
    // A tick may be asked for in vain, but not too late.
    for (int ticks = 0; ticks < 3 && out.rows().empty(); ++ticks) {
      BOOST_TEST((op->next_tick() > 1007 && op->next_tick() <= (sessions ? 1018 : 1100)));
      feed(*op, time_item(item_kind::tick, op->next_tick()), out);
    }
    BOOST_TEST(
        out.rows()
            == std::vector<std::string>{sessions ? "1005 1017 2 2 1 1" : "1000 1100 2 2 1 1"},
        boost::test_tools::per_element());
    send(1200);
    feed(*op, time_item(item_kind::end, 0), out);
    BOOST_TEST(out.rows().size() == 2U);
    BOOST_TEST(
        (out.events.back().what == event::kind::watermark && out.events.back().time == max_time));
  }
}

BOOST_AUTO_TEST_CASE(a_session_s_gap_is_inclusive_and_it_fires_beyond_its_end) {
  recorder out;
  const auto op = make_window_aggregate(by_key(session(10), false), context());
  const row rows[] = {{0, 1, 1}, {10, 1, 2}, {21, 1, 3}, {-10, 1, 5}};
  feed(*op, batch_item(std::make_shared<batch>(make_batch(rows, 4))), out);
  feed(*op, time_item(item_kind::watermark, 20), out);
  BOOST_TEST(out.rows().empty());
  feed(*op, time_item(item_kind::watermark, 21), out);
  BOOST_TEST(out.rows() == std::vector<std::string>{"-10 20 3 8 1 3"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(filters_apply_to_their_call_only) {
  auto spec = by_key(tumble(100), false);
  auto types = row_types;
  types.push_back(sql_type{type_kind::boolean});
  spec.calls[0].filter = 3;
  recorder out;
  const auto op = make_window_aggregate(spec, context(types));
  const row rows[] = {{0, 1, 1}, {10, 1, 2}, {150, 1, 3}, {20, 1, 5}};
  auto x = make_batch(rows, 4);
  value_builder keep(types[3]);
  keep.append(std::uint8_t{1});
  keep.append_null();
  keep.append(std::uint8_t{0});
  keep.append(std::uint8_t{1});
  x.columns.push_back(keep.take());
  feed(*op, batch_item(std::make_shared<batch>(x)), out);
  feed(*op, time_item(item_kind::end, 0), out);
  BOOST_TEST(out.rows() == (std::vector<std::string>{"0 100 2 8 1 3", "100 200 0 3 3 1"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
