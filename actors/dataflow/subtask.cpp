#include "actors/dataflow/subtask.hpp"

#include "actors/dataflow/opening_rows.hpp"
#include "actors/dataflow/operators/missing_row.hpp"
#include "actors/dataflow/subtask_state.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr micros same_time = 50'000;

} // namespace

subtask::subtask(subtask_parts parts)
    : stream_(parts.stream), checkpoints_(parts.checkpoints), advances_(parts.advances),
      first_key_group_(parts.first_key_group), last_key_group_(parts.last_key_group),
      aligner_(parts.inputs) {
  for (auto& from : parts.steps) {
    auto x = std::make_unique<step>();
    x->name = std::move(from.name);
    x->inputs = from.inputs.size();
    x->number = from.operator_number;
    x->alignment = std::move(from.alignment);
    x->time_step = from.time_step;
    x->change_sources = std::move(from.change_sources);
    if (auto* source = std::get_if<std::unique_ptr<source_reader>>(&from.body)) {
      x->source = std::move(*source);
      sources_.push_back(static_cast<std::uint32_t>(steps_.size()));
    } else if (auto* op = std::get_if<std::unique_ptr<stream_operator>>(&from.body)) {
      x->op = std::move(*op);
      x->ticks = x->op->wants_ticks();
      x->timer = dynamic_cast<const event_timer*>(x->op.get());
      x->clock = dynamic_cast<const source_clock*>(x->op.get());
      if (const auto* opening = dynamic_cast<const opening_rows*>(x->op.get());
          opening != nullptr && opening->opens())
        say_first(*x);
    } else {
      x->sink = std::move(std::get<std::unique_ptr<sink_writer>>(from.body));
      x->checked = dynamic_cast<const checked_sink*>(x->sink.get());
      sinks_.push_back(static_cast<std::uint32_t>(steps_.size()));
    }
    EBB_ASSERT((x->source != nullptr) == (x->inputs == 0));
    if (x->inputs > 1)
      x->merge.emplace(static_cast<std::uint32_t>(x->inputs));
    steps_.push_back(std::move(x));
  }
  for (const auto channels : parts.inputs)
    gates_.emplace_back(channels);
  for (const auto& [input, channel] : parts.without_rows)
    gates_[input].without_rows(channel);
  gate_users_.resize(gates_.size());
  connect(parts);
}

subtask::~subtask() = default;

// Before anything else: what may tell an operator to emit what it has by itself.
void subtask::say_first(step& x) {
  if (!x.queue.empty())
    return;
  stream_item first;
  first.kind = item_kind::watermark;
  x.queue.push_back(std::move(first));
}

void subtask::connect(const subtask_parts& parts) {
  for (std::uint32_t s = 0; s < steps_.size(); ++s) {
    const auto& links = parts.steps[s].inputs;
    for (std::uint32_t k = 0; k < links.size(); ++k) {
      EBB_ASSERT(links[k].index < (links[k].from_outside ? gates_.size() : std::size_t{s}));
      auto& users =
          links[k].from_outside ? gate_users_[links[k].index] : steps_[links[k].index]->users;
      users.push_back({s, k});
    }
    if (auto& x = *steps_[s]; x.clock != nullptr && !links.front().from_outside)
      if (auto& from = *steps_[links.front().index]; from.source) {
        x.reads = &from;
        from.told = &x;
      }
  }
  for (const auto& output : parts.outputs) {
    steps_[output.from_step]->edges.push_back(static_cast<std::uint32_t>(edges_.size()));
    edges_.push_back(std::make_unique<edge>(output, parts));
  }
}

void subtask::receive(std::uint32_t input, std::uint32_t channel, channel_item item) {
  gates_[input].push(channel, std::move(item));
}

void subtask::credit(std::uint32_t output, std::uint32_t target, std::size_t bytes) {
  edges_[output]->channels[target].ledger.returned(bytes);
  edge_sender(*this, output).resume(target);
}

void subtask::wake() {
  for (const auto& x : steps_)
    x->woken = x->unchecked = true;
}

// What sinks have found in the background.
result<void> subtask::check_sinks() {
  for (const auto s : sinks_) {
    auto& x = *steps_[s];
    if (x.checked == nullptr || !std::exchange(x.unchecked, false))
      continue;
    if (auto checked = x.checked->check(); !checked)
      return named(std::move(checked).error(), x);
  }
  return {};
}

void subtask::interrupt() {
  for (const auto s : sources_) {
    if (steps_[s]->source_done())
      continue;
    steps_[s]->stopped = true;
    steps_[s]->tell_position();
    interrupted_ = true;
  }
}

void subtask::abandon() {
  for (const auto& x : steps_)
    if (x->sink && !x->finished)
      x->sink->abandon();
}

result<work_state> subtask::work(micros now) {
  if (saving() && (saving_stopped() || checkpoint_->save_turn)) {
    save_more();
    checkpoint_->save_turn = false;
    return work_state::ready;
  }
  EBB_TRY(check_sinks());
  EBB_TRY(poll_sealed());
  EBB_ASSIGN(auto state, work_on_rows(now));
  // What is frozen is saved between two pieces of work, and while there is none.
  if (saving()) {
    checkpoint_->save_turn = true;
    state = work_state::ready;
  }
  return state;
}

result<work_state> subtask::work_on_rows(micros now) {
  if (blocked_channels_ > 0 || (cold_ && !cold_->ready()))
    return work_state::blocked;
  if (aligner_.aligned() && inputs_taken()) {
    if (cold_ && whole_) {
      wish_whole();
      if (!cold_->ready())
        return work_state::ready;
    }
    EBB_TRY(cut_epoch());
    return work_state::ready;
  }
  // While a sink is behind, nothing more is made for it; other sinks go on.
  bool backlogged = false;
  for (const auto s : sinks_) {
    if (steps_[s]->backlogged()) {
      backlogged = true;
      continue;
    }
    EBB_ASSIGN(const bool worked, work_on(*steps_[s], now));
    if (worked)
      return work_state::ready;
  }
  if (backlogged)
    return work_state::blocked;
  for (auto i = steps_.size(); i-- > 0;) {
    EBB_ASSIGN(const bool worked, work_on(*steps_[i], now));
    if (worked)
      return work_state::ready;
  }
  EBB_ASSIGN(const bool took, take_input(now));
  if (took)
    return work_state::ready;
  return drain();
}

result<bool> subtask::work_on(step& x, micros now) {
  if (x.op && (x.more || !x.queue.empty() || tick_due(x, now))) {
    EBB_TRY(run_operator(x, now));
    return true;
  }
  if (x.sink && !x.queue.empty()) {
    EBB_TRY(run_sink(x));
    return true;
  }
  if (x.sink && x.finishing && !x.finished && x.woken) {
    EBB_TRY(finish_sink(x));
    return true;
  }
  return false;
}

// What was said of a source's partitions may be out of date while it is to be read. Once sources
// have stopped nothing fires: what belongs to the last checkpoint has to be complete.
bool subtask::tick_due(const step& x, micros now) const {
  return x.ticks && !x.ended && x.last_tick < now && x.op->next_tick() <= now
         && (x.reads == nullptr || x.reads->at_rest(now)) && !cut();
}

result<void> subtask::run_operator(step& x, micros now) {
  stream_item* item = nullptr;
  if (!x.more) {
    // News say what a tick is to make of partitions, so they come before it.
    const bool tick = x.queue.empty()
                      || (x.ticks && x.last_tick < now && x.queue.front().kind == item_kind::batch
                          && x.queue.front().rows->rows != 0);
    if (tick) {
      stream_item made;
      made.kind = item_kind::tick;
      made.time = now;
      if (!wish_for(x, made))
        return {};
      x.current = std::move(made);
      x.last_tick = now;
    } else {
      if (!x.wished && !wish_for(x, x.queue.front())) {
        x.wished = true;
        return {};
      }
      x.wished = false;
      x.current = std::move(x.queue.front());
      x.queue.pop_front();
    }
    item = &x.current;
    note_reached(x, now);
  }
  step_budget budget;
  step_output out(*this, x);
  // An operator may move from its item.
  const auto kind = x.current.kind;
  auto more = x.op->step(item, budget, out);
  if (!more)
    return named(std::move(more).error(), x);
  x.more = *more;
  x.current.kind = kind;
  if (x.more)
    return {};
  x.current.rows.reset();
  if (kind == item_kind::end && ++x.ends == x.inputs)
    end(x);
  return {};
}

void subtask::note_reached(step& x, micros now) {
  if (x.timer == nullptr || x.current.kind != item_kind::watermark)
    return;
  const auto merged = x.merge ? x.merge->merged() : x.current.time;
  if (merged <= x.reached)
    return;
  // One that goes with the clock comes a little later now, a little earlier then; what is told of
  // it must not change each time.
  const auto expected = __int128{x.reached_at} + merged - x.reached;
  const bool with_clock =
      x.reached != min_time && expected > now - same_time && expected < now + same_time;
  x.reached = merged;
  x.reached_at = with_clock ? static_cast<micros>(expected) : now;
}

result<void> subtask::run_sink(step& x) {
  const stream_item item = std::move(x.queue.front());
  x.queue.pop_front();
  switch (item.kind) {
  case item_kind::batch:
    if (auto written = x.sink->write(item.rows); !written)
      return named(std::move(written).error(), x);
    return {};
  case item_kind::watermark:
    x.watermark = std::max(x.watermark, item.time);
    return {};
  case item_kind::end:
    // With checkpoints the output of the last epoch has to be committed first.
    return ++x.ends == x.inputs && !checkpoints_ ? finish_sink(x) : result<void>{};
  case item_kind::idle:
  case item_kind::tick:
    return {};
  }
  EBB_UNREACHABLE("item kind");
}

result<void> subtask::finish_sink(step& x) {
  x.finishing = true;
  x.woken = false;
  auto done = x.sink->finish();
  if (!done)
    return named(std::move(done).error(), x);
  x.finished = *done;
  return {};
}

result<bool> subtask::take_input(micros now) {
  const auto count = gates_.size() + sources_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto turn = (turn_ + i) % count;
    if (turn < gates_.size()) {
      if (gates_[turn].empty())
        continue;
      take_arrival(static_cast<std::uint32_t>(turn));
    } else {
      EBB_ASSIGN(const bool worked, read_source(*steps_[sources_[turn - gates_.size()]], now));
      if (!worked)
        continue;
    }
    turn_ = turn + 1;
    return true;
  }
  return false;
}

void subtask::take_arrival(std::uint32_t input) {
  taken_.clear();
  const auto from = gates_[input].take(taken_);
  if (from.bytes != 0)
    credits_.push_back({input, from.channel, from.bytes});
  if (from.barrier != 0)
    carry_out(aligner_.barrier(input, from.channel, from.barrier), input, from.channel);
  if (from.last)
    aligner_.close(input, from.channel);
  for (const auto& item : taken_)
    deliver(gate_users_[input], item);
}

result<bool> subtask::read_source(step& x, micros now) {
  // Between the request and the cut a source's rows would belong to neither epoch.
  if (x.source_done() || aligner_.requested())
    return false;
  if (x.at_rest(now))
    return false;
  if (x.alignment.held() && !x.woken)
    return false;
  x.woken = false;
  if (!x.alignment.may_read(steps_[x.time_step]->watermark))
    return false;
  step_budget budget;
  step_output out(*this, x);
  auto status = x.source->read(now, budget, out);
  if (!status)
    return named(std::move(status).error(), x);
  x.status = *status;
  if (x.status.what == read_status::kind::finished)
    end(x);
  x.tell_position();
  return true;
}

result<work_state> subtask::drain() {
  if (std::any_of(gates_.begin(), gates_.end(), [](const auto& x) { return !x.closed(); })
      || std::any_of(sources_.begin(), sources_.end(),
                     [&](auto s) { return !steps_[s]->source_done(); }))
    return work_state::waiting;
  // Everything that came in is worked off. What has not ended by now was cut off.
  for (std::uint32_t i = 0; i < edges_.size(); ++i) {
    if (edges_[i]->closed)
      continue;
    EBB_ASSERT(cut());
    edges_[i]->closed = true;
    edge_sender sender(*this, i);
    edges_[i]->partition.close(channel_signal::stop, sender);
  }
  if (checkpoints_ && !concluded_)
    return blocked_channels_ > 0 ? work_state::blocked : work_state::drained;
  return finish_sinks();
}

result<work_state> subtask::finish_sinks() {
  for (const auto& x : steps_) {
    if (!x->sink || x->finished)
      continue;
    if (!x->finishing) {
      EBB_ASSERT(cut() || checkpoints_);
      EBB_TRY(finish_sink(*x));
    }
    if (!x->finished)
      return work_state::waiting;
  }
  return blocked_channels_ > 0 ? work_state::blocked : work_state::finished;
}

bool subtask::cut() const noexcept {
  return interrupted_
         || std::any_of(gates_.begin(), gates_.end(), [](const auto& x) { return x.stopped(); });
}

error subtask::named(error problem, const step& x) const {
  name_sources(problem, x.change_sources);
  if (problem.place.field.empty()) {
    const char* kind = x.source ? "source " : x.op ? "operator " : "sink ";
    problem.place.field = "stream " + stream_ + ", " + kind + x.name;
  }
  return problem;
}

} // namespace ebb
