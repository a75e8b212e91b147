/// Lookup joins: nothing comes out before the table has ended, then each row meets the whole table;
/// with checkpoints, failures and rescaling.
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"

namespace {

using namespace ebb;
using namespace ebb::test;

using kind = changelog_join_kind;

/// key, value, text
const std::vector<sql_type> stream_types{bigint_type, bigint_type, text_type};
/// value, key
const std::vector<sql_type> table_types{bigint_type, bigint_type};

struct lookup_case {
  bool table_left = false;
  bool pads = false;
  bool keyed = true;
  bool residual = false;
  unsigned stream_deletes = 0;
  unsigned table_deletes = 0;

  [[nodiscard]] std::uint32_t table() const {
    return table_left ? 0 : 1;
  }

  [[nodiscard]] std::vector<std::vector<sql_type>> inputs() const {
    return table_left ? std::vector{table_types, stream_types}
                      : std::vector{stream_types, table_types};
  }

  [[nodiscard]] changelog_join_spec spec() const {
    changelog_join_spec x;
    x.kind = !pads ? kind::inner : table_left ? kind::right : kind::left;
    x.lookup = table_left ? 0 : 1;
    if (keyed) {
      x.left_keys = {table_left ? 1U : 0U};
      x.right_keys = {table_left ? 0U : 1U};
    }
    if (residual)
      x.residual = table_left ? at_least(3, 0) : at_least(1, 3);
    x.left_updating = (table_left ? table_deletes : stream_deletes) != 0;
    x.right_updating = (table_left ? stream_deletes : table_deletes) != 0;
    return x;
  }
};

cells stream_row(std::mt19937_64& random) {
  const auto key = random() % 7;
  return {key == 6 ? cell() : cell(static_cast<std::int64_t>(key)),
          cell(static_cast<std::int64_t>(random() % 6)),
          random() % 5 == 0 ? cell() : cell(static_cast<std::int64_t>(random() % 4))};
}

cells table_row(std::mt19937_64& random) {
  const auto key = random() % 6;
  return {cell(static_cast<std::int64_t>(random() % 6)),
          key == 5 ? cell() : cell(static_cast<std::int64_t>(key))};
}

/// Rows that are left; in which order they come within a batch is the input's.
struct left_rows final : output {
  void emit(batch_ptr rows) override {
    ++batches;
    largest_batch = std::max<std::size_t>(largest_batch, rows->rows);
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      const auto text = row_text(*rows, i);
      auto& count = table[text];
      count += rows->weights ? rows->weights.as<const std::int32_t>()[i] : 1;
      if (count == 0)
        table.erase(text);
    }
  }

  void advance(micros) override {}

  void idle() override {}

  row_counts table;
  std::size_t batches = 0;
  std::size_t largest_batch = 0;
};

std::unique_ptr<stream_operator> make(const lookup_case& x) {
  return make_operator(x.spec(), {"priced", x.inputs(), 16, 0, 1});
}

/// A script knows watermarks alone: the table's last one is its end.
class ends_with_watermark final : public stream_operator {
public:
  ends_with_watermark(std::unique_ptr<stream_operator> inner, std::uint32_t table)
      : inner_(std::move(inner)), table_(table) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item != nullptr && item->kind == item_kind::watermark && item->input == table_
        && item->time == max_time)
      item->kind = item_kind::end;
    return inner_->step(item, budget, out);
  }

  operator_counters counters() const override {
    return inner_->counters();
  }

  change_mark mark() override {
    return inner_->mark();
  }

  bool saves_frozen() const noexcept override {
    return inner_->saves_frozen();
  }

  void begin_save(change_mark since) override {
    inner_->begin_save(since);
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    return inner_->save_slice(entries, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    inner_->save(key_group, since, sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    return inner_->load(key_group, state, key, value);
  }

private:
  std::unique_ptr<stream_operator> inner_;
  std::uint32_t table_;
};

row_counts answer(const lookup_case& x, const std::vector<cells>& stream,
                  const std::vector<cells>& table) {
  std::vector<cells> rows;
  const auto add = [&](const cells& s, const cells& t) {
    auto row = x.table_left ? t : s;
    const auto& more = x.table_left ? s : t;
    row.insert(row.end(), more.begin(), more.end());
    rows.push_back(std::move(row));
  };
  for (const auto& s : stream) {
    bool met = false;
    for (const auto& t : table) {
      if ((x.keyed && (!s[0] || !t[1] || *s[0] != *t[1])) || (x.residual && *s[1] < *t[0]))
        continue;
      met = true;
      add(s, t);
    }
    if (!met && x.pads)
      add(s, cells(2));
  }
  row_counts counts;
  if (rows.empty())
    return counts;
  const auto inputs = x.inputs();
  auto types = inputs[0];
  types.insert(types.end(), inputs[1].begin(), inputs[1].end());
  const auto made = batch_of(types, rows);
  for (std::uint32_t i = 0; i < made->rows; ++i)
    ++counts[row_text(*made, i)];
  return counts;
}

template <class Check>
void with_cases(const Check& check) {
  for (unsigned bits = 0; bits < 16; ++bits)
    for (const auto& [s, t] : {std::pair(0U, 0U), {40U, 0U}, {0U, 40U}, {45U, 45U}}) {
      const lookup_case x{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, s, t};
      BOOST_TEST_CONTEXT("bits " << bits << " deletes " << s << ' ' << t)
      check(x);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(lookup_joins)

BOOST_AUTO_TEST_CASE(rows_wait_for_the_table_then_meet_all_of_it) {
  with_seeds("lookup join", [&](std::mt19937_64& random, std::uint64_t) {
    with_cases([&](const lookup_case& x) {
      const auto op = make(x);
      left_rows out;
      changing_input stream([](auto& r) { return stream_row(r); }, x.stream_deletes);
      changing_input table([](auto& r) { return table_row(r); }, x.table_deletes);
      const auto stream_input = 1 - x.table();
      const auto feed_stream = [&](std::size_t rows) {
        feed(*op, rows_item(stream_input, changes_of(stream_types, stream.next(random, rows))), out,
             static_cast<std::uint32_t>(1 + random() % 100));
      };
      for (int i = 0; i < 8; ++i) {
        feed_stream(1 + random() % 20);
        feed(*op, rows_item(x.table(), changes_of(table_types, table.next(random, 12))), out);
      }
      BOOST_TEST(out.batches == 0U);
      feed(*op, end_item(x.table()), out, static_cast<std::uint32_t>(1 + random() % 100));
      BOOST_TEST(lines(out.table) == lines(answer(x, stream.rows(), table.rows())),
                 boost::test_tools::per_element());
      for (int i = 0; i < 8; ++i)
        feed_stream(1 + random() % 30);
      BOOST_TEST(lines(out.table) == lines(answer(x, stream.rows(), table.rows())),
                 boost::test_tools::per_element());
    });
  });
}

BOOST_AUTO_TEST_CASE(time_goes_on_behind_the_rows_that_waited) {
  const lookup_case x;
  const auto op = make(x);
  collector out;
  feed(*op, rows_item(0, batch_of(stream_types, {{1, 2, 3}})), out);
  feed(*op, watermark_item(0, 50), out);
  feed(*op, rows_item(1, batch_of(table_types, {{9, 1}})), out);
  feed(*op, watermark_item(1, min_time), out);
  BOOST_TEST(out.watermarks.empty());
  feed(*op, watermark_item(1, max_time), out);
  BOOST_TEST(out.rows.empty()); // rows may come until the end
  feed(*op, end_item(1), out);
  BOOST_TEST(out.rows.size() == 1U);
  BOOST_REQUIRE(out.watermarks.size() == 1U);
  BOOST_TEST(out.watermarks[0] == 50);
  BOOST_TEST(out.before[0] == min_time);
  feed(*op, end_item(0), out);
  BOOST_TEST(out.watermarks.back() == max_time);
}

// What a row's partition had promised goes with it, so that late rows are told.
BOOST_AUTO_TEST_CASE(rows_keep_what_they_were_late_by) {
  const lookup_case x;
  const auto op = make(x);

  struct last final : output {
    void emit(batch_ptr rows) override {
      seen = std::move(rows);
    }

    void advance(micros) override {}

    void idle() override {}

    batch_ptr seen;
  } out;

  feed(*op, rows_item(0, batch_of(stream_types, {{1, 2, 3}, {1, 5, 6}}, {10, 70})), out);
  feed(*op, rows_item(1, batch_of(table_types, {{9, 1}})), out);
  feed(*op, end_item(1), out);
  BOOST_REQUIRE(out.seen);
  BOOST_REQUIRE(out.seen->watermarks);
  BOOST_TEST(out.seen->watermarks.as<const micros>()[1] == 70);
}

// More partners than a step may meet.
BOOST_AUTO_TEST_CASE(a_row_with_many_partners_is_a_cursor) {
  for (const bool residual : {false, true}) {
    lookup_case x;
    x.pads = true;
    x.residual = residual;
    const auto op = make(x);
    left_rows out;
    std::vector<cells> table;
    for (std::int64_t i = 0; i < 10'000; ++i)
      table.push_back({i, 1});
    for (std::size_t first = 0; first < table.size(); first += 1000) {
      changed_rows some;
      some.rows.assign(table.begin() + static_cast<std::ptrdiff_t>(first),
                       table.begin() + static_cast<std::ptrdiff_t>(first) + 1000);
      some.weights.assign(1000, 1);
      feed(*op, rows_item(1, changes_of(table_types, some)), out);
    }
    feed(*op, end_item(1), out);
    const std::vector<cells> stream{{1, 9'000, 1}, {2, 5, 1}, {1, -1, 2}};
    feed(*op, rows_item(0, batch_of(stream_types, stream)), out, 100);
    BOOST_TEST(out.largest_batch <= 4096U);
    BOOST_TEST(lines(out.table) == lines(answer(x, stream, table)),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(lookup_joins_go_on) {
  with_seeds("lookup joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    with_cases([&](const lookup_case& x) {
      checkpoint_case c;
      c.by_group = true;
      c.optional_state = saved_sequences::state;
      c.name = "lookup_join";
      c.inputs = x.inputs();
      c.routes = {route::hash, route::hash};
      c.route_keys = {x.spec().left_keys, x.spec().right_keys};
      c.make = [&](operator_context context) {
        return std::make_unique<ends_with_watermark>(make_operator(x.spec(), std::move(context)),
                                                     x.table());
      };
      changing_input stream([](auto& r) { return stream_row(r); }, x.stream_deletes);
      changing_input table([](auto& r) { return table_row(r); }, x.table_deletes);
      const auto ends = 10 + random() % 20;
      for (std::size_t i = 0; i < 50; ++i) {
        if (i == ends)
          c.script.push_back({x.table(), nullptr, max_time});
        if (i < ends && random() % 2 == 0)
          c.script.push_back({x.table(), changes_of(table_types, table.next(random, 6)), 0});
        if (random() % 5 == 0)
          c.script.push_back({1 - x.table(), nullptr, static_cast<micros>(i)});
        else
          c.script.push_back(
              {1 - x.table(), changes_of(stream_types, stream.next(random, 1 + random() % 10)), 0});
      }
      c.script.push_back({1 - x.table(), nullptr, max_time});
      check_checkpoints(c, seed);
    });
  });
}

BOOST_AUTO_TEST_SUITE_END()
