#include "actors/service/keeper/keeper.hpp"

#include "actors/service/control_records.hpp"
#include "actors/service/keeper/life_codec.hpp"

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
  loaded_ = true;
  for (const auto& [worker, x] : std::exchange(early_, {}))
    worker_here(worker, x.first, x.second);
  pump_places();
}

stream_slot* keeper::by_uid(const std::string& uid) {
  const auto found = streams_.find(uid);
  return found == streams_.end() ? nullptr : found->get();
}

namespace {
error no_such_stream(const std::string& name) {
  auto problem = make_error(ec::not_found, "there is no stream named " + split(name).name,
                            "ebb get streams lists those of a namespace");
  problem.place.field = "path.stream";
  return problem;
}
} // namespace

result<stream_slot*> keeper::by_name(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end())
    return no_such_stream(name);
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

} // namespace ebb
