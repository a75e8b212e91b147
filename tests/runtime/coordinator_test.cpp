#include "actors/runtime/coordinator.hpp"

#include "tests/support/deterministic_system.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

/// Refuses records with savepoints as the control database refuses what it cannot store.
class choosy_store final : public checkpoint_store {
public:
  ec refusal = ec::internal;
  std::vector<epoch_number> committed;
  std::size_t named = 0; ///< savepoints of committed records

  result<epoch_number> reserve(std::uint32_t) override {
    return epoch_number{1};
  }

  result<std::optional<segment_info>> write_delta(epoch_number,
                                                  std::span<const snapshot_ptr>) override {
    return std::optional<segment_info>{};
  }

  result<std::vector<std::size_t>> taken(const epoch_record& x) override {
    for (const auto& name : x.savepoints)
      if (name == "unknown")
        return make_error(refusal, "names cannot be read");
    return std::vector<std::size_t>{};
  }

  result<void> commit(const epoch_record& x) override {
    for (const auto& name : x.savepoints)
      if (name == "refused")
        return make_error(refusal, "this name cannot be stored");
    committed.push_back(x.epoch);
    named += x.savepoints.size();
    return {};
  }

  result<void> applied(const std::string&, std::uint32_t, epoch_number, std::uint64_t) override {
    return {};
  }

  result<bool> maintain() override {
    return false;
  }
};

class at_once final : public io_executor {
public:
  std::uint64_t open_lane() override {
    return 1;
  }

  void submit(std::uint64_t, std::function<void()> job) override {
    job();
  }
};

supervisor_actor::behavior_type listener(supervisor_actor::pointer self, int* failures) {
  return {
      [](start_atom) {},
      [](done_atom, std::uint32_t, bool) {},
      [=](const failure&, std::uint32_t) { ++*failures; },
      [=](const failure&) { ++*failures; },
      [=](interrupt_atom) { self->quit(); },
      [](savepoint_wish&) {},
  };
}

/// A subtask that never ends by itself.
subtask_actor::behavior_type idle(subtask_actor::pointer) {
  return {
      [](const subtask_links&) {},
      [](start_atom) {},
      [](const arrival&) {},
      [](const credit_return&) {},
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

/// One coordinator whose process has its part of each epoch at once.
struct lone_coordinator {
  lone_coordinator() {
    supervisor = actors.system().spawn(listener, &failures);
    checkpoint_setup setup;
    setup.store = store;
    setup.apply = [](const sink_snapshot&) { return result<void>(); };
    setup.clock = [this] { return now; };
    setup.io = &io;
    setup.board = board;
    setup.snapshots = snapshots;
    setup.labels = std::make_shared<const std::vector<subtask_label>>(
        std::vector<subtask_label>{{"clicks (subtask 1 of 1)", 0},
                                   {"hourly (subtask 1 of 2)", 0},
                                   {"hourly (subtask 2 of 2)", 0}});
    coordinator = actors.system().spawn(ebb::coordinator, std::move(setup), supervisor);
    subtask = actors.system().spawn(idle);
    subtask_list all;
    all.subtasks.push_back(caf::actor_cast<caf::strong_actor_ptr>(subtask));
    caf::anon_send(coordinator, std::move(all));
    actors.settle();
  }

  ~lone_coordinator() {
    caf::anon_send_exit(coordinator, caf::exit_reason::kill);
    caf::anon_send_exit(subtask, caf::exit_reason::kill);
    caf::anon_send_exit(supervisor, caf::exit_reason::kill);
    actors.settle();
  }

  lone_coordinator(const lone_coordinator&) = delete;
  lone_coordinator& operator=(const lone_coordinator&) = delete;

  /// What the person who wishes hears.
  std::string wish(const std::string& name) {
    std::string heard = "nothing";
    caf::anon_send(coordinator, savepoint_wish{name, [&](const result<epoch_number>& x) {
                                                 heard = x ? "made" : x.error().message;
                                               }});
    actors.settle();
    caf::anon_send(coordinator, epoch_written{1, 0, ++epoch, {}});
    actors.settle();
    return heard;
  }

  deterministic_system actors;
  std::shared_ptr<choosy_store> store = std::make_shared<choosy_store>();
  std::shared_ptr<checkpoint_board> board = std::make_shared<checkpoint_board>();
  std::shared_ptr<snapshot_board> snapshots = std::make_shared<snapshot_board>();
  at_once io;
  int failures = 0;
  micros now = 1;
  epoch_number epoch = 0;
  supervisor_actor supervisor;
  subtask_actor subtask;
  coordinator_actor coordinator;
};

} // namespace

BOOST_AUTO_TEST_SUITE(coordinator_of_checkpoints)

BOOST_AUTO_TEST_CASE(a_wish_that_fails_does_not_end_the_stream) {
  for (const auto code : {ec::invalid_argument, ec::conflict, ec::corrupt, ec::internal}) {
    lone_coordinator x;
    x.store->refusal = code;
    BOOST_TEST(x.wish("refused") == "this name cannot be stored");
    BOOST_TEST(x.wish("unknown") == "names cannot be read");
    BOOST_TEST(x.wish("good") == "made");
    BOOST_TEST(x.store->committed.size() == 3U);
    BOOST_TEST(x.store->named == 1U);
    BOOST_TEST(x.failures == 0);
  }
}

BOOST_AUTO_TEST_CASE(an_alarm_names_what_the_checkpoint_waits_for) {
  lone_coordinator x;
  const auto pass = [&](micros time) {
    x.now += time;
    x.actors.advance(time);
  };
  pass(10 * micros_per_second); // begins
  x.snapshots->came(1, 1);
  pass(29 * micros_per_second);
  BOOST_TEST(x.board->get().alarm == "");
  pass(micros_per_second);
  BOOST_TEST(x.board->get().alarm
             == "it takes long: there is no snapshot yet of clicks (subtask 1 of 1), "
                "hourly (subtask 2 of 2)");
  // As it is when somebody looks.
  x.snapshots->came(1, 0);
  BOOST_TEST(x.board->get().alarm
             == "it takes long: there is no snapshot yet of hourly (subtask 2 of 2)");
  x.snapshots->came(1, 2);
  BOOST_TEST(x.board->get().alarm
             == "it takes long: the snapshot is being written to disk");
  caf::anon_send(x.coordinator, epoch_written{1, 0, 1, {}});
  x.actors.settle();
  BOOST_TEST(x.board->get().completed == 1U);
  BOOST_TEST(x.board->get().alarm == "");
}

BOOST_AUTO_TEST_CASE(what_a_snapshot_waits_for_is_told_in_few_words) {
  std::vector<subtask_label> labels;
  for (int i = 0; i < 6; ++i)
    labels.push_back({std::string(1, static_cast<char>('a' + i)), i < 5 ? 0U : 1U});
  BOOST_TEST(snapshot_waits_for(labels, {1}, {false, false})
             == "there is no snapshot yet of a, c, d and 1 more");
  BOOST_TEST(snapshot_waits_for(labels, {}, {true, false, false})
             == "no snapshot was written yet by the workers of parts 1, 2 of the stream, counted "
                "from 0");
  BOOST_TEST(snapshot_waits_for(labels, {}, {true, true}) == "its record is being written");
}

BOOST_AUTO_TEST_CASE(a_name_that_cannot_be_is_refused_at_once) {
  lone_coordinator x;
  const auto wish = [&](const std::string& name) {
    std::string heard;
    caf::anon_send(x.coordinator, savepoint_wish{name, [&](const result<epoch_number>& made) {
                                                   heard = made ? "made" : made.error().hint;
                                                 }});
    x.actors.settle();
    return heard;
  };
  for (const std::string name : {"", "a_b", "A", "a\nb", "\xff", "-a", "a-"})
    BOOST_TEST(wish(name).find("use 1 to 63 lower-case letters") == 0U, name);
  BOOST_TEST(wish(std::string(64, 'a')).find("use 1 to 63") == 0U);
  BOOST_TEST(wish("fresh") == "--from fresh means something else: use another name");
  BOOST_TEST(wish("latest-checkpoint").find("--from latest-checkpoint means") == 0U);
  BOOST_TEST(x.store->committed.empty());
  BOOST_TEST(x.wish(std::string(63, 'a')) == "made");
  BOOST_TEST(x.failures == 0);
}

BOOST_AUTO_TEST_SUITE_END()
