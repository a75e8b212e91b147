#include "actors/runtime/alignment_board.hpp"

#include <utility>

namespace ebb {

std::uint32_t alignment_board::join(std::shared_ptr<wake_target> waker, source_role role) {
  const std::lock_guard lock(mutex_);
  wakers_.push_back(std::move(waker));
  return alignment_.join(role);
}

read_amount alignment_board::tell(std::uint32_t source, const source_progress& position) {
  std::vector<std::uint32_t> released;
  const std::lock_guard lock(mutex_);
  const auto grant = alignment_.tell(source, position);
  alignment_.released(released);
  for (const auto x : released)
    wakers_[x]->wake();
  return grant;
}

} // namespace ebb
