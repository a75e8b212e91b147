#include "actors/runtime/subtask_host.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace ebb {

namespace {

/// Counters are shown at most so often.
constexpr micros publish_interval = 50'000;
/// Between looks whether first rows have moved, while there is work.
constexpr micros look_interval = 1'000;
/// Credit that is returned at once; less waits for the end of the slice. An eighth of a window, so
/// that the sender does not run dry.
constexpr std::size_t owed_max = credit_ledger::default_window / 8;
/// Of restored state; some MiB.
constexpr std::uint32_t ranges_a_read = 32;
/// A timer further away is set again when it fires.
constexpr micros timer_max = 3600 * micros_per_second;

error described(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return make_error(ec::resource, "out of memory");
  } catch (const std::exception& x) {
    return make_error(ec::internal, std::string("unexpected exception: ") + x.what());
  } catch (...) {
    return make_error(ec::internal, "unexpected exception");
  }
}

} // namespace

subtask_host_state::~subtask_host_state() {
  if (setup_.waker)
    setup_.waker->detach();
}

void subtask_host_state::open(subtask_setup setup) {
  setup_ = std::move(setup);
}

void subtask_host_state::connect(const subtask_links& links) {
  const auto take = [](const auto& ends, auto& peers) {
    for (const auto& row : ends) {
      auto& to = peers.emplace_back();
      for (const auto& x : row)
        to.push_back({caf::actor_cast<subtask_actor>(x.actor), x.port, x.lane});
    }
  };
  take(links.outputs, outputs_);
  take(links.inputs, inputs_);
}

void subtask_host_state::start() {
  started_ = true;
  schedule();
}

void subtask_host_state::receive(arrival& x) {
  if (x.generation != setup_.generation)
    return;
  for (auto& item : x.items) {
    flow_.batches += item.what == channel_signal::batch ? 1 : 0;
    if (item.what == channel_signal::barrier)
      aligned_ = setup_.clock();
    setup_.task->receive(x.input, x.channel, std::move(item));
  }
  schedule();
}

void subtask_host_state::credit(const credit_return& x) {
  if (x.generation != setup_.generation)
    return;
  setup_.task->credit(x.output, x.target, x.bytes);
  schedule();
}

void subtask_host_state::timer(std::uint64_t number) {
  if (number != timer_number_)
    return;
  timer_at_ = max_time;
  schedule();
}

void subtask_host_state::wake() {
  setup_.waker->taken();
  setup_.task->wake();
  schedule();
}

void subtask_host_state::interrupt() {
  setup_.task->interrupt();
  schedule();
}

void subtask_host_state::checkpoint(const checkpoint_request& x) {
  if (x.generation != setup_.generation)
    return;
  aligned_ = setup_.clock();
  setup_.task->begin_checkpoint(x.epoch, x.base, x.whole);
  schedule();
}

void subtask_host_state::conclude(generation_number generation) {
  if (generation != setup_.generation)
    return;
  setup_.task->conclude();
  schedule();
}

void subtask_host_state::take_state(state_read& x) {
  --reads_;
  if (x.problem) {
    fail(std::move(*x.problem));
    return;
  }
  if (auto done = setup_.task->read(*x.entries, x.ranges); !done) {
    fail(std::move(done).error());
    return;
  }
  // Files are closed where they are read.
  if (setup_.task->all_loaded())
    setup_.io->submit(setup_.state_lane,
                      [stored = std::move(setup_.stored)]() mutable { stored.reset(); });
  schedule();
}

// One job reads while what another has read is loaded.
void subtask_host_state::ask_state() {
  while (setup_.stored && reads_ < 2) {
    auto ranges = setup_.task->take_reads(ranges_a_read);
    if (ranges.empty())
      return;
    ++reads_;
    setup_.io->submit(setup_.state_lane, [stored = setup_.stored, ranges = std::move(ranges),
                                          to = caf::actor_cast<subtask_actor>(self_)]() mutable {
      state_read made{std::move(ranges), {}, {}};
      const auto entries = std::make_shared<state_chunk>();
      for (const auto& x : made.ranges)
        if (auto done = stored->read(x.from, x.to, *entries); !done) {
          made.problem = std::move(done).error();
          break;
        }
      made.entries = entries;
      stored.reset();
      caf::anon_send(to, std::move(made));
    });
  }
}

void subtask_host_state::abandon() {
  setup_.task->abandon();
  publish();
  self_->quit();
}

void subtask_host_state::fail(error problem) {
  self_->send(setup_.supervisor, failure{std::move(problem)}, setup_.number);
  abandon();
}

void subtask_host_state::schedule() {
  if (scheduled_ || !started_)
    return;
  scheduled_ = true;
  self_->send(self_, run_atom::value);
}

void subtask_host_state::run() {
  scheduled_ = false;
  now_ = std::max(now_, setup_.clock());
  const micros begin = now_;
  auto state = work_state::ready;
  for (std::uint32_t steps = 1;; ++steps) {
    auto worked = setup_.task->work(now_);
    if (!worked) {
      fail(std::move(worked).error());
      return;
    }
    state = *worked;
    send_items();
    collect_credits();
    stale_ |= state == work_state::ready;
    if (state != work_state::ready || steps >= setup_.slice.steps)
      break;
    now_ = std::max(now_, setup_.clock());
    if (now_ - begin >= setup_.slice.time)
      break;
  }
  setup_.task->flush_idle();
  send_items();
  return_credits();
  ask_state();
  count_wait(state);
  if (state != work_state::ready || looked_ == min_time || now_ - looked_ >= look_interval)
    note_first_rows();
  if (setup_.writer)
    send_snapshot();
  if (state == work_state::drained && !drained_) {
    drained_ = true;
    self_->send(setup_.coordinator, drained_atom::value, setup_.generation, setup_.number);
  }
  if (state == work_state::finished) {
    publish();
    self_->send(setup_.supervisor, done_atom::value, setup_.number, setup_.task->cut());
    self_->quit();
    return;
  }
  if (published_ == min_time || now_ - published_ >= publish_interval)
    publish();
  if (state == work_state::ready)
    schedule();
  else
    set_timer(state);
}

void subtask_host_state::send_items() {
  setup_.task->take_outgoing(items_);
  // What has come before a barrier is worked off when the barrier goes on.
  if (std::any_of(items_.begin(), items_.end(),
                  [](const auto& x) { return x.item.what == channel_signal::barrier; }))
    aligned_ = now_;
  constexpr auto sent = UINT32_MAX;
  // What goes to one channel goes in one message. The order between channels does not matter.
  for (auto i = items_.begin(); i != items_.end(); ++i) {
    if (i->target == sent)
      continue;
    const auto& to = outputs_[i->output][i->target];
    arrival message{setup_.generation, to.port, to.lane, {}};
    message.items.push_back(std::move(i->item));
    for (auto k = i + 1; k != items_.end(); ++k) {
      if (k->output != i->output || k->target != i->target)
        continue;
      message.items.push_back(std::move(k->item));
      k->target = sent;
    }
    self_->send(to.actor, std::move(message));
  }
  items_.clear();
}

void subtask_host_state::collect_credits() {
  setup_.task->take_credits(credits_);
  for (const auto& x : credits_) {
    inputs_[x.input][x.channel].owed += x.bytes;
    owed_ += x.bytes;
  }
  credits_.clear();
  if (owed_ >= owed_max)
    return_credits();
}

void subtask_host_state::return_credits() {
  if (owed_ == 0)
    return;
  owed_ = 0;
  for (auto& channels : inputs_)
    for (auto& x : channels) {
      if (x.owed == 0)
        continue;
      self_->send(x.actor, credit_return{setup_.generation, x.port, x.lane, x.owed});
      x.owed = 0;
    }
}

void subtask_host_state::send_snapshot() {
  if (auto made = setup_.task->take_snapshot())
    self_->send(setup_.writer,
                snapshot_part{setup_.generation,
                              setup_.number,
                              std::make_shared<const subtask_snapshot>(std::move(*made)),
                              {aligned_, setup_.clock()}});
}

void subtask_host_state::set_timer(work_state state) {
  // Blocked, no time helps; only credit or a wake does.
  micros at = state == work_state::waiting ? setup_.task->next_time() : max_time;
  if (stale_)
    at = std::min(at, published_ + publish_interval);
  if (at >= timer_at_)
    return;
  timer_at_ = at;
  const auto delay = std::clamp<micros>(at - now_, 0, timer_max);
  self_->delayed_send(self_, std::chrono::microseconds(delay), timer_atom::value, ++timer_number_);
}

void subtask_host_state::publish() {
  published_ = now_;
  stale_ = false;
  const auto alarm = setup_.task->alarm();
  auto flow = flow_;
  if (blocked_since_ != 0)
    flow.blocked += now_ - blocked_since_;
  setup_.board->publish({setup_.task->stats(), setup_.task->watermark(), alarm.at, alarm.windows,
                         alarm.advances_from, flow});
}

void subtask_host_state::count_wait(work_state state) {
  if (state == work_state::blocked) {
    if (blocked_since_ == 0)
      blocked_since_ = now_;
  } else if (blocked_since_ != 0) {
    flow_.blocked += now_ - std::exchange(blocked_since_, 0);
  }
}

/// Counters are shown now and then only; of first rows the moment itself is told.
void subtask_host_state::note_first_rows() {
  if (flow_.first_in != 0 && flow_.first_out != 0)
    return;
  looked_ = now_;
  bool in = false;
  bool out = false;
  for (const auto& x : setup_.task->stats()) {
    in |= x.source.rows != 0;
    out |= x.sink.rows != 0;
  }
  const bool fresh = (in && flow_.first_in == 0) || (out && flow_.first_out == 0);
  if (!fresh)
    return;
  const auto at = setup_.clock();
  if (in && flow_.first_in == 0)
    flow_.first_in = at;
  if (out && flow_.first_out == 0)
    flow_.first_out = at;
  publish();
}

subtask_actor::behavior_type subtask_host(subtask_actor::stateful_pointer<subtask_host_state> self,
                                          std::shared_ptr<subtask_setup> setup) {
  auto& state = self->state;
  const auto supervisor = setup->supervisor;
  state.open(std::move(*setup));
  self->set_exception_handler([self](std::exception_ptr& thrown) -> caf::error {
    self->state.fail(described(thrown));
    return caf::exit_reason::unhandled_exception;
  });
  // Without its supervisor nobody would ever stop it.
  self->monitor(supervisor);
  self->set_down_handler([&state](const caf::down_msg&) { state.abandon(); });
  return {
      [&state](const subtask_links& x) { state.connect(x); },
      [&state](start_atom) { state.start(); },
      [&state](arrival& x) { state.receive(x); },
      [&state](const credit_return& x) { state.credit(x); },
      [&state](run_atom) { state.run(); },
      [&state](timer_atom, std::uint64_t number) { state.timer(number); },
      [&state](wake_atom) { state.wake(); },
      [&state](interrupt_atom) { state.interrupt(); },
      [&state](const checkpoint_request& x) { state.checkpoint(x); },
      [&state](conclude_atom, generation_number x) { state.conclude(x); },
      [&state](state_read& x) { state.take_state(x); },
      [&state](abandon_atom) { state.abandon(); },
  };
}

} // namespace ebb
