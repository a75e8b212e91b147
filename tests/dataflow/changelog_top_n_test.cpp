/// The first rows of partitions whose rows come and go: against sorting what is left, and with
/// checkpoints, failures and rescaling.
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"

namespace {

using namespace ebb;
using namespace ebb::test;

/// partition, value, other value
const std::vector<sql_type> types{bigint_type, bigint_type, bigint_type};

cells random_row(std::mt19937_64& random) {
  const auto key = random() % 6;
  const auto value = random() % 8;
  return {key == 0 ? cell() : cell(static_cast<std::int64_t>(key)),
          value == 0 ? cell() : cell(static_cast<std::int64_t>(value)),
          cell(static_cast<std::int64_t>(random() % 4))};
}

int compare_cells(const cell& a, const cell& b, bool descending, bool nulls_first) {
  if (!a || !b)
    return a.has_value() == b.has_value() ? 0 : (!a == nulls_first ? -1 : 1);
  const int order = *a < *b ? -1 : *a > *b ? 1 : 0;
  return descending ? -order : order;
}

int compare_by(const changelog_top_n_spec& spec, const cells& a, const cells& b) {
  for (const auto& key : spec.order_by)
    if (const int x = compare_cells(a[key.column], b[key.column], key.descending, key.nulls_first);
        x != 0)
      return x;
  return 0;
}

row_counts answer(const changelog_top_n_spec& spec, const std::vector<cells>& rows) {
  std::map<cell, std::vector<cells>> partitions;
  for (const auto& row : rows)
    partitions[spec.partition.empty() ? cell() : row[0]].push_back(row);
  row_counts shown;
  for (auto& [key, all] : partitions) {
    std::sort(all.begin(), all.end(), [&](const cells& a, const cells& b) {
      if (const int x = compare_by(spec, a, b); x != 0)
        return x < 0;
      for (std::size_t k = 0; k < a.size(); ++k)
        if (const int x = compare_cells(a[k], b[k], false, false); x != 0)
          return x < 0;
      return false;
    });
    std::int64_t rank = 0;
    std::int64_t dense = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == 0 || compare_by(spec, all[i - 1], all[i]) != 0) {
        rank = static_cast<std::int64_t>(i) + 1;
        ++dense;
      }
      const auto number = spec.rank == rank_kind::row_number ? static_cast<std::int64_t>(i) + 1
                          : spec.rank == rank_kind::rank     ? rank
                                                             : dense;
      if (static_cast<std::int64_t>(i) < spec.offset || spec.limit <= spec.offset
          || number > spec.limit)
        continue;
      auto row = all[i];
      auto columns = types;
      if (spec.with_rank) {
        row.push_back(number);
        columns.push_back(bigint_type);
      }
      ++shown[row_text(*batch_of(columns, {row}), 0)];
    }
  }
  return shown;
}

template <class Check>
void with_cases(const Check& check) {
  for (const bool updating : {false, true})
    for (const auto rank : {rank_kind::row_number, rank_kind::rank, rank_kind::dense_rank})
      for (const bool with_rank : {false, true})
        for (const auto& [offset, limit] :
             {std::pair<std::int64_t, std::int64_t>{0, 1}, {0, 3}, {2, 5}, {2, 2}, {0, INT64_MAX}})
          for (const int shape : {0, 1, 2}) {
            changelog_top_n_spec spec;
            if (shape != 1)
              spec.partition = {0};
            if (shape != 2)
              spec.order_by = {{1, true, true}};
            else
              spec.order_by = {{2, false, false}, {1, true, false}};
            spec.rank = rank;
            spec.offset = offset;
            spec.limit = limit;
            spec.with_rank = with_rank;
            spec.updating = updating;
            BOOST_TEST_CONTEXT((updating ? "updating" : "append")
                               << " rank " << static_cast<int>(rank) << (with_rank ? " shown" : "")
                               << " offset " << offset << " limit " << limit << " shape " << shape)
            check(spec);
          }
}

} // namespace

BOOST_AUTO_TEST_SUITE(changelog_top_ns)

BOOST_AUTO_TEST_CASE(rows_are_the_first_of_those_that_are_left) {
  with_seeds("changelog top-n", [&](std::mt19937_64& random, std::uint64_t) {
    with_cases([&](const changelog_top_n_spec& spec) {
      const auto op = make_operator(spec, {"best", {types}, 16, 0, 1});
      change_collector out;
      changing_input input(random_row, spec.updating ? 46 : 0);
      for (int i = 0; i < 24; ++i) {
        feed(*op, rows_item(0, changes_of(types, input.next(random, 1 + random() % 40))), out,
             static_cast<std::uint32_t>(1 + random() % 50));
        if (i % 6 == 5)
          BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
                     boost::test_tools::per_element());
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(a_partition_of_many_rows) {
  std::mt19937_64 random(7);
  changelog_top_n_spec spec;
  spec.order_by = {{1, false, false}};
  spec.limit = 3;
  spec.updating = true;
  const auto op = make_operator(spec, {"best", {types}, 16, 0, 1});
  change_collector out;
  changing_input input(
      [](auto& r) {
        return cells{1, static_cast<std::int64_t>(r() % 1'000'000), 1};
      },
      40);
  for (int i = 0; i < 40; ++i)
    feed(*op, rows_item(0, changes_of(types, input.next(random, 1500))), out);
  BOOST_TEST(lines(out.table) == lines(answer(spec, input.rows())),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_deletion_of_nothing_is_an_error) {
  changelog_top_n_spec spec;
  spec.partition = {0};
  spec.updating = true;
  const auto op = make_operator(spec, {"best", {types}, 16, 0, 1});
  change_collector out;
  feed(*op, rows_item(0, changes_of(types, {{{7, 1, 2}}, {1}})), out);
  auto item = rows_item(0, changes_of(types, {{{7, 1, 1}}, {-1}}));
  step_budget budget;
  const auto done = op->step(&item, budget, out);
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message == "a row is deleted that is not there: its partition is (7)");
  BOOST_TEST(done.error().place.field == "operator best");
}

// Rows that lose their place go, too.
BOOST_AUTO_TEST_CASE(state_does_not_grow_with_what_went) {
  for (const std::int64_t limit : {1, 10}) {
    changelog_top_n_spec spec;
    spec.partition = {0};
    spec.order_by = {{1, true, false}};
    spec.limit = limit;
    const auto op = make_operator(spec, {"best", {types}, 16, 0, 1});
    change_collector out;
    std::size_t first = 0;
    for (std::int64_t round = 0; round < 200; ++round) {
      changed_rows rows;
      for (std::int64_t k = 0; k < 1000; ++k)
        rows.rows.push_back({k, round, 3});
      rows.weights.assign(rows.rows.size(), 1);
      feed(*op, rows_item(0, changes_of(types, rows)), out);
      op->mark();
      if (round == 60)
        first = op->counters().state_bytes;
    }
    BOOST_TEST(op->counters().state_bytes <= first * 3 / 2);
    BOOST_TEST(out.table.size() == static_cast<std::size_t>(1000 * limit));
  }
}

BOOST_AUTO_TEST_CASE(changelog_top_ns_go_on) {
  with_seeds("changelog top-ns", [&](std::mt19937_64& random, std::uint64_t seed) {
    with_cases([&](const changelog_top_n_spec& spec) {
      checkpoint_case c;
      c.by_group = true;
      c.optional_state = saved_sequences::state;
      c.name = "changelog_top_n";
      c.inputs = {types};
      c.routes = {route::hash};
      c.route_keys = {spec.partition};
      c.make = [&](operator_context context) { return make_operator(spec, std::move(context)); };
      c.script = changing_script(c.inputs, {changing_input(random_row, spec.updating ? 46 : 0)},
                                 random, 60, 16);
      check_checkpoints(c, seed);
    });
  });
}

BOOST_AUTO_TEST_SUITE_END()
