// What lifecycles want.

#include "actors/service/control_records.hpp"
#include "actors/service/keeper/keeper.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <algorithm>

namespace ebb {

void keeper::pump(stream_slot& x) {
  // What one effect leads to comes behind the others of its kind.
  if (std::exchange(x.pumping, true))
    return;
  for (;;) {
    auto effects = x.life.take_effects();
    if (effects.empty())
      break;
    for (auto& e : effects) {
      if (e.what == effect::kind::forget) {
        forget(x);
        arm_clock();
        return;
      }
      carry_out(x, e);
    }
  }
  x.pumping = false;
  looked_after(x);
}

void keeper::looked_after(stream_slot& x) {
  // What has failed stays where it is: a person who wakes it does not mean the savepoint.
  if (x.life.phase() == lifecycle_phase::failed && x.life.settled() && x.awake && x.awake->restore)
    drop_restore(x);
  if (x.life.phase() == lifecycle_phase::asleep && x.awake && !x.awake->restore)
    x.awake.reset();
  world_.show(x);
  x.shown = x.life.phase();
  set_timer(x);
  check_operations(x);
  arm_clock();
}

void keeper::listen(stream_slot& x, bool on) {
  if (x.armed == on)
    return;
  x.armed = on;
  for (const auto& topic : *x.inputs) {
    const auto& all = readers_[topic];
    const bool wanted =
        std::any_of(all.begin(), all.end(), [](const auto* slot) { return slot->armed; });
    world_.listen(topic, wanted);
  }
}

void keeper::carry_out(stream_slot& x, effect& e) {
  const auto now = world_.now();
  switch (e.what) {
  case effect::kind::record:
    record(x, e);
    return;
  case effect::kind::arm:
    listen(x, true);
    return;
  case effect::kind::disarm:
    listen(x, false);
    return;
  case effect::kind::compare:
    compare(x, e);
    return;
  case effect::kind::ask_grant:
    if (auto asked = queue_.ask(split(x.name).name_space, x.uid, now); !asked)
      x.life.refused(asked.error().message, now);
    pump_queue();
    return;
  case effect::kind::give_back:
    queue_.leave(x.uid);
    pump_queue();
    return;
  case effect::kind::place:
    world_.records().allow(x.uid, e.placement);
    awake(x).status.reset();
    for (std::uint32_t part = 0; part < parts_for(x); ++part)
      places_.place({x.uid, e.placement, part}, e.after, now, world_.takes_warm(x),
                    split(x.name).name_space);
    pump_places();
    return;
  case effect::kind::stop: {
    const placement_key key{x.uid, e.placement};
    if (const auto worker = places_.worker_of(key); worker != 0)
      world_.send(worker, stop_stream{x.uid, e.placement, false});
    return;
  }
  case effect::kind::kill:
    world_.records().forbid({x.uid, e.placement});
    for (const auto& key : places_.parts_of(x.uid, e.placement))
      places_.kill(key, now);
    pump_places();
    return;
  case effect::kind::release:
    for (const auto& key : places_.parts_of(x.uid, e.placement)) {
      // To a run that has ended this says: forget it.
      if (const auto worker = places_.worker_of(key); worker != 0)
        world_.send(worker, stop_stream{x.uid, e.placement, true});
      places_.release(key, now);
    }
    pump_places();
    return;
  case effect::kind::rewind:
    rewind(x, e);
    return;
  case effect::kind::log_decision:
    keep_event(x, "decisions", decision_json(x, e, now));
    log(x, log_level::info, e.text);
    return;
  case effect::kind::log_wake:
    world_.show(e.trace);
    keep_event(x, "wakes", wake_json(e.trace));
    return;
  case effect::kind::forget:
    return;
  }
}

void keeper::record(const stream_slot& x, const effect& e) {
  struct job {
    life_record life;
    std::string name;
    std::vector<std::string> outputs;
    result<void> done;
  };

  const auto j = std::make_shared<job>(
      job{to_record(x.uid, e.record), x.name, x.outputs, make_error(ec::internal, "")});
  const bool deletes =
      e.record.aim == lifecycle_aim::deleted && e.record.phase == lifecycle_phase::stopped;
  world_.run(
      [this, j, deletes] {
        auto& records = world_.records();
        if (!deletes) {
          j->done = records.with([&](control_db& db) { return db.put_life(j->life); });
          return;
        }
        j->done = delete_stream_files(records, world_.topics(), j->life.uid, j->name, j->outputs);
      },
      [this, j, number = e.number] {
        auto* slot = by_uid(j->life.uid);
        if (slot == nullptr)
          return;
        slot->life.recorded(number, j->done, world_.now());
        pump(*slot);
        pump_places();
      });
}

void keeper::compare(const stream_slot& x, const effect& e) {
  struct job {
    std::string uid;
    std::shared_ptr<const std::vector<std::string>> inputs;
    comparison found = comparison::unknown;
  };

  const auto j = std::make_shared<job>(job{x.uid, x.inputs});
  world_.run(
      [this, j] {
        j->found = compare_inputs(world_.records(), world_.topics(), j->uid, *j->inputs);
      },
      [this, j, number = e.number] {
        auto* slot = by_uid(j->uid);
        if (slot == nullptr)
          return;
        slot->life.compared(number, j->found, world_.now());
        pump(*slot);
        pump_places();
      });
}

// The start that follows goes back to the savepoint (run_data): here only what a person must know
// at once.
void keeper::rewind(stream_slot& x, const effect& e) {
  struct job {
    std::string uid;
    restore_wish wish;
    result<void> done;
  };

  restore_wish wish{e.text, link_past_output::refuse};
  if (awake(x).restore && awake(x).restore->savepoint == e.text)
    wish = *awake(x).restore;
  const auto j = std::make_shared<job>(job{x.uid, wish, make_error(ec::internal, "")});
  world_.run(
      [this, j] {
        j->done = check_restore(world_.records(), j->uid, options_.files_folder, j->wish);
      },
      [this, j] {
        auto* slot = by_uid(j->uid);
        if (slot == nullptr)
          return;
        const bool open =
            !j->done && (j->done.error().code == ec::io || j->done.error().code == ec::resource);
        if (!j->done && !open)
          drop_restore(*slot);
        slot->life.rewound(j->done, world_.now());
        if (!j->done && !open)
          for (const auto& id : operations_.pending(slot->uid))
            if (operations_.find(id)->what == operation_kind::restore)
              finish(id, j->done.error());
        pump(*slot);
        pump_places();
      });
}

void keeper::forget(stream_slot& x) {
  const auto uid = x.uid;
  listen(x, false);
  unlink_topics(x);
  queue_.leave(uid);
  world_.records().allow(uid, 0);
  if (x.timer != max_time)
    timers_.erase({x.timer, &x});
  for (const auto& id : operations_.pending(uid))
    finish(id, make_error(ec::not_found, "the stream has been deleted"));
  std::erase_if(savepoints_, [&](const auto& y) { return y.uid == uid; });
  const auto found = names_.find(x.name);
  if (found != names_.end() && found->second == &x)
    names_.erase(found);
  world_.gone(x);
  streams_.erase(streams_.find(uid));
  const auto [gone, end] = followers_.equal_range(uid);
  for (auto i = gone; i != end; ++i)
    i->second(nullptr);
  followers_.erase(uid);
  const auto [first, last] = removing_.equal_range(uid);
  std::vector<std::function<void(const result<std::string>&)>> told;
  for (auto i = first; i != last; ++i)
    told.push_back(std::move(i->second));
  removing_.erase(uid);
  for (const auto& tell : told)
    tell(std::string(uid));
}

void keeper::pump_queue() {
  const auto now = world_.now();
  for (;;) {
    const auto granted = queue_.take_granted();
    if (granted.empty())
      return;
    for (const auto& uid : granted)
      if (auto* slot = by_uid(uid)) {
        slot->life.granted(now);
        pump(*slot);
      }
  }
}

} // namespace ebb
