#include "actors/runtime/checkpoint_coordinator.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace ebb; // NOLINT

namespace {

constexpr micros ms = 1000;

checkpoint_settings quick() {
  checkpoint_settings x;
  x.interval = 100 * ms;
  x.abort_after = 2000 * ms;
  x.epoch_block = 4;
  x.attempts_max = 3;
  return x;
}

/// Two subtasks in two processes, at time 0; effects as text.
struct driver {
  explicit driver(const checkpoint_settings& settings = quick(), epoch_number recorded = 0)
      : decide(settings, recorded, 2, 2, 0) {}

  std::string effects() {
    using kind = checkpoint_coordinator::effect::kind;
    std::string text;
    for (const auto& x : decide.take_effects()) {
      if (!text.empty())
        text += ' ';
      switch (x.what) {
      case kind::reserve:
        text += "reserve";
        continue;
      case kind::request:
        text += "request " + std::to_string(x.epoch) + '-' + std::to_string(x.base)
                + (x.whole ? " whole" : "");
        continue;
      case kind::commit:
        text += "commit ";
        break;
      case kind::apply:
        text += "apply ";
        break;
      case kind::conclude:
        text += "conclude";
        continue;
      case kind::alarm:
        text += "alarm ";
        break;
      case kind::give_up:
        text += "give-up ";
        break;
      }
      text += std::to_string(x.epoch);
    }
    return text;
  }

  std::string tick(micros now, std::uint64_t activity = 1) {
    decide.tick(now, activity);
    return effects();
  }

  /// From the request to the end.
  void carry_through(epoch_number epoch, micros now) {
    decide.written(0, epoch, now);
    decide.written(1, epoch, now);
    decide.committed(epoch, now);
    decide.applied(epoch, now);
  }

  /// Epoch `first` of a new block is requested.
  void begin(epoch_number first, micros now) {
    BOOST_TEST(tick(now) == "reserve");
    decide.reserved(first);
    BOOST_TEST(effects().substr(0, 8) == "request ");
  }

  checkpoint_coordinator decide;
};

} // namespace

BOOST_AUTO_TEST_SUITE(checkpoint_decisions)

BOOST_AUTO_TEST_CASE(goes_through_its_phases_in_order) {
  driver x;
  BOOST_TEST(x.decide.next_time() == 100 * ms);
  BOOST_TEST(x.tick(99 * ms) == "");
  BOOST_TEST(x.tick(100 * ms) == "reserve");
  BOOST_TEST(x.tick(150 * ms) == "");
  x.decide.reserved(10);
  BOOST_TEST(x.effects() == "request 10-0");
  BOOST_TEST((x.decide.phase() == checkpoint_phase::snapshot));
  x.decide.written(0, 10, 160 * ms);
  x.decide.written(0, 10, 160 * ms);
  BOOST_TEST(x.effects() == "");
  x.decide.written(1, 10, 170 * ms);
  BOOST_TEST(x.effects() == "commit 10");
  BOOST_TEST(x.decide.recorded() == 0U);
  x.decide.committed(10, 175 * ms);
  BOOST_TEST(x.effects() == "apply 10");
  BOOST_TEST(x.decide.recorded() == 10U);
  x.decide.applied(10, 180 * ms);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST((x.decide.phase() == checkpoint_phase::none));
  BOOST_TEST(x.decide.current() == 0U);
  BOOST_TEST(x.decide.timing().started == 150 * ms);
  BOOST_TEST(x.decide.timing().snapshot == 20 * ms);
  BOOST_TEST(x.decide.timing().commit == 5 * ms);
  BOOST_TEST(x.decide.timing().apply == 5 * ms);
}

BOOST_AUTO_TEST_CASE(paces_itself_by_the_last_duration) {
  driver x;
  x.begin(1, 100 * ms);
  x.carry_through(1, 105 * ms);
  x.effects();
  // Twice 5 ms is less than the interval.
  BOOST_TEST(x.decide.next_time() == 200 * ms);
  BOOST_TEST(x.tick(199 * ms, 2) == "");
  BOOST_TEST(x.tick(200 * ms, 2) == "request 2-1");
  x.carry_through(2, 350 * ms);
  x.effects();
  BOOST_TEST(x.tick(499 * ms, 3) == "");
  BOOST_TEST(x.tick(500 * ms, 3) == "request 3-2");
}

BOOST_AUTO_TEST_CASE(starts_nothing_while_nothing_happens) {
  driver x;
  x.begin(1, 100 * ms);
  x.carry_through(1, 101 * ms);
  x.effects();
  for (micros now = 200 * ms; now < 1000 * ms; now += 10 * ms)
    BOOST_TEST(x.tick(now, 1) == "");
  BOOST_TEST(x.tick(1200 * ms, 2) == "request 2-1");
}

BOOST_AUTO_TEST_CASE(reserves_blocks_and_uses_every_number_once) {
  driver x;
  x.begin(8, 100 * ms);
  micros now = 100 * ms;
  for (epoch_number e = 8; e < 12; ++e) {
    if (e != 8)
      BOOST_TEST(x.tick(now, e) == "request " + std::to_string(e) + '-' + std::to_string(e - 1));
    x.carry_through(e, now);
    x.effects();
    now += 100 * ms;
  }
  BOOST_TEST(x.tick(now, 99) == "reserve");
  x.decide.reserved(64);
  BOOST_TEST(x.effects() == "request 64-11");
  // An answer that comes twice.
  x.decide.reserved(64);
  x.carry_through(64, now);
  x.effects();
  BOOST_TEST(x.tick(now + 100 * ms, 100) == "request 65-64");
}

BOOST_AUTO_TEST_CASE(ignores_what_belongs_to_no_epoch_under_way) {
  driver x;
  x.decide.written(0, 1, 0);
  x.decide.committed(1, 0);
  x.decide.applied(1, 0);
  x.begin(1, 100 * ms);
  x.decide.committed(1, 100 * ms);
  x.decide.applied(1, 100 * ms);
  x.decide.written(0, 2, 100 * ms);
  x.decide.written(1, 2, 100 * ms);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST((x.decide.phase() == checkpoint_phase::snapshot));
  x.decide.written(0, 1, 100 * ms);
  x.decide.written(1, 1, 100 * ms);
  x.decide.applied(1, 100 * ms);
  BOOST_TEST(x.effects() == "commit 1");
}

BOOST_AUTO_TEST_CASE(raises_an_alarm_once_a_phase_and_gives_up_snapshots) {
  driver x;
  x.begin(1, 100 * ms);
  BOOST_TEST(x.decide.next_time() == 400 * ms);
  BOOST_TEST(x.tick(399 * ms) == "");
  BOOST_TEST(x.tick(400 * ms) == "alarm 1");
  BOOST_TEST(x.decide.next_time() == 2100 * ms);
  BOOST_TEST(x.tick(1000 * ms) == "");
  x.decide.written(0, 1, 1500 * ms);
  BOOST_TEST(x.tick(2099 * ms) == "");
  // The next one begins at once: until then channels are held for a barrier that may never come.
  BOOST_TEST(x.tick(2100 * ms) == "give-up 1 request 2-0");
  // Parts of the first attempt do not count.
  x.decide.written(1, 1, 2200 * ms);
  x.decide.written(1, 2, 2200 * ms);
  BOOST_TEST(x.effects() == "");
  x.decide.written(0, 2, 2300 * ms);
  BOOST_TEST(x.effects() == "commit 2");
  // A record that is being written may be durable: no giving up any more.
  BOOST_TEST(x.tick(2600 * ms) == "alarm 2");
  BOOST_TEST(x.tick(99'000 * ms) == "");
  x.decide.committed(2, 99'000 * ms);
  BOOST_TEST(x.effects() == "apply 2");
  BOOST_TEST(x.tick(99'300 * ms) == "alarm 2");
  BOOST_TEST(x.tick(200'000 * ms) == "");
  x.decide.applied(2, 200'000 * ms);
  BOOST_TEST((x.decide.phase() == checkpoint_phase::none));
}

BOOST_AUTO_TEST_CASE(raises_an_alarm_when_no_epochs_can_be_reserved) {
  driver x;
  BOOST_TEST(x.tick(100 * ms) == "reserve");
  BOOST_TEST(x.tick(399 * ms) == "");
  BOOST_TEST(x.tick(400 * ms) == "alarm 0");
  BOOST_TEST(x.tick(9000 * ms) == "");
  x.decide.reserved(5);
  BOOST_TEST(x.effects() == "request 5-0");
}

BOOST_AUTO_TEST_CASE(saves_everything_after_so_many_attempts_in_vain) {
  driver x(quick(), 7);
  x.begin(8, 100 * ms);
  BOOST_TEST(x.tick(2100 * ms) == "alarm 8 give-up 8 request 9-7");
  BOOST_TEST(x.tick(4100 * ms) == "alarm 9 give-up 9 request 10-7");
  BOOST_TEST(x.tick(6100 * ms) == "alarm 10 give-up 10 request 11-7 whole");
  BOOST_TEST(x.tick(8100 * ms) == "alarm 11 give-up 11 reserve");
  x.decide.reserved(12);
  BOOST_TEST(x.effects() == "request 12-7 whole");
  x.carry_through(12, 8100 * ms);
  x.effects();
  BOOST_TEST(x.tick(8200 * ms, 9) == "request 13-12");
}

BOOST_AUTO_TEST_CASE(gives_up_and_alarms_at_the_defaults_of_the_design) {
  checkpoint_settings settings;
  settings.interval = micros_per_second;
  driver x(settings);
  x.begin(1, micros_per_second);
  BOOST_TEST(x.tick(4 * micros_per_second - 1) == "");
  BOOST_TEST(x.tick(4 * micros_per_second) == "alarm 1");
  BOOST_TEST(x.tick(601 * micros_per_second - 1) == "");
  BOOST_TEST(x.tick(601 * micros_per_second) == "give-up 1 request 2-0");
  micros now = 601 * micros_per_second;
  std::uint32_t attempts = 2;
  std::string last;
  while (attempts < 16) {
    now += 600 * micros_per_second;
    last = x.tick(now);
    ++attempts;
  }
  BOOST_TEST(last == "alarm 15 give-up 15 request 16-0 whole");
}

BOOST_AUTO_TEST_CASE(the_final_checkpoint_waits_for_all_and_concludes) {
  driver x;
  x.begin(1, 100 * ms);
  x.decide.drained(0, 110 * ms);
  x.decide.drained(0, 110 * ms);
  x.carry_through(1, 120 * ms);
  BOOST_TEST(x.effects() == "commit 1 apply 1");
  // At once, whatever the interval.
  x.decide.drained(1, 121 * ms);
  BOOST_TEST(x.effects() == "request 2-1");
  BOOST_TEST((x.decide.reason() == checkpoint_reason::final));
  x.carry_through(2, 130 * ms);
  BOOST_TEST(x.effects() == "commit 2 apply 2 conclude");
  BOOST_TEST(x.decide.next_time() == max_time);
  BOOST_TEST(x.tick(9999 * ms, 77) == "");
}

BOOST_AUTO_TEST_CASE(what_drains_during_a_checkpoint_needs_another_one) {
  driver x;
  x.begin(1, 100 * ms);
  x.decide.drained(0, 110 * ms);
  x.decide.drained(1, 110 * ms);
  BOOST_TEST(x.effects() == "");
  x.carry_through(1, 120 * ms);
  BOOST_TEST(x.effects() == "commit 1 apply 1 request 2-1");
}

BOOST_AUTO_TEST_CASE(a_final_checkpoint_that_is_given_up_is_made_again) {
  driver x;
  x.decide.drained(0, 0);
  x.decide.drained(1, 0);
  BOOST_TEST(x.effects() == "reserve");
  x.decide.reserved(1);
  BOOST_TEST(x.effects() == "request 1-0");
  BOOST_TEST(x.tick(2000 * ms) == "alarm 1 give-up 1 request 2-0");
  x.carry_through(2, 2001 * ms);
  BOOST_TEST(x.effects() == "commit 2 apply 2 conclude");
}

BOOST_AUTO_TEST_CASE(wishes_begin_at_once_and_are_fulfilled_by_what_begins_later) {
  driver x;
  x.decide.wish(1 * ms);
  BOOST_TEST(x.effects() == "reserve");
  x.decide.wish(2 * ms);
  x.decide.reserved(1);
  BOOST_TEST(x.effects() == "request 1-0");
  BOOST_TEST(x.decide.fulfils() == 2U);
  BOOST_TEST((x.decide.reason() == checkpoint_reason::savepoint));
  // Too late for the one under way.
  x.decide.wish(3 * ms);
  x.carry_through(1, 4 * ms);
  BOOST_TEST(x.effects() == "commit 1 apply 1 request 2-1");
  BOOST_TEST(x.decide.fulfils() == 3U);
  // Given up: the wish stays.
  BOOST_TEST(x.tick(2004 * ms) == "alarm 2 give-up 2 request 3-1");
  BOOST_TEST(x.decide.fulfils() == 3U);
  x.carry_through(3, 2005 * ms);
  BOOST_TEST(x.effects() == "commit 3 apply 3");
  BOOST_TEST((x.decide.phase() == checkpoint_phase::none));
}

BOOST_AUTO_TEST_CASE(a_clock_that_falls_back_changes_nothing) {
  driver x;
  x.begin(1, 100 * ms);
  x.decide.written(0, 1, -3600'000 * ms);
  x.decide.written(1, 1, -3600'000 * ms);
  x.decide.committed(1, -3600'000 * ms);
  x.decide.applied(1, -3600'000 * ms);
  BOOST_TEST(x.decide.timing().snapshot == 0);
  BOOST_TEST(x.decide.next_time() == 200 * ms);
}

BOOST_AUTO_TEST_SUITE_END()
