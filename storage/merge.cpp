#include "storage/merge.hpp"

namespace ebb {

namespace {

constexpr std::size_t entries_a_step = 100'000;

bool keeps_erases(const merge_request& request) noexcept {
  return request.identity.kind != segment_kind::base;
}

} // namespace

segment_merge::segment_merge(merged_state inputs, merge_request request)
    : inputs_(std::move(inputs)), request_(std::move(request)),
      first_key_group_(request_.identity.first_key_group) {}

segment_merge::~segment_merge() {
  for (const auto& x : finished_)
    static_cast<void>(remove_file(request_.folder + "/" + x.id));
}

result<void> segment_merge::begin_segment(std::uint16_t first_key_group) {
  first_key_group_ = first_key_group;
  auto identity = request_.identity;
  identity.first_key_group = first_key_group;
  EBB_ASSIGN(writer_, segment_writer::create(
                          request_.folder + "/" + request_.name(finished_.size()), identity));
  return {};
}

result<void> segment_merge::end_segment(std::uint16_t last_key_group) {
  if (keeps_erases(request_))
    for (const auto& segment : inputs_.segments())
      for (const auto& x : segment->hidden().list())
        if (x.key_group >= first_key_group_ && x.key_group <= last_key_group
            && !is_dropped(x.state))
          EBB_TRY(writer_->add({x.key_group, x.state, x.prefix, {}, entry_kind::erase_prefix}));
  writer_->end_at(last_key_group);
  EBB_ASSIGN(auto info, writer_->finish());
  finished_.push_back(std::move(info));
  writer_.reset();
  return {};
}

result<bool> segment_merge::step(std::size_t entries) {
  const auto& range = request_.identity;
  if (!cursor_) {
    EBB_ASSIGN(cursor_,
               inputs_.scan(range.first_key_group, range.last_key_group, keeps_erases(request_)));
    EBB_TRY(begin_segment(range.first_key_group));
    key_group_ = range.first_key_group;
  }
  for (; entries != 0; --entries) {
    EBB_ASSIGN(const auto moved, cursor_->next());
    if (!moved) {
      EBB_TRY(end_segment(range.last_key_group));
      return true;
    }
    const auto& entry = cursor_->entry();
    if (is_dropped(entry.state))
      continue;
    if (entry.key_group != key_group_) {
      if (writer_->payload_bytes() >= request_.target_bytes) {
        EBB_TRY(end_segment(key_group_));
        EBB_TRY(begin_segment(static_cast<std::uint16_t>(key_group_ + 1)));
      }
      key_group_ = entry.key_group;
    }
    EBB_TRY(writer_->add(entry));
  }
  return false;
}

std::vector<segment_info> segment_merge::take() {
  return std::exchange(finished_, {});
}

result<std::vector<segment_info>> merge_segments(merged_state inputs, merge_request request) {
  const auto give_up = request.give_up;
  segment_merge merge{std::move(inputs), std::move(request)};
  while (!give_up || !give_up()) {
    EBB_ASSIGN(const auto done, merge.step(entries_a_step));
    if (done)
      return merge.take();
  }
  return std::vector<segment_info>{};
}

} // namespace ebb
