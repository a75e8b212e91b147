// Workers of the model, and what must hold.

#include "tests/service/lifecycle/model_world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb::model {

void world::say(worker& w, const message& x) {
  if (control_ && w.linked)
    w.to_control.push_back(x);
}

void world::obey(worker& w, const message& x) {
  const run_key key{x.stream, x.placement};
  const auto found = w.runs.find(key);
  const bool has = found != w.runs.end();
  switch (x.what) {
  case word::assign:
    if (!has)
      w.runs[key].definition = x.definition;
    break;
  case word::stop:
    if (has)
      found->second.stop = found->second.asked = true;
    break;
  case word::drop:
    if (has)
      w.runs.erase(found);
    say(w, {word::dropped, x.stream, x.placement});
    break;
  case word::release:
    if (has && found->second.state != run_state::ended)
      throw violation("a run that has not ended is released");
    if (has)
      w.runs.erase(found);
    break;
  case word::end:
    if (w.runs.empty())
      w.alive = false;
    break;
  default:
    break;
  }
}

bool world::has_input(std::uint32_t stream, const run& r) const {
  const auto& reads = settings_.streams[stream].topics;
  for (std::size_t i = 0; i < reads.size(); ++i)
    if (r.positions[i] < static_cast<std::int64_t>(topics_[reads[i]].size()))
      return true;
  return false;
}

bool world::is_finished(std::uint32_t stream, const run& r) const {
  return r.positions[0] >= settings_.streams[stream].finish_at;
}

bool world::can_step(std::uint32_t stream, const worker& w, const run& r) const {
  switch (r.state) {
  case run_state::begin:
  case run_state::applying:
    return w.linked && control_;
  case run_state::working:
    return !r.stop && !is_finished(stream, r)
           && (has_input(stream, r) || (!r.timers.empty() && *r.timers.begin() <= now_));
  case run_state::ended:
    return false;
  }
  return false;
}

/// A call that only the current placement and generation may make.
bool world::call(worker& w, const run_key& key, run& r) {
  const auto& life = control_->lives[key.first];
  const bool fenced = r.state != run_state::begin && r.generation != stored_[key.first].generation;
  if (life && life->accepts(key.second) && !fenced)
    return true;
  end_run(
      w, key, r,
      {run_end::kind::failed, max_time, make_error(ec::conflict, "another one has the stream")});
  return false;
}

void world::step(worker& w, const run_key& key, run& r) {
  auto& db = stored_[key.first];
  const auto& reads = settings_.streams[key.first].topics;
  switch (r.state) {
  case run_state::begin:
    if (!call(w, key, r))
      return;
    r.generation = ++db.generation;
    db.open = true;
    db.applied = true;
    r.positions = db.positions;
    r.timers = db.timers;
    r.state = run_state::working;
    r.say_at = now_ + settings_.status_every;
    say(w, {word::started, key.first, key.second, r.definition, r.generation, {}, {}});
    return;
  case run_state::working:
    r.dirty = true;
    ++r.activity;
    for (std::size_t i = 0; i < reads.size(); ++i) {
      const auto& rows = topics_[reads[i]];
      if (r.positions[i] == static_cast<std::int64_t>(rows.size()))
        continue;
      const auto delay = rows[static_cast<std::size_t>(r.positions[i]++)];
      if (delay != 0)
        r.timers.insert(now_ + delay);
      return;
    }
    r.timers.erase(r.timers.begin());
    return;
  case run_state::applying:
    if (!call(w, key, r))
      return;
    db.applied = true;
    r.state = run_state::working;
    if (r.final && is_finished(key.first, r))
      end_run(w, key, r, {run_end::kind::finished, max_time, {}});
    else if (r.final)
      end_run(w, key, r, {run_end::kind::cut, r.timers.empty() ? max_time : *r.timers.begin(), {}});
    return;
  case run_state::ended:
    return;
  }
}

void world::commit(worker& w, const run_key& key, run& r) {
  auto& db = stored_[key.first];
  if (!call(w, key, r))
    return;
  if (db.record.phase != lifecycle_phase::running)
    throw violation("a checkpoint is made of a stream that does not run");
  if (!r.dirty && !r.stop && !is_finished(key.first, r))
    return;
  if (db.generation % 3 == 0) {
    db.saved_positions = db.positions;
    db.saved_timers = db.timers;
  }
  db.positions = r.positions;
  db.timers = r.timers;
  db.applied = false;
  r.dirty = false;
  r.final = r.stop || is_finished(key.first, r);
  r.state = run_state::applying;
}

void world::say_status(worker& w, const run_key& key, run& r) {
  r.say_at = now_ + settings_.status_every;
  message m{r.state == run_state::ended ? word::ended : word::status, key.first, key.second};
  m.end = r.end;
  m.status.generation = r.generation;
  m.status.busy = r.state != run_state::working || has_input(key.first, r);
  m.status.activity = r.activity;
  m.status.next_timer = r.timers.empty() ? max_time : *r.timers.begin();
  r.said_activity = r.activity;
  say(w, m);
}

void world::end_run(worker& w, const run_key& key, run& r, run_end end) {
  if (end.what != run_end::kind::failed)
    stored_[key.first].open = false;
  r.state = run_state::ended;
  r.end = std::move(end);
  say_status(w, key, r);
}

bool world::has_read_all(std::uint32_t stream) const {
  const auto& reads = settings_.streams[stream].topics;
  for (std::size_t i = 0; i < reads.size(); ++i)
    if (stored_[stream].positions[i] != static_cast<std::int64_t>(topics_[reads[i]].size()))
      return false;
  return true;
}

void world::check_step() const {
  const auto demand = [](bool holds, const char* what) {
    if (!holds)
      throw violation(what);
  };
  for (const auto& x : stored_)
    demand(x.gone || x.record.phase != lifecycle_phase::asleep || !x.open,
           "a stream is asleep while its run is open");
  if (!control_)
    return;
  const auto& c = *control_;
  demand(c.queue.waiting() <= settings_.queue.waiting, "the wake queue is too long");
  demand(c.queue.starting() <= settings_.queue.starting, "too many start at once");
  for (std::uint32_t s = 0; s < stored_.size(); ++s) {
    const auto& life = c.lives[s];
    if (!life)
      continue;
    demand(life->phase() != lifecycle_phase::asleep || life->held() == 0,
           "a sleeping stream holds a place");
    std::size_t able = 0;
    for (const auto& [number, w] : workers_)
      for (const auto& [key, r] : w.runs)
        able += key.first == s && r.state != run_state::ended && life->accepts(key.second)
                        && (r.state == run_state::begin || r.generation == stored_[s].generation)
                    ? 1U
                    : 0U;
    demand(able <= 1, "two runs of a stream can write");
    if (life->settled() || life->next_time() != max_time)
      continue;
    // Without a deadline it may only wait for the database, which always answers.
    const auto is_stored = [](const auto& x) {
      return x.what == lifecycle_effect::kind::record || x.what == lifecycle_effect::kind::rewind;
    };
    const bool recording = std::any_of(c.effects[s].begin(), c.effects[s].end(), is_stored)
                           || std::any_of(c.answers[s].begin(), c.answers[s].end(), is_stored)
                           || std::any_of(c.jobs.begin(), c.jobs.end(), [&](const job& x) {
                                return x.stream == s && is_stored(x.effect);
                              });
    demand(recording, "a stream is stuck without a deadline");
  }
}

bool world::is_quiet() const {
  if (!control_ || !control_->jobs.empty())
    return false;
  for (const auto& [number, w] : workers_) {
    if (!w.alive || w.frozen || !w.linked || !w.to_worker.empty() || !w.to_control.empty())
      return false;
    // It says it again until somebody answers.
    for (const auto& [key, r] : w.runs)
      if (r.state == run_state::ended)
        return false;
  }
  for (std::uint32_t s = 0; s < stored_.size(); ++s) {
    if (!control_->effects[s].empty() || !control_->answers[s].empty() || control_->noticed[s] != 0)
      return false;
    const auto& life = control_->lives[s];
    if (!life || (life->settled() && life->next_wake() == max_time))
      continue;
    const auto& policy = *settings_.streams[s].policy;
    const bool never = policy.idle_after == max_time || !policy.cannot_wake.empty();
    if (!never || life->phase() != lifecycle_phase::running || !has_read_all(s)
        || !stored_[s].timers.empty() || !stored_[s].applied)
      return false;
  }
  return true;
}

void world::check_end() const {
  for (std::uint32_t s = 0; s < stored_.size(); ++s) {
    const auto& db = stored_[s];
    const auto& life = control_->lives[s];
    if (life && life->phase() != lifecycle_phase::running)
      for (const auto& [number, w] : workers_)
        for (const auto& [key, r] : w.runs)
          if (key.first == s)
            throw violation(fmt::format("worker {} still has a run of stream {}, which is {}",
                                        number, s, to_string(life->phase())));
    if (db.gone || life->phase() == lifecycle_phase::failed)
      continue;
    if (life->phase() == lifecycle_phase::stopped) {
      if (life->reason() == lifecycle_reason::completed
          && db.positions[0] < settings_.streams[s].finish_at)
        throw violation(fmt::format("stream {} is completed and has not read all", s));
      continue;
    }
    if (!has_read_all(s))
      throw violation(fmt::format("stream {} does not read what was appended", s));
    if (!db.timers.empty())
      throw violation(fmt::format("a timer of stream {} never fires", s));
    if (!db.applied)
      throw violation(fmt::format("output of stream {} is not applied", s));
    if (db.record.definition != db.definition)
      throw violation(fmt::format("stream {} never runs its new definition", s));
  }
}

std::string world::describe() const {
  std::string text = fmt::format("time {}\n", now_);
  for (std::uint32_t s = 0; s < stored_.size(); ++s) {
    const auto& db = stored_[s];
    text += fmt::format("stream {}: recorded {} placement {}, generation {}, positions {}, open {}",
                        s, to_string(db.record.phase), db.record.placement, db.generation,
                        db.positions[0], db.open);
    if (control_ && control_->lives[s])
      for (const auto& line : control_->lives[s]->why(now_))
        text += "\n  " + line;
    text += '\n';
  }
  for (const auto& [number, w] : workers_) {
    text += fmt::format("worker {}: alive {}, frozen {}, linked {}", number, w.alive, w.frozen,
                        w.linked);
    for (const auto& [key, r] : w.runs)
      text += fmt::format(", run {}/{} state {} stop {}", key.first, key.second,
                          static_cast<int>(r.state), r.stop);
    text += '\n';
  }
  return text;
}

} // namespace ebb::model
