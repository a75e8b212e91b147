#include "actors/runtime/coordinator.hpp"

#include "schemas/savepoint_name.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace ebb {

namespace {

using self_pointer = coordinator_actor::stateful_pointer<coordinator_state>;
using effect = checkpoint_coordinator::effect;

constexpr auto retry_after = std::chrono::seconds(1);

void carry_out(self_pointer self);

/// Runs a step of the store on its I/O lane; the answer comes as `step_done`.
template <class Step>
void submit(self_pointer self, durable_step what, epoch_number epoch, Step step) {
  auto& setup = self->state.setup;
  const auto lane = what == durable_step::maintain ? setup.maintenance_lane : setup.lane;
  setup.io->submit(
      lane, [what, epoch, step = std::move(step), to = caf::actor_cast<coordinator_actor>(self)] {
        step_done done;
        done.what = what;
        done.epoch = epoch;
        step(done);
        caf::anon_send(to, std::move(done));
      });
}

void reserve(self_pointer self) {
  const auto count = self->state.setup.settings.epoch_block;
  submit(self, durable_step::reserve, 0, [store = self->state.setup.store, count](step_done& done) {
    auto first = store->reserve(count);
    if (first)
      done.epoch = *first;
    else
      done.problem = std::move(first).error();
  });
}

void request(self_pointer self, const effect& x) {
  auto& state = self->state;
  state.parts.assign(state.setup.processes, {});
  for (const auto& subtask : state.subtasks)
    self->send(subtask, checkpoint_request{state.setup.generation, x.epoch, x.base, x.whole});
}

/// The record without those of its savepoints.
epoch_record without(epoch_record x, const std::vector<std::size_t>& savepoints) {
  for (auto i = savepoints.rbegin(); i != savepoints.rend(); ++i)
    x.savepoints.erase(x.savepoints.begin() + static_cast<std::ptrdiff_t>(*i));
  return x;
}

/// Whether a commit may have failed for its savepoints alone: then it is not known to be anything
/// of the store's, which would fail once more.
bool may_be_for_savepoints(ec code) {
  return code != ec::resource && code != ec::io && code != ec::cancelled;
}

/// Commits the record. What is wrong with its savepoints fails the wishes, not the checkpoint.
void commit_record(checkpoint_store& store, const epoch_record& record, step_done& done) {
  result<void> committed;
  if (auto taken = store.taken(record)) {
    done.taken = *std::move(taken);
    committed = done.taken.empty() ? store.commit(record)
                                   : store.commit(without(record, done.taken));
  } else {
    committed = std::move(taken).error();
  }
  if (!committed && done.taken.size() < record.savepoints.size()
      && may_be_for_savepoints(committed.error().code)) {
    done.refusal = std::move(committed).error();
    done.taken.resize(record.savepoints.size());
    std::iota(done.taken.begin(), done.taken.end(), std::size_t{0});
    committed = store.commit(without(record, done.taken));
  }
  if (!committed)
    done.problem = std::move(committed).error();
}

void commit(self_pointer self, const effect& x) {
  auto& state = self->state;
  epoch_record record;
  record.epoch = x.epoch;
  record.reason = state.decide->reason();
  record.timing = state.decide->timing();
  record.parts = state.parts;
  record.finished = record.reason == checkpoint_reason::final
                    && std::all_of(record.parts.begin(), record.parts.end(), [](const auto& part) {
                         return std::all_of(part.sources.begin(), part.sources.end(),
                                            [](const source_snapshot& s) { return s.ended; });
                       });
  for (std::size_t i = 0; i < state.decide->fulfils() - state.wishes_before; ++i)
    record.savepoints.push_back(state.wishes[i].name);
  state.to_apply.clear();
  for (const auto& part : record.parts)
    state.to_apply.insert(state.to_apply.end(), part.sinks.begin(), part.sinks.end());
  std::stable_sort(state.to_apply.begin(), state.to_apply.end(),
                   [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
  submit(self, durable_step::commit, x.epoch,
         [store = state.setup.store, record = std::move(record)](step_done& done) {
           commit_record(*store, record, done);
         });
}

/// Answers wishes that are not fulfilled; they are among the next ones that are answered.
void refuse(self_pointer self, const step_done& x) {
  for (const auto i : x.taken) {
    auto& wish = self->state.wishes[i];
    if (const auto tell = std::exchange(wish.answer, nullptr))
      tell(x.refusal ? *x.refusal
                     : make_error(ec::conflict, "the stream has a savepoint named " + wish.name,
                                  "choose another name"));
  }
}

void apply(self_pointer self, const effect& x) {
  auto& state = self->state;
  submit(self, durable_step::apply, x.epoch,
         [store = state.setup.store, apply = state.setup.apply,
          outputs = state.to_apply](step_done& done) {
           for (const auto& output : outputs) {
             auto result = apply(output);
             done.again = !result;
             if (result)
               result = store->applied(output);
             if (!result) {
               done.problem = std::move(result).error();
               return;
             }
           }
         });
}

void maintain(self_pointer self) {
  auto& state = self->state;
  if (state.maintaining)
    return;
  state.maintaining = true;
  submit(self, durable_step::maintain, 0, [store = state.setup.store](step_done& done) {
    auto more = store->maintain();
    if (more)
      done.more = *more;
    else
      done.problem = std::move(more).error();
  });
}

void answer(self_pointer self, std::uint64_t up_to, const result<epoch_number>& what) {
  auto& state = self->state;
  const auto count = static_cast<std::ptrdiff_t>(up_to - state.wishes_before);
  for (auto i = state.wishes.begin(); i != state.wishes.begin() + count; ++i)
    if (i->answer)
      i->answer(what);
  state.wishes.erase(state.wishes.begin(), state.wishes.begin() + count);
  state.wishes_before = up_to;
}

void show(self_pointer self) {
  if (self->state.setup.board)
    self->state.setup.board->set(self->state.counts, self->state.slow);
}

/// What the current phase waits for, as it is whenever it is asked.
std::function<std::string()> slow_step(const coordinator_state& state) {
  const auto say = [](const std::string& what) {
    return [what] { return "it takes long: " + what; };
  };
  switch (state.decide->phase()) {
  case checkpoint_phase::none:
    return say("numbers for checkpoints are being reserved");
  case checkpoint_phase::commit:
    return say("its record is being written");
  case checkpoint_phase::apply:
    return say("its output is on its way from the data folder to the sinks");
  case checkpoint_phase::snapshot:
    break;
  }
  const auto& setup = state.setup;
  if (!setup.snapshots || !setup.labels)
    return say("its snapshot is being made");
  return [snapshots = setup.snapshots, labels = setup.labels, epoch = state.decide->current(),
          written = state.decide->has_written()] {
    return "it takes long: " + snapshot_waits_for(*labels, snapshots->of(epoch), written);
  };
}

void fail(self_pointer self, const error& problem) {
  self->send(self->state.supervisor, failure{problem});
  answer(self, self->state.wishes_before + self->state.wishes.size(), problem);
  self->quit();
}

void step_finished(self_pointer self, const step_done& x) {
  auto& state = self->state;
  const auto now = state.setup.clock();
  if (x.what == durable_step::maintain) {
    state.maintaining = false;
    if (x.problem) {
      state.counts.alarm = x.problem->message;
      show(self);
    } else if (x.more) {
      maintain(self);
    }
    return;
  }
  if (x.problem) {
    state.counts.alarm = x.problem->message;
    show(self);
    if (x.what == durable_step::write)
      return; // the snapshot writer tries again
    const auto code = x.problem->code;
    const bool is_passing = code != ec::conflict && code != ec::corrupt && code != ec::unsupported
                            && code != ec::cancelled;
    // A full disk may have room again, and a target may be back. After other errors of the store
    // nobody knows what is durable: the next start will see.
    if (code == ec::resource || (x.what == durable_step::apply && x.again && is_passing))
      self->delayed_send(self, retry_after, retry_atom::value);
    else
      fail(self, *x.problem);
    return;
  }
  switch (x.what) {
  case durable_step::reserve:
    state.decide->reserved(x.epoch);
    break;
  case durable_step::commit: {
    state.decide->committed(x.epoch, now);
    const auto& timing = state.decide->timing();
    ++state.counts.completed;
    state.counts.longest = std::max(state.counts.longest, timing.snapshot + timing.commit);
    state.counts.last = x.epoch;
    state.counts.alarm.clear();
    state.slow = nullptr;
    show(self);
    refuse(self, x);
    answer(self, state.decide->fulfils(), x.epoch);
    maintain(self);
    break;
  }
  case durable_step::apply:
    state.decide->applied(x.epoch, now);
    if (std::exchange(state.slow, nullptr))
      show(self);
    break;
  case durable_step::write:
  case durable_step::maintain:
    break;
  }
  carry_out(self);
}

void retry(self_pointer self) {
  auto& state = self->state;
  switch (state.decide->phase()) {
  case checkpoint_phase::commit:
    commit(self, {effect::kind::commit, state.decide->current()});
    break;
  case checkpoint_phase::apply:
    apply(self, {effect::kind::apply, state.decide->current()});
    break;
  case checkpoint_phase::none:
    reserve(self);
    break;
  case checkpoint_phase::snapshot:
    break;
  }
}

void set_timer(self_pointer self) {
  auto& state = self->state;
  const auto at = state.decide->next_time();
  if (at >= state.timer_at || at == max_time)
    return;
  state.timer_at = at;
  const auto delay = std::max<micros>(0, at - state.setup.clock());
  self->delayed_send(self, std::chrono::microseconds(delay), timer_atom::value,
                     ++state.timer_number);
}

void carry_out(self_pointer self) {
  auto& state = self->state;
  for (const auto& x : state.decide->take_effects()) {
    switch (x.what) {
    case effect::kind::reserve:
      reserve(self);
      break;
    case effect::kind::request:
      request(self, x);
      break;
    case effect::kind::commit:
      commit(self, x);
      break;
    case effect::kind::apply:
      apply(self, x);
      break;
    case effect::kind::conclude:
      state.setup.store->stop_maintenance();
      for (const auto& subtask : state.subtasks)
        self->send(subtask, conclude_atom::value, state.setup.generation);
      break;
    case effect::kind::alarm:
      state.slow = slow_step(state);
      show(self);
      break;
    case effect::kind::give_up:
      ++state.counts.failed;
      show(self);
      break;
    }
  }
  set_timer(self);
}

} // namespace

coordinator_state::~coordinator_state() {
  if (setup.store)
    setup.store->stop_maintenance();
  const result<epoch_number> ended = make_error(ec::cancelled, "the stream has ended");
  for (const auto& x : wishes)
    if (x.answer)
      x.answer(ended);
}

coordinator_actor::behavior_type coordinator(self_pointer self, checkpoint_setup setup,
                                             supervisor_actor supervisor) {
  auto& state = self->state;
  state.setup = std::move(setup);
  state.supervisor = std::move(supervisor);
  // Without its supervisor nobody would ever stop it.
  self->monitor(state.supervisor);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {
      [self](const subtask_list& x) {
        auto& s = self->state;
        for (const auto& subtask : x.subtasks)
          s.subtasks.push_back(caf::actor_cast<subtask_actor>(subtask));
        s.decide = std::make_unique<checkpoint_coordinator>(
            s.setup.settings, s.setup.recorded, static_cast<std::uint32_t>(s.subtasks.size()),
            s.setup.processes, s.setup.clock());
        for (std::size_t i = 0; i < s.wishes.size(); ++i)
          s.decide->wish(s.setup.clock());
        carry_out(self);
      },
      [self](drained_atom, generation_number generation, std::uint32_t subtask) {
        auto& s = self->state;
        if (generation != s.setup.generation)
          return;
        s.decide->drained(subtask, s.setup.clock());
        carry_out(self);
      },
      [self](epoch_written& x) {
        auto& s = self->state;
        if (x.generation != s.setup.generation || x.epoch != s.decide->current()
            || s.decide->phase() != checkpoint_phase::snapshot)
          return;
        s.parts[x.process] = std::move(x.part);
        s.decide->written(x.process, x.epoch, s.setup.clock());
        if (s.slow) {
          s.slow = slow_step(s);
          show(self);
        }
        carry_out(self);
      },
      [self](const step_done& x) { step_finished(self, x); },
      [self](retry_atom) { retry(self); },
      [self](timer_atom, std::uint64_t number) {
        auto& s = self->state;
        if (number != s.timer_number)
          return;
        s.timer_at = max_time;
        s.decide->tick(s.setup.clock(), s.setup.activity ? s.setup.activity() : 0);
        carry_out(self);
      },
      [self](savepoint_wish& x) {
        auto& s = self->state;
        if (const auto allowed = check_savepoint_name(x.name); !allowed) {
          if (x.answer)
            x.answer(allowed.error());
          return;
        }
        s.wishes.push_back(std::move(x));
        if (!s.decide)
          return; // before the subtasks are known
        s.decide->wish(s.setup.clock());
        carry_out(self);
      },
  };
}

} // namespace ebb
