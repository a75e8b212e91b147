#include "actors/runtime/subtask_host.hpp"

#include "tests/support/deterministic_system.hpp"
#include "tests/support/scripted_stream.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

/// What a supervisor hears.
struct heard {
  int done = 0;
  std::vector<error> failures;
};

supervisor_actor::behavior_type listener(supervisor_actor::pointer self, heard* into) {
  return {
      [](start_atom) {},
      [=](done_atom, std::uint32_t, bool) { ++into->done; },
      [=](const failure& x, std::uint32_t) { into->failures.push_back(x.problem); },
      [](const failure&) {},
      [=](interrupt_atom) { self->quit(); },
      [](savepoint_wish&) {},
  };
}

/// A subtask upstream that only hears of its credit.
subtask_actor::behavior_type sender(subtask_actor::pointer, std::vector<std::size_t>* credit) {
  return {
      [](const subtask_links&) {},
      [](start_atom) {},
      [](const arrival&) {},
      [=](const credit_return& x) { credit->push_back(x.bytes); },
      [](run_atom) {},
      [](timer_atom, std::uint64_t) {},
      [](wake_atom) {},
      [](interrupt_atom) {},
      [](const checkpoint_request&) {},
      [](conclude_atom, generation_number) {},
      [](const state_read&) {},
      [](abandon_atom) {},
  };
}

/// One host that passes rows from an input with one channel to a sink.
struct lone_host {
  lone_host() {
    supervisor = actors.system().spawn(listener, &news);
    subtask_parts parts;
    parts.stream = "s";
    parts.inputs = {1};
    auto& sink = parts.steps.emplace_back();
    sink.name = "out";
    auto writer = std::make_unique<logging_sink>(log);
    written = writer.get();
    sink.body = std::move(writer);
    sink.inputs = {{true, 0}};
    subtask_setup setup;
    setup.generation = 5;
    setup.task = std::make_unique<subtask>(std::move(parts));
    setup.waker = std::make_shared<wake_target>();
    setup.board = board;
    setup.clock = [this] { return now; };
    setup.supervisor = supervisor;
    host = actors.system().spawn(subtask_host, std::make_shared<subtask_setup>(std::move(setup)));
    subtask_links links;
    upstream = actors.system().spawn(sender, &credit);
    links.inputs = {{{caf::actor_cast<caf::strong_actor_ptr>(upstream), 0, 0}}};
    caf::anon_send(host, links);
  }

  ~lone_host() {
    caf::anon_send_exit(host, caf::exit_reason::kill);
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    caf::anon_send_exit(upstream, caf::exit_reason::kill);
    actors.settle();
  }

  lone_host(const lone_host&) = delete;
  lone_host& operator=(const lone_host&) = delete;

  void send(generation_number generation, channel_item item) {
    arrival x;
    x.generation = generation;
    x.items.push_back(std::move(item));
    caf::anon_send(host, std::move(x));
  }

  deterministic_system actors;
  sink_log log;
  heard news;
  logging_sink* written = nullptr;
  micros now = 1;
  std::shared_ptr<stats_board> board = std::make_shared<stats_board>();
  std::vector<std::size_t> credit;
  supervisor_actor supervisor;
  subtask_actor host;
  subtask_actor upstream;
};

} // namespace

BOOST_AUTO_TEST_SUITE(host)

BOOST_AUTO_TEST_CASE(does_nothing_before_the_start) {
  lone_host x;
  x.send(5, channel_item::of(rows_of({1}), 8));
  x.actors.settle();
  BOOST_TEST(x.log.values.empty());
  caf::anon_send(x.host, start_atom::value);
  x.actors.settle();
  BOOST_TEST(x.log.values.size() == 1U);
  BOOST_TEST(x.news.done == 0);
}

BOOST_AUTO_TEST_CASE(drops_what_another_generation_sends) {
  lone_host x;
  caf::anon_send(x.host, start_atom::value);
  x.send(4, channel_item::of(rows_of({1}), 8));
  x.send(6, channel_item::of(rows_of({2}), 8));
  x.send(5, channel_item::of(rows_of({3}), 8));
  x.send(4, channel_item::of(channel_signal::end));
  x.actors.settle();
  BOOST_TEST(x.log.values == std::vector<std::int64_t>{3}, boost::test_tools::per_element());
  BOOST_TEST(x.news.done == 0);
  x.send(5, channel_item::of(channel_signal::end));
  x.actors.settle();
  BOOST_TEST(x.news.done == 1);
  BOOST_TEST(x.log.finished == 1U);
}

BOOST_AUTO_TEST_CASE(tells_the_moment_of_the_first_row_at_once) {
  lone_host x;
  caf::anon_send(x.host, start_atom::value);
  x.actors.settle();
  BOOST_TEST(x.board->read().flow.first_out == 0);
  BOOST_TEST(x.board->read().flow.batches == 0U);
  // Long before counters are shown again.
  x.now = 1'001;
  x.send(5, channel_item::of(rows_of({1}), 8));
  x.actors.settle();
  BOOST_TEST(x.board->read().flow.first_out == 1'001);
  BOOST_TEST(x.board->read().flow.first_in == 0);
  BOOST_TEST(x.board->read().flow.batches == 1U);
  x.now = 100'000;
  x.send(5, channel_item::of(channel_signal::watermark, 5));
  x.send(5, channel_item::of(rows_of({2}), 8));
  x.actors.settle();
  BOOST_TEST(x.board->read().flow.first_out == 1'001);
  BOOST_TEST(x.board->read().flow.batches == 2U);
}

BOOST_AUTO_TEST_CASE(counts_how_long_it_waits_for_what_is_slower) {
  lone_host x;
  caf::anon_send(x.host, start_atom::value);
  x.actors.settle();
  x.written->backlog_ = std::size_t{1} << 40;
  x.now = 10;
  x.send(5, channel_item::of(rows_of({1}), 8));
  x.actors.settle();
  x.now = 70'000;
  x.written->backlog_ = 0;
  caf::anon_send(x.host, wake_atom::value);
  x.actors.settle();
  BOOST_TEST(x.log.values.size() == 1U);
  BOOST_TEST(x.board->read().flow.blocked == 69'990);
  x.now = 200'000;
  caf::anon_send(x.host, wake_atom::value);
  x.actors.settle();
  BOOST_TEST(x.board->read().flow.blocked == 69'990);
}

BOOST_AUTO_TEST_CASE(takes_all_that_has_arrived_in_one_go) {
  lone_host x;
  caf::anon_send(x.host, start_atom::value);
  x.actors.settle();
  for (int i = 0; i < 10; ++i)
    x.send(5, channel_item::of(rows_of({i}), 8));
  x.actors.settle();
  BOOST_TEST(x.log.values.size() == 10U);
  // One run for all of them, and one message with their credit.
  BOOST_TEST(x.credit == std::vector<std::size_t>{80}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(gives_up_without_its_supervisor) {
  lone_host x;
  caf::anon_send(x.host, start_atom::value);
  caf::anon_send(x.supervisor, interrupt_atom::value);
  x.actors.settle();
  BOOST_TEST(x.log.abandoned == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
