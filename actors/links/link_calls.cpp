#include "actors/links/link_calls.hpp"

#include "actors/links/ledger_calls.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace ebb {

namespace {

using clock = std::chrono::steady_clock;

// How often what did not fit into the link is tried again.
constexpr auto try_again = std::chrono::milliseconds(20);

std::size_t payload(const call_operation& x) {
  std::size_t bytes = 0;
  if (const auto* append = std::get_if<topic_append_call>(&x))
    for (const auto& part : append->parts)
      bytes += byte_size(*part.rows);
  if (const auto* put = std::get_if<store_put_call>(&x))
    bytes += put->piece.bytes.size();
  return bytes;
}

error no_answer(std::chrono::milliseconds patience) {
  return make_error(ec::resource,
                    "the control process has not answered for " + std::to_string(patience.count())
                        + " ms",
                    "is it running? ebb up --data DIR");
}

error ended() {
  return make_error(ec::cancelled, "the stream is being ended");
}

} // namespace

struct link_calls::pending {
  link_call message;
  std::size_t bytes = 0;
  bool sent = false;
  bool repeated = false; ///< another control process may have done it
  std::uint64_t incarnation = 0;
  answer_function answer; ///< null: a thread waits
  std::optional<call_outcome> outcome;
  std::condition_variable done;
};

// Holds the lock; gives the answers that have come up after letting it go.
class link_calls::holding {
public:
  explicit holding(link_calls& calls) : calls_(calls), lock(calls.mutex_) {}

  ~holding() {
    const auto answers = std::exchange(calls_.answers_, {});
    if (lock.owns_lock())
      lock.unlock();
    for (const auto& [answer, outcome] : answers)
      answer(call_outcome(outcome));
  }

  holding(const holding&) = delete;
  holding& operator=(const holding&) = delete;

private:
  link_calls& calls_;

public:
  std::unique_lock<std::mutex> lock;
};

link_calls::link_calls(const call_limits& limits) : limits_(limits) {}

link_calls::~link_calls() {
  EBB_ASSERT(calls_.empty());
}

// --- callers -------------------------------------------------------------------------------------

bool link_calls::has_room(std::size_t bytes) const {
  return calls_.empty()
         || (calls_.size() < limits_.calls && (bytes == 0 || bytes_ + bytes <= limits_.bytes));
}

bool link_calls::is_cancelled(const stream_placement& from) const {
  const auto found = cancelled_.find(from.uid);
  return stopped_ || (found != cancelled_.end() && from.placement <= found->second);
}

link_calls::pending_pointer link_calls::admit(const stream_placement& from,
                                              call_operation&& operation, std::size_t bytes) {
  auto x = std::make_shared<pending>();
  x->message.id = next_id_++;
  x->message.uid = from.uid;
  x->message.placement = from.placement;
  x->message.operation = std::move(operation);
  x->bytes = bytes;
  bytes_ += bytes;
  calls_.emplace(x->message.id, x);
  return x;
}

call_outcome link_calls::call(const stream_placement& from, call_operation operation,
                              std::chrono::milliseconds patience) {
  const auto deadline = clock::now() + patience;
  const auto bytes = payload(operation);
  holding guard(*this);
  while (!is_cancelled(from) && !has_room(bytes))
    if (room_.wait_until(guard.lock, deadline) == std::cv_status::timeout)
      return no_answer(patience);
  if (is_cancelled(from))
    return ended();
  const auto x = admit(from, std::move(operation), bytes);
  static_cast<void>(try_send(x));
  while (!x->outcome) {
    const auto now = clock::now();
    if (now >= deadline) {
      forget(x);
      return no_answer(patience);
    }
    const bool is_stuck = link_ && !x->sent;
    x->done.wait_until(guard.lock, is_stuck ? std::min(deadline, now + try_again) : deadline);
    if (!x->outcome && link_ && !x->sent)
      static_cast<void>(try_send(x));
  }
  return *std::move(x->outcome);
}

void link_calls::start(const stream_placement& from, call_operation operation,
                       answer_function answer) {
  const auto bytes = payload(operation);
  holding guard(*this);
  if (is_cancelled(from)) {
    answers_.emplace_back(std::move(answer), ended());
    return;
  }
  if (!has_room(bytes)) {
    answers_.emplace_back(std::move(answer),
                          make_error(ec::resource, "too many calls wait for the control process"));
    return;
  }
  const auto x = admit(from, std::move(operation), bytes);
  x->answer = std::move(answer);
  // Nobody would try it again.
  if (auto sent = try_send(x); !sent && sent.error().code == ec::resource)
    settle(x, std::move(sent).error());
}

void link_calls::cancel(const stream_placement& from) {
  holding guard(*this);
  auto& highest = cancelled_[from.uid];
  highest = std::max(highest, from.placement);
  const auto calls = calls_;
  for (const auto& [id, x] : calls)
    if (x->message.uid == from.uid && x->message.placement <= from.placement)
      settle(x, ended());
  room_.notify_all();
}

void link_calls::stop() {
  holding guard(*this);
  stopped_ = true;
  const auto calls = calls_;
  for (const auto& [id, x] : calls)
    settle(x, ended());
  room_.notify_all();
}

std::size_t link_calls::waiting() const {
  std::lock_guard guard(mutex_);
  return calls_.size();
}

// --- sending and answers -------------------------------------------------------------------------

// The error is that of the link; the call waits on.
result<void> link_calls::try_send(const pending_pointer& x) {
  if (!link_)
    return {};
  x->message.settled = calls_.begin()->first;
  auto sent = link_->send(x->message);
  if (!sent && sent.error().code == ec::unsupported)
    settle(x, sent.error());
  if (!sent)
    return sent;
  x->sent = true;
  x->incarnation = incarnation_;
  return {};
}

void link_calls::settle(const pending_pointer& x, call_outcome outcome) {
  forget(x);
  if (x->answer)
    answers_.emplace_back(std::move(x->answer), std::move(outcome));
  else
    x->outcome = std::move(outcome);
  x->done.notify_one();
}

void link_calls::forget(const pending_pointer& x) {
  if (calls_.erase(x->message.id) == 0)
    return;
  bytes_ -= x->bytes;
  room_.notify_all();
}

void link_calls::connected(const link_pointer& link, std::uint64_t incarnation) {
  holding guard(*this);
  link_ = link;
  incarnation_ = incarnation;
  const auto calls = calls_;
  for (const auto& [id, x] : calls) {
    if (x->sent && x->incarnation != incarnation) {
      if (!may_repeat(x->message.operation)) {
        settle(x, unknown_outcome(x->message.operation));
        continue;
      }
      x->repeated = true;
    }
    // What was sent to this control process keeps its mark: it may have been done.
    if (auto sent = try_send(x); !sent && sent.error().code == ec::resource && x->answer)
      settle(x, std::move(sent).error());
  }
}

void link_calls::disconnected(const link_pointer& link) {
  holding guard(*this);
  if (link_ == link)
    link_.reset();
}

void link_calls::answered(call_answer&& x) {
  holding guard(*this);
  const auto found = calls_.find(x.id);
  if (found == calls_.end())
    return;
  const auto call = found->second;
  settle(call, call->repeated ? settle_repeated(call->message.operation, std::move(x.outcome))
                              : std::move(x.outcome));
}

} // namespace ebb
