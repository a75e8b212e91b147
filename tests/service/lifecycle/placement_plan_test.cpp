#include "actors/service/lifecycle/placement_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace ebb; // NOLINT

namespace {

constexpr micros s = micros_per_second;

placement_limits small(std::size_t warm, std::size_t most) {
  placement_limits x;
  x.warm = warm;
  x.max_workers = most;
  return x;
}

struct driver {
  explicit driver(const placement_limits& limits, micros start_from = 0)
      : plan(limits, 1, now, start_from) {}

  std::string effects() {
    using kind = placement_plan::effect::kind;
    std::string text;
    for (const auto& x : plan.take_effects()) {
      text += text.empty() ? "" : ", ";
      const auto key = x.key.stream + std::to_string(x.key.placement);
      const auto worker = std::to_string(x.worker);
      switch (x.what) {
      case kind::start_worker:
        text += "start " + worker;
        break;
      case kind::assign:
        text += key + " to " + worker;
        break;
      case kind::drop:
        text += "drop " + key + " at " + worker;
        break;
      case kind::end_worker:
        text += "end " + worker;
        break;
      case kind::kill_worker:
        text += "kill " + worker;
        break;
      case kind::lost:
        text += "lost " + key;
        break;
      }
    }
    return text;
  }

  std::string place(const std::string& stream, std::uint64_t placement, std::uint64_t after = 0,
                    bool warm = true, const std::string& pool = {}) {
    plan.place({stream, placement}, after, now, warm, pool);
    return effects();
  }

  std::string release(const std::string& stream, std::uint64_t placement) {
    plan.release({stream, placement}, now);
    return effects();
  }

  std::string ready(std::uint64_t worker) {
    plan.worker_ready(worker, 1000, now);
    return effects();
  }

  std::string lost(std::uint64_t worker) {
    plan.worker_lost(worker, now);
    return effects();
  }

  std::string tick(micros later) {
    now += later;
    plan.tick(now);
    return effects();
  }

  micros now = 1000 * s;
  placement_plan plan;
};

} // namespace

BOOST_AUTO_TEST_SUITE(placement_plan_)

BOOST_AUTO_TEST_CASE(workers_of_their_own) {
  auto limits = small(0, 3);
  limits.own = true;
  limits.idle_grace = 0;
  driver d(limits);
  BOOST_TEST(d.place("a", 1) == "start 1");
  BOOST_TEST(d.place("b", 1) == "start 2");
  // The one that is ready first takes its own stream, though another waits longer.
  BOOST_TEST(d.ready(2) == "b1 to 2");
  BOOST_TEST(d.place("c", 1) == "start 3");
  BOOST_TEST(d.place("d", 1).empty()); // there are three: none is shared
  BOOST_TEST(d.ready(1) == "a1 to 1");
  BOOST_TEST(d.tick(600 * s) == "kill 3");
  BOOST_TEST(d.release("a", 1) == "end 1");
  BOOST_TEST(d.lost(1) == "start 4");
  BOOST_TEST(d.ready(4) == "c1 to 4");
  BOOST_TEST(d.lost(3).empty()); // it never came: the next one waits
  BOOST_TEST(d.tick(2 * s) == "start 5");
  // One that nobody waits for any more does not go on starting.
  d.plan.kill({"d", 1}, d.now);
  BOOST_TEST(d.effects() == "kill 5");
}

BOOST_AUTO_TEST_CASE(warm_workers_become_one_streams_own) {
  auto limits = small(1, 5);
  limits.own = true;
  limits.idle_grace = 0;
  driver d(limits);
  BOOST_TEST(d.effects() == "start 1");
  BOOST_TEST(d.ready(1).empty());
  BOOST_TEST(d.tick(3600 * s).empty()); // it waits, however long
  BOOST_TEST(d.place("a", 1) == "a1 to 1");
  // The next one comes when the wake is over.
  BOOST_TEST(d.plan.next_time() == d.now + limits.refill_after);
  BOOST_TEST(d.tick(limits.refill_after) == "start 2");
  BOOST_TEST(d.ready(2).empty());
  // A stream that asks for more than any pod has gets one that is made for it.
  BOOST_TEST(d.place("b", 1, 0, false) == "start 3");
  BOOST_TEST(d.ready(3) == "b1 to 3");
  // A stream that has one already keeps it.
  BOOST_TEST(d.place("a", 2, 1) == "a2 to 1");
  BOOST_TEST(d.release("a", 1).empty());
  // Nobody else gets it.
  BOOST_TEST(d.release("a", 2) == "end 1");
  BOOST_TEST(d.lost(1).empty());
  BOOST_TEST(d.place("c", 1) == "c1 to 2");
  BOOST_TEST(d.tick(limits.refill_after) == "start 4");
  // The own one is on its way when the warm one is ready: that one takes it.
  BOOST_TEST(d.place("d", 1) == "start 5");
  BOOST_TEST(d.ready(4) == "d1 to 4, kill 5");
  BOOST_TEST(d.lost(5).empty());
  BOOST_TEST(d.tick(limits.refill_after) == "start 6");
}

BOOST_AUTO_TEST_CASE(pools_of_warm_workers) {
  auto limits = small(1, 9);
  limits.own = true;
  limits.idle_grace = 0;
  limits.pools = {{"a", 2}, {"none", 0}};
  driver d(limits);
  BOOST_TEST(d.effects() == "start 1, start 2, start 3");
  d.ready(1);
  d.ready(2);
  d.ready(3);
  // Those of a pool are for its streams alone; where it has no more, one is made.
  BOOST_TEST(d.place("x", 1, 0, true, "a") == "x1 to 1");
  BOOST_TEST(d.place("y", 1, 0, true, "a") == "y1 to 2");
  BOOST_TEST(d.place("z", 1, 0, true, "a") == "start 4");
  BOOST_TEST(d.place("u", 1, 0, true, "none") == "start 5");
  BOOST_TEST(d.place("v", 1, 0, true, "b") == "v1 to 3");
  BOOST_TEST(d.place("w", 1) == "start 6");
  BOOST_TEST(d.plan.next_time() <= d.now + limits.refill_after);
  BOOST_TEST(d.tick(limits.refill_after) == "start 7, start 8, start 9");
  BOOST_TEST(d.ready(4) == "z1 to 4");
  BOOST_TEST(d.ready(6) == "w1 to 6");
  // What an earlier control process has kept warm is of no pool: one more than there is to be.
  d.plan.worker_back(20, 1000, {}, d.now);
  BOOST_TEST(d.effects() == "end 20");
  BOOST_TEST(d.ready(9).empty());
}

BOOST_AUTO_TEST_CASE(a_stream_gets_the_spare_and_another_spare_comes) {
  driver x(small(1, 4));
  BOOST_TEST(x.effects() == "start 1");
  BOOST_TEST(x.ready(1) == "");
  BOOST_TEST(x.place("a", 1) == "a1 to 1, start 2");
  BOOST_TEST(x.plan.worker_of({"a", 1}) == 1U);
  BOOST_TEST(x.place("a", 1) == "");
}

BOOST_AUTO_TEST_CASE(without_spares_a_stream_waits_for_one) {
  driver x(small(0, 4));
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.plan.next_time() == max_time);
  BOOST_TEST(x.place("a", 1) == "start 1");
  BOOST_TEST(x.plan.why({"a", 1}, x.now)
             == "waits for 0 ms for a worker: 1 of at most 4, 1 of them start");
  BOOST_TEST(x.tick(s) == "");
  BOOST_TEST(x.plan.next_time() > x.now);
  BOOST_TEST(x.ready(1) == "a1 to 1");
  BOOST_TEST(x.plan.why({"a", 1}, x.now) == "");
}

BOOST_AUTO_TEST_CASE(it_shares_a_worker_when_its_own_takes_long) {
  driver x(small(0, 4));
  x.place("a", 1);
  x.ready(1);
  BOOST_TEST(x.place("b", 1) == "start 2");
  BOOST_TEST(x.plan.next_time() == x.now + s / 4);
  BOOST_TEST(x.tick(s / 4) == "b1 to 1");
}

BOOST_AUTO_TEST_CASE(at_the_limit_the_least_loaded_takes_it) {
  driver x(small(0, 2));
  for (const auto* stream : {"a", "b"})
    x.place(stream, 1);
  x.ready(1);
  x.ready(2);
  BOOST_TEST(x.place("c", 1) == "c1 to 1");
  BOOST_TEST(x.place("d", 1) == "d1 to 2");
  x.release("b", 1);
  BOOST_TEST(x.place("e", 1) == "e1 to 2");
}

BOOST_AUTO_TEST_CASE(it_goes_on_where_it_was) {
  driver x(small(0, 2));
  for (const auto* stream : {"a", "b"})
    x.place(stream, 1);
  x.ready(1);
  x.ready(2);
  x.release("a", 1);
  BOOST_TEST(x.place("b", 2, 1) == "b2 to 2");
  BOOST_TEST(x.release("b", 1) == "");
  BOOST_TEST(x.plan.worker_of({"b", 2}) == 2U);
  // Unless that is gone.
  BOOST_TEST(x.lost(2) == "lost b2");
  BOOST_TEST(x.place("b", 3, 2) == "b3 to 1");
}

BOOST_AUTO_TEST_CASE(idle_workers_beyond_the_spares_end) {
  driver x(small(1, 4));
  x.effects();
  x.ready(1);
  x.place("a", 1);
  x.ready(2);
  x.release("a", 1);
  BOOST_TEST(x.plan.next_time() <= x.now + 30 * s);
  BOOST_TEST(x.tick(29 * s) == "");
  BOOST_TEST(x.tick(s) == "end 1");
  // It gets no stream any more, and is killed when it does not go.
  BOOST_TEST(x.place("b", 1) == "b1 to 2, start 3");
  BOOST_TEST(x.tick(15 * s) == "kill 1, kill 3");
  BOOST_TEST(x.lost(1) == "");
  BOOST_TEST(x.plan.workers().size() == 2U);
}

BOOST_AUTO_TEST_CASE(workers_that_die_at_once_are_started_less_often) {
  driver x(small(1, 4));
  BOOST_TEST(x.effects() == "start 1");
  BOOST_TEST(x.place("a", 1) == "start 2");
  BOOST_TEST(x.lost(1) == "");
  BOOST_TEST(x.lost(2) == "");
  BOOST_TEST(x.plan.why({"a", 1}, x.now)
             == "2 workers in a row died at once, the next one starts in 2 s");
  BOOST_TEST(x.plan.next_time() <= x.now + 2 * s);
  micros wait = 2 * s;
  for (std::uint64_t worker = 3; worker < 12; ++worker) {
    BOOST_TEST(x.tick(wait - 1) == "");
    BOOST_TEST(x.tick(1) == "start " + std::to_string(worker)); // one at a time
    BOOST_TEST(x.lost(worker) == "");
    wait = std::min(2 * wait, 60 * s);
  }
  BOOST_TEST(x.tick(wait) == "start 12");
  BOOST_TEST(x.ready(12) == "a1 to 12, start 13");
  // One that lives ends it.
  x.tick(5 * s);
  BOOST_TEST(x.plan.why({"b", 1}, x.now) == "");
  BOOST_TEST(x.lost(12) == "lost a1");
  BOOST_TEST(x.place("a", 2) == "start 14");
}

BOOST_AUTO_TEST_CASE(workers_that_are_killed_together_count_once) {
  driver x(small(1, 4));
  BOOST_TEST(x.effects() == "start 1");
  BOOST_TEST(x.ready(1) == "");
  BOOST_TEST(x.place("a", 1) == "a1 to 1, start 2");
  BOOST_TEST(x.ready(2) == "");
  BOOST_TEST(x.place("b", 1) == "b1 to 2, start 3");
  BOOST_TEST(x.ready(3) == "");
  // With a stream: another one comes at once.
  BOOST_TEST(x.tick(s) == "");
  BOOST_TEST(x.lost(1) == "lost a1");
  BOOST_TEST(x.lost(2) == "lost b1");
  BOOST_TEST(x.lost(3) == "");
  BOOST_TEST(x.place("a", 2) == "");
  BOOST_TEST(x.plan.why({"a", 2}, x.now)
             == "the last worker died at once, the next one starts in 1 s");
  BOOST_TEST(x.tick(s) == "start 4");
  BOOST_TEST(x.ready(4) == "a2 to 4, start 5");
  BOOST_TEST(x.lost(4) == "lost a2");
  BOOST_TEST(x.place("a", 3) == "");
  BOOST_TEST(x.ready(5) == "a3 to 5, start 6");
}

BOOST_AUTO_TEST_CASE(a_worker_that_does_not_become_ready_is_killed) {
  driver x(small(1, 1));
  BOOST_TEST(x.effects() == "start 1");
  BOOST_TEST(x.plan.next_time() == x.now + 15 * s);
  BOOST_TEST(x.tick(15 * s) == "kill 1");
  BOOST_TEST(x.tick(15 * s) == "");
  BOOST_TEST(x.lost(1) == "");
  BOOST_TEST(x.tick(s) == "start 2");
}

BOOST_AUTO_TEST_CASE(what_is_not_dropped_costs_the_worker) {
  driver x(small(0, 1));
  x.place("a", 1);
  x.ready(1);
  x.place("b", 1);
  x.plan.kill({"a", 1}, x.now);
  BOOST_TEST(x.effects() == "drop a1 at 1");
  x.plan.kill({"a", 1}, x.now);
  x.plan.kill({"z", 1}, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.plan.next_time() == x.now + 5 * s);
  BOOST_TEST(x.tick(5 * s) == "kill 1");
  // The stream that was dropped is not told; the other one is.
  BOOST_TEST(x.lost(1) == "lost b1");
  // That was no start that failed.
  BOOST_TEST(x.place("b", 2) == "start 2");
}

BOOST_AUTO_TEST_CASE(what_is_dropped_frees_the_place) {
  driver x(small(0, 1));
  x.place("a", 1);
  x.ready(1);
  x.plan.kill({"a", 1}, x.now);
  x.effects();
  x.plan.dropped({"a", 1}, x.now);
  BOOST_TEST(x.tick(5 * s) == "");
  BOOST_TEST(x.plan.worker_of({"a", 1}) == 0U);
  // What waits can be killed, too.
  driver y(small(0, 1));
  y.place("a", 1);
  y.plan.kill({"a", 1}, y.now);
  BOOST_TEST(y.plan.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(workers_of_an_earlier_incarnation_come_back) {
  driver x(small(1, 4), 1001 * s);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.place("b", 1) == "");
  BOOST_TEST(x.plan.next_time() == x.now + s / 4);
  x.plan.worker_back(77, 5, {{"a", 4}}, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.plan.worker_of({"a", 4}) == 77U);
  x.plan.worker_back(76, 5, {}, x.now);
  BOOST_TEST(x.effects() == "b1 to 76");
  BOOST_TEST(x.tick(s) == "start 78");
}

BOOST_AUTO_TEST_CASE(what_was_said_when_a_link_broke_is_said_again) {
  driver x(small(0, 1));
  x.place("a", 1);
  x.ready(1);
  x.place("b", 1);
  x.place("c", 1);
  x.place("d", 1);
  x.plan.kill({"c", 1}, x.now);
  x.plan.kill({"d", 1}, x.now);
  x.effects();
  x.plan.worker_back(1, 1000, {{"a", 1}, {"c", 1}}, x.now);
  BOOST_TEST(x.effects() == "b1 to 1, drop c1 at 1");
  BOOST_TEST(x.plan.worker_of({"d", 1}) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
