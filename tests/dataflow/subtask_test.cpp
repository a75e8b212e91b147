#include "actors/dataflow/subtask.hpp"

#include "tests/support/scripted.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

subtask_step source(std::vector<source_action> script) {
  subtask_step x;
  x.name = "src";
  x.body = std::make_unique<scripted_source>(std::move(script));
  return x;
}

subtask_step op(std::unique_ptr<stream_operator> what, std::vector<subtask_link> inputs) {
  subtask_step x;
  x.name = "op";
  x.body = std::move(what);
  x.inputs = std::move(inputs);
  return x;
}

subtask_step pass(std::vector<subtask_link> inputs, std::string* trace = nullptr) {
  return op(std::make_unique<passing_operator>(trace), std::move(inputs));
}

subtask_step sink(sink_log& log, std::vector<subtask_link> inputs, logging_sink** out = nullptr) {
  auto writer = std::make_unique<logging_sink>(log);
  if (out != nullptr)
    *out = writer.get();
  subtask_step x;
  x.name = "out";
  x.body = std::move(writer);
  x.inputs = std::move(inputs);
  return x;
}

constexpr subtask_link step_at(std::uint32_t i) {
  return {false, i};
}

constexpr subtask_link outside(std::uint32_t i) {
  return {true, i};
}

subtask_parts parts_of(std::vector<subtask_step> steps) {
  subtask_parts x;
  x.stream = "s";
  x.steps = std::move(steps);
  return x;
}

template <class... Ts>
std::vector<subtask_step> steps(Ts... xs) {
  std::vector<subtask_step> result;
  (result.push_back(std::move(xs)), ...);
  return result;
}

/// Works until it pauses; the state it pauses in.
work_state settle(subtask& x, micros now = 1) {
  for (int i = 0; i < 1'000'000; ++i) {
    const auto state = x.work(now);
    BOOST_REQUIRE(static_cast<bool>(state));
    if (*state != work_state::ready)
      return *state;
  }
  BOOST_FAIL("the subtask does not come to rest");
  return work_state::ready;
}

} // namespace

BOOST_AUTO_TEST_SUITE(subtask_alone)

BOOST_AUTO_TEST_CASE(a_source_flows_through_operators_into_sinks) {
  sink_log first;
  sink_log second;
  std::string trace;
  subtask x(parts_of(
      steps(source({emit_rows(rows_of({1, 2})), emit_watermark(5), emit_rows(rows_of({3}))}),
            pass({step_at(0)}, &trace), sink(first, {step_at(1)}), sink(second, {step_at(0)}))));
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(trace == "b2 w5 b1 wmax e");
  const std::vector<std::int64_t> expected{1, 2, 3};
  BOOST_TEST(first.values == expected, boost::test_tools::per_element());
  BOOST_TEST(second.values == expected, boost::test_tools::per_element());
  BOOST_TEST(first.finished == 1U);
  BOOST_TEST(x.watermark() == max_time);
  BOOST_TEST(x.stats()[1].rows.rows_out == 3U);
  BOOST_TEST(x.stats()[2].sink.rows == 3U);
}

BOOST_AUTO_TEST_CASE(queues_between_steps_stay_short) {
  sink_log log;
  std::vector<std::size_t> written;
  std::vector<source_action> script;
  for (int i = 0; i < 10; ++i)
    script.emplace_back([&written, &log, i](micros, output& out) -> result<read_status> {
      written.push_back(log.values.size());
      out.emit(row_range(i * 10, 10));
      return read_status{};
    });
  subtask x(parts_of(steps(source(script), pass({step_at(0)}), sink(log, {step_at(1)}))));
  settle(x);
  for (std::size_t i = 0; i < written.size(); ++i)
    BOOST_TEST(written[i] == i * 10);
}

BOOST_AUTO_TEST_CASE(sources_of_one_subtask_take_turns) {
  sink_log log;
  subtask x(parts_of(steps(source({emit_rows(rows_of({1})), emit_rows(rows_of({2}))}),
                           source({emit_rows(rows_of({10})), emit_rows(rows_of({20}))}),
                           pass({step_at(0), step_at(1)}), sink(log, {step_at(2)}))));
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(log.values == (std::vector<std::int64_t>{1, 10, 2, 20}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_long_fire_is_resumed_and_the_end_waits_for_it) {
  sink_log log;
  std::vector<source_action> script;
  for (int i = 0; i < 50; ++i)
    script.push_back(emit_rows(row_range(i * 1000, 1000)));
  subtask x(parts_of(steps(source(script), op(std::make_unique<holding_operator>(), {step_at(0)}),
                           sink(log, {step_at(1)}))));
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(log.values == values_of(*row_range(0, 50'000)), boost::test_tools::per_element());
  BOOST_TEST(log.finished == 1U);
}

BOOST_AUTO_TEST_CASE(a_waiting_source_is_read_again_in_time_or_when_woken) {
  sink_log log;
  subtask x(parts_of(steps(source({wait_until(100), emit_rows(rows_of({1})), wait_until(max_time),
                                   emit_rows(rows_of({2}))}),
                           sink(log, {step_at(0)}))));
  BOOST_TEST((settle(x, 10) == work_state::waiting));
  BOOST_TEST(x.next_time() == 100);
  BOOST_TEST((settle(x, 99) == work_state::waiting));
  BOOST_TEST(log.values.empty());
  BOOST_TEST((settle(x, 100) == work_state::waiting));
  BOOST_TEST(log.values.size() == 1U);
  BOOST_TEST(x.next_time() == max_time);
  x.wake();
  BOOST_TEST((settle(x, 100) == work_state::finished));
  BOOST_TEST(log.values.size() == 2U);
}

BOOST_AUTO_TEST_CASE(ticks_come_before_batches_and_when_they_are_due) {
  sink_log log;
  std::string trace;
  auto ticking = std::make_unique<passing_operator>(&trace, true, 50);
  subtask x(parts_of(steps(source({emit_rows(rows_of({1})), emit_rows(rows_of({1})),
                                   wait_until(max_time), emit_rows(rows_of({1}))}),
                           op(std::move(ticking), {step_at(0)}), sink(log, {step_at(1)}))));
  settle(x, 10);
  BOOST_TEST(trace == "t10 b1 b1");
  BOOST_TEST(x.next_time() == 50);
  settle(x, 49);
  BOOST_TEST(trace == "t10 b1 b1");
  settle(x, 50);
  BOOST_TEST(trace == "t10 b1 b1 t50");
  x.wake();
  settle(x, 51);
  BOOST_TEST(trace == "t10 b1 b1 t50 t51 b1 wmax e");
}

BOOST_AUTO_TEST_CASE(a_sink_that_is_behind_stops_everything_before_it) {
  sink_log log;
  logging_sink* writer = nullptr;
  std::vector<source_action> script(20, emit_rows(rows_of({1})));
  subtask x(parts_of(steps(source(script), sink(log, {step_at(0)}, &writer))));
  writer->backlog_ = sink_backlog_max + 1;
  BOOST_TEST((settle(x) == work_state::blocked));
  BOOST_TEST(log.values.empty());
  writer->backlog_ = sink_backlog_max;
  x.wake();
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(log.values.size() == 20U);
}

BOOST_AUTO_TEST_CASE(an_error_behind_a_sink_is_told_with_the_wake) {
  for (const bool behind : {false, true}) {
    sink_log log;
    logging_sink* writer = nullptr;
    subtask x(parts_of(
        steps(source({emit_rows(rows_of({1})), wait_until(1000)}), sink(log, {step_at(0)}, &writer))));
    writer->backlog_ = behind ? sink_backlog_max + 1 : 0;
    BOOST_TEST((settle(x) == (behind ? work_state::blocked : work_state::waiting)));
    writer->problem_ = make_error(ec::io, "the reader has gone");
    x.wake();
    const auto worked = x.work(0);
    BOOST_REQUIRE(!worked);
    BOOST_TEST(worked.error().message == "the reader has gone");
    BOOST_TEST(worked.error().place.field == "stream s, sink out");
  }
}

BOOST_AUTO_TEST_CASE(a_sink_may_take_its_time_to_finish) {
  sink_log log;
  logging_sink* writer = nullptr;
  subtask x(parts_of(steps(source({}), sink(log, {step_at(0)}, &writer))));
  writer->finish_delays_ = 2;
  BOOST_TEST((settle(x) == work_state::waiting));
  BOOST_TEST((settle(x) == work_state::waiting));
  x.wake();
  BOOST_TEST((settle(x) == work_state::waiting));
  x.wake();
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(log.finished == 1U);
}

BOOST_AUTO_TEST_CASE(errors_name_the_stream_and_the_step) {
  sink_log log;
  subtask x(parts_of(steps(source({emit_rows(rows_of({1}))}),
                           op(std::make_unique<failing_operator>(1), {step_at(0)}),
                           sink(log, {step_at(1)}))));
  BOOST_REQUIRE(static_cast<bool>(x.work(1)));
  const auto state = x.work(1);
  BOOST_REQUIRE(!state);
  BOOST_TEST(to_string(state.error()) == "stream s, operator op: division by zero");
  x.abandon();
  BOOST_TEST(log.abandoned == 1U);
  BOOST_TEST(log.finished == 0U);
}

BOOST_AUTO_TEST_CASE(an_interrupt_drains_fires_nothing_and_finishes_the_sinks) {
  sink_log held;
  sink_log plain;
  subtask x(parts_of(
      steps(source({emit_rows(rows_of({1, 2})), wait_until(max_time), emit_rows(rows_of({3}))}),
            op(std::make_unique<holding_operator>(), {step_at(0)}), sink(held, {step_at(1)}),
            sink(plain, {step_at(0)}))));
  settle(x);
  BOOST_TEST(!x.cut());
  x.interrupt();
  BOOST_TEST((settle(x) == work_state::finished));
  BOOST_TEST(x.cut());
  BOOST_TEST(held.values.empty());
  BOOST_TEST(held.finished == 1U);
  BOOST_TEST(plain.values.size() == 2U);
  BOOST_TEST(plain.finished == 1U);
}

BOOST_AUTO_TEST_CASE(an_interrupt_after_the_end_changes_nothing) {
  sink_log log;
  subtask x(parts_of(steps(source({emit_rows(rows_of({1}))}), sink(log, {step_at(0)}))));
  BOOST_TEST((settle(x) == work_state::finished));
  x.interrupt();
  BOOST_TEST(!x.cut());
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// Subtasks joined by channels in one thread, with a choice of who goes next: a seeded network.
struct network {
  struct link {
    std::uint32_t to = 0;
    std::uint32_t input = 0;
    std::uint32_t channel = 0;
  };

  struct node {
    std::unique_ptr<subtask> task;
    std::vector<std::vector<link>> links; ///< [output][target]
    std::vector<std::vector<link>> back;  ///< [input][channel]: to, output, target
    bool finished = false;
  };

  /// One round of a node, as an actor would do it. True if it did something.
  bool turn(node& x) {
    bool worked = false;
    for (int i = 0; i < 3; ++i) {
      auto state = x.task->work(1);
      BOOST_REQUIRE(static_cast<bool>(state));
      x.finished = *state == work_state::finished;
      if (*state != work_state::ready)
        break;
      worked = true;
    }
    x.task->flush_idle();
    std::vector<outgoing_item> items;
    x.task->take_outgoing(items);
    for (auto& item : items) {
      const auto& to = x.links[item.output][item.target];
      nodes[to.to].task->receive(to.input, to.channel, std::move(item.item));
      queued_max = std::max(queued_max, nodes[to.to].task->queued_bytes(to.input));
    }
    std::vector<returned_credit> credits;
    x.task->take_credits(credits);
    for (const auto& c : credits) {
      const auto& to = x.back[c.input][c.channel];
      nodes[to.to].task->credit(to.input, to.channel, c.bytes);
    }
    return worked || !items.empty() || !credits.empty();
  }

  /// Runs until nothing moves. True when all are finished.
  bool run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::size_t> order(nodes.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      order[i] = i;
    bool moved = true;
    while (moved) {
      std::shuffle(order.begin(), order.end(), random);
      moved = false;
      for (const auto i : order)
        moved |= turn(nodes[i]);
    }
    return std::all_of(nodes.begin(), nodes.end(), [](const auto& x) { return x.finished; });
  }

  std::vector<node> nodes;
  std::size_t queued_max = 0;
};

constexpr std::size_t window = 100'000;

/// `sources` subtasks of a source, hashed to `keyed` subtasks that hold all rows until the end (or
/// pass them on), gathered by one sink.
network shuffle_of(std::uint32_t sources, std::uint32_t keyed, bool hold, sink_log& log,
                   logging_sink** writer, std::int64_t batches = 40) {
  network net;
  batch_limits limits;
  limits.bytes_max = limits.bytes_uncut = 20'000;
  for (std::uint32_t u = 0; u < sources; ++u) {
    std::vector<source_action> script;
    for (std::int64_t i = u; i < batches; i += sources) {
      script.push_back(emit_rows(row_range(i * 1000, 1000)));
      script.push_back(emit_watermark(i));
    }
    auto p = parts_of(steps(source(script), pass({step_at(0)})));
    p.outputs.push_back({1, {partitioning::hash, keyed, {0}, 128}});
    p.channel_window = window;
    p.limits = limits;
    auto& n = net.nodes.emplace_back();
    n.task = std::make_unique<subtask>(std::move(p));
    n.links.resize(1);
    for (std::uint32_t t = 0; t < keyed; ++t)
      n.links[0].push_back({sources + t, 0, u});
  }
  for (std::uint32_t t = 0; t < keyed; ++t) {
    auto p = parts_of(hold ? steps(op(std::make_unique<holding_operator>(), {outside(0)}))
                           : steps(pass({outside(0)})));
    p.inputs = {sources};
    p.outputs.push_back({0, {}});
    p.channel_window = window;
    p.limits = limits;
    auto& n = net.nodes.emplace_back();
    n.task = std::make_unique<subtask>(std::move(p));
    n.links = {{{sources + keyed, 0, t}}};
    n.back.resize(1);
    for (std::uint32_t u = 0; u < sources; ++u)
      n.back[0].push_back({u, 0, t});
  }
  auto p = parts_of(steps(sink(log, {outside(0)}, writer)));
  p.inputs = {keyed};
  auto& n = net.nodes.emplace_back();
  n.task = std::make_unique<subtask>(std::move(p));
  n.back.resize(1);
  for (std::uint32_t t = 0; t < keyed; ++t)
    n.back[0].push_back({sources + t, 0, 0});
  return net;
}

} // namespace

BOOST_AUTO_TEST_SUITE(subtask_network)

BOOST_AUTO_TEST_CASE(every_row_arrives_once_whatever_the_order_of_turns) {
  for (const std::uint32_t parallelism : {1U, 2U, 5U})
    for (const std::uint64_t seed : {1U, 2U, 3U})
      for (const bool hold : {false, true})
        BOOST_TEST_CONTEXT("parallelism " << parallelism << " seed " << seed << " hold " << hold) {
          sink_log log;
          auto net = shuffle_of(parallelism, parallelism, hold, log, nullptr);
          BOOST_TEST(net.run(seed));
          BOOST_TEST(log.sorted() == values_of(*row_range(0, 40'000)),
                     boost::test_tools::per_element());
          BOOST_TEST(log.finished == 1U);
        }
}

BOOST_AUTO_TEST_CASE(a_sink_that_is_behind_holds_all_queues_within_their_windows) {
  sink_log log;
  logging_sink* writer = nullptr;
  auto net = shuffle_of(2, 2, false, log, &writer, 4000);
  writer->backlog_ = sink_backlog_max + 1;
  BOOST_TEST(!net.run(7));
  BOOST_TEST(log.values.empty());
  BOOST_TEST(net.queued_max <= 2 * window);
  BOOST_TEST(net.queued_max > window);
  // The sources have stopped far before their end.
  const auto read =
      net.nodes[0].task->stats()[0].source.rows + net.nodes[1].task->stats()[0].source.rows;
  BOOST_TEST(read < 400U);
  writer->backlog_ = 0;
  BOOST_TEST(net.run(8));
  BOOST_TEST(log.sorted().size() == 4'000'000U);
}

BOOST_AUTO_TEST_CASE(an_interrupt_reaches_every_subtask) {
  for (const std::uint64_t seed : {1U, 2U, 3U})
    for (const int turns : {0, 1, 5, 30})
      BOOST_TEST_CONTEXT("seed " << seed << " after " << turns) {
        sink_log log;
        auto net = shuffle_of(2, 3, false, log, nullptr);
        for (int i = 0; i < turns; ++i)
          net.turn(net.nodes[static_cast<std::size_t>(i) % net.nodes.size()]);
        for (auto& x : net.nodes)
          x.task->interrupt();
        BOOST_TEST(net.run(seed));
        BOOST_TEST(log.finished == 1U);
        // What the sources have read has arrived, each row once.
        std::uint64_t read = 0;
        for (std::size_t i = 0; i < 2; ++i)
          read += net.nodes[i].task->stats()[1].rows.rows_out;
        const auto values = log.sorted();
        BOOST_TEST(values.size() == read);
        BOOST_TEST((std::adjacent_find(values.begin(), values.end()) == values.end()));
        BOOST_TEST(net.nodes.back().task->cut());
      }
}

BOOST_AUTO_TEST_CASE(an_interrupt_fires_no_window) {
  sink_log log;
  auto net = shuffle_of(2, 2, true, log, nullptr);
  for (int i = 0; i < 10; ++i)
    net.turn(net.nodes[static_cast<std::size_t>(i) % 2]);
  for (auto& x : net.nodes)
    x.task->interrupt();
  BOOST_TEST(net.run(1));
  BOOST_TEST(log.values.empty());
  BOOST_TEST(log.finished == 1U);
}

BOOST_AUTO_TEST_CASE(a_small_batch_leaves_at_once_when_the_consumer_is_idle) {
  auto p = parts_of(steps(source({emit_rows(rows_of({1})), wait_until(max_time),
                                  emit_rows(rows_of({2})), wait_until(max_time)})));
  p.outputs.push_back({0, {}});
  subtask x(std::move(p));
  std::vector<outgoing_item> items;
  settle(x);
  x.flush_idle();
  x.take_outgoing(items);
  BOOST_REQUIRE(items.size() == 1U);
  const auto bytes = items[0].item.bytes;
  BOOST_TEST(x.in_flight(0, 0) == bytes);
  // The consumer has not taken it yet: the next rows would only wait there.
  x.wake();
  settle(x);
  x.flush_idle();
  x.take_outgoing(items);
  BOOST_TEST(items.empty());
  x.credit(0, 0, bytes);
  x.flush_idle();
  x.take_outgoing(items);
  BOOST_TEST(items.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
