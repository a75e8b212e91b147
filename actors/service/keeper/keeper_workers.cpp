#include "actors/gateway/trace_context.hpp"
#include "actors/service/control_records.hpp"
#include "actors/service/keeper/keeper.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

void keeper::pump_places() {
  // At the end nobody takes the place of the workers that go. Assigning may lose a worker, which is
  // asked for here again.
  if (ending_ || std::exchange(pumping_places_, true))
    return;
  for (;;) {
    const auto effects = places_.take_effects();
    if (effects.empty())
      break;
    // One with several parts is ordered once, when all effects are carried out.
    std::vector<placement_key> assigned;
    for (const auto& e : effects) {
      using kind = placement_plan::effect::kind;
      switch (e.what) {
      case kind::start_worker:
        if (const auto* slot = by_uid(e.key.stream))
          world_.start_worker_for(e.worker, *slot, e.key.placement);
        else
          world_.start_worker(e.worker);
        break;
      case kind::assign:
        if (const auto* slot = by_uid(e.key.stream))
          world_.worker_is_for(e.worker, *slot, e.key.placement);
        if (const placement_key whole{e.key.stream, e.key.placement};
            std::find(assigned.begin(), assigned.end(), whole) == assigned.end())
          assigned.push_back(whole);
        break;
      case kind::drop:
        if (!world_.send(e.worker, stop_stream{e.key.stream, e.key.placement, true}))
          world_.kill_worker(e.worker);
        break;
      case kind::end_worker:
        if (!world_.send(e.worker, worker_shutdown{}))
          world_.kill_worker(e.worker);
        break;
      case kind::kill_worker:
        world_.kill_worker(e.worker);
        break;
      case kind::lost:
        if (auto* slot = by_uid(e.key.stream)) {
          slot->life.worker_lost(e.key.placement, world_.now());
          pump(*slot);
        }
        break;
      }
    }
    for (const auto& key : assigned)
      assign(key);
  }
  pumping_places_ = false;
  arm_clock();
}

// A stream that is spread over workers starts when all of them are known. A worker that has its
// order already does not mind to get it again.
void keeper::assign(const placement_key& key) {
  struct job {
    start_stream order;
    result<void> done;
  };

  const auto* slot = by_uid(key.stream);
  if (slot == nullptr)
    return;
  const auto all = places_.parts_of(key.stream, key.placement);
  if (all.empty() || std::any_of(all.begin(), all.end(), [this](const auto& x) {
        return places_.worker_of(x) == 0;
      }))
    return;
  const auto j = std::make_shared<job>(job{{}, make_error(ec::internal, "")});
  auto& order = j->order;
  const auto parts = split(slot->name);
  order.uid = key.stream;
  order.placement = key.placement;
  order.name = parts.name;
  order.name_space = parts.name_space;
  order.folder = options_.files_folder;
  order.data_folder = options_.data_folder;
  order.parallelism = slot->parallelism;
  if (const auto* trace = slot->life.trace())
    order.trace = trace->parent;
  world_.run(
      [this, j] {
        j->done = world_.records().with([&](control_db& db) -> result<void> {
          EBB_ASSIGN(auto entry, db.stream(j->order.uid));
          j->order.manifest = std::move(entry.manifest);
          // Forgotten where a start has done it of which nothing was heard.
          EBB_ASSIGN(const auto wish, db.find_restore(j->order.uid));
          if (wish) {
            j->order.savepoint = wish->savepoint;
            j->order.past_output = kept_past_output(wish->past_output);
          }
          return {};
        });
      },
      [this, j, all] {
        const auto& first = all.front();
        if (by_uid(first.stream) == nullptr)
          return;
        if (j->done)
          return send_orders(all, j->order);
        // What a worker would say.
        stream_ended ended;
        ended.uid = first.stream;
        ended.placement = first.placement;
        ended.problem = j->done.error();
        take(places_.worker_of(first), std::move(ended));
      });
}

void keeper::send_orders(const std::vector<placement_key>& all, start_stream order) {
  if (all.size() > 1)
    for (const auto& key : all) {
      // Of one that has just gone there is none; sending to it fails below.
      const auto found = connected_.find(places_.worker_of(key));
      order.peers.push_back(found == connected_.end() ? std::string() : found->second);
    }
  for (const auto& key : all) {
    const auto worker = places_.worker_of(key);
    order.part = key.part;
    world_.records().admit({key.stream, key.placement}, worker);
    if (worker == 0 || world_.send(worker, order))
      continue;
    // It has just died, which is not heard yet.
    places_.dropped(key, world_.now());
    if (auto* slot = by_uid(key.stream)) {
      slot->life.worker_lost(key.placement, world_.now());
      pump(*slot);
    }
    return pump_places();
  }
}

void keeper::worker_here(std::uint64_t worker, const worker_hello& hello,
                         const welcome_function& welcome) {
  if (!loaded_) {
    early_.insert_or_assign(worker, std::pair(hello, welcome));
    return;
  }
  const auto now = world_.now();
  connected_[worker] = hello.peers;
  control_welcome answer;
  answer.incarnation = options_.incarnation;
  std::vector<placement_key> runs;
  for (const auto& x : hello.hosted) {
    const auto* slot = by_uid(x.uid);
    if (slot != nullptr && slot->life.accepts(x.placement)) {
      answer.accepted.push_back({x.uid, x.placement});
      runs.push_back({x.uid, x.placement, x.part});
      // Its calls come right behind the welcome.
      world_.records().allow(x.uid, x.placement);
      world_.records().admit({x.uid, x.placement}, worker);
    } else {
      answer.refused.push_back({x.uid, x.placement, "another start has taken its place"});
    }
  }
  welcome(std::move(answer));
  places_.worker_back(worker, hello.pid, runs, now);
  for (const auto& x : hello.hosted) {
    auto* slot = by_uid(x.uid);
    if (slot == nullptr || x.part != 0 || !slot->life.accepts(x.placement))
      continue;
    // It runs what was recorded with its placement; a change since then is one.
    slot->life.adopted(x.placement, x.generation, 0, now);
    pump(*slot);
  }
  pump_places();
  if (ending_ && !world_.send(worker, worker_shutdown{}))
    world_.kill_worker(worker);
}

void keeper::worker_gone(std::uint64_t worker) {
  early_.erase(worker);
  connected_.erase(worker);
  places_.worker_lost(worker, world_.now());
  pump_places();
  if (shut_down_ && connected_.empty())
    std::exchange(shut_down_, nullptr)();
}

void keeper::worker_says(std::uint64_t worker, link_message&& what) {
  // Runs that end now go on when the service starts again.
  if (ending_)
    return;
  if (auto* started = std::get_if<stream_started>(&what))
    take(worker, std::move(*started));
  else if (auto* status = std::get_if<stream_status>(&what))
    take(worker, std::move(*status));
  else if (auto* ended = std::get_if<stream_ended>(&what))
    take(worker, std::move(*ended));
  else if (auto* made = std::get_if<savepoint_made>(&what))
    take(std::move(*made));
  else if (auto* line = std::get_if<log_line>(&what))
    take(std::move(*line));
}

void keeper::take(std::uint64_t, stream_started&& x) {
  auto* slot = by_uid(x.uid);
  if (slot == nullptr)
    return;
  if (slot->life.accepts(x.placement)) {
    auto& part = awake(*slot);
    part.restore.reset();
    part.notes = std::move(x.notes);
  }
  slot->life.started(x.placement, x.generation, world_.now());
  pump(*slot);
  pump_places();
}

void keeper::take(std::uint64_t, stream_status&& x) {
  auto* slot = by_uid(x.uid);
  if (slot == nullptr)
    return;
  const auto now = world_.now();
  run_status status;
  status.busy = x.busy;
  status.activity = x.activity;
  status.next_timer = x.next_timer;
  status.progressed = x.checkpoints.completed != 0;
  status.mapped = x.mapped;
  status.first_record = x.first_record;
  status.first_output = x.first_output;
  slot->life.status(x.placement, status, now);
  if (slot->life.accepts(x.placement)) {
    auto& part = awake(*slot);
    const bool held_up = part.status && !part.status->checkpoints.alarm.empty();
    if (held_up == x.checkpoints.alarm.empty())
      part.alarm_since = now;
    part.status = std::move(x);
  }
  pump(*slot);
  pump_places();
}

void keeper::take(std::uint64_t worker, stream_ended&& x) {
  const auto now = world_.now();
  const placement_key key{x.uid, x.placement, x.part};
  if (x.part != 0) {
    // Part 0 tells how the stream went.
    places_.dropped(key, now);
    return pump_places();
  }
  auto* slot = by_uid(x.uid);
  if (slot == nullptr || !slot->life.accepts(x.placement)) {
    places_.dropped(key, now);
    world_.send(worker, stop_stream{x.uid, x.placement, true});
    if (slot == nullptr) {
      pump_places();
      return;
    }
  }
  // It has lost the worker of another part: this says nothing against the stream.
  if (x.problem && x.problem->code == ec::cancelled && slot->life.accepts(x.placement)
      && places_.parts_of(x.uid, x.placement).size() > 1) {
    log(*slot, log_level::warning, x.problem->message);
    slot->life.worker_lost(x.placement, now);
    pump(*slot);
    return pump_places();
  }
  run_end end;
  end.next_timer = x.next_timer;
  if (x.problem) {
    end.what = run_end::kind::failed;
    end.problem = std::move(*x.problem);
    if (slot->life.accepts(x.placement)) {
      keep_event(*slot, "errors", error_json(end.problem, now));
      log(*slot, log_level::error, end.problem.message);
    }
  } else if (x.finished) {
    end.what = run_end::kind::finished;
  } else if (!x.cut) {
    end.what = run_end::kind::failed;
    end.problem = make_error(ec::cancelled, "the run was given up");
  }
  slot->life.ended(x.placement, end, now);
  pump(*slot);
  pump_places();
}

void keeper::take(log_line&& x) {
  if (const auto* slot = by_uid(x.uid))
    log(*slot, x);
}

void keeper::log(const stream_slot& slot, const log_line& x) {
  auto [first, last] = followers_.equal_range(slot.uid);
  while (first != last)
    first = first->second(&x) ? std::next(first) : followers_.erase(first);
  keep_event(slot, "logs", log_json(x));
  world_.said(slot, x);
}

void keeper::log(const stream_slot& slot, log_level level, std::string text) {
  log_line x;
  x.uid = slot.uid;
  x.level = level;
  x.time = world_.now();
  x.text = std::move(text);
  if (const auto* trace = slot.life.trace(); trace != nullptr && !trace->parent.empty())
    x.fields.emplace_back("traceId", trace_id_of(trace->parent));
  log(slot, x);
}

void keeper::follow_lines(const std::string& uid, std::function<bool(const log_line*)> take) {
  followers_.emplace(uid, std::move(take));
}

} // namespace ebb
