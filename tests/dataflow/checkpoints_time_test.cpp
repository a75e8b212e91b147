/// What operators keep about time across restarts.
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>

namespace {

using namespace ebb;
using namespace ebb::test;

} // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(partitions_keep_their_watermarks_whoever_reads_them) {
  const operator_spec spec{assign_watermarks_spec{0, 5}};
  const auto make = [&](std::uint32_t subtask, std::uint32_t parallelism) {
    return make_operator(spec, {"head", {event_types}, 16, subtask, parallelism});
  };
  const auto feed = [](stream_operator& op, std::uint32_t partition, std::uint32_t ended,
                       std::vector<micros> times, collector& out, std::uint32_t partitions = 2) {
    std::vector<cells> rows;
    for (const auto t : times)
      rows.push_back({cell(t), cell(1), cell(1), cell(1)});
    auto x = *batch_of(event_types, rows);
    x.partition = partition;
    x.partitions = partitions;
    x.partitions_ended = ended;
    auto item = rows_item(0, std::make_shared<batch>(std::move(x)));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  // Two instances read partitions 0, 2 and 1, 3.
  kept_state state;
  std::vector<std::vector<kept_state::change>> deltas;
  for (const std::uint32_t subtask : {0U, 1U}) {
    const auto op = make(subtask, 2);
    collector out;
    feed(*op, 0, 0, {100 + micros{subtask}}, out);
    feed(*op, 1, 0, {60 + micros{subtask} * 20}, out);
    BOOST_TEST(out.watermarks.back() == 55 + micros{subtask} * 20);
    const auto mark = op->mark();
    change_list list;
    op->save(unkeyed_group, 0, list);
    feed(*op, 1, 1, {200}, out);
    static_cast<void>(op->mark());
    change_list more;
    op->save(unkeyed_group, mark, more);
    BOOST_TEST(more.changes.size() == 2U); // partition 0 has ended
    if (subtask == 1)
      std::copy(more.changes.begin(), more.changes.end(), std::back_inserter(list.changes));
    deltas.push_back(std::move(list.changes));
  }
  state.apply(deltas);
  BOOST_TEST(state.all().size() == 3U); // 1 is gone
  // Partition 0 and 2 were read together and had sent 55; 3 goes on alone, at 195. No partition was
  // without rows, and 1 has ended: what holds is said again without a row.
  const std::vector<std::vector<micros>> sent{
      {55}, {55, 195}, {55, min_time, 55}, {55, min_time, 55, 195}};
  const auto restored = [&](std::uint32_t subtask, std::uint32_t parallelism, collector& out) {
    auto op = make(subtask, parallelism);
    for (const auto& [at, value] : state.all())
      BOOST_REQUIRE(bool(op->load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value)));
    auto again = watermark_item(0, min_time);
    step_budget budget;
    BOOST_REQUIRE(bool(op->step(&again, budget, out)));
    return op;
  };
  for (std::uint32_t parallelism = 1; parallelism <= 4; ++parallelism)
    for (std::uint32_t subtask = 0; subtask < parallelism; ++subtask)
      BOOST_TEST_CONTEXT(subtask << " of " << parallelism) {
        collector out;
        const auto op = restored(subtask, parallelism, out);
        const auto wanted = sent[parallelism - 1][subtask];
        BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.front()) == wanted);
        const auto partitions = (4 - subtask + parallelism - 1) / parallelism;
        const auto ended = subtask == 1 ? 1U : 0U;
        if (partitions > ended)
          feed(*op, partitions - 1, ended, {0}, out, partitions);
        BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.back()) >= wanted);
      }
}

BOOST_AUTO_TEST_CASE(a_partition_without_rows_has_promised_nothing) {
  const operator_spec spec{assign_watermarks_spec{0, 5}};
  const auto make = [&](std::uint32_t subtask, std::uint32_t parallelism) {
    return make_operator(spec, {"head", {event_types}, 16, subtask, parallelism});
  };
  const auto feed = [](stream_operator& op, std::uint32_t partitions, collector& out) {
    auto x = *batch_of(event_types, {{cell(100), cell(1), cell(1), cell(1)}});
    x.partitions = partitions;
    auto item = rows_item(0, std::make_shared<batch>(std::move(x)));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  // Of partitions 0 and 1 with an instance each, 1 has had no rows; of 0 and 1 with one instance,
  // too.
  for (const std::uint32_t before : {2U, 1U}) {
    change_list list;
    {
      collector out;
      const auto op = make(0, before);
      feed(*op, before == 2 ? 1 : 2, out);
      BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.back())
                 == (before == 2 ? 95 : min_time));
      static_cast<void>(op->mark());
      op->save(unkeyed_group, 0, list);
    }
    for (const std::uint32_t after : {2U, 1U})
      BOOST_TEST_CONTEXT(before << " to " << after) {
        auto changes = list.changes;
        // Nor does a restart without rows in between lose what is known.
        for (int restarts = 0; restarts < 2; ++restarts) {
          const auto op = make(0, after);
          for (const auto& x : changes)
            BOOST_REQUIRE(
                bool(op->load(std::get<0>(x.at), std::get<1>(x.at), std::get<2>(x.at), x.value)));
          collector out;
          auto again = watermark_item(0, min_time);
          step_budget budget;
          BOOST_REQUIRE(bool(op->step(&again, budget, out)));
          const bool promises = before == 2 && after == 2;
          BOOST_TEST(out.watermarks.size() == (promises ? 1U : 0U));
          static_cast<void>(op->mark());
          change_list next;
          op->save(unkeyed_group, 0, next);
          changes = next.changes;
        }
      }
  }
}

BOOST_AUTO_TEST_CASE(processing_time_does_not_go_back) {
  window_spec window;
  window.size = 100;
  window.processing_time = true;
  const auto aggregate = [&](window_kind kind) {
    window_aggregate_spec spec;
    spec.window = window;
    spec.window.kind = kind;
    spec.keys = {1};
    spec.calls = {call_of("count", {}, event_types)};
    return operator_spec{spec};
  };
  const operator_spec specs[] = {operator_spec{stamp_time_spec{}},
                                 operator_spec{window_assign_spec{window}},
                                 aggregate(window_kind::tumble), aggregate(window_kind::session)};
  const auto tick = [](stream_operator& op, micros time, collector& out) {
    stream_item item;
    item.kind = item_kind::tick;
    item.time = time;
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  const auto rows = [](stream_operator& op, std::int64_t key, collector& out) {
    auto item = rows_item(0, batch_of(event_types, {{cell(5), cell(key), cell(1), cell(1)}}));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  for (const auto& spec : specs) {
    collector out;
    auto op = make_operator(spec, {"time", {event_types}, 16, 0, 1});
    tick(*op, 1050, out);
    rows(*op, 1, out);
    static_cast<void>(op->mark());
    change_list list;
    for (std::uint16_t g = 0; g <= 16; ++g) {
      list.select_group(g == 16 ? unkeyed_group : g);
      op->save(g == 16 ? unkeyed_group : g, 0, list);
    }
    BOOST_TEST(!list.changes.empty());
    op = make_operator(spec, {"time", {event_types}, 16, 0, 1});
    for (const auto& x : list.changes)
      BOOST_REQUIRE(
          bool(op->load(std::get<0>(x.at), std::get<1>(x.at), std::get<2>(x.at), x.value)));
    out.rows.clear();
    out.restored = true;
    auto again = watermark_item(0, min_time);
    step_budget budget;
    BOOST_REQUIRE(bool(op->step(&again, budget, out)));
    tick(*op, 700, out); // the clock was set back
    rows(*op, 1, out);
    tick(*op, 2000, out);
    // All that came lies at 1050: in one window, or with that stamp.
    BOOST_REQUIRE_EQUAL(out.rows.size(), 1U);
    const auto& made = out.rows.front();
    const auto time = made.size() == 5 ? made[4] : made.size() == 6 ? made[4] : made[1];
    BOOST_TEST(*time >= 1000);
    BOOST_TEST(*time <= 1050);
    if (made.size() == 4)
      BOOST_TEST(*made[3] == 2);
  }
}

BOOST_AUTO_TEST_SUITE_END()
