/// Window functions over partitions whose rows come and go: against computing every row's frame
/// from the sorted partition, and with checkpoints, failures and rescaling.
#include "actors/dataflow/operators/changelog_over.hpp"

#include "actors/dataflow/operators/saved_sequences.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>

namespace {

using namespace ebb;
using namespace ebb::test;
using kind = over_call::kind;

/// partition, time, other order, value, text
const std::vector<sql_type> types{bigint_type, time_type, bigint_type, bigint_type, text_type};
constexpr micros second = micros_per_second;

// Few values, so that there are peers and equal rows.
cells few_values(std::mt19937_64& random) {
  const auto number = [&](std::uint64_t range) {
    const auto x = random() % range;
    return x == 0 ? cell() : cell(static_cast<std::int64_t>(x));
  };
  auto time = number(9);
  if (time)
    *time *= second;
  return {number(4), time, number(3), number(3), number(3)};
}

cells many_values(std::mt19937_64& random) {
  auto row = few_values(random);
  row[1] = static_cast<micros>(random() % 100'000) * second;
  row[3] = static_cast<std::int64_t>(random() % 1000);
  return row;
}

// Whole numbers at both ends of their type.
cells edge_values(std::mt19937_64& random) {
  auto row = few_values(random);
  const auto near = static_cast<std::int64_t>(random() % 9);
  const auto end = random() % 5;
  row[2] = end == 0 ? cell() : end < 3 ? INT64_MAX - near : INT64_MIN + near;
  return row;
}

int128 wide(std::int64_t x) {
  return x;
}

over_call aggregate_over(std::string_view name, std::vector<std::uint32_t> args, frame_spec frame) {
  over_call call;
  call.call = call_of(name, std::move(args), types);
  call.frame = frame;
  return call;
}

over_call function_over(kind what, std::vector<std::uint32_t> args, frame_spec frame,
                        std::int64_t distance = 1) {
  over_call call;
  call.what = what;
  call.call.type = !args.empty()         ? types[args.front()]
                   : what == kind::ntile ? sql_type{type_kind::integer}
                                         : bigint_type;
  call.call.args = std::move(args);
  call.frame = frame;
  call.distance = distance;
  return call;
}

int compare_by(const std::vector<sort_key>& order, const cells& a, const cells& b) {
  for (const auto& key : order) {
    const auto& x = a[key.column];
    const auto& y = b[key.column];
    if (!x || !y) {
      if (x.has_value() != y.has_value())
        return !x == key.nulls_first ? -1 : 1;
      continue;
    }
    if (*x != *y)
      return (*x < *y) != key.descending ? -1 : 1;
  }
  return 0;
}

struct model {
  const changelog_over_spec& spec;
  const std::vector<cells>& part;

  [[nodiscard]] bool peer(std::size_t a, std::size_t b) const {
    return compare_by(spec.order_by, part[a], part[b]) == 0;
  }

  [[nodiscard]] std::int64_t first_peer(std::int64_t i) const {
    while (i > 0 && peer(static_cast<std::size_t>(i - 1), static_cast<std::size_t>(i)))
      --i;
    return i;
  }

  [[nodiscard]] std::int64_t last_peer(std::int64_t i) const {
    while (i + 1 < size() && peer(static_cast<std::size_t>(i + 1), static_cast<std::size_t>(i)))
      ++i;
    return i;
  }

  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(part.size());
  }

  [[nodiscard]] const cells& at(std::int64_t i) const {
    return part[static_cast<std::size_t>(i)];
  }

  // Of a RANGE by value: whether row k lies within the bounds of row i.
  [[nodiscard]] bool in_range(const frame_spec& frame, std::int64_t i, std::int64_t k) const {
    const auto key = spec.order_by.empty() ? sort_key{} : spec.order_by.front();
    const auto& x = at(i)[key.column];
    const auto& y = at(k)[key.column];
    const bool after_start = [&] {
      if (frame.unbounded)
        return true;
      if (frame.preceding == 0 || !x)
        return k >= first_peer(i);
      if (!y)
        return !key.nulls_first;
      return key.descending ? wide(*y) <= wide(*x) + frame.preceding
                            : wide(*y) >= wide(*x) - frame.preceding;
    }();
    const bool before_end = [&] {
      if (frame.to_last)
        return true;
      if (frame.following == 0 || !x)
        return k <= last_peer(i);
      if (!y)
        return key.nulls_first;
      return key.descending ? wide(*y) >= wide(*x) - frame.following
                            : wide(*y) <= wide(*x) + frame.following;
    }();
    return after_start && before_end;
  }

  [[nodiscard]] std::vector<std::int64_t> frame_of(const frame_spec& frame, std::int64_t i) const {
    std::vector<std::int64_t> rows;
    for (std::int64_t k = 0; k < size(); ++k) {
      const bool in = frame.range ? in_range(frame, i, k)
                                  : (frame.unbounded || k >= i - frame.preceding)
                                        && (frame.to_last || k <= i + frame.following);
      if (in)
        rows.push_back(k);
    }
    return rows;
  }

  [[nodiscard]] cell value(const over_call& call, std::int64_t i) const {
    const auto column = call.call.args.empty() ? 0U : call.call.args[0];
    const auto of = [&](std::int64_t k) {
      if (k >= 0 && k < size())
        return at(k)[column];
      return call.call.args.size() > 1 ? at(i)[call.call.args[1]] : cell();
    };
    switch (call.what) {
    case kind::row_number:
      return i + 1;
    case kind::rank:
      return first_peer(i) + 1;
    case kind::dense_rank: {
      std::int64_t groups = 1;
      for (std::int64_t k = 1; k <= first_peer(i); ++k)
        groups += peer(static_cast<std::size_t>(k - 1), static_cast<std::size_t>(k)) ? 0 : 1;
      return groups;
    }
    case kind::lag:
      return of(i - call.distance);
    case kind::lead:
      return of(i + call.distance);
    case kind::ntile: {
      // Deal the rows out one tile after the other.
      std::int64_t row = 0;
      for (std::int64_t tile = 1; tile <= call.distance; ++tile) {
        row += size() / call.distance + (tile <= size() % call.distance ? 1 : 0);
        if (i < row)
          return tile;
      }
      return cell();
    }
    default:
      break;
    }
    const auto frame = frame_of(call.frame, i);
    const auto nth = [&](std::int64_t n) {
      return n < 0 || n >= static_cast<std::int64_t>(frame.size())
                 ? cell()
                 : at(frame[static_cast<std::size_t>(n)])[column];
    };
    if (call.what == kind::first_value)
      return nth(0);
    if (call.what == kind::last_value)
      return nth(static_cast<std::int64_t>(frame.size()) - 1);
    if (call.what == kind::nth_value)
      return nth(call.distance - 1);
    std::int64_t count = 0;
    cell total;
    for (const auto k : frame) {
      const auto& x = call.call.args.empty() ? cell(1) : at(k)[column];
      if (!x)
        continue;
      ++count;
      total = !total ? *x : call.call.function->name == "sum" ? *total + *x : std::max(*total, *x);
    }
    return call.call.function->name == "count" ? cell(count) : total;
  }
};

row_counts answer(const changelog_over_spec& spec, const std::vector<cells>& rows) {
  std::map<cell, std::vector<cells>> partitions;
  for (const auto& row : rows)
    partitions[spec.partition.empty() ? cell() : row[0]].push_back(row);
  auto columns = output_types_of(spec, {types});
  for (auto& type : columns)
    if (type.kind == type_kind::numeric) // a sum of whole numbers is written as one
      type = bigint_type;
  row_counts shown;
  for (auto& [key, all] : partitions) {
    std::sort(all.begin(), all.end(), [&](const cells& a, const cells& b) {
      if (const int x = compare_by(spec.order_by, a, b); x != 0)
        return x < 0;
      std::vector<sort_key> rest;
      for (std::uint32_t k = 0; k < types.size(); ++k)
        rest.push_back({k, false, false});
      return compare_by(rest, a, b) < 0;
    });
    const model of{spec, all};
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto row = all[i];
      for (const auto& call : spec.calls)
        row.push_back(of.value(call, static_cast<std::int64_t>(i)));
      ++shown[row_text(*batch_of(columns, {row}), 0)];
    }
  }
  return shown;
}

std::vector<changelog_over_spec> all_specs(bool updating) {
  const frame_spec until_now{true, true, 0};
  const frame_spec whole{true, true, 0, true, 0};
  const frame_spec around{false, false, 2, false, 1};
  std::vector<over_call> calls{
      function_over(kind::lag, {3}, until_now),
      function_over(kind::lag, {3, 0}, until_now, 2),
      function_over(kind::lead, {4}, until_now, 3),
      function_over(kind::first_value, {3}, until_now),
      function_over(kind::first_value, {3}, {false, false, 2, false, -1}),
      function_over(kind::last_value, {4}, until_now),
      function_over(kind::last_value, {4}, whole),
      function_over(kind::last_value, {3}, {false, false, -1, false, 2}),
      function_over(kind::nth_value, {4}, whole, 2),
      function_over(kind::nth_value, {3}, around, 3),
      function_over(kind::row_number, {}, until_now),
      function_over(kind::rank, {}, until_now),
      function_over(kind::dense_rank, {}, until_now),
      function_over(kind::ntile, {}, until_now, 4),
      aggregate_over("sum", {3}, until_now),
      aggregate_over("sum", {3}, whole),
      aggregate_over("max", {3}, around),
      aggregate_over("count", {}, {false, true, 0}),
      aggregate_over("sum", {3}, {false, true, 0, false, 2}),
      aggregate_over("sum", {3}, {false, true, 0, false, -2}),
      aggregate_over("sum", {3}, {false, false, 10, false, 0}),
      aggregate_over("count", {3}, {false, false, -3, false, 5}),
      aggregate_over("sum", {3}, {false, false, 1, true, 0}),
      aggregate_over("max", {3}, {false, false, -1, true, 0}),
      aggregate_over("sum", {3}, {true, false, 0, false, 0}),
      aggregate_over("sum", {3}, {true, false, 0, true, 0}),
  };
  const std::vector<over_call> by_value{
      aggregate_over("sum", {3}, {true, false, 3 * second, false, 0}),
      aggregate_over("count", {}, {true, false, 1 * second, false, 2 * second}),
      aggregate_over("sum", {3}, {true, true, 0, false, -2 * second}),
      aggregate_over("max", {3}, {true, false, -1 * second, true, 0}),
      function_over(kind::first_value, {3}, {true, false, -1 * second, false, 4 * second}),
  };
  const std::vector<sort_key> by_time{{1, false, false}};
  const std::vector<sort_key> by_time_down{{1, true, true}};
  const std::vector<sort_key> by_two{{2, true, false}, {3, false, true}};
  std::vector<changelog_over_spec> specs;
  const auto add = [&](std::vector<sort_key> order, std::vector<over_call> some, bool partitioned) {
    changelog_over_spec spec;
    if (partitioned)
      spec.partition = {0};
    spec.order_by = std::move(order);
    spec.calls = std::move(some);
    spec.updating = updating;
    specs.push_back(std::move(spec));
  };
  add(by_time, calls, true);
  add(by_time_down, by_value, true);
  add(by_time, by_value, false);
  add({{1, false, true}}, by_value, false);
  add(by_two, calls, false);
  add({}, calls, true);
  // What is looked at depends on which calls ask for it.
  for (std::size_t i = 0; i < calls.size(); ++i)
    add(i % 2 == 0 ? by_time : by_two, {calls[i]}, i % 3 != 0);
  return specs;
}

} // namespace

BOOST_AUTO_TEST_SUITE(changelog_overs)

BOOST_AUTO_TEST_CASE(results_are_those_of_the_rows_that_are_left) {
  with_seeds("changelog over", [&](std::mt19937_64& random, std::uint64_t) {
    for (const bool updating : {true, false}) {
      const auto specs = all_specs(updating);
      for (std::size_t number = 0; number < specs.size(); ++number) {
        const auto& spec = specs[number];
        const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
        change_collector out;
        changing_input input(number % 2 == 0 ? few_values : many_values, updating ? 46 : 0);
        BOOST_TEST_CONTEXT("case " << number << (updating ? " updating" : " append"))
        for (int i = 0; i < 16; ++i) {
          feed(*op, rows_item(0, changes_of(types, input.next(random, 1 + random() % 20))), out,
               static_cast<std::uint32_t>(1 + random() % 50));
          if (i % 4 == 3)
            BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
                       boost::test_tools::per_element());
        }
      }
    }
  });
}

// A bound beyond all numbers does not come round at the other end.
BOOST_AUTO_TEST_CASE(a_range_at_the_ends_of_whole_numbers) {
  with_seeds("changelog over", [&](std::mt19937_64& random, std::uint64_t) {
    for (const bool descending : {false, true})
      for (const bool nulls_first : {false, true}) {
        changelog_over_spec spec;
        spec.order_by = {{2, descending, nulls_first}};
        spec.updating = true;
        spec.calls = {
            aggregate_over("count", {}, {true, false, 5, false, 5}),
            aggregate_over("count", {}, {true, false, -5, false, 7}),
            aggregate_over("count", {}, {true, false, 7, false, -5}),
            aggregate_over("count", {}, {true, true, 0, false, -4}),
            aggregate_over("count", {}, {true, false, -4, true, 0}),
            function_over(kind::first_value, {2}, {true, false, -3, false, INT64_MAX}),
            function_over(kind::last_value, {2}, {true, false, INT64_MAX, false, -3}),
        };
        const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
        change_collector out;
        changing_input input(edge_values, 40);
        for (int i = 0; i < 8; ++i)
          feed(*op, rows_item(0, changes_of(types, input.next(random, 1 + random() % 20))), out);
        BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
                   boost::test_tools::per_element());
      }
  });
}

BOOST_AUTO_TEST_CASE(a_partition_of_many_rows) {
  std::mt19937_64 random(7);
  changelog_over_spec spec;
  spec.order_by = {{1, false, false}};
  spec.calls = {aggregate_over("sum", {3}, {false, false, 3, false, 2}),
                function_over(kind::lead, {3}, {true, true, 0})};
  spec.updating = true;
  const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
  change_collector out;
  changing_input input(many_values, 40);
  for (int i = 0; i < 20; ++i) {
    feed(*op, rows_item(0, changes_of(types, input.next(random, 700))), out);
    // A change is felt by a few rows.
    BOOST_TEST(out.largest_batch <= 700U * 12);
  }
  BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
             boost::test_tools::per_element());
}

// One row more changes them all; they leave a few thousand at a time, each with its deletion.
BOOST_AUTO_TEST_CASE(many_changes_leave_in_batches) {
  changelog_over_spec spec;
  spec.calls = {aggregate_over("count", {}, {true, true, 0, true, 0})};
  const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
  changed_rows rows;
  for (std::int64_t i = 0; i < 20'000; ++i)
    rows.rows.push_back({1, i, i, i, i});
  rows.weights.assign(rows.rows.size(), 1);
  change_collector out;
  feed(*op, rows_item(0, changes_of(types, rows)), out);
  const auto before = out.batches;
  out.largest_batch = 0;
  feed(*op, rows_item(0, changes_of(types, {{{1, -1, 1, 1, 1}}, {1}})), out, 64);
  BOOST_TEST(out.batches - before == 10U);
  BOOST_TEST(out.largest_batch <= 4096U);
  BOOST_TEST(out.table.size() == 20'001U);
  BOOST_TEST(op->counters().rows_in == 20'001U);
  BOOST_TEST(op->counters().rows_out == 20'000U + 40'001U);
}

BOOST_AUTO_TEST_CASE(a_deletion_of_nothing_is_an_error) {
  changelog_over_spec spec;
  spec.partition = {0};
  spec.calls = {aggregate_over("count", {}, {true, true, 0, true, 0})};
  spec.updating = true;
  const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
  change_collector out;
  feed(*op, rows_item(0, changes_of(types, {{{7, 1, 2, 3, 4}}, {1}})), out);
  // There is one such row, not two.
  auto item = rows_item(0, changes_of(types, {{{7, 1, 2, 3, 4}}, {-2}}));
  step_budget budget;
  const auto done = op->step(&item, budget, out);
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message == "a row is deleted that is not there: its partition is (7)");
  BOOST_TEST(done.error().place.field == "operator over");
}

BOOST_AUTO_TEST_CASE(state_does_not_grow_with_what_went) {
  changelog_over_spec spec;
  spec.partition = {0};
  spec.order_by = {{1, false, false}};
  spec.calls = {function_over(kind::lag, {3}, {true, true, 0})};
  spec.updating = true;
  const auto op = make_operator(spec, {"over", {types}, 16, 0, 1});
  change_collector out;
  std::size_t first = 0;
  change_mark mark = 0;
  for (std::int64_t round = 0; round < 120; ++round) {
    changed_rows rows;
    for (std::int64_t k = 0; k < 1000; ++k) {
      if (round != 0) {
        rows.rows.push_back({k, round - 1, 3, 4, 5});
        rows.weights.push_back(-1);
      }
      rows.rows.push_back({k, round, 3, 4, 5});
      rows.weights.push_back(1);
    }
    feed(*op, rows_item(0, changes_of(types, rows)), out);
    mark = save_away(*op, mark);
    if (round == 40)
      first = op->counters().state_bytes;
  }
  BOOST_TEST(op->counters().state_bytes <= first * 3 / 2);
  BOOST_TEST(out.table.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(changelog_overs_go_on) {
  with_seeds("changelog overs", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const bool updating : {true, false})
      for (const auto& spec : all_specs(updating)) {
        checkpoint_case c;
        c.by_group = true;
        c.optional_state = saved_sequences::state;
        c.name = "changelog_over";
        c.inputs = {types};
        c.routes = {route::hash};
        c.route_keys = {spec.partition};
        c.make = [&](operator_context context) { return make_operator(spec, std::move(context)); };
        c.script = changing_script(c.inputs, {changing_input(few_values, updating ? 46 : 0)},
                                   random, 40, 12);
        check_checkpoints(c, seed);
      }
  });
}

BOOST_AUTO_TEST_SUITE_END()
