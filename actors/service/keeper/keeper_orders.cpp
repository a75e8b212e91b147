#include "actors/service/control_records.hpp"
#include "actors/service/keeper/keeper.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/lifecycle/lifecycle_text.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Whether an order has been carried out, or cannot be any more; nothing: not yet.
std::optional<result<std::string>> outcome_of(const operation& x, const stream_slot& slot) {
  const auto phase = slot.life.phase();
  if (phase == lifecycle_phase::failed && slot.life.settled())
    return result<std::string>(
        make_error(ec::cancelled, "the stream has failed: " + slot.life.message(0)));
  switch (x.what) {
  case operation_kind::sleep:
    if (phase == lifecycle_phase::asleep && slot.life.settled())
      return result<std::string>("asleep");
    if (phase == lifecycle_phase::stopped && slot.life.settled())
      return result<std::string>("stopped");
    return std::nullopt;
  case operation_kind::wake:
    if (phase == lifecycle_phase::running)
      return result<std::string>("running");
    break;
  case operation_kind::scale:
  case operation_kind::restore:
    // The start that does it has come.
    if (phase == lifecycle_phase::running && !(slot.awake && slot.awake->restore)
        && slot.life.trace() != nullptr && slot.life.trace()->start >= x.started)
      return result<std::string>("running");
    break;
  case operation_kind::savepoint:
    return std::nullopt;
  }
  if (phase == lifecycle_phase::stopped && slot.life.settled())
    return result<std::string>("stopped: " + slot.life.message(0));
  return std::nullopt;
}

} // namespace

void keeper::check_operations(stream_slot& x) {
  for (const auto& id : operations_.pending(x.uid)) {
    const auto* found = operations_.find(id);
    if (const auto how = outcome_of(*found, x))
      finish(id, *how);
  }
  take_savepoints(x);
}

void keeper::finish(const std::string& id, const result<std::string>& how) {
  operations_.finish(id, how, world_.now());
  const auto [first, last] = awaiting_.equal_range(id);
  std::vector<std::function<void()>> told;
  for (auto i = first; i != last; ++i)
    told.push_back(std::move(i->second));
  awaiting_.erase(id);
  for (const auto& tell : told)
    tell();
}

void keeper::await_operation(const std::string& id, std::function<void()> changed) {
  const auto* found = operations_.find(id);
  if (found == nullptr || found->done())
    changed();
  else
    awaiting_.emplace(id, std::move(changed));
}

const operation* keeper::find_operation(const std::string& id) const {
  return operations_.find(id);
}

void keeper::order(operation_kind what, const std::string& name, const begun_function& done,
                   result<void> (stream_lifecycle::*give)(micros now)) {
  auto slot = by_name(name);
  if (!slot)
    return done(std::move(slot).error());
  const auto now = world_.now();
  auto behalf = std::exchange(behalf_, {});
  if (what == operation_kind::wake && (*slot)->life.phase() != lifecycle_phase::running)
    (*slot)->life.on_behalf_of(std::move(behalf));
  if (auto ordered = ((*slot)->life.*give)(now); !ordered)
    return done(std::move(ordered).error());
  done(operations_.begin(what, (*slot)->uid, name, now).id);
  pump(**slot);
  pump_places();
}

void keeper::sleep(const std::string& name, const begun_function& done) {
  order(operation_kind::sleep, name, done, &stream_lifecycle::sleep);
}

void keeper::wake(const std::string& name, const begun_function& done) {
  order(operation_kind::wake, name, done, &stream_lifecycle::wake);
}

void keeper::scale(const std::string& name, std::uint32_t parallelism, begun_function done) {
  auto slot = by_name(name);
  if (!slot)
    return done(std::move(slot).error());

  struct job {
    std::string uid;
    std::uint32_t parallelism;
    life_traits traits;
    result<void> done;
  };

  const auto j =
      std::make_shared<job>(job{(*slot)->uid, parallelism, {}, make_error(ec::internal, "")});
  world_.run(
      [this, j] {
        j->done = world_.records().with([&](control_db& db) -> result<void> {
          EBB_ASSIGN(const auto entry, db.stream(j->uid));
          EBB_ASSIGN(const auto stream, definition_of(entry, options_.files_folder));
          if (j->parallelism > stream.max_parallelism) {
            const auto most = std::to_string(stream.max_parallelism);
            auto problem =
                make_error(ec::invalid_argument, "the stream's state has " + most + " key groups",
                           "at most " + most
                               + " subtasks an operator can share them; "
                                 "spec.maxParallelism says how many there are");
            problem.place.field = "query.parallelism";
            return problem;
          }
          EBB_ASSIGN(const auto found, db.find_traits(j->uid));
          if (!found)
            return make_error(ec::not_found, "the stream has been deleted");
          j->traits = *found;
          j->traits.parallelism = j->parallelism;
          ++j->traits.definition;
          service_changes changes;
          changes.traits = {j->traits};
          return db.change(changes);
        });
      },
      [this, j, name, done = std::move(done)] {
        auto* found = by_uid(j->uid);
        if (!j->done || found == nullptr)
          return done(j->done ? make_error(ec::not_found, "the stream has been deleted")
                              : j->done.error());
        const auto id = operations_.begin(operation_kind::scale, j->uid, name, world_.now()).id;
        done(id);
        found->parallelism = j->parallelism;
        found->life.define(j->traits.definition, policy_for(j->traits), world_.now());
        // One that sleeps gets its new subtasks when it wakes.
        if (found->life.phase() == lifecycle_phase::asleep)
          finish(id, std::string("when it wakes"));
        pump(*found);
        pump_places();
      });
}

void keeper::restore(const std::string& name, const restore_wish& wish, begun_function done) {
  auto slot = by_name(name);
  if (!slot)
    return done(std::move(slot).error());
  if ((*slot)->awake && (*slot)->awake->restore)
    return done(
        make_error(ec::conflict, "the stream is being restored already", "wait until it runs"));

  struct job {
    kept_restore wish;
    std::string behalf;
    result<void> possible;
    result<void> done;
  };

  awake(**slot).restore = wish;
  const auto j = std::make_shared<job>(
      job{{(*slot)->uid, wish.savepoint, static_cast<std::uint8_t>(wish.past_output)},
          std::exchange(behalf_, {}),
          {},
          make_error(ec::internal, "")});
  world_.run(
      [this, j, wish] {
        // What cannot be must not disturb the stream. It is looked at again when the stream rests.
        j->possible = check_restore(world_.records(), j->wish.uid, options_.files_folder, wish);
        if (j->possible)
          j->done = world_.records().with([&](control_db& db) { return db.keep_restore(j->wish); });
      },
      [this, j, name, done = std::move(done)] {
        auto* found = by_uid(j->wish.uid);
        if (found == nullptr)
          return done(make_error(ec::not_found, "the stream has been deleted"));
        const auto now = world_.now();
        if (!j->possible) {
          awake(*found).restore.reset();
          const auto id = operations_.begin(operation_kind::restore, found->uid, name, now).id;
          done(id);
          return finish(id, j->possible.error());
        }
        if (!j->done) {
          // Whether it is durable is not known after some errors.
          drop_restore(*found);
          return done(j->done.error());
        }
        found->life.on_behalf_of(j->behalf);
        if (auto ordered = found->life.restore(j->wish.savepoint, now); !ordered) {
          drop_restore(*found);
          return done(std::move(ordered).error());
        }
        const auto id = operations_.begin(operation_kind::restore, found->uid, name, now).id;
        done(id);
        pump(*found);
        pump_places();
      });
}

void keeper::drop_restore(stream_slot& x) {
  if (x.awake)
    x.awake->restore.reset();
  world_.run(
      [this, uid = x.uid] {
        // Where it cannot be written the wish is looked at again after the next start.
        static_cast<void>(
            world_.records().with([&](control_db& db) { return db.drop_restore(uid); }));
      },
      [] {});
}

void keeper::remove(const std::string& name, std::function<void(const result<std::string>&)> done) {
  auto slot = by_name(name);
  if (!slot)
    return done(std::move(slot).error());
  removing_.emplace((*slot)->uid, std::move(done));
  (*slot)->life.remove(world_.now());
  pump(**slot);
  pump_places();
}

// --- views ---------------------------------------------------------------------------------------

const stream_slot* keeper::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second;
}

std::vector<const stream_slot*> keeper::list(const std::string& name_space,
                                             const std::string& after, std::size_t limit) const {
  std::vector<const stream_slot*> all;
  const auto from = qualified_name(name_space, after);
  for (auto i = after.empty() ? names_.begin() : names_.upper_bound(from);
       i != names_.end() && all.size() < limit; ++i)
    if (split(i->second->name).name_space == name_space)
      all.push_back(i->second);
  return all;
}

std::vector<std::string> keeper::users_of(const std::string& topic) const {
  const auto has = [&](const std::vector<std::string>& topics) {
    return std::find(topics.begin(), topics.end(), topic) != topics.end();
  };
  std::vector<std::string> all;
  for (const auto& [name, x] : names_)
    if (has(*x->inputs) || has(x->outputs))
      all.emplace_back(name);
  return all;
}

std::vector<std::string> keeper::why(const stream_slot& x) const {
  const auto now = world_.now();
  auto all = x.life.why(now);
  if (auto text = queue_.why(x.uid); !text.empty())
    all.push_back(std::move(text));
  if (x.life.held() != 0)
    if (auto text = places_.why({x.uid, x.life.held()}, now); !text.empty())
      all.push_back(std::move(text));
  if (!x.awake || !x.awake->status)
    return all;
  const auto& status = *x.awake->status;
  if (!status.held_back.empty())
    all.push_back("its event time goes no further than " + status.held_back);
  if (!status.checkpoints.alarm.empty() && x.life.phase() == lifecycle_phase::running)
    all.push_back("its checkpoint is held up: " + status.checkpoints.alarm);
  constexpr micros day = 86'400 * micros_per_second;
  if (status.watermark != max_time && status.watermark > now + day)
    all.push_back("its event time is " + duration_text(status.watermark - now)
                  + " ahead of the clock: a row from the future has moved it, and rows of now come"
                    " too late for their windows; eventTime.maxAhead leaves such rows out");
  return all;
}

std::vector<std::uint64_t> keeper::workers_of(const stream_slot& x) const {
  std::vector<std::uint64_t> all;
  if (x.life.held() != 0)
    for (const auto& key : places_.parts_of(x.uid, x.life.held()))
      if (const auto worker = places_.worker_of(key); worker != 0)
        all.push_back(worker);
  return all;
}

std::size_t keeper::count() const noexcept {
  return streams_.size();
}

void keeper::shut_down(std::function<void()> done) {
  ending_ = true;
  for (const auto& x : places_.workers())
    if (!world_.send(x.worker, worker_shutdown{}))
      world_.kill_worker(x.worker);
  if (connected_.empty())
    return done();
  shut_down_ = std::move(done);
}

} // namespace ebb
