#include "actors/service/lifecycle/wake_queue.hpp"

#include "schemas/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

namespace {
std::string streams_wait(std::size_t count) {
  return count == 1 ? "1 stream waits" : fmt::format("{} streams wait", count);
}
} // namespace

wake_queue::wake_queue(const wake_queue_limits& limits) : limits_(limits) {
  EBB_ASSERT(limits.starting > 0);
}

result<void> wake_queue::ask(std::string_view name_space, std::string_view stream, micros now) {
  if (entries_.contains(std::string(stream)))
    return {};
  if (waiting_ >= limits_.waiting)
    return make_error(ec::resource, fmt::format("{} to be woken", streams_wait(waiting_)),
                      "it is tried again; more workers or memory let more start at a time");
  const auto known = lines_.find(std::string(name_space));
  if (known != lines_.end() && known->second.waiting >= limits_.waiting_in_namespace)
    return make_error(ec::resource,
                      fmt::format("{} to be woken in namespace {}",
                                  streams_wait(known->second.waiting), name_space),
                      "it is tried again; other namespaces are not held up");
  const turn x{std::string(stream), next_ticket_++, now};
  entries_.emplace(x.stream, entry{std::string(name_space), x.ticket, now});
  auto& mine = lines_[std::string(name_space)];
  if (known == lines_.end())
    order_.emplace_back(name_space);
  mine.turns.push_back(x);
  ++mine.waiting;
  ++waiting_;
  by_age_.push_back(x);
  compact(mine.turns, mine.waiting);
  compact(by_age_, waiting_);
  return {};
}

void wake_queue::leave(std::string_view stream) {
  const auto found = entries_.find(std::string(stream));
  if (found == entries_.end())
    return;
  if (found->second.starting) {
    --starting_;
  } else {
    --waiting_;
    // Its turn is void now; a line of void turns alone goes when it is met.
    --lines_.at(found->second.name_space).waiting;
  }
  entries_.erase(found);
  prune();
}

std::vector<std::string> wake_queue::take_granted() {
  std::vector<std::string> granted;
  while (starting_ < limits_.starting && waiting_ != 0) {
    auto name_space = std::move(order_.front());
    order_.pop_front();
    const auto found = lines_.find(name_space);
    auto& mine = found->second;
    while (!mine.turns.empty() && !waits(mine.turns.front()))
      mine.turns.pop_front();
    if (mine.turns.empty()) {
      lines_.erase(found);
      continue;
    }
    auto next = std::move(mine.turns.front());
    mine.turns.pop_front();
    --mine.waiting;
    --waiting_;
    ++starting_;
    entries_.at(next.stream).starting = true;
    granted.push_back(std::move(next.stream));
    if (mine.turns.empty())
      lines_.erase(found);
    else
      order_.push_back(std::move(name_space));
  }
  prune();
  return granted;
}

std::vector<wake_queue::late_entry> wake_queue::take_late(micros now) {
  std::vector<late_entry> late;
  while (!by_age_.empty()) {
    auto& oldest = by_age_.front();
    if (waits(oldest)) {
      if (oldest.asked + limits_.late_after > now)
        break;
      late.push_back({std::move(oldest.stream), now - oldest.asked});
    }
    by_age_.pop_front();
  }
  return late;
}

micros wake_queue::next_time() const noexcept {
  return by_age_.empty() ? max_time : by_age_.front().asked + limits_.late_after;
}

bool wake_queue::waits(const turn& x) const {
  const auto found = entries_.find(x.stream);
  return found != entries_.end() && !found->second.starting && found->second.ticket == x.ticket;
}

void wake_queue::compact(std::deque<turn>& turns, std::size_t valid) {
  if (turns.size() > 2 * valid + 64)
    std::erase_if(turns, [this](const turn& x) { return !waits(x); });
}

void wake_queue::prune() {
  while (!by_age_.empty() && !waits(by_age_.front()))
    by_age_.pop_front();
  if (waiting_ == 0) {
    by_age_.clear();
    lines_.clear();
    order_.clear();
  }
}

std::string wake_queue::why(std::string_view stream) const {
  const auto found = entries_.find(std::string(stream));
  if (found == entries_.end() || found->second.starting)
    return {};
  const auto& mine = lines_.at(found->second.name_space);
  std::size_t before = 0;
  for (const auto& x : mine.turns) {
    if (x.ticket == found->second.ticket)
      break;
    before += waits(x) ? 1U : 0U;
  }
  return fmt::format("{} of its namespace {} before it, {} {} in all, {} {}",
                     before == 1 ? "1 stream" : fmt::format("{} streams", before),
                     before == 1 ? "is" : "are", waiting_, waiting_ == 1 ? "waits" : "wait",
                     starting_, starting_ == 1 ? "starts" : "start");
}

} // namespace ebb
