// All that a world's future depends on, as one number.

#include "tests/service/lifecycle/model_world.hpp"

namespace ebb {

namespace {
/// FNV-1a, a word at a time, mixed so that neighbours differ.
struct hasher {
  std::uint64_t state = 0xcbf29ce484222325U;

  template <class... T>
  void add(T... x) {
    (add_one(static_cast<std::uint64_t>(x)), ...);
  }

  template <class T>
  void add_all(const T& values) {
    add(values.size());
    for (const auto& x : values)
      add(x);
  }

private:
  void add_one(std::uint64_t x) {
    state = (state ^ x) * 0x9e3779b97f4a7c15U;
    state ^= state >> 29;
  }
};
} // namespace

/// Numbers of records and comparisons count only by their distance to the newest.
struct lifecycle_probe {
  static void add(hasher& h, const stream_lifecycle& x) {
    h.add(x.phase_, x.reason_, x.aim_, x.step_, x.since_, x.deadline_, x.next_wake_, x.retry_at_,
          x.record_retry_at_, x.wake_took_, x.placement_, x.held_, x.generation_, x.definition_,
          x.placed_definition_, x.failures_, x.record_tries_, x.armed_, x.asked_, x.comparing_,
          x.compare_again_, x.recording_, x.record_due_, x.active_ != nullptr);
    if (x.active_) {
      const auto& a = *x.active_;
      h.add(a.heard, a.idle_since, a.status.busy, a.status.activity, a.status.next_timer,
            a.rewind_to.size(), a.before_rewind, a.reason_before_rewind, a.trace.decide,
            a.trace.grant);
    }
  }

  static std::uint32_t distance(const stream_lifecycle& x, lifecycle_effect::kind what,
                                std::uint32_t number) {
    return what == lifecycle_effect::kind::record    ? x.record_number_ - number
           : what == lifecycle_effect::kind::compare ? x.compare_number_ - number
                                                     : 0;
  }
};

namespace model {

std::uint64_t world::digest() const {
  hasher h;
  const auto add_record = [&](const lifecycle_record& x) {
    h.add(x.phase, x.reason, x.aim, x.placed, x.since, x.next_wake, x.placement, x.definition,
          x.failures, x.retry_at, x.wake_took);
  };
  const auto add_effect = [&](const stream_lifecycle& life, const lifecycle_effect& x) {
    h.add(x.what, x.placement, x.after, x.definition, x.text.size(),
          lifecycle_probe::distance(life, x.what, x.number));
    if (x.what == lifecycle_effect::kind::record)
      add_record(x.record);
  };
  h.add(now_, incarnation_);
  for (const auto& x : topics_)
    h.add_all(x);
  for (const auto& x : stored_) {
    add_record(x.record);
    h.add(x.definition, x.generation, x.open, x.applied, x.placed_max, x.gone);
    h.add_all(x.positions);
    h.add_all(x.timers);
    h.add_all(x.saved_positions);
    h.add_all(x.saved_timers);
  }
  h.add(control_ != nullptr);
  if (control_) {
    const auto& c = *control_;
    for (std::size_t s = 0; s < stored_.size(); ++s) {
      h.add(c.armed[s], c.noticed[s], c.lives[s] != nullptr);
      if (!c.lives[s])
        continue;
      const auto& life = *c.lives[s];
      lifecycle_probe::add(h, life);
      h.add(c.effects[s].size(), c.answers[s].size());
      for (const auto& x : c.effects[s])
        add_effect(life, x);
      for (const auto& x : c.answers[s])
        h.add(x.what, x.done, x.problem, x.found,
              lifecycle_probe::distance(life, x.what, x.number));
    }
    h.add(c.jobs.size());
    for (const auto& x : c.jobs) {
      h.add(x.stream);
      if (c.lives[x.stream])
        add_effect(*c.lives[x.stream], x.effect);
    }
    for (const auto& [key, from] : c.sayers)
      h.add(key.placement, from);
    for (const auto& key : c.killed)
      h.add(key.placement);
    h.add(c.queue.waiting(), c.queue.starting(), c.plan.waiting(), c.plan.next_time());
    for (const auto& x : c.plan.workers()) {
      h.add(x.worker, x.state, x.since, x.ending, x.runs.size());
      for (const auto& key : x.runs)
        h.add(key.placement);
    }
  }
  const auto add_end = [&](const run_end& x) { h.add(x.what, x.next_timer, x.problem.code); };
  for (const auto& [number, w] : workers_) {
    h.add(number, w.alive, w.frozen, w.linked, w.runs.size());
    for (const auto& [key, r] : w.runs) {
      h.add(key.first, key.second, r.state, r.stop, r.final, r.asked, r.generation, r.definition,
            r.dirty, r.activity, r.said_activity, r.say_at);
      h.add_all(r.positions);
      h.add_all(r.timers);
      add_end(r.end);
    }
    for (const auto* queue : {&w.to_worker, &w.to_control}) {
      h.add(queue->size());
      for (const auto& x : *queue) {
        h.add(x.what, x.stream, x.placement, x.definition, x.generation, x.status.busy,
              x.status.activity, x.status.next_timer);
        add_end(x.end);
      }
    }
  }
  return h.state;
}

} // namespace model
} // namespace ebb
