/// How items move between a subtask's steps and out of it, and what the host asks in between.
#include "actors/dataflow/subtask.hpp"
#include "actors/dataflow/subtask_state.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

void subtask::emit(step& x, batch_ptr rows) {
  x.is_idle = false;
  for (const auto e : x.edges) {
    edge_sender sender(*this, e);
    edges_[e]->partition.add(rows, sender);
  }
  stream_item item;
  item.rows = std::move(rows);
  deliver(x.users, item);
}

void subtask::advance(step& x, micros watermark) {
  // An equal watermark matters only after idleness: it says that the step is active again.
  if (watermark < x.watermark || (watermark == x.watermark && !x.is_idle))
    return;
  x.watermark = watermark;
  x.is_idle = false;
  for (const auto e : x.edges)
    edges_[e]->partition.advance(watermark);
  stream_item item;
  item.kind = item_kind::watermark;
  item.time = watermark;
  deliver(x.users, item);
}

void subtask::idle(step& x) {
  if (x.is_idle || x.ended)
    return;
  x.is_idle = true;
  for (const auto e : x.edges)
    edges_[e]->partition.idle();
  stream_item item;
  item.kind = item_kind::idle;
  deliver(x.users, item);
}

void subtask::tell(step& x, const partition_news& news) {
  if (x.told == nullptr)
    return;
  auto made = std::make_shared<news_batch>();
  made->news = news;
  stream_item item;
  item.rows = std::move(made);
  x.told->queue.push_back(std::move(item));
}

void subtask::end(step& x) {
  advance(x, max_time);
  x.ended = true;
  for (const auto e : x.edges) {
    edges_[e]->closed = true;
    edge_sender sender(*this, e);
    edges_[e]->partition.close(channel_signal::end, sender);
  }
  stream_item item;
  item.kind = item_kind::end;
  deliver(x.users, item);
}

void subtask::deliver(const std::vector<port>& users, const stream_item& item) {
  for (const auto& to : users)
    enqueue(to, item);
}

void subtask::enqueue(port to, stream_item item) {
  step& x = *steps_[to.step];
  item.input = to.input;
  if (x.merge) {
    switch (item.kind) {
    case item_kind::batch:
      x.merge->rows(to.input);
      item.other_channels = std::min(item.other_channels, x.merge->others(to.input));
      item.rows = bound_watermarks(item.rows, item.other_channels);
      break;
    case item_kind::watermark:
      x.merge->advance(to.input, item.time);
      break;
    case item_kind::idle:
      x.merge->idle(to.input);
      break;
    case item_kind::tick:
    case item_kind::end:
      break;
    }
  }
  if (item.kind == item_kind::watermark && !x.queue.empty()) {
    auto& last = x.queue.back();
    if (last.kind == item_kind::watermark && last.input == item.input) {
      last.time = item.time;
      return;
    }
  }
  x.queue.push_back(std::move(item));
}

void subtask::flush_idle() {
  for (std::uint32_t i = 0; i < edges_.size(); ++i) {
    auto& x = *edges_[i];
    if (x.closed)
      continue;
    edge_sender sender(*this, i);
    for (std::uint32_t t = 0; t < x.channels.size(); ++t)
      if (x.channels[t].ledger.in_flight() == 0 && x.partition.pending(t))
        x.partition.flush(t, sender);
  }
}

void subtask::take_outgoing(std::vector<outgoing_item>& out) {
  out.swap(outgoing_);
  outgoing_.clear();
}

void subtask::take_credits(std::vector<returned_credit>& out) {
  out.swap(credits_);
  credits_.clear();
}

micros subtask::next_time() const {
  micros result = max_time;
  for (const auto& x : steps_) {
    if (x->ticks && !x->ended && !cut() && (x->reads == nullptr || x->reads->waits()))
      result = std::min(result, std::max(x->op->next_tick(), x->last_tick + 1));
    if (!x->source || x->source_done() || x->status.what != read_status::kind::waiting
        || x->alignment.held())
      continue;
    result = std::min(result, x->status.until);
  }
  return result;
}

subtask_alarm subtask::alarm() const {
  subtask_alarm result;
  for (const auto& x : steps_) {
    if (x->clock != nullptr) {
      result.at = std::min(result.at, x->clock->falls_idle());
      result.advances_from = std::max(result.advances_from, x->clock->advances_from());
    } else if (x->ticks && (!x->ended || cut())) {
      // After an interrupt as well: when the stream would have gone on.
      result.at = std::min(result.at, std::max(x->op->next_tick(), x->last_tick + 1));
    }
    if (x->source && !x->source_done() && x->status.what == read_status::kind::waiting
        && !x->alignment.held())
      result.at = std::min(result.at, x->status.until);
    if (!advances_ || x->timer == nullptr || x->reached == min_time)
      continue;
    const auto end = x->timer->next_watermark();
    if (end == max_time || end <= x->reached)
      continue;
    const auto at = __int128{x->reached_at} + end - x->reached;
    if (at < result.windows)
      result.windows = static_cast<micros>(at);
  }
  return result;
}

std::vector<step_stats> subtask::stats() const {
  std::vector<step_stats> result;
  result.reserve(steps_.size());
  for (const auto& x : steps_) {
    step_stats& s = result.emplace_back();
    if (x->source)
      s.source = x->source->counters();
    else if (x->op) {
      s.rows = x->op->counters();
      if (x->clock != nullptr)
        s.held = x->clock->holder();
    } else
      s.sink = x->sink->counters();
  }
  return result;
}

micros subtask::watermark() const noexcept {
  micros result = max_time;
  for (const auto& x : steps_)
    if (x->sink)
      result = std::min(result, x->watermark);
  return result;
}

std::size_t subtask::queued_bytes(std::uint32_t input) const {
  return gates_[input].queued_bytes();
}

std::size_t subtask::in_flight(std::uint32_t output, std::uint32_t target) const {
  return edges_[output]->channels[target].ledger.in_flight();
}

} // namespace ebb
