#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/stamp_time.hpp"
#include "actors/dataflow/operators/union_all.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "actors/dataflow/operators/window_assign.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"

#include <functional>
#include <random>
#include <set>

#include "window_driver.hpp"

using namespace window_tests;

namespace {

window_spec tumble(micros size, micros offset = 0) {
  window_spec w;
  w.kind = window_kind::tumble;
  w.time_column = 0;
  w.size = size;
  w.offset = offset;
  return w;
}

window_spec hop(micros slide, micros size, micros offset = 0) {
  auto w = tumble(size, offset);
  w.kind = window_kind::hop;
  w.slide = slide;
  return w;
}

window_spec cumulate(micros step, micros size, micros offset = 0) {
  auto w = hop(step, size, offset);
  w.kind = window_kind::cumulate;
  return w;
}

window_spec session(micros gap) {
  auto w = tumble(gap);
  w.kind = window_kind::session;
  return w;
}

/// Which calls are made: all kinds, or those alone that can take panes back.
enum class calls { all, sums };

window_aggregate_spec by_key(const window_spec& w, bool keyed = true, calls which = calls::all) {
  window_aggregate_spec spec;
  spec.window = w;
  if (keyed)
    spec.keys = {1};
  spec.calls = {call_of("count", {}), call_of("sum", {2})};
  if (which == calls::sums)
    return spec;
  spec.calls.push_back(call_of("min", {2}));
  spec.calls.push_back(call_of("count", {2}));
  spec.calls.back().distinct = true;
  return spec;
}

operator_context context(std::vector<sql_type> types = row_types) {
  return {"test", {std::move(types)}, 16};
}

/// What a group's result reads as, from the rows in it.
std::string result_text(bool keyed, calls which, std::int64_t key, micros start, micros end,
                        const std::vector<std::int64_t>& values) {
  std::set<std::int64_t> distinct;
  std::int64_t sum = 0;
  for (const auto v : values)
    if (v != -1) {
      distinct.insert(v);
      sum += v;
    }
  std::string text = !keyed ? "" : key == -1 ? "NULL " : std::to_string(key) + ' ';
  text += std::to_string(start) + ' ' + std::to_string(end) + ' ' + std::to_string(values.size())
          + ' ' + (distinct.empty() ? "NULL" : std::to_string(sum));
  if (which == calls::all)
    text += ' ' + (distinct.empty() ? "NULL" : std::to_string(*distinct.begin())) + ' '
            + std::to_string(distinct.size());
  return text;
}

struct answer {
  std::vector<std::string> rows;
  std::uint64_t late = 0;
};

/// Windows a row at a time, by their definition.
class naive_windows {
public:
  naive_windows(const window_spec& w, bool keyed, calls which)
      : w_(w), keyed_(keyed), which_(which) {}

  void take(const row& r, micros watermark) {
    if (r.time == min_time || r.time == max_time) {
      ++late_;
      return;
    }
    if (w_.kind == window_kind::session)
      take_session(r, watermark);
    else
      take_aligned(r, watermark);
  }

  [[nodiscard]] answer finish() {
    answer x;
    for (const auto& [id, values] : windows_)
      x.rows.push_back(
          result_text(keyed_, which_, std::get<2>(id), std::get<1>(id), std::get<0>(id), values));
    for (const auto& [key, sessions] : sessions_)
      for (const auto& s : sessions)
        x.rows.push_back(result_text(keyed_, which_, key, s.first, s.last + w_.size, s.values));
    std::sort(x.rows.begin(), x.rows.end());
    x.late = late_;
    return x;
  }

private:
  struct session_rows {
    micros first, last;
    std::vector<std::int64_t> values;
    bool closed = false;
  };

  void take_aligned(const row& r, micros watermark) {
    bool in_any = false;
    bool entered = false;
    const auto enter = [&](micros start, micros end) {
      if (r.time < start || r.time >= end)
        return;
      in_any = true;
      if (end <= watermark)
        return;
      entered = true;
      windows_[{end, start, keyed_ ? r.key : 0}].push_back(r.value);
    };
    const auto slide = w_.kind == window_kind::tumble ? w_.size : w_.slide;
    // Windows around the row, with room to spare.
    const auto near = (r.time - w_.offset) / slide * slide + w_.offset;
    if (w_.kind == window_kind::cumulate) {
      const auto base = (r.time - w_.offset) / w_.size * w_.size + w_.offset;
      for (auto start = base - 2 * w_.size; start <= base + w_.size; start += w_.size)
        for (auto end = start + w_.slide; end <= start + w_.size; end += w_.slide)
          enter(start, end);
    } else {
      for (auto start = near - w_.size / slide * slide - 3 * slide; start <= near + 2 * slide;
           start += slide)
        enter(start, start + w_.size);
    }
    if (in_any && !entered)
      ++late_;
  }

  void take_session(const row& r, micros watermark) {
    auto& all = sessions_[keyed_ ? r.key : 0];
    session_rows mine{r.time, r.time, {r.value}};
    for (auto& s : all)
      s.closed |= s.last + w_.size < watermark;
    bool joined = false;
    for (auto it = all.begin(); it != all.end();) {
      if (!it->closed && r.time >= it->first - w_.size && r.time <= it->last + w_.size) {
        mine.first = std::min(mine.first, it->first);
        mine.last = std::max(mine.last, it->last);
        mine.values.insert(mine.values.end(), it->values.begin(), it->values.end());
        it = all.erase(it);
        joined = true;
      } else {
        ++it;
      }
    }
    if (!joined && r.time + w_.size < watermark)
      ++late_;
    else
      all.push_back(mine);
  }

  window_spec w_;
  bool keyed_;
  calls which_;
  std::map<std::tuple<micros, micros, std::int64_t>, std::vector<std::int64_t>> windows_;
  std::map<std::int64_t, std::vector<session_rows>> sessions_;
  std::uint64_t late_ = 0;
};

/// Random rows that move on in time, out of order by up to `disorder` and now and then far behind.
std::vector<row> random_rows(std::mt19937& random, std::size_t count, micros pace,
                             micros disorder) {
  std::vector<row> rows(count);
  micros now = -static_cast<micros>(count) * pace / 4; // some time before 1970
  for (auto& r : rows) {
    now += random() % 7 == 0 ? pace * static_cast<micros>(random() % 20)
                             : static_cast<micros>(random()) % pace;
    r.time = now - (disorder == 0 ? 0 : static_cast<micros>(random() % disorder));
    if (random() % 50 == 0)
      r.time -= disorder * 3;
    if (random() % 400 == 0)
      r.time = random() % 2 == 0 ? min_time : max_time;
    r.key = static_cast<std::int64_t>(random() % 6) - 1;
    r.value = static_cast<std::int64_t>(random() % 12) - 1;
  }
  return rows;
}

answer model(const std::vector<row>& rows, const window_spec& w, bool keyed, micros delay,
             calls which = calls::all) {
  naive_windows naive(w, keyed, which);
  micros watermark = min_time;
  for (const auto& r : rows) {
    naive.take(r, watermark);
    if (r.time != min_time && r.time != max_time)
      watermark = std::max(watermark, r.time - delay);
  }
  return naive.finish();
}

void feed_rows(stream_operator& head, const std::vector<row>& rows, std::size_t batch_size,
               output& out) {
  for (std::size_t first = 0; first < rows.size(); first += batch_size) {
    const auto count = std::min(batch_size, rows.size() - first);
    feed(head, batch_item(std::make_shared<batch>(make_batch(rows.data() + first, count))), out);
  }
}

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

struct shape {
  const char* name;
  window_spec window;
};

const std::vector<shape> shapes{
    {"tumble", tumble(100)},
    {"tumble with offset", tumble(100, -30)},
    {"hop", hop(20, 100)},
    {"hop, size no multiple of slide", hop(40, 100, 7)},
    {"hop with gaps", hop(100, 30)},
    {"hop of many panes", hop(3, 100)},
    {"cumulate", cumulate(25, 100, 10)},
    {"session", session(20)},
};

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

BOOST_AUTO_TEST_SUITE(window_state)

namespace {

/// Runs rows with a save at every few items, mid-fire too: what the deltas add up to must be what a
/// full save says, and an operator loaded from it must go on as the first would have.
void check_saved(const window_spec& w, unsigned seed, calls which) {
  std::mt19937 random(seed);
  const auto rows = random_rows(random, 400, 9, 40);
  const micros delay = 30;
  const auto spec = by_key(w, true, which);
  const std::uint16_t groups = 16;
  auto op = make_window_aggregate(spec, context());
  const auto head = make_assign_watermarks({0, delay}, context());
  recorder out;
  state_map deltas;
  change_mark since = 0;
  std::uint64_t late = 0;
  bool restarted = false;
  const auto checkpoint = [&] {
    const auto next = op->mark();
    deltas.take(*op, groups, since);
    since = next;
    state_map whole;
    whole.take(*op, groups, 0);
    BOOST_REQUIRE(deltas.entries.size() == whole.entries.size());
    BOOST_REQUIRE((deltas.entries == whole.entries));
    if (random() % 2 != 0)
      return;
    late += op->counters().late_rows;
    op = make_window_aggregate(spec, context());
    whole.give(*op);
    restarted = true;
    since = op->mark();
    deltas.entries.clear();
    deltas.take(*op, groups, 0);
    BOOST_REQUIRE((deltas.entries == whole.entries));
  };

  // Steps one item, with checkpoints between steps of firing.
  class stepper final : public output {
  public:
    explicit stepper(std::function<void(stream_item)> take) : take_(std::move(take)) {}

    void emit(batch_ptr rows) override {
      take_(batch_item(std::move(rows)));
    }

    void advance(micros watermark) override {
      take_(time_item(item_kind::watermark, watermark));
    }

    void idle() override {}

  private:
    std::function<void(stream_item)> take_;
  };

  micros passed = min_time;

  class no_repeats final : public output {
  public:
    no_repeats(recorder& to, micros& passed) : to_(to), passed_(passed) {}

    void emit(batch_ptr rows) override {
      to_.emit(std::move(rows));
    }

    // A restarted operator may say its last watermark again.
    void advance(micros watermark) override {
      BOOST_TEST(watermark >= passed_);
      if (watermark > passed_)
        to_.advance(passed_ = watermark);
    }

    void idle() override {}

  private:
    recorder& to_;
    micros& passed_;
  } once(out, passed);

  stepper steps([&](stream_item item) {
    stream_item* next = &item;
    while (true) {
      step_budget budget{item.kind == item_kind::batch ? 4096U : 2U};
      const auto more = op->step(next, budget, once);
      BOOST_REQUIRE(bool(more));
      next = nullptr;
      if (item.kind == item_kind::watermark && random() % 3 == 0)
        checkpoint();
      if (!*more)
        break;
    }
  });
  feed_rows(*head, rows, 13, steps);
  steps.advance(max_time);
  const auto expected = model(rows, w, true, delay, which);
  BOOST_TEST(restarted);
  BOOST_TEST(out.sorted_rows() == expected.rows, boost::test_tools::per_element());
  BOOST_TEST(late + op->counters().late_rows == expected.late);
}

} // namespace

BOOST_AUTO_TEST_CASE(deltas_add_up_and_a_loaded_operator_goes_on) {
  for (unsigned seed = 31; seed <= 34; ++seed)
    for (const auto& s : shapes)
      for (const auto which : {calls::all, calls::sums})
        BOOST_TEST_CONTEXT("seed " << seed << ' ' << s.name
                                   << (which == calls::sums ? " sums" : "")) {
          check_saved(s.window, seed, which);
        }
}

BOOST_AUTO_TEST_CASE(damaged_state_is_refused) {
  for (const auto& w : {tumble(100), session(10)}) {
    const auto op = make_window_aggregate(by_key(w), context());
    BOOST_TEST(!op->load(0, 0, "", "short"));
    BOOST_TEST(!op->load(0, 1, "short", "x"));
    BOOST_TEST(!op->load(0, 9, std::string(24, '\0'), "x"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

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
