#include "actors/dataflow/input_gate.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

stream_item control(item_kind kind, micros time = min_time) {
  stream_item x;
  x.kind = kind;
  x.time = time;
  return x;
}

} // namespace

input_gate::input_gate(std::uint32_t channels)
    : is_held_(channels), merge_(channels), closed_(channels), open_(channels), unended_(channels) {
}

void input_gate::without_rows(std::uint32_t channel) {
  EBB_ASSERT(waiting_.empty() && held_.empty());
  merge_.advance(channel, max_time);
  EBB_ASSERT(merge_.merged() == min_time);
}

void input_gate::push(std::uint32_t channel, channel_item item) {
  EBB_ASSERT(channel < closed_.size() && !closed_[channel]);
  closed_[channel] = item.what == channel_signal::end || item.what == channel_signal::stop;
  queued_bytes_ += item.bytes;
  (is_held_[channel] ? held_ : waiting_).push_back({channel, std::move(item)});
}

void input_gate::hold(std::uint32_t channel) {
  is_held_[channel] = true;
  std::deque<arrival> others;
  for (auto& x : waiting_)
    (x.channel == channel ? held_ : others).push_back(std::move(x));
  waiting_ = std::move(others);
}

void input_gate::release() {
  std::fill(is_held_.begin(), is_held_.end(), false);
  for (auto& x : held_)
    waiting_.push_back(std::move(x));
  held_.clear();
}

input_gate::taken input_gate::take(std::vector<stream_item>& out) {
  EBB_ASSERT(!waiting_.empty());
  arrival x = std::move(waiting_.front());
  waiting_.pop_front();
  queued_bytes_ -= x.item.bytes;
  if (x.item.what == channel_signal::barrier)
    return {x.channel, 0, x.item.epoch, false};
  if (x.item.what != channel_signal::batch) {
    take_control(x, out);
    const bool last = x.item.what == channel_signal::end || x.item.what == channel_signal::stop;
    return {x.channel, 0, 0, last};
  }
  merge_.rows(x.channel);
  stream_item rows;
  rows.other_channels = merge_.others(x.channel);
  rows.rows = bound_watermarks(x.item.rows, rows.other_channels);
  out.push_back(std::move(rows));
  return {x.channel, x.item.bytes, 0, false};
}

void input_gate::take_control(const arrival& x, std::vector<stream_item>& out) {
  const auto before = merge_.merged();
  const bool was_idle = merge_.all_idle();
  switch (x.item.what) {
  case channel_signal::watermark:
    merge_.advance(x.channel, x.item.time);
    break;
  case channel_signal::idle:
    merge_.idle(x.channel);
    break;
  case channel_signal::end:
    merge_.advance(x.channel, max_time);
    --open_;
    --unended_;
    break;
  case channel_signal::stop:
    // Nothing may fire for want of this channel: its watermark stays where it is.
    --open_;
    stopped_ = true;
    return;
  case channel_signal::batch:
  case channel_signal::barrier:
    EBB_UNREACHABLE("handled before");
  }
  // An equal watermark after idleness says that the input is active again.
  if (merge_.merged() > before || (was_idle && !merge_.all_idle()))
    out.push_back(control(item_kind::watermark, merge_.merged()));
  if (merge_.all_idle() && !was_idle)
    out.push_back(control(item_kind::idle));
  if (x.item.what == channel_signal::end && unended_ == 0)
    out.push_back(control(item_kind::end));
}

} // namespace ebb
