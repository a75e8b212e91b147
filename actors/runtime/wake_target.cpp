#include "actors/runtime/wake_target.hpp"

#include <caf/send.hpp>

#include <utility>

namespace ebb {

void wake_target::wake() {
  if (pending_.exchange(true))
    return;
  std::lock_guard guard(mutex_);
  if (actor_)
    caf::anon_send(actor_, wake_atom::value);
}

void wake_target::attach(subtask_actor actor) {
  std::lock_guard guard(mutex_);
  actor_ = std::move(actor);
  if (pending_)
    caf::anon_send(actor_, wake_atom::value);
}

void wake_target::detach() {
  subtask_actor last;
  std::lock_guard guard(mutex_);
  std::swap(last, actor_);
}

} // namespace ebb
