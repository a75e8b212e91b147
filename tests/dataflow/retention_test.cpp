/// Keys that are not written for long are dropped: what is kept shrinks, nothing is emitted for it,
/// and later rows of the key begin anew.
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "tests/dataflow/changelog_support.hpp"
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

namespace {

using namespace ebb;
using namespace ebb::test;

constexpr micros span = 1000;

/// key, value
const std::vector<sql_type> types{bigint_type, bigint_type};

retention_spec by_watermark() {
  return {span, false};
}

aggregate_call distinct_count() {
  auto call = call_of("count", {1}, types);
  call.distinct = true;
  return call;
}

/// Every operator that drops keys. All have one row a key in their answers here.
struct dropping {
  std::string name;
  operator_spec spec;
  bool two_inputs = false;
};

std::vector<dropping> all_operators(const retention_spec& retention, bool updating) {
  std::vector<dropping> all;
  group_aggregate_spec groups;
  groups.keys = {0};
  groups.calls = {call_of("count", {}, types), call_of("max", {1}, types), distinct_count()};
  groups.updating = updating;
  groups.retention = retention;
  all.push_back({"groups", groups});
  groups.keys = {0, 1};
  groups.calls.clear();
  all.push_back({"distinct", groups});
  changelog_top_n_spec best;
  best.partition = {0};
  best.order_by = {{1, false, false}};
  best.limit = 1;
  best.updating = updating;
  best.retention = retention;
  all.push_back({"top-1", best});
  best.limit = 3;
  best.with_rank = true;
  all.push_back({"top-n", best});
  changelog_over_spec over;
  over.partition = {0};
  over.order_by = {{1, false, false}};
  over_call sum;
  sum.call = call_of("sum", {1}, types);
  over.calls = {sum};
  over.updating = updating;
  over.retention = retention;
  all.push_back({"over", over});
  changelog_join_spec join;
  join.kind = changelog_join_kind::left;
  join.left_keys = {0};
  join.right_keys = {0};
  join.left_updating = join.right_updating = updating;
  join.retention = retention;
  all.push_back({"left join", join, true});
  all.push_back({"settle", settle_spec{{0}, retention}});
  if (!updating)
    all.push_back({"join", stream_join_spec{{0}, {0}, nullptr, retention}, true});
  return all;
}

std::unique_ptr<stream_operator> make(const dropping& x) {
  operator_context context{x.name, {types}, 16, 0, 1};
  if (x.two_inputs)
    context.inputs.push_back(types);
  return make_operator(x.spec, std::move(context));
}

/// Counts what comes and goes, without looking whether it was there.
struct weighing final : output {
  void emit(batch_ptr rows) override {
    for (std::uint32_t i = 0; i < rows->rows; ++i)
      (rows->weights && rows->weights.as<const std::int32_t>()[i] < 0 ? deleted : inserted) += 1;
  }

  void advance(micros time) override {
    watermark = time;
  }

  void idle() override {}

  std::size_t inserted = 0;
  std::size_t deleted = 0;
  micros watermark = min_time;
};

void tell(const dropping& x, stream_operator& op, micros time, output& out) {
  for (std::uint32_t input = 0; input < (x.two_inputs ? 2U : 1U); ++input)
    feed(op, watermark_item(input, time), out, 7);
}

batch_ptr one_row(std::int64_t key, std::int64_t value, std::int32_t weight = 1) {
  return changes_of(types, {{{key, value}}, {weight}});
}

changed_rows many_rows(std::int64_t keys) {
  changed_rows rows;
  for (std::int64_t k = 0; k < keys; ++k)
    rows.rows.push_back({k, 1});
  rows.weights.assign(rows.rows.size(), 1);
  return rows;
}

} // namespace

BOOST_AUTO_TEST_SUITE(retention)

BOOST_AUTO_TEST_CASE(what_is_left_alone_is_dropped) {
  for (const bool updating : {false, true})
    for (const auto& x : all_operators(by_watermark(), updating))
      BOOST_TEST_CONTEXT(x.name << (updating ? " updating" : "")) {
        const auto op = make(x);
        weighing out;
        tell(x, *op, 10, out);
        feed(*op, rows_item(0, one_row(7, 5)), out);
        tell(x, *op, 10 + span * 9 / 10, out);
        // The key is written again, so it stays.
        feed(*op, rows_item(0, one_row(7, 5)), out);
        tell(x, *op, 10 + span * 3 / 2, out);
        const auto inserted = out.inserted;
        const auto deleted = out.deleted;
        feed(*op, rows_item(0, one_row(7, 1)), out);
        const bool knew = out.deleted != deleted || out.inserted - inserted != 1
                          || x.name.find("join") != std::string::npos || x.name == "distinct";
        BOOST_TEST(knew);
        // Long after: it begins anew, and takes nothing back.
        tell(x, *op, 11 + span * 3 / 2, out);
        tell(x, *op, 10 + span * 20, out);
        const auto before = out;
        feed(*op, rows_item(0, one_row(7, 5)), out);
        BOOST_TEST(out.deleted == before.deleted);
        BOOST_TEST(out.inserted - before.inserted == (x.name == "join" ? 0U : 1U));
      }
}

BOOST_AUTO_TEST_CASE(state_of_what_was_dropped_is_given_back) {
  for (const auto& x : all_operators(by_watermark(), false))
    BOOST_TEST_CONTEXT(x.name) {
      const auto op = make(x);
      weighing out;
      std::size_t first = 0;
      change_mark mark = 0;
      for (micros round = 1; round <= 40; ++round) {
        auto rows = many_rows(2000);
        for (auto& row : rows.rows)
          *row[0] += 2000 * round; // other keys each time
        feed(*op, rows_item(0, changes_of(types, rows)), out);
        tell(x, *op, round * span, out);
        mark = save_away(*op, mark);
        if (round == 8)
          first = op->counters().state_bytes;
      }
      BOOST_TEST(op->counters().state_bytes <= first * 2);
      BOOST_TEST(out.deleted == 0U);
      BOOST_TEST(out.watermark == 40 * span);
    }
}

// A deletion of what was dropped is no error, and leaves nothing behind.
BOOST_AUTO_TEST_CASE(deletions_may_come_too_late) {
  for (const auto& x : all_operators(by_watermark(), true))
    BOOST_TEST_CONTEXT(x.name) {
      if (x.name == "settle") // passes it on (settle_test.cpp)
        continue;
      const auto op = make(x);
      weighing out;
      tell(x, *op, 10, out);
      feed(*op, rows_item(0, one_row(7, 5)), out);
      tell(x, *op, 11, out);
      tell(x, *op, 10 + span * 20, out);
      const auto before = out;
      feed(*op, rows_item(0, one_row(7, 5, -1)), out);
      BOOST_TEST(out.deleted == before.deleted);
      BOOST_TEST(out.inserted == before.inserted);
      feed(*op, rows_item(0, one_row(7, 5)), out);
      BOOST_TEST(out.deleted == before.deleted);
      BOOST_TEST(out.inserted == before.inserted + 1);
    }
}

BOOST_AUTO_TEST_CASE(time_passes_by_ticks) {
  for (const auto& x : all_operators({span, true}, false))
    BOOST_TEST_CONTEXT(x.name) {
      const auto op = make(x);
      BOOST_TEST(op->wants_ticks());
      BOOST_TEST(op->next_tick() == max_time); // what sleeps is not woken for it
      weighing out;
      const auto tick = [&](micros time) {
        stream_item item;
        item.kind = item_kind::tick;
        item.time = time;
        feed(*op, item, out);
      };
      tick(10);
      feed(*op, rows_item(0, one_row(7, 5)), out);
      tell(x, *op, 100 * span, out); // no matter
      feed(*op, rows_item(0, one_row(7, 5)), out);
      tick(10 + 20 * span);
      const auto before = out;
      feed(*op, rows_item(0, one_row(7, 5)), out);
      BOOST_TEST(out.deleted == before.deleted);
      BOOST_TEST(out.inserted - before.inserted == (x.name == "join" ? 0U : 1U));
    }
}

// Rows that come before any watermark are as old as the first one, and the end of the input makes
// nothing old.
BOOST_AUTO_TEST_CASE(time_that_is_not_known) {
  group_aggregate_spec spec;
  spec.keys = {0};
  spec.calls = {call_of("count", {}, types)};
  spec.retention = by_watermark();
  const dropping x{"groups", spec};
  const auto op = make(x);
  change_collector out;
  feed(*op, rows_item(0, one_row(7, 5)), out);
  tell(x, *op, 5'000'000, out);
  feed(*op, rows_item(0, one_row(7, 5)), out);
  tell(x, *op, max_time, out);
  feed(*op, rows_item(0, one_row(7, 5)), out);
  BOOST_TEST(out.table.size() == 1U);
  BOOST_TEST(out.table.begin()->first == "7 | 3");
}

// With checkpoints, failures and rescaling. Time stands nearly still, then jumps: what is dropped
// does not depend on when a sweep comes.
BOOST_AUTO_TEST_CASE(dropped_keys_stay_dropped) {
  with_seeds("retention", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const bool updating : {false, true})
      for (const auto& x : all_operators(by_watermark(), updating)) {
        checkpoint_case c;
        c.by_group = true;
        c.optional_state = saved_sequences::state;
        c.name = x.name;
        c.inputs.assign(x.two_inputs ? 2 : 1, types);
        c.routes.assign(c.inputs.size(), route::hash);
        std::vector<std::uint32_t> keys{0};
        if (x.name == "distinct")
          keys.push_back(1);
        c.route_keys.assign(c.inputs.size(), keys);
        c.make = [&](operator_context context) {
          return make_operator(x.spec, std::move(context));
        };
        std::vector<changing_input> inputs(c.inputs.size(),
                                           changing_input(
                                               [](auto& r) {
                                                 return cells{static_cast<std::int64_t>(r() % 12),
                                                              static_cast<std::int64_t>(r() % 5)};
                                               },
                                               updating ? 40 : 0));
        for (micros epoch = 0; epoch < 6; ++epoch) {
          for (std::uint32_t input = 0; input < inputs.size(); ++input)
            c.script.push_back({input, nullptr, epoch * 50 * span});
          for (auto& item : changing_script(c.inputs, inputs, random, 10, 8)) {
            if (item.rows)
              c.script.push_back(std::move(item));
          }
          for (std::uint32_t input = 0; input < inputs.size(); ++input)
            c.script.push_back({input, nullptr, epoch * 50 * span + 1});
        }
        for (std::uint32_t input = 0; input < inputs.size(); ++input)
          c.script.push_back({input, nullptr, max_time});
        check_checkpoints(c, seed);
      }
  });
}

BOOST_AUTO_TEST_SUITE_END()
