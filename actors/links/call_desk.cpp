#include "actors/links/call_desk.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

void answer(const link_pointer& to, std::uint64_t id, const call_outcome& outcome) {
  auto sent = to->send(call_answer{id, outcome});
  if (!sent && sent.error().code == ec::unsupported)
    sent = to->send(call_answer{id, sent.error()});
  // A worker that does not read its answers has to come back for them.
  if (!sent)
    to->close(std::move(sent).error());
}

/// What was only read is long, and is read again where the answer is lost.
bool is_kept(const call_outcome& x) {
  return !x || (!std::holds_alternative<link_bytes>(*x) && !std::holds_alternative<link_slice>(*x));
}

} // namespace

bool call_desk::arrived(std::uint64_t session, const link_pointer& from, const link_call& call) {
  std::optional<call_outcome> known;
  {
    std::lock_guard guard(mutex_);
    auto& worker = sessions_[session];
    if (call.settled > worker.settled) {
      worker.settled = call.settled;
      auto& calls = worker.calls;
      for (auto x = calls.begin(); x != calls.end() && x->first < call.settled;)
        x = x->second.outcome ? calls.erase(x) : std::next(x);
    }
    // Late: the worker has given it up, or has its answer.
    if (call.id < worker.settled)
      return false;
    const auto [place, is_new] = worker.calls.try_emplace(call.id);
    place->second.from = from;
    if (is_new)
      return true;
    known = place->second.outcome;
  }
  if (known)
    answer(from, call.id, *known);
  return false;
}

void call_desk::done(std::uint64_t session, std::uint64_t id, call_outcome outcome) {
  link_pointer to;
  {
    std::lock_guard guard(mutex_);
    const auto worker = sessions_.find(session);
    if (worker == sessions_.end())
      return;
    const auto found = worker->second.calls.find(id);
    if (found == worker->second.calls.end())
      return;
    to = found->second.from;
    if (id < worker->second.settled || !is_kept(outcome))
      worker->second.calls.erase(found);
    else
      found->second.outcome = outcome;
  }
  answer(to, id, outcome);
}

void call_desk::forget(std::uint64_t session) {
  std::lock_guard guard(mutex_);
  sessions_.erase(session);
}

std::size_t call_desk::size() const {
  std::lock_guard guard(mutex_);
  std::size_t all = 0;
  for (const auto& [session, worker] : sessions_)
    all += worker.calls.size();
  return all;
}

} // namespace ebb
