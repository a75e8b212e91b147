/// The changes of each key in order, whatever the order in which they come on several channels:
/// written cases, random ones against what is left, and with checkpoints, failures and rescaling.
#include "actors/dataflow/value_builder.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"

#include <array>
#include <deque>

namespace {

using namespace ebb;
using namespace ebb::test;

/// key, value, number
const std::vector<sql_type> types{bigint_type, text_type, bigint_type};
/// key, value
const std::vector<sql_type> pair_types{bigint_type, bigint_type};

std::unique_ptr<stream_operator> make(std::vector<sql_type> columns, retention_spec retention = {}) {
  return make_operator(settle_spec{{0}, retention}, {"settled", {std::move(columns)}, 16, 0, 1});
}

/// What comes out as `-1|5 +1|6`.
struct telling final : output {
  void emit(batch_ptr rows) override {
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      text += text.empty() ? "" : " ";
      text += rows->weights && rows->weights.as<const std::int32_t>()[i] < 0 ? '-' : '+';
      text += row_text(*rows, i);
    }
  }

  void advance(micros) override {}

  void idle() override {}

  std::string text;
};

struct change {
  std::int64_t key;
  std::int64_t value;
  std::int32_t weight;
};

using batches = std::vector<std::vector<change>>;

std::vector<std::string> told(const batches& given) {
  const auto op = make(pair_types);
  std::vector<std::string> result;
  for (const auto& rows : given) {
    changed_rows made;
    for (const auto& x : rows) {
      made.rows.push_back({x.key, x.value});
      made.weights.push_back(x.weight);
    }
    telling out;
    feed(*op, rows_item(0, changes_of(pair_types, made)), out);
    result.push_back(out.text);
  }
  return result;
}

struct numbered_row {
  cells row;
  std::int32_t weight;
};

/// A table whose rows change, each row's changes on the channel that its second column says; a
/// number in the third column tells rows of a key apart.
class scattered_table {
public:
  explicit scattered_table(std::mt19937_64& random) : random_(random) {}

  void change_some() {
    for (auto left = random_() % 6; left-- != 0;) {
      const auto key = static_cast<std::int64_t>(random_() % 8);
      if (const auto old = rows_.find(key); old != rows_.end()) {
        push(old->second, -1);
        rows_.erase(old);
        if (random_() % 3 == 0)
          continue;
      }
      // Sometimes as it was before.
      const auto number = static_cast<std::int64_t>(random_() % 3);
      rows_[key] = {key, static_cast<std::int64_t>(random_() % channels_.size()), number};
      push(rows_[key], 1);
    }
  }

  /// The next changes of one channel; none where it has none.
  changed_rows take(std::size_t channel) {
    auto& from = channels_[channel];
    changed_rows made;
    for (auto left = 1 + random_() % 5; left-- != 0 && !from.empty(); from.pop_front()) {
      made.rows.push_back(from.front().row);
      made.weights.push_back(from.front().weight);
    }
    return made;
  }

  changed_rows take_any() {
    return take(random_() % channels_.size());
  }

  [[nodiscard]] std::vector<changed_rows> take_rest() {
    std::vector<changed_rows> all;
    for (std::size_t channel = 0; channel < channels_.size(); ++channel)
      while (!channels_[channel].empty())
        all.push_back(take(channel));
    return all;
  }

  [[nodiscard]] row_counts answer() const {
    row_counts shown;
    for (const auto& [key, row] : rows_)
      ++shown[row_text(*batch_of(types, {row}), 0)];
    return shown;
  }

private:
  void push(const cells& row, std::int32_t weight) {
    channels_[static_cast<std::size_t>(*row[1])].push_back({row, weight});
  }

  std::mt19937_64& random_;
  std::map<std::int64_t, cells> rows_;
  std::array<std::deque<numbered_row>, 3> channels_;
};

void check_one_row_a_key(const row_counts& table) {
  std::map<std::string, std::int64_t> keys;
  for (const auto& [text, count] : table)
    keys[text.substr(0, text.find(' '))] += count;
  for (const auto& [key, count] : keys)
    BOOST_REQUIRE_MESSAGE(count == 1, std::to_string(count) + " rows of key " + key);
}

} // namespace

BOOST_AUTO_TEST_SUITE(settled_changes)

BOOST_AUTO_TEST_CASE(the_newest_row_shows) {
  struct row {
    const char* what;
    batches given;
    std::vector<std::string> out;
  };
  const std::vector<row> cases{
      {"an update", {{{1, 5, 1}}, {{1, 5, -1}, {1, 6, 1}}}, {"+1 | 5", "-1 | 5 +1 | 6"}},
      {"the deletion first", {{{1, 5, 1}}, {{1, 5, -1}}, {{1, 6, 1}}}, {"+1 | 5", "-1 | 5", "+1 | 6"}},
      {"the deletion last", {{{1, 5, 1}}, {{1, 6, 1}}, {{1, 5, -1}}}, {"+1 | 5", "-1 | 5 +1 | 6", ""}},
      {"the new row goes first",
       {{{1, 5, 1}}, {{1, 6, 1}}, {{1, 6, -1}}, {{1, 5, -1}}},
       {"+1 | 5", "-1 | 5 +1 | 6", "-1 | 6 +1 | 5", "-1 | 5"}},
      {"gone before it comes", {{{1, 5, -1}}, {{1, 6, 1}}, {{1, 5, 1}}}, {"", "+1 | 6", ""}},
      {"twice", {{{1, 5, 1}}, {{1, 5, 1}}, {{1, 5, -1}}}, {"+1 | 5", "", ""}},
      {"and back",
       {{{1, 5, 1}}, {{1, 6, 1}}, {{1, 5, 1}}, {{1, 5, -1}}, {{1, 6, -1}}},
       {"+1 | 5", "-1 | 5 +1 | 6", "-1 | 6 +1 | 5", "", ""}},
      {"weights", {{{1, 5, 3}}, {{1, 6, 1}}, {{1, 5, -3}}}, {"+1 | 5", "-1 | 5 +1 | 6", ""}},
      {"nothing in the end", {{{1, 5, 1}, {1, 5, -1}}, {{1, 5, 1}}}, {"", "+1 | 5"}},
      {"each key by itself",
       {{{1, 5, 1}, {2, 7, 1}}, {{1, 5, -1}, {1, 6, 1}, {2, 7, -1}}},
       {"+1 | 5 +2 | 7", "-1 | 5 -2 | 7 +1 | 6"}},
  };
  for (const auto& x : cases)
    BOOST_TEST_CONTEXT(x.what)
    BOOST_TEST(told(x.given) == x.out, boost::test_tools::per_element());
}

// 1.0 and 1.00 are the same row.
BOOST_AUTO_TEST_CASE(rows_are_equal_as_sql_says) {
  const auto op = make({bigint_type, numeric_type});
  const auto row = [](std::int64_t unscaled, std::int16_t scale, std::int32_t weight) {
    value_builder key(bigint_type);
    value_builder number(numeric_type);
    key.append<std::int64_t>(1);
    number.append_numeric(unscaled, scale);
    auto made = std::make_shared<batch>();
    made->rows = 1;
    made->columns = {key.take(), number.take()};
    made->weights = buffer_ptr::of<std::int32_t>(1);
    *made->weights.as<std::int32_t>() = weight;
    return rows_item(0, made);
  };
  telling out;
  feed(*op, row(10, 1, 1), out);
  feed(*op, row(20, 1, 1), out);
  feed(*op, row(100, 2, -1), out);
  feed(*op, row(200, 2, -1), out);
  BOOST_TEST(out.text == "+1 | 1.0 -1 | 1.0 +1 | 2.0 -1 | 2.0");
}

BOOST_AUTO_TEST_CASE(one_row_a_key_at_any_time) {
  with_seeds("settled changes", [&](std::mt19937_64& random, std::uint64_t) {
    const auto op = make(types);
    change_collector out;
    scattered_table table(random);
    const auto give = [&](const changed_rows& rows) {
      if (rows.rows.empty())
        return;
      feed(*op, rows_item(0, changes_of(types, rows)), out);
      check_one_row_a_key(out.table);
    };
    for (int i = 0; i < 400; ++i) {
      table.change_some();
      give(table.take_any());
    }
    for (const auto& rows : table.take_rest())
      give(rows);
    BOOST_TEST(lines(out.table) == lines(table.answer()), boost::test_tools::per_element());
  });
}

// What is gone is not held.
BOOST_AUTO_TEST_CASE(state_does_not_grow_with_what_went) {
  const auto op = make(pair_types);
  change_collector out;
  std::size_t first = 0;
  change_mark mark = 0;
  for (std::int64_t round = 0; round < 100; ++round) {
    changed_rows rows;
    for (std::int64_t k = 0; k < 1000; ++k)
      for (const auto weight : {-1, 1})
        if (round != 0 || weight > 0) {
          rows.rows.push_back({k + 1000 * (weight > 0 ? round : round - 1), 3});
          rows.weights.push_back(weight);
        }
    feed(*op, rows_item(0, changes_of(pair_types, rows)), out);
    mark = save_away(*op, mark);
    if (round == 20)
      first = op->counters().state_bytes;
  }
  BOOST_TEST(op->counters().state_bytes <= first * 3 / 2);
  BOOST_TEST(out.table.size() == 1000U);
}

// A row whose key was dropped still shows to those who read the changes.
BOOST_AUTO_TEST_CASE(a_dropped_row_is_taken_back) {
  const auto op = make(pair_types, {1000, false});
  telling out;
  feed(*op, watermark_item(0, 10), out);
  feed(*op, rows_item(0, changes_of(pair_types, {{{1, 5}}, {1}})), out);
  feed(*op, watermark_item(0, 11), out);
  feed(*op, watermark_item(0, 20'000), out);
  feed(*op, rows_item(0, changes_of(pair_types, {{{1, 5}, {1, 6}}, {-1, 1}})), out);
  BOOST_TEST(out.text == "+1 | 5 -1 | 5 +1 | 6");
}

BOOST_AUTO_TEST_CASE(settled_changes_go_on) {
  with_seeds("settled changes with checkpoints", [&](std::mt19937_64& random, std::uint64_t seed) {
    checkpoint_case c;
    c.name = "settle";
    c.inputs = {types};
    c.routes = {route::hash};
    c.route_keys = {{0}};
    c.loads_late = true;
    c.make = [&](operator_context context) {
      return make_operator(settle_spec{{0}, {}}, std::move(context));
    };
    scattered_table table(random);
    for (int i = 0; i < 120; ++i) {
      table.change_some();
      if (auto rows = table.take_any(); !rows.rows.empty())
        c.script.push_back({0, changes_of(types, rows), 0});
      if (random() % 5 == 0)
        c.script.push_back({0, nullptr, i});
    }
    for (const auto& rows : table.take_rest())
      c.script.push_back({0, changes_of(types, rows), 0});
    c.script.push_back({0, nullptr, max_time});
    check_checkpoints(c, seed);
  });
}

BOOST_AUTO_TEST_SUITE_END()
