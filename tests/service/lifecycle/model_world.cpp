#include "tests/service/lifecycle/model_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ebb::model {

namespace {
constexpr std::array<const char*, acts> names = {"effect",
                                                 "job",
                                                 "answer",
                                                 "notice",
                                                 "to_worker",
                                                 "to_control",
                                                 "run",
                                                 "commit",
                                                 "say",
                                                 "connect",
                                                 "see_death",
                                                 "thaw",
                                                 "miss_heartbeat",
                                                 "start_control",
                                                 "pass_time",
                                                 "append",
                                                 "kill_control",
                                                 "kill_worker",
                                                 "freeze",
                                                 "cut_link",
                                                 "lose_to_worker",
                                                 "lose_to_control",
                                                 "fail_job",
                                                 "fail_run",
                                                 "spoil_run",
                                                 "sleep",
                                                 "wake",
                                                 "stop",
                                                 "define",
                                                 "restore",
                                                 "remove"};

void demand(bool holds, const std::string& what) {
  if (!holds)
    throw violation(what);
}

std::uint32_t narrow(std::size_t x) {
  return static_cast<std::uint32_t>(x);
}
} // namespace

std::string to_string(const action& x) {
  return fmt::format("{} {} {}", names[static_cast<std::size_t>(x.what)], x.a, x.b);
}

world::world(world_settings settings)
    : settings_(std::move(settings)), topics_(settings_.topics), stored_(settings_.streams.size()) {
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    stored_[i].positions.resize(settings_.streams[i].topics.size());
    stored_[i].saved_positions = stored_[i].positions;
    stored_[i].record.since = now_;
  }
  start_control();
}

void world::list_actions(std::vector<action>& out, bool adverse) const {
  out.clear();
  if (!control_) {
    out.push_back({act::start_control});
  } else {
    for (std::uint32_t s = 0; s < stored_.size(); ++s) {
      if (!control_->effects[s].empty())
        out.push_back({act::effect, s});
      for (std::uint32_t i = 0; i < control_->answers[s].size(); ++i)
        out.push_back({act::answer, s, i});
      if (control_->noticed[s] != 0)
        out.push_back({act::notice, s});
    }
    for (std::uint32_t i = 0; i < control_->jobs.size(); ++i) {
      out.push_back({act::job, i});
      if (adverse) {
        out.push_back({act::fail_job, i, 0});
        out.push_back({act::fail_job, i, 1});
      }
    }
  }
  for (const auto& [number, w] : workers_) {
    const auto n = narrow(number);
    if (!w.alive) {
      if (control_)
        out.push_back({act::see_death, n});
      continue;
    }
    if (adverse)
      out.push_back({act::kill_worker, n});
    if (w.frozen) {
      out.push_back({act::thaw, n});
      if (control_ && w.linked)
        out.push_back({act::miss_heartbeat, n});
      continue;
    }
    if (!w.linked && control_)
      out.push_back({act::connect, n});
    if (!w.to_worker.empty())
      out.push_back({act::to_worker, n});
    if (!w.to_control.empty())
      out.push_back({act::to_control, n});
    if (adverse) {
      out.push_back({act::freeze, n});
      if (w.linked)
        out.push_back({act::cut_link, n});
      if (!w.to_worker.empty())
        out.push_back({act::lose_to_worker, n});
      if (!w.to_control.empty())
        out.push_back({act::lose_to_control, n});
    }
    std::uint32_t i = 0;
    for (const auto& [key, r] : w.runs) {
      const bool linked = w.linked && control_;
      if (can_step(key.first, w, r))
        out.push_back({act::run, n, i});
      if (r.state == run_state::working && linked
          && (r.dirty || r.stop || is_finished(key.first, r)))
        out.push_back({act::commit, n, i});
      const bool busy = r.state != run_state::working || has_input(key.first, r);
      const bool news = !busy && r.activity != r.said_activity;
      if (linked && r.state != run_state::begin && (now_ >= r.say_at || news))
        out.push_back({act::say, n, i});
      if (adverse && r.state == run_state::working && linked) {
        out.push_back({act::fail_run, n, i});
        out.push_back({act::spoil_run, n, i});
      }
      ++i;
    }
  }
  if (next_time() != max_time)
    out.push_back({act::pass_time});
  if (!adverse)
    return;
  for (std::uint32_t t = 0; t < topics_.size(); ++t) {
    out.push_back({act::append, t, 0});
    out.push_back({act::append, t, 1});
  }
  if (!control_)
    return;
  out.push_back({act::kill_control, 0, 0});
  out.push_back({act::kill_control, 0, 1});
  for (std::uint32_t s = 0; s < stored_.size(); ++s)
    for (const auto what :
         {act::sleep, act::wake, act::stop, act::define, act::restore, act::remove})
      if (!stored_[s].gone)
        out.push_back({what, s});
  for (std::uint32_t s = 0; s < stored_.size(); ++s)
    if (!stored_[s].gone)
      out.push_back({act::restore, s, 1});
}

micros world::next_time() const {
  auto next = max_time;
  if (control_) {
    for (const auto& x : control_->lives)
      next = x ? std::min(next, x->next_time()) : next;
    next = std::min(next, control_->plan.next_time());
  }
  for (const auto& [number, w] : workers_) {
    if (!w.alive || w.frozen)
      continue;
    for (const auto& [key, r] : w.runs) {
      if (w.linked && control_ && r.state != run_state::begin)
        next = std::min(next, r.say_at);
      if (r.state == run_state::working && !r.timers.empty() && *r.timers.begin() > now_)
        next = std::min(next, *r.timers.begin());
    }
  }
  return next;
}

void world::carry_out(const action& x) {
  auto* w = x.what == act::job || !workers_.contains(x.a) ? nullptr : &workers_.at(x.a);
  const auto nth_run = [&] { return std::next(w->runs.begin(), x.b); };
  switch (x.what) {
  case act::effect:
    do_effect(x.a);
    break;
  case act::job:
    do_job(x.a, true, true);
    break;
  case act::fail_job:
    do_job(x.a, x.b == 1, false);
    break;
  case act::answer:
    do_answer(x.a, x.b);
    break;
  case act::notice:
    control_->lives[x.a]->input_moved(std::exchange(control_->noticed[x.a], 0), now_);
    collect(x.a);
    break;
  case act::to_worker: {
    const auto m = std::move(w->to_worker.front());
    w->to_worker.pop_front();
    obey(*w, m);
    break;
  }
  case act::to_control: {
    const auto m = std::move(w->to_control.front());
    w->to_control.pop_front();
    hear(x.a, m);
    break;
  }
  case act::run:
    step(*w, nth_run()->first, nth_run()->second);
    break;
  case act::commit:
    commit(*w, nth_run()->first, nth_run()->second);
    break;
  case act::say:
    say_status(*w, nth_run()->first, nth_run()->second);
    break;
  case act::connect:
    connect(x.a);
    break;
  case act::see_death:
    workers_.erase(x.a);
    control_->plan.worker_lost(x.a, now_);
    carry_out_plan();
    break;
  case act::thaw:
    w->frozen = false;
    break;
  case act::freeze:
    w->frozen = true;
    break;
  case act::miss_heartbeat:
  case act::kill_worker:
    w->alive = false;
    break;
  case act::start_control:
    start_control();
    break;
  case act::kill_control:
    kill_control(x.b == 1);
    break;
  case act::pass_time: {
    const auto next = std::max(now_, next_time());
    now_ = x.b == 0 ? next : now_ + (next - now_) / x.b;
    if (!control_)
      break;
    for (std::uint32_t s = 0; s < stored_.size(); ++s)
      if (auto& life = control_->lives[s]; life && life->next_time() <= now_) {
        life->tick(now_);
        collect(s);
      }
    control_->plan.tick(now_);
    carry_out_plan();
    break;
  }
  case act::append:
    topics_[x.a].push_back(x.b == 1 ? settings_.timer_delay : 0);
    for (std::uint32_t s = 0; control_ && s < stored_.size(); ++s) {
      const auto& reads = settings_.streams[s].topics;
      if (control_->armed[s] && control_->noticed[s] == 0
          && std::find(reads.begin(), reads.end(), x.a) != reads.end())
        control_->noticed[s] = now_;
    }
    break;
  case act::cut_link:
    w->linked = false;
    w->to_worker.clear();
    w->to_control.clear();
    break;
  case act::lose_to_worker:
    w->to_worker.pop_front();
    break;
  case act::lose_to_control:
    w->to_control.pop_front();
    break;
  case act::fail_run:
  case act::spoil_run:
    end_run(*w, nth_run()->first, nth_run()->second,
            {run_end::kind::failed, max_time,
             make_error(x.what == act::fail_run ? ec::io : ec::invalid_argument, "planted")});
    break;
  default:
    do_person(x.what, x.a, x.b);
    break;
  }
  check_step();
}

// The control process.

void world::start_control() {
  control_ = std::make_unique<control_process>(settings_, ++incarnation_, now_);
  const auto n = stored_.size();
  control_->effects.resize(n);
  control_->answers.resize(n);
  control_->armed.resize(n);
  control_->noticed.resize(n);
  control_->lives.resize(n);
  for (std::uint32_t s = 0; s < n; ++s)
    if (const auto& x = stored_[s]; !x.gone) {
      control_->lives[s] = std::make_unique<stream_lifecycle>(settings_.streams[s].policy, x.record,
                                                              x.definition, now_);
      collect(s);
    }
  carry_out_plan();
}

void world::kill_control(bool effective) {
  for (const auto& x : control_->jobs)
    if (effective && x.effect.what == lifecycle_effect::kind::record)
      do_record(x.stream, x.effect.record);
  control_.reset();
  for (auto& [number, w] : workers_) {
    w.linked = false;
    w.to_worker.clear();
    w.to_control.clear();
  }
}

void world::collect(std::uint32_t stream) {
  for (auto& x : control_->lives[stream]->take_effects())
    if (x.what != lifecycle_effect::kind::log_decision
        && x.what != lifecycle_effect::kind::log_wake)
      control_->effects[stream].push_back(std::move(x));
}

void world::carry_out_plan() {
  using kind = placement_plan::effect::kind;
  for (bool more = true; more;) {
    more = false;
    for (const auto& x : control_->plan.take_effects()) {
      const auto stream = static_cast<std::uint32_t>(std::stoul("0" + x.key.stream));
      switch (x.what) {
      case kind::start_worker:
        workers_[x.worker];
        break;
      case kind::assign: {
        message m{word::assign, stream, x.key.placement};
        m.definition = control_->definitions[x.key];
        tell(x.worker, m);
        break;
      }
      case kind::drop:
        tell(x.worker, {word::drop, stream, x.key.placement});
        break;
      case kind::end_worker:
        tell(x.worker, {word::end});
        break;
      case kind::kill_worker:
        // One that is not there any more has died unseen.
        workers_[x.worker].alive = false;
        break;
      case kind::lost:
        if (auto& life = control_->lives[stream]) {
          life->worker_lost(x.key.placement, now_);
          collect(stream);
          more = true;
        }
        break;
      }
    }
  }
}

void world::carry_out_queue() {
  for (const auto& name : control_->queue.take_granted()) {
    const auto s = static_cast<std::uint32_t>(std::stoul(name));
    control_->lives[s]->granted(now_);
    collect(s);
  }
}

void world::do_effect(std::uint32_t stream) {
  using kind = lifecycle_effect::kind;
  auto& c = *control_;
  auto& db = stored_[stream];
  const auto x = std::move(c.effects[stream].front());
  c.effects[stream].pop_front();
  const placement_key key{std::to_string(stream), x.placement};
  switch (x.what) {
  case kind::record:
  case kind::compare:
  case kind::rewind:
    c.jobs.push_back({stream, x});
    break;
  case kind::arm:
    c.armed[stream] = true;
    break;
  case kind::disarm:
    c.armed[stream] = false;
    c.noticed[stream] = 0;
    break;
  case kind::ask_grant:
    if (const auto asked = c.queue.ask(std::to_string(stream % 2), key.stream, now_); !asked) {
      c.lives[stream]->refused(asked.error().message, now_);
      collect(stream);
    }
    carry_out_queue();
    break;
  case kind::give_back:
    c.queue.leave(key.stream);
    carry_out_queue();
    break;
  case kind::place:
    demand(x.placement > db.placed_max, "a placement number is used again");
    demand(db.record.phase == lifecycle_phase::running && db.record.placed
               && db.record.placement == x.placement,
           "a placement starts before it is recorded");
    db.placed_max = x.placement;
    c.definitions[key] = x.definition;
    c.plan.place(key, x.after, now_);
    carry_out_plan();
    break;
  case kind::stop:
    if (const auto at = c.plan.worker_of(key); at != 0)
      tell(at, {word::stop, stream, x.placement});
    break;
  case kind::kill:
    c.killed.insert(key);
    if (c.plan.worker_of(key) == 0 && c.sayers.contains(key))
      tell(c.sayers[key], {word::drop, stream, x.placement});
    c.plan.kill(key, now_);
    carry_out_plan();
    break;
  case kind::release: {
    const auto at = c.plan.worker_of(key);
    const auto home = at != 0 ? at : c.sayers.contains(key) ? c.sayers[key] : 0;
    if (const auto found = workers_.find(home); found != workers_.end())
      if (const auto r = found->second.runs.find({stream, x.placement});
          r != found->second.runs.end() && r->second.asked) {
        const bool recorded = db.record.phase != lifecycle_phase::running
                              || db.record.placement > x.placement || db.gone;
        // Of one that was given up before the end does not count.
        demand(recorded || c.killed.contains(key) || r->second.end.what == run_end::kind::failed,
               "a place is given up before the end of its run is recorded");
      }
    tell(home, {word::release, stream, x.placement});
    c.plan.release(key, now_);
    carry_out_plan();
    break;
  }
  case kind::forget:
    demand(c.lives[stream]->held() == 0, "a deleted stream holds a place");
    demand(!c.armed[stream], "a deleted stream has a subscription");
    db.gone = true;
    c.lives[stream].reset();
    c.answers[stream].clear();
    break;
  default:
    break;
  }
}

void world::do_record(std::uint32_t stream, const lifecycle_record& x) {
  auto& db = stored_[stream];
  demand(x.placement >= db.record.placement, "placement numbers fall back");
  demand(x.phase != lifecycle_phase::asleep || (!db.open && db.applied),
         "a stream is recorded asleep while its run is open");
  db.record = x;
}

void world::do_job(std::size_t number, bool effective, bool reported) {
  using kind = lifecycle_effect::kind;
  const auto x = std::move(control_->jobs[number]);
  control_->jobs.erase(control_->jobs.begin() + static_cast<std::ptrdiff_t>(number));
  auto& db = stored_[x.stream];
  answer done{x.effect.what, x.effect.number, reported, ec::io, comparison::nothing};
  if (x.effect.what == kind::record && effective)
    do_record(x.stream, x.effect.record);
  if (x.effect.what == kind::compare) {
    done.found = !reported                ? comparison::unknown
                 : has_read_all(x.stream) ? comparison::nothing
                                          : comparison::more;
  }
  const bool refused = x.effect.text == "missing" || db.record.aim == lifecycle_aim::deleted;
  if (x.effect.what == kind::rewind && refused) {
    done.done = false;
    done.problem = ec::not_found;
    effective = false;
  }
  if (x.effect.what == kind::rewind && effective) {
    demand(db.record.phase == lifecycle_phase::running, "a sleeping stream is rewound");
    db.positions = db.saved_positions;
    db.timers = db.saved_timers;
    db.applied = true;
    ++db.generation;
  }
  if (control_->lives[x.stream])
    control_->answers[x.stream].push_back(done);
}

void world::do_answer(std::uint32_t stream, std::uint32_t number) {
  using kind = lifecycle_effect::kind;
  auto& queue = control_->answers[stream];
  const auto x = queue[number];
  queue.erase(queue.begin() + number);
  auto& life = *control_->lives[stream];
  const auto done = x.done ? result<void>{} : make_error(x.problem, "planted");
  if (x.what == kind::record)
    life.recorded(x.number, done, now_);
  else if (x.what == kind::compare)
    life.compared(x.number, x.found, now_);
  else
    life.rewound(done, now_);
  collect(stream);
}

void world::do_person(act what, std::uint32_t stream, std::uint32_t b) {
  auto& life = *control_->lives[stream];
  switch (what) {
  case act::sleep:
    static_cast<void>(life.sleep(now_));
    break;
  case act::wake:
    static_cast<void>(life.wake(now_));
    break;
  case act::stop:
    static_cast<void>(life.stop(now_));
    break;
  case act::define:
    life.define(++stored_[stream].definition, settings_.streams[stream].policy, now_);
    break;
  case act::restore:
    static_cast<void>(life.restore(b == 0 ? "before" : "missing", now_));
    break;
  default:
    life.remove(now_);
    break;
  }
  collect(stream);
}

void world::connect(std::uint64_t number) {
  auto& w = workers_.at(number);
  w.linked = true;
  std::vector<placement_key> keys;
  for (const auto& [key, r] : w.runs) {
    keys.push_back({std::to_string(key.first), key.second});
    control_->definitions[keys.back()] = r.definition;
    control_->sayers[keys.back()] = number;
  }
  control_->plan.worker_ready(number, 1, now_);
  control_->plan.worker_back(number, 1, keys, now_);
  for (const auto& [key, r] : w.runs) {
    auto& life = control_->lives[key.first];
    if (!life) {
      control_->plan.kill({std::to_string(key.first), key.second}, now_);
      continue;
    }
    if (r.state == run_state::ended)
      life->ended(key.second, r.end, now_);
    else
      life->adopted(key.second, r.generation, r.generation % 2 == 0 ? r.definition : 0, now_);
    collect(key.first);
  }
  carry_out_plan();
}

void world::hear(std::uint64_t from, const message& x) {
  const placement_key key{std::to_string(x.stream), x.placement};
  control_->sayers[key] = from;
  if (x.what == word::dropped) {
    control_->plan.dropped(key, now_);
    return carry_out_plan();
  }
  auto& life = control_->lives[x.stream];
  if (!life)
    return tell(from, {word::drop, x.stream, x.placement});
  if (x.what == word::started)
    life->started(x.placement, x.generation, now_);
  else if (x.what == word::status)
    life->status(x.placement, x.status, now_);
  else
    life->ended(x.placement, x.end, now_);
  collect(x.stream);
}

void world::tell(std::uint64_t to, const message& x) {
  if (const auto found = workers_.find(to);
      found != workers_.end() && found->second.alive && found->second.linked)
    found->second.to_worker.push_back(x);
}

} // namespace ebb::model
