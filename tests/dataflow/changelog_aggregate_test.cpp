/// GROUP BY without a window: against an operator that sees only the rows that are left, and with
/// checkpoints, failures and rescaling.
#include "actors/dataflow/operators/group_aggregate.hpp"

#include "actors/dataflow/exchange.hpp"
#include "actors/dataflow/opening_rows.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <limits>
#include <numeric>

namespace {

using namespace ebb;
using namespace ebb::test;

const sql_type boolean_type{type_kind::boolean};

/// key, value, text, NUMERIC, DOUBLE, filter, filter
const std::vector<sql_type> types{bigint_type, bigint_type,  text_type,   numeric_type,
                                  double_type, boolean_type, boolean_type};

cells random_row(std::mt19937_64& random, std::uint64_t keys, std::uint64_t values) {
  const auto number = [&](std::uint64_t below) {
    const auto x = random() % (below + 1);
    return x == below ? cell() : cell(static_cast<std::int64_t>(x));
  };
  return {number(keys),
          number(values),
          number(values),
          number(values),
          number(values),
          number(2),
          cell(static_cast<std::int64_t>(random() % 2))};
}

aggregate_call with_filter(aggregate_call call, std::int32_t filter) {
  call.filter = filter;
  return call;
}

aggregate_call distinct(aggregate_call call) {
  call.distinct = true;
  return call;
}

aggregate_call ordered(aggregate_call call, sort_key key) {
  call.order_by = {key};
  return call;
}

std::vector<aggregate_call> sums() {
  return {call_of("count", {}, types),     with_filter(call_of("count", {1}, types), 5),
          call_of("sum", {1}, types),      call_of("avg", {3}, types),
          call_of("sum", {4}, types),      call_of("avg", {4}, types),
          call_of("bool_and", {5}, types), call_of("bool_or", {5}, types)};
}

std::vector<aggregate_call> sets() {
  return {distinct(call_of("count", {1}, types)),
          with_filter(distinct(call_of("count", {1}, types)), 5),
          with_filter(distinct(call_of("count", {1}, types)), 6),
          distinct(call_of("count", {2}, types)),
          with_filter(distinct(call_of("sum", {1}, types)), 6),
          distinct(call_of("sum", {4}, types)),
          distinct(call_of("avg", {3}, types))};
}

std::vector<aggregate_call> multisets() {
  return {call_of("min", {1}, types),
          call_of("max", {2}, types),
          with_filter(call_of("max", {4}, types), 5),
          call_of("bit_or", {1}, types),
          call_of("bit_xor", {1}, types),
          ordered(call_of("array_agg", {1}, types), {1, true, true}),
          distinct(ordered(call_of("string_agg", {2, 2}, types), {2, false, false}))};
}

std::vector<aggregate_call> all_calls() {
  auto all = sums();
  for (auto&& more : {sets(), multisets()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::unique_ptr<stream_operator> make(const group_aggregate_spec& spec) {
  return make_operator(spec, {"totals", {types}, 16, 0, 1});
}

/// What a query over just these rows gives.
row_counts answer(group_aggregate_spec spec, const std::vector<cells>& rows) {
  spec.updating = false;
  const auto op = make(spec);
  change_collector out;
  for (const auto& row : rows)
    feed(*op, rows_item(0, batch_of(types, {row})), out);
  feed(*op, end_item(0), out);
  return out.table;
}

void check_answers(const group_aggregate_spec& spec, unsigned deletes, std::uint64_t keys,
                   std::uint64_t values, std::mt19937_64& random) {
  const auto op = make(spec);
  change_collector out;
  changing_input input([&](auto& r) { return random_row(r, keys, values); }, deletes);
  for (int i = 0; i < 40; ++i) {
    feed(*op, rows_item(0, changes_of(types, input.next(random, 1 + random() % 60))), out);
    if (i % 8 == 7)
      BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
                 boost::test_tools::per_element());
  }
}

group_aggregate_spec grouped(std::vector<aggregate_call> calls, bool updating) {
  return {{0}, std::move(calls), updating};
}

} // namespace

BOOST_AUTO_TEST_SUITE(changelog_aggregates)

BOOST_AUTO_TEST_CASE(results_are_those_of_the_rows_that_are_left) {
  with_seeds("group aggregate", [&](std::mt19937_64& random, std::uint64_t) {
    for (const auto& calls : {sums(), sets(), multisets(), all_calls(), {}})
      for (const unsigned deletes : {0U, 30U, 48U})
        BOOST_TEST_CONTEXT("deletes " << deletes << " calls " << calls.size()) {
          check_answers(grouped(calls, true), deletes, 5, 8, random);
          check_answers({{}, calls, true}, deletes, 5, 8, random);
          check_answers({{2, 3}, calls, true}, deletes, 5, 3, random);
        }
  });
}

BOOST_AUTO_TEST_CASE(results_over_rows_that_stay_need_no_multisets) {
  with_seeds("append group aggregate", [&](std::mt19937_64& random, std::uint64_t) {
    for (const auto& calls : {all_calls(), {}})
      check_answers(grouped(calls, false), 0, 5, 8, random);
  });
}

/// Passes an operator's batches on to the next one.
struct into_next final : output {
  into_next(stream_operator& next, output& out) : next_(next), out_(out) {}

  void emit(batch_ptr rows) override {
    groups += rows->rows;
    feed(next_, rows_item(0, std::move(rows)), out_);
  }

  void advance(micros) override {}

  void idle() override {}

  std::size_t groups = 0;

private:
  stream_operator& next_;
  output& out_;
};

// Batches of few groups, and of so many that rows go on as they are.
BOOST_AUTO_TEST_CASE(two_phases_give_what_one_does) {
  auto calls = sums();
  for (const char* name : {"min", "max", "bit_or"})
    calls.push_back(with_filter(call_of(name, {1}, types), 6));
  with_seeds("group aggregate in two phases", [&](std::mt19937_64& random, std::uint64_t) {
    for (const std::uint64_t keys : {3U, 100'000U})
      for (const auto& key : std::vector<std::vector<std::uint32_t>>{{0}, {2, 0}, {}}) {
        group_aggregate_spec spec{key, calls, false};
        spec.phase = group_phase::partial;
        const auto partial = make(spec);
        spec.phase = group_phase::final;
        std::iota(spec.keys.begin(), spec.keys.end(), 0U);
        const auto states = output_types_of(
            group_aggregate_spec{key, calls, false, {}, group_phase::partial}, {types});
        const auto final = make_operator(spec, {"totals", {states}, 16, 0, 1});
        change_collector out;
        into_next between(*final, out);
        changing_input input([&](auto& r) { return random_row(r, keys, 8); }, 0);
        std::size_t rows = 0;
        for (int i = 0; i < 40; ++i) {
          const auto more = input.next(random, 1 + random() % 60);
          rows += more.rows.size();
          feed(*partial, rows_item(0, changes_of(types, more)), between);
        }
        BOOST_TEST(lines(out.table) == lines(answer({key, calls, false}, input.rows())),
                   boost::test_tools::per_element());
        BOOST_TEST((keys == 3 || key.empty() ? between.groups < rows : between.groups <= rows));
      }
  });
}

BOOST_AUTO_TEST_CASE(without_keys_there_is_a_row_of_nothing) {
  const auto check = [](const change_collector& out, const char* row, std::size_t batches) {
    BOOST_TEST(lines(out.table) == lines(row_counts{{row, 1}}), boost::test_tools::per_element());
    BOOST_TEST(out.batches == batches);
  };
  std::mt19937_64 random(1);
  auto row = random_row(random, 4, 4);
  row[1] = 3;
  for (const bool updating : {false, true}) {
    BOOST_TEST_CONTEXT("updating " << updating) {
      const auto op = make({{},
                            {call_of("count", {}, types), call_of("sum", {1}, types),
                             call_of("min", {1}, types), distinct(call_of("count", {1}, types)),
                             ordered(call_of("array_agg", {1}, types), {1, true, true})},
                            updating});
      change_collector out;
      feed(*op, watermark_item(0, min_time), out);
      check(out, "0 | NULL | NULL | 0 | NULL", 1);
      feed(*op, watermark_item(0, 5), out);
      check(out, "0 | NULL | NULL | 0 | NULL", 1);
      feed(*op, rows_item(0, changes_of(types, {{row}, {1}})), out);
      check(out, "1 | 3 | 3 | 1 | {3}", 2);
      if (updating) {
        feed(*op, rows_item(0, changes_of(types, {{row}, {-1}})), out);
        check(out, "0 | NULL | NULL | 0 | NULL", 3);
      }
      const auto batches = out.batches;
      feed(*op, end_item(0), out);
      BOOST_TEST(out.batches == batches);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_row_of_nothing_is_emitted_by_one_instance_and_once) {
  constexpr std::uint16_t groups = 16;
  for (const bool updating : {false, true})
    for (const auto& calls : {all_calls(), sums(), sets(), multisets()})
      for (const std::uint32_t parallelism : {1U, 2U, 3U, 5U, 16U})
        BOOST_TEST_CONTEXT("updating " << updating << " parallelism " << parallelism) {
          const auto instance = [&](std::uint32_t i, std::uint32_t of) {
            return make_operator(group_aggregate_spec{{}, calls, updating},
                                 {"totals", {types}, groups, i, of});
          };
          const auto opens = [](const stream_operator& op) {
            return dynamic_cast<const opening_rows&>(op).opens();
          };
          change_collector out;
          change_list saved;
          for (std::uint32_t i = 0; i < parallelism; ++i) {
            const auto op = instance(i, parallelism);
            const auto before = out.batches;
            feed(*op, watermark_item(0, min_time), out);
            BOOST_TEST((out.batches - before == 1) == opens(*op));
            op->mark();
            for (std::uint16_t group = 0; group < groups; ++group)
              if (target_of_group(group, parallelism, groups) == i) {
                saved.select_group(group);
                op->save(group, 0, saved);
              }
          }
          BOOST_TEST(out.batches == 1U);
          // It belongs to the state, at any parallelism.
          BOOST_REQUIRE(saved.changes.size() == 1U);
          const auto& [group, state, key] = saved.changes[0].at;
          for (const std::uint32_t later : {1U, 2U, 7U})
            for (std::uint32_t i = 0; i < later; ++i) {
              const auto op = instance(i, later);
              const bool owner = target_of_group(group, later, groups) == i;
              BOOST_TEST(opens(*op) == owner);
              if (owner)
                BOOST_REQUIRE(op->load(group, state, key, saved.changes[0].value));
              op->all_loaded();
              feed(*op, watermark_item(0, min_time), out);
            }
          BOOST_TEST(out.batches == 1U);
        }
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_can_be_taken_back) {
  const std::vector<sql_type> columns{bigint_type, double_type};
  const auto row = [&](double value, std::int32_t weight) {
    auto rows = std::make_shared<batch>(*changes_of(columns, {{{1, 0}}, {weight}}));
    rows->columns[1].mutable_data<double>()[0] = value;
    return rows_item(0, rows);
  };
  const auto op = make_operator(
      group_aggregate_spec{{0},
                           {call_of("sum", {1}, columns), call_of("avg", {1}, columns),
                            call_of("var_pop", {1}, columns)},
                           true},
      {"totals", {columns}, 16, 0, 1});
  change_collector out;
  const auto infinity = std::numeric_limits<double>::infinity();
  feed(*op, row(0.5, 1), out);
  feed(*op, row(infinity, 1), out);
  BOOST_TEST(lines(out.table) == lines(row_counts{{"1 | Infinity | Infinity | NaN", 1}}),
             boost::test_tools::per_element());
  feed(*op, row(-infinity, 1), out);
  BOOST_TEST(lines(out.table) == lines(row_counts{{"1 | NaN | NaN | NaN", 1}}),
             boost::test_tools::per_element());
  feed(*op, row(infinity, -1), out);
  feed(*op, row(-infinity, -1), out);
  feed(*op, row(1e10, 1), out);
  feed(*op, row(1e10, -1), out);
  BOOST_TEST(lines(out.table) == lines(row_counts{{"1 | 0.5 | 0.5 | 0", 1}}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_deletion_of_nothing_is_an_error) {
  for (auto calls : {std::vector<aggregate_call>{}, sets(), multisets()}) {
    const auto op = make(grouped(std::move(calls), true));
    change_collector out;
    auto item = rows_item(0, changes_of(types, {{{7, 1, 1, 1, 1, 1, 1}}, {-1}}));
    step_budget budget;
    const auto done = op->step(&item, budget, out);
    BOOST_REQUIRE(!done);
    BOOST_TEST(done.error().message
               == "a row is deleted that is not there: its key is (7)");
    BOOST_TEST(done.error().place.field == "operator totals");
  }
}

BOOST_AUTO_TEST_CASE(state_goes_with_its_rows) {
  std::mt19937_64 random(3);
  const auto op = make(grouped(all_calls(), true));
  change_collector out;
  std::size_t first = 0;
  for (std::int64_t round = 0; round < 60; ++round) {
    changed_rows rows;
    for (std::int64_t k = 0; k < 500; ++k) {
      auto row = random_row(random, 5, 1000);
      row[0] = round * 500 + k;
      rows.rows.push_back(row);
      rows.weights.push_back(1);
    }
    feed(*op, rows_item(0, changes_of(types, rows)), out);
    rows.weights.assign(rows.rows.size(), -1);
    feed(*op, rows_item(0, changes_of(types, rows)), out);
    BOOST_TEST(out.table.empty());
    if (round == 20)
      first = op->counters().state_bytes;
  }
  BOOST_TEST(op->counters().state_bytes <= first * 3 / 2);
}

BOOST_AUTO_TEST_CASE(group_aggregates_go_on) {
  with_seeds("group aggregates", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const unsigned deletes : {0U, 45U})
      for (const auto& calls : {all_calls(), sums(), {}}) // without sets, groups are loaded late
        for (const std::vector<std::uint32_t>& keys :
             {std::vector<std::uint32_t>{0}, std::vector<std::uint32_t>{},
              std::vector<std::uint32_t>{2, 3}}) {
          const group_aggregate_spec spec{keys, calls, deletes != 0};
          checkpoint_case x;
          x.by_group = true;
          x.name = "group_aggregate";
          x.inputs = {types};
          x.routes = {route::hash};
          x.route_keys = {keys};
          x.make = [spec](operator_context context) {
            return make_operator(spec, std::move(context));
          };
          x.script = changing_script(
              x.inputs, {changing_input([](auto& r) { return random_row(r, 12, 9); }, deletes)},
              random, 120, 24);
          BOOST_TEST_CONTEXT("deletes " << deletes << " calls " << calls.size() << " keys "
                                        << keys.size())
          check_checkpoints(x, seed);
        }
  });
}

BOOST_AUTO_TEST_SUITE_END()
