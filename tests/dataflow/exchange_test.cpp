#include "actors/dataflow/exchange.hpp"

#include "actors/dataflow/compact.hpp"
#include "actors/dataflow/credit_ledger.hpp"
#include "actors/dataflow/input_gate.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/watermark_merge.hpp"
#include "tests/support/rows.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

class recorder final : public channel_sender {
public:
  void send(std::uint32_t target, channel_item item) override {
    items[target].push_back(std::move(item));
  }

  [[nodiscard]] std::vector<std::int64_t> values(std::uint32_t target) {
    std::vector<std::int64_t> result;
    for (const auto& x : items[target])
      if (x.rows)
        for (const auto v : values_of(*x.rows))
          result.push_back(v);
    return result;
  }

  /// `b3 w7 i e`: batch of 3 rows, watermark 7, idle, end; `s` stop.
  [[nodiscard]] std::string text(std::uint32_t target) {
    std::string result;
    for (const auto& x : items[target]) {
      if (!result.empty())
        result += ' ';
      switch (x.what) {
      case channel_signal::batch:
        result += 'b' + std::to_string(x.rows->rows);
        break;
      case channel_signal::watermark:
        result += 'w' + std::to_string(x.time);
        break;
      case channel_signal::idle:
        result += 'i';
        break;
      case channel_signal::barrier:
        result += 'B' + std::to_string(x.epoch);
        break;
      case channel_signal::end:
        result += 'e';
        break;
      case channel_signal::stop:
        result += 's';
        break;
      }
    }
    return result;
  }

  std::map<std::uint32_t, std::vector<channel_item>> items;
};

partition_spec by_hash(std::uint32_t targets) {
  return {partitioning::hash, targets, {0}, 128};
}

std::string text(const std::vector<stream_item>& items) {
  std::string result;
  for (const auto& x : items) {
    if (!result.empty())
      result += ' ';
    if (x.kind == item_kind::batch)
      result += 'b' + std::to_string(x.rows->rows);
    else if (x.kind == item_kind::watermark)
      result += 'w' + (x.time == max_time ? "max" : std::to_string(x.time));
    else
      result += x.kind == item_kind::idle ? 'i' : x.kind == item_kind::end ? 'e' : '?';
  }
  return result;
}

/// Pushes one item and tells what comes out of the gate for it.
std::string through(input_gate& gate, std::uint32_t channel, channel_item item) {
  std::vector<stream_item> out;
  gate.push(channel, std::move(item));
  gate.take(out);
  return text(out);
}

channel_item wm(micros time) {
  return channel_item::of(channel_signal::watermark, time);
}

channel_item signal(channel_signal what) {
  return channel_item::of(what);
}

channel_item some_rows(std::uint32_t count = 1) {
  return channel_item::of(row_range(0, count), 8 * std::size_t{count});
}

} // namespace

BOOST_AUTO_TEST_SUITE(ledger)

BOOST_AUTO_TEST_CASE(bounds_what_is_in_flight) {
  credit_ledger x(100);
  BOOST_TEST(x.may_send(60));
  x.sent(60);
  BOOST_TEST(x.may_send(40));
  BOOST_TEST(!x.may_send(41));
  x.returned(20);
  BOOST_TEST(x.may_send(41));
  BOOST_TEST(x.in_flight() == 40U);
}

BOOST_AUTO_TEST_CASE(control_items_cost_nothing_and_an_oversize_batch_travels_alone) {
  credit_ledger x(100);
  BOOST_TEST(x.may_send(1000));
  x.sent(1000);
  BOOST_TEST(x.may_send(0));
  BOOST_TEST(!x.may_send(1));
  x.returned(1000);
  BOOST_TEST(x.may_send(1));
  x.sent(1);
  BOOST_TEST(!x.may_send(1000));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(merge)

BOOST_AUTO_TEST_CASE(is_the_minimum_of_the_active_inputs_and_never_falls) {
  watermark_merge x(2);
  x.advance(0, 10);
  BOOST_TEST(x.merged() == min_time);
  x.advance(1, 5);
  BOOST_TEST(x.merged() == 5);
  x.advance(1, 3);
  BOOST_TEST(x.merged() == 5);
  x.idle(1);
  BOOST_TEST(x.merged() == 10);
  x.rows(1);
  BOOST_TEST(x.merged() == 10);
  BOOST_TEST(x.others(0) == 5);
  x.advance(0, 20);
  BOOST_TEST(x.merged() == 10);
  x.advance(1, 15);
  BOOST_TEST(x.merged() == 15);
}

BOOST_AUTO_TEST_CASE(a_finished_input_does_not_win_over_idle_ones) {
  watermark_merge x(3);
  for (std::uint32_t i = 0; i < 3; ++i)
    x.advance(i, 10 + i);
  x.idle(1);
  x.idle(2);
  x.advance(0, max_time);
  BOOST_TEST(x.merged() == 12);
  BOOST_TEST(x.all_idle());
  x.advance(1, max_time);
  BOOST_TEST(x.merged() == 12);
  x.advance(2, max_time);
  BOOST_TEST(x.merged() == max_time);
  BOOST_TEST(!x.all_idle());
}

BOOST_AUTO_TEST_CASE(the_order_of_falling_idle_does_not_matter) {
  for (const bool first_first : {true, false}) {
    watermark_merge x(2);
    x.advance(0, 10);
    x.advance(1, 20);
    x.idle(first_first ? 0 : 1);
    x.idle(first_first ? 1 : 0);
    BOOST_TEST(x.merged() == 20);
    BOOST_TEST(x.all_idle());
  }
}

BOOST_AUTO_TEST_CASE(row_watermarks_are_lowered_to_the_bound) {
  const auto rows = with_watermarks(row_range(0, 3), {5, 10, 20});
  BOOST_TEST(bound_watermarks(rows, max_time).get() == rows.get());
  BOOST_TEST(bound_watermarks(rows, 20).get() == rows.get());
  const auto bound = bound_watermarks(rows, 10);
  const auto* w = bound->watermarks.as<const micros>();
  BOOST_TEST(std::vector<micros>(w, w + 3) == (std::vector<micros>{5, 10, 10}),
             boost::test_tools::per_element());
  BOOST_TEST(bound_watermarks(row_range(0, 3), 1)->watermarks.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(passes_rows_and_rising_minima) {
  input_gate x(2);
  BOOST_TEST(through(x, 0, some_rows(3)) == "b3");
  BOOST_TEST(through(x, 0, wm(10)) == "");
  BOOST_TEST(through(x, 1, wm(4)) == "w4");
  BOOST_TEST(through(x, 1, wm(12)) == "w10");
  BOOST_TEST(through(x, 1, wm(13)) == "");
}

BOOST_AUTO_TEST_CASE(is_idle_only_when_all_channels_are) {
  input_gate x(2);
  BOOST_TEST(through(x, 0, wm(10)) == "");
  BOOST_TEST(through(x, 1, wm(20)) == "w10");
  BOOST_TEST(through(x, 0, signal(channel_signal::idle)) == "w20");
  BOOST_TEST(through(x, 1, signal(channel_signal::idle)) == "i");
  // It comes back behind what was said already: an equal watermark says that it is active.
  BOOST_TEST(through(x, 0, wm(15)) == "w20");
  BOOST_TEST(through(x, 0, signal(channel_signal::idle)) == "i");
  BOOST_TEST(through(x, 0, some_rows()) == "b1");
}

BOOST_AUTO_TEST_CASE(ends_once_after_the_last_channel) {
  input_gate x(2);
  BOOST_TEST(through(x, 0, wm(max_time)) == "");
  BOOST_TEST(through(x, 0, signal(channel_signal::end)) == "");
  BOOST_TEST(through(x, 1, signal(channel_signal::idle)) == "i");
  BOOST_TEST(!x.closed());
  BOOST_TEST(through(x, 1, wm(max_time)) == "wmax");
  BOOST_TEST(through(x, 1, signal(channel_signal::end)) == "e");
  BOOST_TEST(x.closed());
  BOOST_TEST(!x.stopped());
}

BOOST_AUTO_TEST_CASE(a_stop_closes_without_an_end) {
  input_gate x(2);
  BOOST_TEST(through(x, 0, wm(7)) == "");
  BOOST_TEST(through(x, 0, signal(channel_signal::stop)) == "");
  BOOST_TEST(through(x, 1, wm(max_time)) == "w7");
  BOOST_TEST(through(x, 1, signal(channel_signal::end)) == "");
  BOOST_TEST(x.closed());
  BOOST_TEST(x.stopped());
}

BOOST_AUTO_TEST_CASE(bounds_lateness_by_the_other_channels) {
  input_gate x(2);
  through(x, 0, wm(100));
  through(x, 1, wm(30));
  std::vector<stream_item> out;
  x.push(0, channel_item::of(with_watermarks(row_range(0, 2), {20, 100}), 16));
  BOOST_TEST(x.queued_bytes() == 16U);
  const auto credit = x.take(out);
  BOOST_TEST(credit.bytes == 16U);
  BOOST_TEST(x.queued_bytes() == 0U);
  BOOST_TEST(out.at(0).other_channels == 30);
  BOOST_TEST(out.at(0).rows->watermarks.as<const micros>()[0] == 20);
  BOOST_TEST(out.at(0).rows->watermarks.as<const micros>()[1] == 30);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(exchange)

BOOST_AUTO_TEST_CASE(groups_belong_to_the_ranges_of_the_subtasks) {
  for (const std::uint32_t groups : {1U, 7U, 128U, 1000U})
    for (std::uint32_t n = 1; n <= std::min(groups, 40U); ++n) {
      std::uint32_t expected = 0;
      for (std::uint32_t g = 0; g < groups; ++g) {
        while (expected + 1 < n && g >= ((expected + 1) * groups + n - 1) / n)
          ++expected;
        BOOST_REQUIRE(target_of_group(g, n, groups) == expected);
      }
      BOOST_REQUIRE(expected == n - 1);
    }
}

BOOST_AUTO_TEST_CASE(hashing_sends_each_row_once_in_order_and_to_its_key_group) {
  partitioner x(by_hash(5));
  recorder out;
  std::vector<std::int64_t> all;
  for (int k = 0; k < 20; ++k) {
    x.add(row_range(k * 1000, 1000), out);
    const auto v = values_of(*row_range(k * 1000, 1000));
    all.insert(all.end(), v.begin(), v.end());
  }
  x.flush_all(out);
  std::vector<std::int64_t> seen;
  for (std::uint32_t t = 0; t < 5; ++t) {
    const auto values = out.values(t);
    BOOST_TEST(std::is_sorted(values.begin(), values.end()));
    BOOST_TEST(values.size() > 2000U);
    seen.insert(seen.end(), values.begin(), values.end());
    for (const auto& item : out.items[t]) {
      const auto& rows = *item.rows;
      std::vector<std::uint64_t> hashes(rows.rows);
      const column* key = rows.columns.data();
      hash_keys({&key, 1}, rows.rows, hashes.data());
      BOOST_REQUIRE(rows.hashes.size() >= rows.rows * sizeof(std::uint64_t));
      for (std::uint32_t i = 0; i < rows.rows; ++i) {
        BOOST_REQUIRE(rows.hashes.as<const std::uint64_t>()[i] == hashes[i]);
        BOOST_REQUIRE(target_of_group(key_group_of(hashes[i], 128), 5, 128) == t);
      }
      BOOST_TEST(item.bytes == rows.rows * 16U);
    }
  }
  std::sort(seen.begin(), seen.end());
  BOOST_TEST(seen == all, boost::test_tools::per_element());
}

/// Row n of all widths: n and what follows from it.
batch_ptr wide_rows(std::int64_t first, std::uint32_t count, bool some_null) {
  auto rows = std::make_shared<batch>(*row_range(first, count));
  for (const auto kind : {type_kind::boolean, type_kind::smallint, type_kind::integer})
    rows->columns.push_back(make_column(sql_type{kind}, count));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto n = first + i;
    rows->columns[1].mutable_data<std::uint8_t>()[i] = n % 2 != 0 ? 1 : 0;
    rows->columns[2].mutable_data<std::int16_t>()[i] = static_cast<std::int16_t>(n % 1000);
    rows->columns[3].mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(-n);
  }
  if (some_null)
    set_null(rows->columns[2], count / 2);
  return rows;
}

BOOST_AUTO_TEST_CASE(small_shares_are_gathered_in_order_with_and_without_nulls) {
  for (const std::uint32_t targets : {1U, 3U, 7U}) {
    partitioner x(by_hash(targets));
    recorder out;
    std::uint32_t nulls = 0;
    for (int k = 0; k < 200; ++k) {
      nulls += k % 5 == 3 ? 1 : 0;
      x.add(wide_rows(k * 40, 40, k % 5 == 3), out);
      if (k % 50 == 49)
        x.flush_all(out);
    }
    std::size_t seen = 0;
    for (std::uint32_t t = 0; t < targets; ++t) {
      const auto values = out.values(t);
      BOOST_TEST(std::is_sorted(values.begin(), values.end()));
      seen += values.size();
      for (const auto& item : out.items[t]) {
        const auto& rows = *item.rows;
        BOOST_TEST(item.bytes >= rows.rows * (8U + 1 + 2 + 4 + 8));
        std::vector<std::uint64_t> hashes(rows.rows);
        const column* key = rows.columns.data();
        hash_keys({&key, 1}, rows.rows, hashes.data());
        for (std::uint32_t i = 0; i < rows.rows; ++i) {
          const auto n = rows.columns[0].data<std::int64_t>()[i];
          BOOST_REQUIRE(rows.columns[1].data<std::uint8_t>()[i] == n % 2);
          if (rows.columns[2].is_null(i))
            --nulls;
          else
            BOOST_REQUIRE(rows.columns[2].data<std::int16_t>()[i] == n % 1000);
          BOOST_REQUIRE(rows.columns[3].data<std::int32_t>()[i] == -n);
          BOOST_REQUIRE(rows.hashes.as<const std::uint64_t>()[i] == hashes[i]);
        }
      }
    }
    BOOST_TEST(seen == 8000U);
    BOOST_TEST(nulls == 0U);
  }
}

BOOST_AUTO_TEST_CASE(hashes_that_came_along_count_only_where_they_are_of_the_keys) {
  for (const bool hashed : {false, true}) {
    auto spec = by_hash(2);
    spec.hashed = hashed;
    partitioner x(spec);
    recorder out;
    auto rows = std::make_shared<batch>(*row_range(0, 100));
    rows->hashes = buffer_ptr::of<std::uint64_t>(100);
    std::fill_n(rows->hashes.as<std::uint64_t>(), 100, UINT64_MAX); // the last key group
    x.add(rows, out);
    x.add(row_range(100, 100), out); // has none
    x.flush_all(out);
    const auto first = out.values(0);
    BOOST_TEST((std::count_if(first.begin(), first.end(), [](auto v) { return v < 100; }) == 0)
               == hashed);
    BOOST_TEST(std::count_if(first.begin(), first.end(), [](auto v) { return v >= 100; }) > 0);
    BOOST_TEST(first.size() + out.values(1).size() == 200U);
  }
}

BOOST_AUTO_TEST_CASE(a_batch_for_one_target_is_not_copied) {
  partitioner x(by_hash(1));
  recorder out;
  const auto rows = row_range(0, 2000);
  x.add(rows, out);
  BOOST_TEST(out.text(0) == "b2000");
  BOOST_TEST(out.items[0][0].rows->columns[0].data<std::int64_t>()
             == rows->columns[0].data<std::int64_t>());
}

BOOST_AUTO_TEST_CASE(small_batches_wait_and_leave_together) {
  partitioner x({});
  recorder out;
  for (int i = 0; i < 5; ++i)
    x.add(row_range(i * 100, 100), out);
  BOOST_TEST(out.text(0) == "");
  BOOST_TEST(x.pending(0));
  x.add(row_range(500, 100), out);
  BOOST_TEST(out.text(0) == "b600");
  BOOST_TEST(!x.pending(0));
  BOOST_TEST(out.values(0) == values_of(*row_range(0, 600)), boost::test_tools::per_element());
  x.add(row_range(600, 100), out);
  x.add(row_range(700, 1000), out);
  BOOST_TEST(out.text(0) == "b600 b100 b1000");
  BOOST_TEST(out.values(0) == values_of(*row_range(0, 1700)), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(watermark_and_idleness_stay_behind_the_rows) {
  partitioner x({});
  recorder out;
  x.add(row_range(0, 5), out);
  x.advance(7);
  x.add(row_range(0, 2), out);
  x.advance(9);
  x.idle();
  BOOST_TEST(out.text(0) == "");
  x.flush(0, out);
  BOOST_TEST(out.text(0) == "b7 w9 i");
  x.flush(0, out);
  BOOST_TEST(out.text(0) == "b7 w9 i");
  x.idle();
  x.add(row_range(0, 1), out);
  x.close(channel_signal::end, out);
  BOOST_TEST(out.text(0) == "b7 w9 i b1 e");
}

BOOST_AUTO_TEST_CASE(a_full_batch_takes_a_pending_watermark_along) {
  partitioner x({});
  recorder out;
  x.add(row_range(0, 400), out);
  x.advance(5);
  x.add(row_range(0, 400), out);
  BOOST_TEST(out.text(0) == "b800 w5");
  x.flush_all(out);
  BOOST_TEST(out.text(0) == "b800 w5");
}

/// A consumer under load is never flushed to; its windows must fire all the same.
BOOST_AUTO_TEST_CASE(watermarks_need_no_flush) {
  for (const auto how : {partitioning::direct, partitioning::hash, partitioning::broadcast})
    BOOST_TEST_CONTEXT("partitioning " << static_cast<int>(how)) {
      const std::uint32_t targets = how == partitioning::direct ? 1 : 2;
      partitioner x({how, targets, {0}, 128});
      recorder out;
      for (std::int64_t i = 0; i < 20; ++i) {
        x.add(row_range(i * 2000, 2000), out);
        x.advance(i);
      }
      for (std::uint32_t t = 0; t < targets; ++t) {
        const auto& items = out.items[t];
        micros last = min_time;
        for (const auto& item : items)
          if (item.what == channel_signal::watermark)
            last = item.time;
        BOOST_TEST(last == 18);
      }
    }
}

BOOST_AUTO_TEST_CASE(broadcast_sends_all_to_all) {
  partitioner x({partitioning::broadcast, 3, {}, 128});
  recorder out;
  x.add(row_range(0, 5), out);
  x.advance(3);
  x.close(channel_signal::stop, out);
  for (std::uint32_t t = 0; t < 3; ++t)
    BOOST_TEST(out.text(t) == "b5 w3 s");
  BOOST_TEST(out.items[0][0].rows.get() == out.items[2][0].rows.get());
}

BOOST_AUTO_TEST_CASE(large_batches_are_cut_and_an_oversize_row_travels_alone) {
  batch_limits limits;
  limits.bytes_max = 1000;
  limits.bytes_uncut = 1000;
  for (const auto how : {partitioning::direct, partitioning::hash}) {
    partitioner x({how, 1, {0}, 128}, limits);
    recorder out;
    auto rows = std::make_shared<batch>();
    rows->rows = 8;
    rows->columns.push_back(bigints({0, 1, 2, 3, 4, 5, 6, 7}));
    const std::string small(50, 'x');
    rows->columns.push_back(
        texts({small, small, small, std::string(5000, 'y'), small, small, small, small}));
    x.add(rows, out);
    x.flush_all(out);
    BOOST_TEST(out.values(0) == values_of(*rows), boost::test_tools::per_element());
    for (const auto& item : out.items[0])
      BOOST_TEST((item.bytes <= 1000 || item.rows->rows == 1));
    BOOST_TEST(out.items[0].size() >= 3U);
  }
}

BOOST_AUTO_TEST_CASE(weights_and_row_watermarks_go_along_but_not_the_origin) {
  auto rows = std::make_shared<batch>(*with_watermarks(row_range(0, 4), {1, 2, 3, 4}));
  rows->weights = buffer_ptr::of<std::int32_t>(4);
  for (int i = 0; i < 4; ++i)
    rows->weights.as<std::int32_t>()[i] = i % 2 == 0 ? 1 : -1;
  rows->origin.source = std::make_shared<const std::string>("source s");
  partitioner x(by_hash(2));
  recorder out;
  x.add(rows, out);
  x.flush_all(out);
  std::uint32_t seen = 0;
  for (std::uint32_t t = 0; t < 2; ++t)
    for (const auto& item : out.items[t]) {
      BOOST_TEST(!item.rows->origin.source);
      const auto values = values_of(*item.rows);
      for (std::uint32_t i = 0; i < item.rows->rows; ++i, ++seen) {
        BOOST_TEST(item.rows->watermarks.as<const micros>()[i] == values[i] + 1);
        BOOST_TEST(item.rows->weights.as<const std::int32_t>()[i] == (values[i] % 2 == 0 ? 1 : -1));
      }
    }
  BOOST_TEST(seen == 4U);
}

BOOST_AUTO_TEST_CASE(few_rows_do_not_keep_the_text_of_many) {
  auto many = std::make_shared<batch>();
  many->rows = 1000;
  many->columns.push_back(texts(std::vector<std::string>(1000, std::string(100, 'a'))));
  batch_measure size;
  measure(*many, size);
  BOOST_TEST(size.bytes == byte_size(*many));
  BOOST_TEST(size.text.at(0) == 100'000U);
  BOOST_TEST(compact_text(many, size).get() == many.get());
  const std::uint32_t picks[] = {3, 999};
  const auto few = std::make_shared<batch>(gather(*many, picks, 2));
  measure(*few, size);
  const auto compact = compact_text(few, size);
  BOOST_TEST(compact->columns[0].heap.size() == 1U);
  BOOST_TEST(compact->columns[0].heap[0].size() <= 512U);
  BOOST_TEST(compact->columns[0].text_of(1) == std::string(100, 'a'));
}

BOOST_AUTO_TEST_SUITE_END()
