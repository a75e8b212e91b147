#include "actors/service/topics/ack_waits.hpp"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

namespace ebb {

namespace {

http_problem stopping() {
  auto x = make_problem(503, "stopping", "the service stops", {},
                        "the messages are logged; ask for the token of a repeated request");
  x.retry_after_seconds = 1;
  return x;
}

} // namespace

struct ack_waits::waiting {
  waiting(ack_question question, message_receipt about, http_reply to)
      : what(std::move(question)), receipt(std::move(about)), reply(std::move(to)) {}

  ack_question what;
  message_receipt receipt;
  http_reply reply;
  std::shared_ptr<void> watch = {};
  std::optional<deadline_timer::ticket> deadline = {};
  std::atomic<bool> asking = false; ///< ask() is on its way
};

ack_waits::ack_waits(ack_tracker* tracker, io_executor& io) : tracker_(tracker), lanes_(io, 1) {}

result<void> ack_waits::check(const ack_question& what) const {
  if (what.level == ack_level::logged)
    return {};
  auto known = reached(what);
  if (!known)
    return std::move(known).error();
  return {};
}

result<bool> ack_waits::reached(const ack_question& what) const {
  if (tracker_ == nullptr)
    return make_error(ec::unsupported, "only ack=logged is known here", "ask for ack=logged");
  const use_gate::use use(use_);
  if (!use)
    return make_error(ec::cancelled, "the service stops");
  return tracker_->reached(what);
}

void ack_waits::wait(ack_question what, message_receipt receipt, std::chrono::milliseconds time,
                     http_reply reply) {
  if (what.level == ack_level::logged) {
    receipt.ack = ack_level::logged;
    return reply.json(200, to_json(receipt));
  }
  if (tracker_ == nullptr)
    return reply.fail(check(what).error());
  auto made = std::make_shared<waiting>(std::move(what), std::move(receipt), std::move(reply));
  std::uint64_t number = 0;
  {
    std::lock_guard guard(mutex_);
    if (closed_)
      return made->reply.fail(stopping());
    number = next_++;
    waiting_.emplace(number, made);
  }
  const auto weak = weak_from_this();
  // What holds the reply must not be held by it.
  made->reply.on_closed([weak, number] {
    if (const auto self = weak.lock())
      self->forget(number);
  });
  // First the watch, then the question: nothing is missed between them.
  const use_gate::use use(use_);
  if (!use)
    return; // close() has answered
  auto watch = tracker_->watch(made->what.uid, [weak, number] {
    if (const auto self = weak.lock())
      self->ask_soon(number);
  });
  const auto deadline = timer_.at(deadline_timer::clock::now() + time, [weak, number] {
    if (const auto self = weak.lock())
      self->time_out(number);
  });
  {
    std::lock_guard guard(mutex_);
    if (waiting_.contains(number)) {
      made->watch = std::move(watch);
      made->deadline = deadline;
    }
  }
  if (watch != nullptr) // the client has gone meanwhile
    return timer_.cancel(deadline);
  ask(number);
}

std::shared_ptr<ack_waits::waiting> ack_waits::find(std::uint64_t number) const {
  std::lock_guard guard(mutex_);
  const auto at = waiting_.find(number);
  return at == waiting_.end() ? nullptr : at->second;
}

std::shared_ptr<ack_waits::waiting> ack_waits::forget(std::uint64_t number) {
  std::shared_ptr<waiting> gone;
  std::shared_ptr<void> watch;
  std::lock_guard guard(mutex_);
  const auto at = waiting_.find(number);
  if (at == waiting_.end())
    return gone;
  gone = std::move(at->second);
  waiting_.erase(at);
  watch = std::move(gone->watch);
  if (gone->deadline)
    timer_.cancel(*gone->deadline);
  return gone;
}

void ack_waits::ask_soon(std::uint64_t number) {
  const auto x = find(number);
  if (!x || x->asking.exchange(true))
    return;
  lanes_.submit(0, [weak = weak_from_this(), number] {
    if (const auto self = weak.lock())
      self->ask(number);
  });
}

void ack_waits::ask(std::uint64_t number) {
  const auto x = find(number);
  if (!x)
    return;
  x->asking = false; // what changes from now on is asked for again
  const auto known = reached(x->what);
  if (known && !*known)
    return;
  if (!forget(number))
    return;
  if (!known)
    return x->reply.fail(known.error());
  x->receipt.ack = x->what.level;
  x->reply.json(200, to_json(x->receipt));
}

// Asks once more: a time of 0 means `as it is now`.
void ack_waits::time_out(std::uint64_t number) {
  ask(number);
  const auto x = forget(number);
  if (!x)
    return;
  x->receipt.ack = ack_level::logged;
  x->reply.json(202, to_json(x->receipt));
}

void ack_waits::close() {
  timer_.stop();
  std::unordered_map<std::uint64_t, std::shared_ptr<waiting>> left;
  std::vector<std::shared_ptr<void>> watches;
  {
    std::lock_guard guard(mutex_);
    closed_ = true;
    left.swap(waiting_);
    for (const auto& x : left)
      watches.push_back(std::move(x.second->watch));
  }
  watches.clear();
  for (const auto& x : left)
    x.second->reply.fail(stopping());
  use_.close();
}

} // namespace ebb
