/// What the window tests share: rows as plain structs, batches of them, an output that remembers,
/// and a state sink that is a map.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "actors/dataflow/value_text.hpp"
#include "tests/support/aggregate_calls.hpp"
#include "tests/support/row_text.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace window_tests {

using namespace ebb;

struct row {
  micros time = 0;
  std::int64_t key = 0;   ///< -1 = NULL
  std::int64_t value = 0; ///< -1 = NULL
};

inline const std::vector<sql_type> row_types{
    sql_type{type_kind::timestamp}, sql_type{type_kind::bigint}, sql_type{type_kind::bigint}};

inline batch make_batch(const row* rows, std::size_t count) {
  value_builder times(row_types[0]);
  value_builder keys(row_types[1]);
  value_builder values(row_types[2]);
  for (std::size_t i = 0; i < count; ++i) {
    times.append(rows[i].time);
    rows[i].key == -1 ? keys.append_null() : keys.append(rows[i].key);
    rows[i].value == -1 ? values.append_null() : values.append(rows[i].value);
  }
  batch x;
  x.rows = static_cast<std::uint32_t>(count);
  x.columns = {times.take(), keys.take(), values.take()};
  return x;
}

inline std::string row_text(const batch& x, std::uint32_t i) {
  std::string text;
  for (const auto& c : x.columns) {
    if (!text.empty())
      text += ' ';
    test::append_cell(c, i, text);
  }
  return text;
}

struct event {
  enum class kind { batch, watermark, idle } what = kind::batch;
  batch_ptr rows;
  micros time = min_time;
};

class recorder final : public output {
public:
  void emit(batch_ptr rows) override {
    events.push_back({event::kind::batch, std::move(rows), min_time});
  }

  void advance(micros watermark) override {
    if (!watermarks_seen_.empty())
      BOOST_TEST(watermark > watermarks_seen_.back());
    watermarks_seen_.push_back(watermark);
    events.push_back({event::kind::watermark, nullptr, watermark});
  }

  void idle() override {
    events.push_back({event::kind::idle, nullptr, min_time});
  }

  [[nodiscard]] std::vector<std::string> rows() const {
    std::vector<std::string> all;
    for (const auto& e : events)
      if (e.what == event::kind::batch)
        for (std::uint32_t i = 0; i < e.rows->rows; ++i)
          all.push_back(row_text(*e.rows, i));
    return all;
  }

  [[nodiscard]] std::vector<std::string> sorted_rows() const {
    auto all = rows();
    std::sort(all.begin(), all.end());
    return all;
  }

  std::vector<event> events;

private:
  std::vector<micros> watermarks_seen_;
};

/// Feeds one item and steps until the operator is done; each step has `budget` rows.
inline void feed(stream_operator& op, stream_item item, output& out, std::uint32_t budget = 4096) {
  stream_item* next = &item;
  for (int steps = 0;; ++steps) {
    BOOST_REQUIRE(steps < 1'000'000);
    step_budget left{budget};
    const auto more = op.step(next, left, out);
    if (!more)
      BOOST_FAIL(to_string(more.error()));
    next = nullptr;
    if (!*more)
      return;
  }
}

inline stream_item batch_item(batch_ptr rows, micros other_channels = max_time) {
  stream_item item;
  item.kind = item_kind::batch;
  item.rows = std::move(rows);
  item.other_channels = other_channels;
  return item;
}

inline stream_item time_item(item_kind kind, micros time) {
  stream_item item;
  item.kind = kind;
  item.time = time;
  return item;
}

/// Passes on what one operator made to the next.
class chain final : public output {
public:
  chain(stream_operator& to, output& out, std::uint32_t budget = 4096)
      : to_(to), out_(out), budget_(budget) {}

  void emit(batch_ptr rows) override {
    feed(to_, batch_item(std::move(rows)), out_, budget_);
  }

  void advance(micros watermark) override {
    feed(to_, time_item(item_kind::watermark, watermark), out_, budget_);
  }

  void idle() override {
    feed(to_, time_item(item_kind::idle, min_time), out_, budget_);
  }

private:
  stream_operator& to_;
  output& out_;
  std::uint32_t budget_;
};

/// State entries as a store would keep them, by (key group, state, key).
class state_map final : public state_sink {
public:
  using entry_key = std::tuple<std::uint16_t, std::uint16_t, std::string>;

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    entries[{group, state, std::string(key)}] = value;
  }

  void erase(std::uint16_t state, std::string_view key) override {
    entries.erase({group, state, std::string(key)});
  }

  void erase_prefix(std::uint16_t state, std::string_view prefix) override {
    std::erase_if(entries, [&](const auto& x) {
      const auto& [g, s, k] = x.first;
      return g == group && s == state && k.starts_with(prefix);
    });
  }

  void take(const stream_operator& op, std::uint16_t groups, change_mark since) {
    for (group = 0; group < groups; ++group)
      op.save(group, since, *this);
  }

  void give(stream_operator& op) const {
    for (const auto& [key, value] : entries) {
      const auto& [g, s, k] = key;
      const auto done = op.load(g, s, k, value);
      if (!done)
        BOOST_FAIL(done.error().message);
    }
  }

  std::map<entry_key, std::string> entries;
  std::uint16_t group = 0;
};

inline aggregate_call call_of(std::string_view name, std::vector<std::uint32_t> args) {
  return test::call_of(name, std::move(args), row_types);
}

} // namespace window_tests
