#include "actors/service/keeper/keeper.hpp"

#include "actors/service/control_records.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Workers of an earlier control process come back within this.
constexpr micros return_within = micros_per_second;

/// Events wait so long for others, to be stored together.
constexpr micros flush_after = micros_per_second / 4;

} // namespace

keeper::keeper(keeper_options options, keeper_world& world)
    : options_(std::move(options)), world_(world), queue_(options_.queue),
      places_(options_.placement, options_.incarnation * workers_an_incarnation + 1, world.now(),
              options_.incarnation == 1 ? 0 : world.now() + return_within),
      operations_(options_.incarnation) {}

keeper::~keeper() = default;

// --- what there is -------------------------------------------------------------------------------

std::shared_ptr<const lifecycle_policy> keeper::policy_for(const life_traits& x) {
  auto& known = policies_[{x.idle_after, x.cannot_wake}];
  if (!known) {
    lifecycle_policy made;
    made.idle_after = x.idle_after;
    made.cannot_wake = x.cannot_wake;
    // Its worker may have to start first.
    made.start_within =
        std::max(made.start_within, options_.placement.ready_within + made.start_within / 2);
    known = std::make_shared<const lifecycle_policy>(std::move(made));
  }
  return known;
}

stream_slot& keeper::add(const std::string& uid, const std::string& name, const life_traits& traits,
                         const life_record& life) {
  auto made = std::unique_ptr<stream_slot>(
      new stream_slot{.uid = uid,
                      .name = name,
                      .life = stream_lifecycle(policy_for(traits), to_lifecycle(life),
                                               traits.definition, world_.now())});
  auto& slot = *made;
  // The key of one that goes lies in its slot.
  names_.erase(slot.name);
  names_.emplace(slot.name, &slot);
  streams_.insert(std::move(made));
  take_traits(slot, traits);
  return slot;
}

void keeper::take_traits(stream_slot& x, const life_traits& traits) {
  x.parallelism = traits.parallelism;
  x.workers = traits.workers;
  x.outputs = traits.outputs;
  std::vector<std::string> inputs;
  for (const auto& input : traits.inputs)
    if (std::find(inputs.begin(), inputs.end(), input.topic) == inputs.end())
      inputs.push_back(input.topic);
  inputs.shrink_to_fit();
  x.inputs = std::make_shared<const std::vector<std::string>>(std::move(inputs));
  world_.reads(x);
  for (const auto& topic : *x.inputs)
    readers_[topic].push_back(&x);
}

void keeper::unlink_topics(const stream_slot& x) {
  for (const auto& topic : *x.inputs) {
    auto& all = readers_[topic];
    std::erase(all, &x);
    if (all.empty())
      readers_.erase(topic);
  }
}

void keeper::load(const loaded& all) {
  std::unordered_map<std::string_view, const life_record*> lives;
  std::unordered_map<std::string_view, const life_traits*> traits;
  for (const auto& x : all.lives)
    lives[x.uid] = &x;
  for (const auto& x : all.traits)
    traits[x.uid] = &x;
  std::unordered_map<std::string_view, const kept_restore*> restores;
  for (const auto& x : all.restores)
    restores[x.uid] = &x;
  std::vector<std::string> added;
  for (const auto& [name, uid] : all.names) {
    // Streams of `ebb run` in the same folder are not the service's.
    if (lives.count(uid) == 0 || traits.count(uid) == 0)
      continue;
    auto& slot = add(uid, name, *traits[uid], *lives[uid]);
    added.push_back(uid);
    const auto wish = restores.find(uid);
    if (wish == restores.end())
      continue;
    // No start has done it: a worker that may be about to is fenced off.
    const auto& x = *wish->second;
    if (auto ordered = slot.life.restore(x.savepoint, world_.now()))
      awake(slot).restore = {x.savepoint, kept_past_output(x.past_output)};
  }
  for (const auto& uid : added)
    if (auto* slot = by_uid(uid))
      pump(*slot);
  pump_places();
}

stream_slot* keeper::by_uid(const std::string& uid) {
  const auto found = streams_.find(uid);
  return found == streams_.end() ? nullptr : found->get();
}

result<stream_slot*> keeper::by_name(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end())
    return make_error(ec::not_found, "there is no stream named " + split(name).name,
                      "ebb get streams lists those of a namespace");
  return found->second;
}

awake_part& keeper::awake(stream_slot& x) {
  if (!x.awake)
    x.awake = std::make_unique<awake_part>();
  return *x.awake;
}

void keeper::applied(const apply_plan& plan) {
  const auto now = world_.now();
  std::unordered_map<std::string, const life_traits*> traits;
  for (const auto& x : plan.changes.traits)
    traits[x.uid] = &x;
  std::unordered_map<std::string, const life_record*> lives;
  for (const auto& x : plan.changes.lives)
    lives[x.uid] = &x;
  for (const auto& x : plan.changes.new_streams) {
    auto& slot = add(x.uid, x.name, *traits.at(x.uid), *lives.at(x.uid));
    pump(slot);
  }
  for (const auto& x : plan.changes.changed_streams) {
    auto* slot = by_uid(x.uid);
    if (slot == nullptr)
      continue;
    const auto& now_known = *traits.at(x.uid);
    const bool armed = slot->armed;
    listen(*slot, false);
    unlink_topics(*slot);
    take_traits(*slot, now_known);
    listen(*slot, armed);
    slot->life.define(now_known.definition, policy_for(now_known), now);
    pump(*slot);
  }
  pump_places();
}

// --- time ----------------------------------------------------------------------------------------

void keeper::set_timer(stream_slot& x) {
  const auto at = x.life.next_time();
  if (at == x.timer)
    return;
  if (x.timer != max_time)
    timers_.erase({x.timer, &x});
  x.timer = at;
  if (at != max_time)
    timers_.insert({at, &x});
}

void keeper::arm_clock() {
  auto at = std::min({queue_.next_time(), places_.next_time(), flush_at_});
  if (!timers_.empty())
    at = std::min(at, timers_.begin()->first);
  if (!calls_.empty())
    at = std::min(at, calls_.begin()->first);
  if (at >= clock_ || at == max_time)
    return;
  clock_ = at;
  world_.call_at(at);
}

void keeper::tick() {
  clock_ = max_time;
  const auto now = world_.now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto& slot = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    slot.timer = max_time;
    slot.life.tick(now);
    pump(slot);
  }
  for (const auto& late : queue_.take_late(now))
    if (auto* slot = by_uid(late.stream))
      keep_event(*slot, "errors", "waits long for its turn to wake: " + queue_.why(late.stream));
  places_.tick(now);
  pump_queue();
  pump_places();
  if (flush_at_ <= now)
    flush_events();
  while (!calls_.empty() && calls_.begin()->first <= now) {
    const auto call = std::move(calls_.begin()->second);
    calls_.erase(calls_.begin());
    call();
  }
  arm_clock();
}

void keeper::call_after(micros delay, std::function<void()> call) {
  calls_.emplace(world_.now() + delay, std::move(call));
  arm_clock();
}

void keeper::keep_event(const stream_slot& x, const char* kind, std::string text) {
  events_.push_back({x.uid, kind, std::move(text)});
  if (flush_at_ == max_time)
    flush_at_ = world_.now() + flush_after;
}

void keeper::flush_events() {
  flush_at_ = max_time;
  if (events_.empty())
    return;
  world_.run(
      [this, events = std::exchange(events_, {})] {
        static_cast<void>(
            world_.records().with([&](control_db& db) { return db.add_events(events); }));
      },
      [] {});
}

void keeper::input_moved(const std::string& topic, const std::string& traceparent) {
  const auto found = readers_.find(topic);
  if (found == readers_.end())
    return;
  const auto now = world_.now();
  // Streams may go meanwhile.
  std::vector<std::string> all;
  for (const auto* slot : found->second)
    if (slot->armed)
      all.push_back(slot->uid);
  for (const auto& uid : all)
    if (auto* slot = by_uid(uid)) {
      if (!traceparent.empty())
        slot->life.on_behalf_of(traceparent);
      slot->life.input_moved(now, now);
      pump(*slot);
    }
  pump_places();
}

// With fewer subtasks than workers there is nothing for some of them to do.
std::uint32_t keeper::parts_for(const stream_slot& x) {
  return std::max(1U, x.parallelism == 0 ? x.workers : std::min(x.workers, x.parallelism));
}

// --- what lifecycles want ------------------------------------------------------------------------

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
      places_.place({x.uid, e.placement, part}, e.after, now);
    pump_places();
    return;
  case effect::kind::stop: {
    const placement_key key{x.uid, e.placement};
    if (const auto worker = places_.worker_of(key); worker != 0)
      world_.send(worker, stop_stream{x.uid, e.placement, false});
    return;
  }
  case effect::kind::kill:
    world_.records().allow(x.uid, 0);
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
