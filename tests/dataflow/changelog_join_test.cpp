/// Joins of inputs that are revised: against nested loops over the rows that are left, and with
/// checkpoints, failures and rescaling.
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"

namespace {

using namespace ebb;
using namespace ebb::test;

using kind = changelog_join_kind;

constexpr kind kinds[] = {kind::inner, kind::left, kind::right, kind::full, kind::semi, kind::anti};

/// key, value, text
const std::vector<sql_type> left_types{bigint_type, bigint_type, text_type};
/// value, key
const std::vector<sql_type> right_types{bigint_type, numeric_type, bigint_type};
constexpr std::uint32_t left_value = 1;
constexpr std::uint32_t right_value = 0;

struct join_case {
  kind what = kind::inner;
  bool keyed = true;
  bool residual = false;
  unsigned left_deletes = 0;
  unsigned right_deletes = 0;

  [[nodiscard]] changelog_join_spec spec() const {
    changelog_join_spec x;
    x.kind = what;
    if (keyed) {
      x.left_keys = {0};
      x.right_keys = {2};
    }
    x.residual = residual ? at_least(left_value, 3 + right_value) : nullptr;
    x.left_updating = left_deletes != 0;
    x.right_updating = right_deletes != 0;
    return x;
  }
};

cells random_row(std::mt19937_64& random, bool left, std::uint64_t keys) {
  const auto key = random() % (keys + 1);
  const auto k = key == keys ? cell() : cell(static_cast<std::int64_t>(key));
  const auto value = cell(static_cast<std::int64_t>(random() % 6));
  const auto other = random() % 5 == 0 ? cell() : cell(static_cast<std::int64_t>(random() % 4));
  return left ? cells{k, value, other} : cells{value, other, k};
}

std::unique_ptr<stream_operator> make(const join_case& x) {
  return make_operator(x.spec(), {"joined", {left_types, right_types}, 16, 0, 1});
}

row_counts answer(const join_case& x, const std::vector<cells>& left,
                  const std::vector<cells>& right) {
  std::vector<cells> rows;
  const auto matches = [&](const cells& l, const cells& r) {
    const bool keys = !x.keyed || (l[0] && r[2] && *l[0] == *r[2]);
    return keys
           && (!x.residual
               || (l[left_value] && r[right_value] && *l[left_value] >= *r[right_value]));
  };
  const bool both = x.spec().both_sides();
  const auto add = [&](const cells* l, const cells* r) {
    cells row = l == nullptr ? cells(left_types.size()) : *l;
    if (both) {
      const auto more = r == nullptr ? cells(right_types.size()) : *r;
      row.insert(row.end(), more.begin(), more.end());
    }
    rows.push_back(std::move(row));
  };
  const auto partners = [&](const cells& row, bool of_left) {
    const auto& others = of_left ? right : left;
    return std::count_if(others.begin(), others.end(), [&](const cells& other) {
      return of_left ? matches(row, other) : matches(other, row);
    });
  };
  for (const auto& l : left) {
    const auto met = partners(l, true);
    if (both)
      for (const auto& r : right)
        if (matches(l, r))
          add(&l, &r);
    if ((x.what == kind::semi && met != 0)
        || ((x.what == kind::left || x.what == kind::full || x.what == kind::anti) && met == 0))
      add(&l, nullptr);
  }
  if (x.what == kind::right || x.what == kind::full)
    for (const auto& r : right)
      if (partners(r, false) == 0)
        add(nullptr, &r);
  auto types = left_types;
  if (both)
    types.insert(types.end(), right_types.begin(), right_types.end());
  row_counts counts;
  if (rows.empty())
    return counts;
  const auto made = batch_of(types, rows);
  for (std::uint32_t i = 0; i < made->rows; ++i)
    ++counts[row_text(*made, i)];
  return counts;
}

template <class Check>
void with_cases(const Check& check) {
  for (const auto what : kinds)
    for (const bool keyed : {true, false})
      for (const bool residual : {false, true})
        for (const auto& [l, r] : {std::pair(0U, 0U), {40U, 0U}, {0U, 40U}, {45U, 45U}})
          BOOST_TEST_CONTEXT("kind " << static_cast<int>(what) << (keyed ? " keyed" : "")
                                     << (residual ? " residual" : "") << " deletes " << l << ' '
                                     << r)
  check(join_case{what, keyed, residual, l, r});
}

} // namespace

BOOST_AUTO_TEST_SUITE(changelog_joins)

BOOST_AUTO_TEST_CASE(pairs_are_those_of_the_rows_that_are_left) {
  with_seeds("changelog join", [&](std::mt19937_64& random, std::uint64_t) {
    with_cases([&](const join_case& x) {
      const auto op = make(x);
      change_collector out;
      changing_input left([&](auto& r) { return random_row(r, true, 6); }, x.left_deletes);
      changing_input right([&](auto& r) { return random_row(r, false, 6); }, x.right_deletes);
      for (int i = 0; i < 24; ++i) {
        const auto rows = 1 + random() % (x.keyed ? 30 : 8);
        const auto side = static_cast<std::uint32_t>(random() % 2);
        auto& from = side == 0 ? left : right;
        feed(*op,
             rows_item(side,
                       changes_of(side == 0 ? left_types : right_types, from.next(random, rows))),
             out, static_cast<std::uint32_t>(1 + random() % 200));
        if (i % 6 == 5)
          BOOST_TEST(lines(out.table) == lines(answer(x, left.rows(), right.rows())),
                     boost::test_tools::per_element());
      }
    });
  });
}

// More partners than a step may meet.
BOOST_AUTO_TEST_CASE(a_row_with_many_partners_is_a_cursor) {
  for (const bool residual : {false, true}) {
    const join_case x{kind::full, true, residual, 50, 50};
    const auto op = make(x);
    change_collector out;
    std::vector<cells> left(6000, cells{1, 3, 2});
    for (std::size_t first = 0; first < left.size(); first += 1000) {
      changed_rows some;
      some.rows.assign(left.begin(), left.begin() + 1000);
      some.weights.assign(1000, 1);
      feed(*op, rows_item(0, changes_of(left_types, some)), out);
    }
    const std::vector<cells> right{{1, 1, 1}, {5, 2, 1}};
    out.largest_batch = 0;
    feed(*op, rows_item(1, changes_of(right_types, {right, {1, 1}})), out);
    BOOST_TEST(out.largest_batch <= 4U * 4096);
    BOOST_TEST(lines(out.table) == lines(answer(x, left, right)), boost::test_tools::per_element());
    feed(*op, rows_item(1, changes_of(right_types, {right, {-1, -1}})), out);
    BOOST_TEST(lines(out.table) == lines(answer(x, left, {})), boost::test_tools::per_element());
  }
}

// An update of a row that shows nothing new is no change.
BOOST_AUTO_TEST_CASE(changes_that_take_each_other_back_are_none) {
  const join_case x{kind::left, true, false, 50, 50};
  const auto op = make(x);
  change_collector out;
  feed(*op, rows_item(0, changes_of(left_types, {{{1, 2, 3}}, {1}})), out);
  feed(*op, rows_item(1, changes_of(right_types, {{{4, 5, 1}}, {1}})), out);
  const auto batches = out.batches;
  feed(*op, rows_item(1, changes_of(right_types, {{{4, 5, 1}, {4, 5, 1}}, {-1, 1}})), out);
  BOOST_TEST(out.batches == batches);
  // A replaced partner does not leave the left row alone in between.
  feed(*op, rows_item(1, changes_of(right_types, {{{4, 5, 1}, {6, 5, 1}}, {-1, 1}})), out);
  BOOST_TEST(out.batches == batches + 1);
  BOOST_TEST(out.largest_batch == 2U);
}

BOOST_AUTO_TEST_CASE(a_deletion_of_nothing_is_an_error) {
  const auto op = make({kind::inner, true, false, 50, 0});
  change_collector out;
  auto item = rows_item(0, changes_of(left_types, {{{7, 1, 1}}, {-1}}));
  step_budget budget;
  const auto done = op->step(&item, budget, out);
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message == "a row is deleted that is not there: its key is (7)");
  BOOST_TEST(done.error().place.field == "operator joined");
}

BOOST_AUTO_TEST_CASE(state_goes_with_its_rows) {
  const auto op = make({kind::full, true, true, 50, 50});
  change_collector out;
  changed_rows kept;
  for (std::int64_t k = 0; k < 2000; ++k)
    kept.rows.push_back({k * 1'000'000, 1, 1});
  kept.weights.assign(kept.rows.size(), 1);
  feed(*op, rows_item(0, changes_of(left_types, kept)), out);
  std::size_t first = 0;
  for (std::int64_t round = 0; round < 120; ++round) {
    changed_rows rows;
    for (std::int64_t k = 0; k < 1000; ++k)
      rows.rows.push_back({round * 1000 + k, 2, 3});
    rows.weights.assign(rows.rows.size(), 1);
    feed(*op, rows_item(0, changes_of(left_types, rows)), out);
    rows.weights.assign(rows.rows.size(), -1);
    feed(*op, rows_item(0, changes_of(left_types, rows)), out);
    op->mark();
    if (round == 40)
      first = op->counters().state_bytes;
  }
  BOOST_TEST(op->counters().state_bytes <= first * 3 / 2);
  BOOST_TEST(out.table.size() == kept.rows.size());
  kept.weights.assign(kept.rows.size(), -1);
  feed(*op, rows_item(0, changes_of(left_types, kept)), out);
  BOOST_TEST(out.table.empty());
}

BOOST_AUTO_TEST_CASE(changelog_joins_go_on) {
  with_seeds("changelog joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    with_cases([&](const join_case& x) {
      checkpoint_case c;
      c.by_group = true;
      c.optional_state = saved_sequences::state;
      c.name = "changelog_join";
      c.inputs = {left_types, right_types};
      c.routes = {route::hash, route::hash};
      c.route_keys = {x.spec().left_keys, x.spec().right_keys};
      c.make = [&](operator_context context) {
        return make_operator(x.spec(), std::move(context));
      };
      c.script = changing_script(
          c.inputs,
          {changing_input([](auto& r) { return random_row(r, true, 9); }, x.left_deletes),
           changing_input([](auto& r) { return random_row(r, false, 9); }, x.right_deletes)},
          random, x.keyed ? 80 : 40, x.keyed ? 16 : 4);
      check_checkpoints(c, seed);
    });
  });
}

BOOST_AUTO_TEST_SUITE_END()
