#include "storage/topic_slot.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr std::size_t sealed_open_max = 4;

} // namespace

void topic_slot::set(std::shared_ptr<const topic_state> x) {
  const std::lock_guard guard{mutex_};
  state_ = std::move(x);
  if (state_ == nullptr)
    return;
  // What retention has removed takes room on the disk as long as it is open.
  const auto& sealed = state_->catalog.sealed;
  std::erase_if(open_, [&](const auto& file) {
    return sealed.empty() || file->header().number < sealed.front().number;
  });
}

std::shared_ptr<const topic_state> topic_slot::get() const {
  const std::lock_guard guard{mutex_};
  return state_;
}

std::shared_ptr<topic_file> topic_slot::find(std::uint64_t number) {
  const std::lock_guard guard{mutex_};
  const auto known = std::find_if(open_.begin(), open_.end(),
                                  [&](const auto& x) { return x->header().number == number; });
  if (known == open_.end())
    return nullptr;
  std::rotate(open_.begin(), known, known + 1);
  return open_.front();
}

void topic_slot::keep(const std::shared_ptr<topic_file>& file) {
  const std::lock_guard guard{mutex_};
  if (open_.size() == sealed_open_max)
    open_.pop_back();
  open_.insert(open_.begin(), file);
}

} // namespace ebb
