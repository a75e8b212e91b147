/// A subtask's part in checkpoints.
#include "tests/dataflow/subtask_steps.hpp"

using namespace ebb; // NOLINT
using namespace ebb::test;
using namespace ebb::test::checkpointed;

BOOST_AUTO_TEST_SUITE(subtask_checkpoints)

BOOST_AUTO_TEST_CASE(a_source_is_cut_at_the_request) {
  lone_subtask x({.source_rows = 100, .source_ends = false, .output = true});
  for (int i = 0; i < 9; ++i)
    BOOST_TEST((*x.task->work(1) == work_state::ready));
  BOOST_TEST(!x.task->take_snapshot());
  x.task->begin_checkpoint(5, 0, false);
  while (x.sink->outputs.empty())
    BOOST_TEST((*x.task->work(1) == work_state::ready));
  const auto rows = static_cast<std::int64_t>(x.sink->outputs[5].size());
  BOOST_TEST(rows > 0);
  BOOST_TEST(rows < 100);
  BOOST_TEST((x.settle() == work_state::waiting));
  const auto made = taken(x);
  BOOST_TEST(made.epoch == 5U);
  BOOST_REQUIRE(made.sources.size() == 1U);
  BOOST_TEST(made.sources[0].source == "in");
  BOOST_TEST(made.sources[0].positions[0].bytes == std::to_string(rows));
  BOOST_TEST(!made.sources[0].positions[0].finished);
  BOOST_TEST(text(made.sinks) == "5:" + std::to_string(rows));
  // What came before the barrier left before it.
  BOOST_TEST(x.sent().substr(0, 4) == std::to_string(rows) + " |5");
}

BOOST_AUTO_TEST_CASE(held_channels_wait_for_the_others) {
  lone_subtask x({.inputs = {2, 1}, .output = true});
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {100}); // of the next epoch
  x.rows(0, 1, {2});
  x.rows(1, 0, {3});
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(text(x.sink->open) == "1 3 2");
  x.barrier(1, 0, 5);
  x.rows(1, 0, {101});
  x.rows(0, 1, {4});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1 3 2 4");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 1, 5);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[5]) == "1 3 2 4");
  BOOST_TEST(text(x.sink->open) == "101 100");
  BOOST_TEST(text(taken(x).state) == "g1=1 g2=2 g3=3 g4=4");
  x.task->credit(0, 0, x.task->in_flight(0, 0));
  x.task->flush_idle();
  BOOST_TEST(x.sent() == "4 |5 2");
}

BOOST_AUTO_TEST_CASE(barriers_wait_for_the_request) {
  lone_subtask x({.inputs = {1}});
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {2});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1");
  x.task->begin_checkpoint(5, 0, false);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[5]) == "1");
  BOOST_TEST(text(x.sink->open) == "2");
}

BOOST_AUTO_TEST_CASE(the_base_of_a_request_counts_though_a_barrier_came_first) {
  lone_subtask x({.inputs = {1}});
  const auto epoch = [&](epoch_number e, epoch_number base, bool whole, std::int64_t value) {
    x.rows(0, 0, {value});
    x.barrier(0, 0, e);
    x.settle();
    x.task->begin_checkpoint(e, base, whole);
    x.settle();
    return taken(x);
  };
  BOOST_TEST(text(epoch(1, 0, false, 1).state) == "g1=1");
  auto made = epoch(2, 1, false, 2);
  BOOST_TEST(text(made.state) == "g2=2");
  BOOST_TEST(text(made.sinks) == "2:1");
  made = epoch(3, 2, true, 3);
  BOOST_TEST(text(made.state) == "-g0 -g1 -g2 -g3 -g4 -g5 -g6 -g7 -g65535 g1=1 g2=2 g3=3");
  BOOST_TEST(text(made.sinks) == "3:1");
  // Whole once, not for ever.
  BOOST_TEST(text(epoch(4, 3, false, 4).state) == "g4=4");
}

BOOST_AUTO_TEST_CASE(a_higher_epoch_supersedes_one_under_way) {
  lone_subtask x({.inputs = {2}});
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 0, {1});
  x.barrier(0, 0, 5);
  x.rows(0, 0, {2});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1");
  // The other channel never saw epoch 5.
  x.rows(0, 1, {3});
  x.barrier(0, 1, 6);
  x.rows(0, 1, {100});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "1 3 2");
  x.task->begin_checkpoint(6, 0, false);
  x.barrier(0, 0, 6);
  x.settle();
  BOOST_TEST(text(x.sink->outputs[6]) == "1 3 2");
  BOOST_TEST(x.sink->outputs.count(5) == 0U);
  BOOST_TEST(taken(x).epoch == 6U);
  // Late arrivals of the epoch that was given up.
  x.barrier(0, 1, 5);
  x.task->begin_checkpoint(5, 0, false);
  x.rows(0, 1, {7});
  x.settle();
  BOOST_TEST(text(x.sink->open) == "100 7");
}

BOOST_AUTO_TEST_CASE(changes_of_an_aborted_epoch_go_with_the_next_record) {
  for (const bool frozen : {true, false}) {
    lone_subtask x({.inputs = {1}, .frozen = frozen});
    const auto epoch = [&](epoch_number e, epoch_number base, std::vector<std::int64_t> values) {
      if (!values.empty())
        x.rows(0, 0, values);
      x.barrier(0, 0, e);
      x.task->begin_checkpoint(e, base, false);
      x.settle();
      auto made = taken(x);
      return text(made.state) + " | " + text(made.sinks);
    };
    BOOST_TEST(epoch(1, 0, {1, 2}) == "g1=1 g2=2 | 1:2");
    BOOST_TEST(epoch(2, 1, {2}) == "g2=4 | 2:1");
    BOOST_TEST(epoch(4, 1, {3}) == "g2=4 g3=3 | 2:1 4:1");
    BOOST_TEST(epoch(5, 1, {}) == "g2=4 g3=3 | 2:1 4:1 5:0");
    BOOST_TEST(epoch(9, 5, {1}) == "g1=2 | 9:1");
    BOOST_TEST(epoch(10, 9, {}) == " | 10:0");
  }
}

BOOST_AUTO_TEST_CASE(a_superseded_save_is_given_up) {
  for (const bool frozen : {true, false}) {
    lone_subtask x({.inputs = {1}, .frozen = frozen});
    x.rows(0, 0, {1, 2, 3});
    x.barrier(0, 0, 1);
    x.task->begin_checkpoint(1, 0, false);
    while (x.sums->saves < 2)
      BOOST_TEST((*x.task->work(1) == work_state::ready));
    BOOST_TEST(!x.task->take_snapshot());
    x.rows(0, 0, {9});
    x.barrier(0, 0, 2);
    x.task->begin_checkpoint(2, 0, false);
    x.settle();
    const auto made = taken(x);
    BOOST_TEST(made.epoch == 2U);
    BOOST_TEST(text(made.state) == "g1=10 g2=2 g3=3");
    BOOST_TEST(text(made.sinks) == "1:3 2:1");
  }
}

BOOST_AUTO_TEST_CASE(what_is_frozen_is_the_state_at_the_barrier) {
  lone_subtask x({.inputs = {1}});
  x.rows(0, 0, {1, 2, 3});
  x.barrier(0, 0, 1);
  for (int i = 0; i < 20; ++i)
    x.rows(0, 0, {1, 2, 3});
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(text(taken(x).state) == "g1=1 g2=2 g3=3");
  BOOST_TEST(x.sums->sums[3].sum == 63);
}

BOOST_AUTO_TEST_CASE(sources_and_channels_of_one_subtask_are_cut_together) {
  lone_subtask x({.source_rows = 3, .source_ends = false, .inputs = {1}});
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(text(x.sink->open) == "0 1 2");
  x.task->begin_checkpoint(1, 0, false);
  x.rows(0, 0, {10});
  x.settle();
  // The source may not go on while the channel's barrier is missing.
  BOOST_TEST(text(x.sink->open) == "0 1 2 10");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 0, 1);
  x.rows(0, 0, {11});
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(made.sources[0].positions[0].bytes == "3");
  BOOST_TEST(text(made.sinks) == "1:4");
  BOOST_TEST(text(x.sink->open) == "11");
}

BOOST_AUTO_TEST_CASE(a_waiting_source_is_not_read_between_the_request_and_the_cut) {
  lone_subtask x({.source_rows = 50, .source_ends = true, .inputs = {1}});
  x.task->begin_checkpoint(1, 0, false);
  BOOST_TEST((x.settle() == work_state::waiting));
  BOOST_TEST(x.sink->open.empty());
  x.end(0, 0);
  x.settle();
  BOOST_TEST(taken(x).sources[0].positions[0].bytes == "0");
  BOOST_TEST(x.sink->open.size() == 50U);
}

BOOST_AUTO_TEST_CASE(closed_channels_hold_no_epoch_up) {
  lone_subtask x({.inputs = {2}});
  x.rows(0, 0, {1});
  x.end(0, 0);
  x.settle();
  x.task->begin_checkpoint(1, 0, false);
  x.rows(0, 1, {2});
  x.settle();
  BOOST_TEST(!x.task->take_snapshot());
  x.end(0, 1);
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(text(taken(x).sinks) == "1:2");
}

BOOST_AUTO_TEST_CASE(drained_until_concluded) {
  lone_subtask x({.source_rows = 3, .output = true, .seal_delay = 2});
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(!x.sink->finished);
  x.task->flush_idle();
  BOOST_TEST(x.sent() == "3 w e");
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(!x.task->take_snapshot());
  x.wakes = 2;
  BOOST_TEST((x.settle() == work_state::drained));
  const auto made = taken(x);
  BOOST_TEST(made.sources[0].positions[0].finished);
  BOOST_TEST(made.sources[0].ended);
  BOOST_TEST(text(made.sinks) == "1:3");
  // Its edge is closed: no barrier there.
  BOOST_TEST(x.sent() == "");
  x.task->conclude();
  BOOST_TEST((x.settle() == work_state::finished));
  BOOST_TEST(x.sink->finished);
  BOOST_TEST(!x.task->cut());
}

BOOST_AUTO_TEST_CASE(an_interrupted_source_is_not_finished) {
  lone_subtask x({.source_rows = 3, .source_ends = false, .output = true});
  x.settle();
  x.task->interrupt();
  BOOST_TEST((x.settle() == work_state::drained));
  BOOST_TEST(x.sent() == "3 s");
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(!made.sources[0].positions[0].finished);
  BOOST_TEST(!made.sources[0].ended);
  BOOST_TEST(made.sources[0].positions[0].bytes == "3");
  x.task->conclude();
  BOOST_TEST((x.settle() == work_state::finished));
  BOOST_TEST(x.task->cut());
}

BOOST_AUTO_TEST_CASE(a_seal_that_takes_long_holds_the_next_cut_but_no_rows) {
  lone_subtask x({.inputs = {1}, .seal_delay = 1});
  x.rows(0, 0, {1});
  x.barrier(0, 0, 1);
  x.rows(0, 0, {2});
  x.task->begin_checkpoint(1, 0, false);
  x.settle();
  BOOST_TEST(text(x.sink->open) == "2");
  BOOST_TEST(!x.task->take_snapshot());
  x.barrier(0, 0, 2);
  x.task->begin_checkpoint(2, 0, false);
  x.settle();
  BOOST_TEST(x.sink->outputs.count(2) == 0U);
  x.wakes = 2;
  x.settle();
  const auto made = taken(x);
  BOOST_TEST(made.epoch == 2U);
  BOOST_TEST(text(made.sinks) == "1:1 2:1");
}

BOOST_AUTO_TEST_CASE(a_blocked_channel_holds_the_barrier_back) {
  lone_subtask x({.inputs = {1}, .output = true, .window = 64});
  for (int i = 0; i < 4; ++i)
    x.rows(0, 0, {1, 2, 3, 4, 5, 6, 7});
  x.barrier(0, 0, 1);
  x.task->begin_checkpoint(1, 0, false);
  std::string sent;
  std::vector<outgoing_item> items;
  std::uint32_t rows = 0;
  bool cut = false;
  for (int i = 0; i < 100; ++i) {
    x.settle();
    x.task->take_outgoing(items);
    std::size_t bytes = 0;
    for (const auto& item : items) {
      bytes += item.item.bytes;
      if (item.item.what == channel_signal::batch) {
        BOOST_TEST(!cut);
        rows += item.item.rows->rows;
      }
      if (item.item.what == channel_signal::barrier) {
        BOOST_TEST(rows == 28U);
        cut = true;
      }
    }
    items.clear();
    if (bytes != 0)
      x.task->credit(0, 0, bytes);
    else
      x.task->flush_idle();
  }
  BOOST_TEST(cut);
}

BOOST_AUTO_TEST_CASE(loads_and_goes_on_from_the_restored_epoch) {
  lone_subtask first({.source_rows = 20, .source_ends = false, .inputs = {1}});
  first.settle();
  first.task->receive(0, 0, channel_item::of(channel_signal::watermark, 7));
  first.barrier(0, 0, 4);
  first.task->begin_checkpoint(4, 0, false);
  first.settle();
  const auto made = taken(first);

  lone_subtask second({.source_rows = 24, .source_next = 20, .source_ends = false, .inputs = {1}});
  for (std::size_t i = 0; i < made.state.size(); ++i) {
    const auto e = made.state.at(i);
    BOOST_REQUIRE(static_cast<bool>(second.task->load(e)));
  }
  second.task->resume(4, nullptr);
  second.settle();
  // The sign to go on comes before everything else.
  BOOST_REQUIRE(!second.sums->watermarks.empty());
  BOOST_TEST(second.sums->watermarks.front() == min_time);
  BOOST_TEST(second.sums->sums[3].sum == 3 + 11 + 19);
  BOOST_TEST(second.sums->sums[4].sum == 4 + 12 + 20);
  // Only what changed since is saved.
  second.barrier(0, 0, 9);
  second.task->begin_checkpoint(9, 4, false);
  second.settle();
  const auto next = taken(second);
  BOOST_TEST(text(next.state) == "g4=36 g5=39 g6=42 g7=45");
  BOOST_TEST(next.sources[0].positions[0].bytes == "24");

  lone_subtask third({.inputs = {1}});
  const auto unknown = state_number(3, 2);
  BOOST_TEST(!third.task->load({state_chunk::kind::put, 0, unknown, "sum", "1"}));
  // An operator that the stream no longer has.
  BOOST_TEST(bool(third.task->load({state_chunk::kind::put, 0, state_number(4, 1), "sum", "1"})));
}

BOOST_AUTO_TEST_SUITE_END()
