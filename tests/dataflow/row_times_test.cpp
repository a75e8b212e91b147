/// Rows that live for a while, and rows that are made of elements.
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"

namespace {

using namespace ebb;
using namespace ebb::test;

/// key, begins, ends
const std::vector<sql_type> types{bigint_type, time_type, time_type};

stream_item tick_item(micros time) {
  stream_item item;
  item.kind = item_kind::tick;
  item.time = time;
  return item;
}

live_rows_spec lives(bool from, bool until, bool updating) {
  live_rows_spec x;
  if (from)
    x.from = {{1, -2}};
  if (until)
    x.until = {{2, 3}, {1, 40}};
  x.keys = {0};
  x.updating = updating;
  return x;
}

std::unique_ptr<stream_operator> make(const live_rows_spec& x) {
  return make_operator(x, {"live", {types}, 16, 0, 1});
}

row_counts showing(const live_rows_spec& x, const std::vector<cells>& rows, micros now) {
  std::vector<cells> shown;
  for (const auto& row : rows) {
    bool shows = true;
    for (const auto& bound : x.from)
      shows = shows && row[bound.column] && *row[bound.column] + bound.shift <= now;
    for (const auto& bound : x.until)
      shows = shows && row[bound.column] && now < *row[bound.column] + bound.shift;
    if (shows)
      shown.push_back(row);
  }
  row_counts counts;
  if (shown.empty())
    return counts;
  const auto made = batch_of(types, shown);
  for (std::uint32_t i = 0; i < made->rows; ++i)
    ++counts[row_text(*made, i)];
  return counts;
}

} // namespace

BOOST_AUTO_TEST_SUITE(row_times)

// At random places the operator is saved, dropped, and goes on from what was saved.
BOOST_AUTO_TEST_CASE(rows_come_and_go_with_time) {
  with_seeds("live rows", [&](std::mt19937_64& random, std::uint64_t) {
    for (const auto& [from, until] : {std::pair(false, true), {true, false}, {true, true}})
      for (const bool updating : {false, true})
        BOOST_TEST_CONTEXT("from " << from << " until " << until << " updating " << updating) {
          const auto spec = lives(from, until, updating);
          auto op = make(spec);
          kept_state kept;
          change_mark mark = 0;
          change_collector out;
          micros now = 100;
          const auto row = [&now](std::mt19937_64& r) {
            const auto near = [&](int ahead) {
              return r() % 12 == 0 ? cell()
                                   : cell(now - 20 + static_cast<micros>(r() % 40) + ahead);
            };
            return cells{cell(static_cast<std::int64_t>(r() % 5)), near(0), near(10)};
          };
          changing_input input(row, updating ? 40 : 0);
          feed(*op, tick_item(now), out);
          for (int i = 0; i < 120; ++i) {
            const auto budget = static_cast<std::uint32_t>(1 + random() % 30);
            if (random() % 3 == 0) {
              const auto due = op->next_tick();
              now += static_cast<micros>(random() % 15);
              // It says no later than when something is to be done.
              if (lines(showing(spec, input.rows(), now)) != lines(out.table))
                BOOST_TEST(due <= now);
              feed(*op, tick_item(now), out, budget);
            } else {
              feed(*op, rows_item(0, changes_of(types, input.next(random, 1 + random() % 12))), out,
                   budget);
            }
            BOOST_TEST(lines(out.table) == lines(showing(spec, input.rows(), now)),
                       boost::test_tools::per_element());
            if (random() % 6 != 0)
              continue;
            const auto since = mark;
            mark = op->mark();
            op->begin_save(since);
            change_list changes;
            while (op->save_slice(3, changes)) {
            }
            kept.apply({changes.changes});
            if (random() % 2 != 0)
              continue;
            op = make(spec);
            for (const auto& [at, value] : kept.all()) {
              const auto loaded =
                  op->load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value);
              BOOST_REQUIRE(static_cast<bool>(loaded));
            }
            mark = op->mark();
            feed(*op, tick_item(now), out, budget);
          }
        }
  });
}

BOOST_AUTO_TEST_CASE(live_rows_are_saved_a_slice_at_a_time) {
  const auto spec = lives(true, true, true);
  const auto op = make(spec);
  change_collector out;
  feed(*op, tick_item(0), out);
  changed_rows rows;
  for (std::int64_t i = 0; i < 3000; ++i)
    rows.rows.push_back({i, i % 2 == 0 ? 1 : 30, 50});
  rows.weights.assign(rows.rows.size(), 1);
  feed(*op, rows_item(0, changes_of(types, rows)), out);
  static_cast<void>(op->mark());
  op->begin_save(0);
  // Rows that begin and end while it is written do not change what is written.
  change_list saved;
  std::size_t slices = 0;
  for (micros now = 1; op->save_slice(100, saved); ++now, ++slices)
    feed(*op, tick_item(now * 3), out);
  BOOST_TEST(slices > 2U);
  feed(*op, tick_item(1000), out);
  BOOST_TEST(out.table.empty());
  const auto other = make(spec);
  for (const auto& x : saved.changes)
    BOOST_REQUIRE(static_cast<bool>(
        other->load(std::get<0>(x.at), std::get<1>(x.at), std::get<2>(x.at), x.value)));
  change_collector again;
  again.table = showing(spec, rows.rows, 0);
  feed(*other, tick_item(30), again);
  BOOST_TEST(lines(again.table) == lines(showing(spec, rows.rows, 30)),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_shows_for_ever_is_not_kept) {
  const auto op = make(lives(true, false, false));
  change_collector out;
  feed(*op, tick_item(100), out);
  changed_rows rows;
  for (std::int64_t i = 0; i < 5000; ++i)
    rows.rows.push_back({i, 50, 50});
  rows.weights.assign(rows.rows.size(), 1);
  const auto empty = op->counters().state_bytes;
  feed(*op, rows_item(0, changes_of(types, rows)), out);
  BOOST_TEST(out.table.size() == rows.rows.size());
  BOOST_TEST(op->counters().state_bytes == empty);
  BOOST_TEST(op->next_tick() == max_time);
}

namespace {

/// id, elements
const std::vector<sql_type> array_row{bigint_type, array_type};

expr_ptr column_ref(std::uint32_t k, const std::vector<sql_type>& of) {
  return make_column_ref(k, of[k]);
}

std::unique_ptr<stream_operator> make(const expand_rows_spec& x, const std::vector<sql_type>& of) {
  return make_operator(x, {"expanded", {of}, 16, 0, 1});
}

std::vector<std::string> texts(stream_operator& op, const batch_ptr& rows, std::uint32_t budget) {
  struct all final : output {
    void emit(batch_ptr x) override {
      BOOST_TEST(x->rows <= 4096U);
      const auto* weights = x->weights ? x->weights.as<const std::int32_t>() : nullptr;
      for (std::uint32_t i = 0; i < x->rows; ++i)
        lines.push_back((weights != nullptr && weights[i] < 0 ? "- " : "+ ") + row_text(*x, i));
    }

    void advance(micros) override {}

    void idle() override {}

    std::vector<std::string> lines;
  } out;

  feed(op, rows_item(0, rows), out, budget);
  return out.lines;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_series_counts_and_stops) {
  const std::vector<sql_type> three{bigint_type, bigint_type, bigint_type};
  expand_rows_spec spec;
  spec.series = true;
  spec.args = {column_ref(0, three), column_ref(1, three), column_ref(2, three)};
  spec.ordinality = true;
  const auto run = [&](const cells& row, std::uint32_t budget = 4096) {
    const auto op = make(spec, three);
    return texts(*op, batch_of(three, {row}), budget);
  };
  BOOST_TEST(run({1, 3, 1}).size() == 3U);
  BOOST_TEST(run({1, 3, 1}).back() == "+ 1 | 3 | 1 | 3 | 3");
  BOOST_TEST(run({3, 1, -2}).size() == 2U);
  BOOST_TEST(run({3, 1, 1}).empty());
  BOOST_TEST(run({std::nullopt, 1, 1}).empty());
  BOOST_TEST(run({1, 10'000, 1}, 7).size() == 10'000U);
  BOOST_TEST(run({INT64_MAX - 1, INT64_MAX, 1}).size() == 2U);
  BOOST_TEST(run({INT64_MIN, INT64_MIN, -1}).size() == 1U);
  spec.keeps_empty = true;
  BOOST_TEST(run({3, 1, 1}).size() == 1U);
  const auto op = make(spec, three);
  auto item = rows_item(0, batch_of(three, {{1, 2, 1}, {1, 2, 0}}));
  step_budget budget;
  change_collector out;
  auto stepped = op->step(&item, budget, out);
  BOOST_REQUIRE(!stepped);
  BOOST_TEST(stepped.error().message == "step size cannot equal zero");
}

BOOST_AUTO_TEST_CASE(elements_take_their_row_along) {
  expand_rows_spec spec;
  spec.args = {column_ref(1, array_row)};
  std::vector<cells> rows;
  for (std::int64_t i = 0; i < 3000; ++i)
    rows.push_back({i, i % 7 == 0 ? cell() : cell(i)});
  changed_rows changes{rows, std::vector<std::int32_t>(rows.size(), 1)};
  for (std::size_t i = 0; i < 100; ++i)
    changes.weights[i] = -1;
  const auto batch = changes_of(array_row, changes);
  const auto& arrays = batch->columns[1];
  std::size_t elements = 0;
  for (std::uint32_t i = 0; i < batch->rows; ++i)
    if (!arrays.is_null(i))
      elements += arrays.data<std::uint32_t>()[i + 1] - arrays.data<std::uint32_t>()[i];
  const auto few = texts(*make(spec, array_row), batch, 3);
  BOOST_TEST(few.size() == elements);
  BOOST_TEST(few == texts(*make(spec, array_row), batch, 4096), boost::test_tools::per_element());
  spec.keeps_empty = true;
  BOOST_TEST(texts(*make(spec, array_row), batch, 4096).size() >= elements + 3000 / 7);
}

BOOST_AUTO_TEST_SUITE_END()
