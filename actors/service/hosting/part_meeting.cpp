#include "actors/service/hosting/part_meeting.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

using clock = std::chrono::steady_clock;

// All parts are ordered at the same time. One that has its order answers at once.
constexpr auto answer_within = std::chrono::seconds(5);

} // namespace

part_meeting::part_meeting(peer_desk& desk, const start_stream& order)
    : desk_(desk), uid_(order.uid), placement_(order.placement), part_(order.part),
      addresses_(order.peers), channels_(order.peers.size()) {}

std::shared_ptr<part_meeting> part_meeting::make(peer_desk& desk, const start_stream& order) {
  std::shared_ptr<part_meeting> made(new part_meeting(desk, order));
  if (order.part != 0)
    made->expected_ = desk.expect(made->hello(order.part),
                                  [weak = std::weak_ptr(made)](std::uint32_t from, auto channel) {
                                    const auto self = weak.lock();
                                    if (!self || from >= self->channels_.size())
                                      return peer_inbox{};
                                    static_cast<void>(channel->send(self->hello(from)));
                                    {
                                      std::lock_guard guard(self->mutex_);
                                      self->channels_[from] = std::move(channel);
                                    }
                                    self->changed_.notify_all();
                                    return self->inbox_of(from);
                                  });
  return made;
}

peer_hello part_meeting::hello(std::uint32_t to) const {
  return {uid_, placement_, part_, to};
}

// The channel holds its inbox, and the meeting the channel, until it is closed.
peer_inbox part_meeting::inbox_of(std::uint32_t part) {
  return {
      [self = shared_from_this(), part](peer_message&& x) { self->receive(part, std::move(x)); },
      [self = shared_from_this(), part](const error& why) { self->closed(part, why); }};
}

result<void> part_meeting::dial(std::uint32_t part) {
  auto made = desk_.dial(addresses_[part], hello(part), inbox_of(part));
  if (!made)
    return make_error(ec::cancelled,
                      "the worker of part " + std::to_string(part)
                          + " of the stream cannot be reached: " + made.error().message);
  std::lock_guard guard(mutex_);
  if (problem_)
    (*made)->finish();
  channels_[part] = *std::move(made);
  return {};
}

template <class Condition>
result<void> part_meeting::await(const char* what, clock::time_point until,
                                 const Condition& is_there) {
  std::unique_lock guard(mutex_);
  if (!changed_.wait_until(guard, until, [&] { return problem_ || is_there(); }))
    return make_error(ec::cancelled,
                      std::string("the other workers of the stream did not ") + what + " in time");
  if (problem_)
    return *problem_;
  return {};
}

result<void> part_meeting::gather(const peer_begin& begin, std::chrono::milliseconds within) {
  const auto until = clock::now() + within;
  for (std::uint32_t i = 0; i < addresses_.size(); ++i) {
    if (i == part_)
      continue;
    EBB_TRY(dial(i));
    std::unique_lock guard(mutex_);
    const auto channel = channels_[i];
    guard.unlock();
    EBB_TRY(channel->send(begin));
  }
  const auto others = addresses_.size() - 1;
  EBB_TRY(await("answer", clock::now() + answer_within, [&] { return greeted_.size() == others; }));
  return await("get ready", until, [&] { return ready_.size() == others; });
}

result<peer_begin> part_meeting::await_begin(std::chrono::milliseconds within) {
  EBB_TRY(await("begin", clock::now() + within, [&] { return begin_.has_value(); }));
  std::lock_guard guard(mutex_);
  return *begin_;
}

result<void> part_meeting::join(std::chrono::milliseconds within) {
  const auto until = clock::now() + within;
  for (std::uint32_t i = 1; i < part_; ++i)
    EBB_TRY(dial(i));
  return await("connect", until, [&] {
    if (greeted_.size() + 1 < part_)
      return false;
    for (std::uint32_t i = 0; i < channels_.size(); ++i)
      if (i != part_ && !channels_[i])
        return false;
    return true;
  });
}

std::shared_ptr<stream_peers> part_meeting::hand_over(generation_number generation) {
  const auto made = std::make_shared<stream_peers>(
      part_, static_cast<std::uint32_t>(addresses_.size()), generation);
  std::unique_lock guard(mutex_);
  for (std::uint32_t i = 0; i < channels_.size(); ++i)
    if (channels_[i])
      made->connect(i, channels_[i]);
  peers_ = made;
  const auto problem = problem_;
  guard.unlock();
  expected_.reset();
  if (problem)
    made->fail(*problem);
  return made;
}

void part_meeting::receive(std::uint32_t from, peer_message&& x) {
  std::unique_lock guard(mutex_);
  if (auto* begin = std::get_if<peer_begin>(&x)) {
    if (from == 0)
      begin_ = std::move(*begin);
  } else if (std::holds_alternative<peer_hello>(x)) {
    greeted_.insert(from);
  } else if (std::holds_alternative<peer_ready>(x)) {
    ready_.insert(from);
  } else {
    const auto peers = peers_;
    guard.unlock();
    if (peers)
      peers->receive(from, std::move(x));
    return;
  }
  guard.unlock();
  changed_.notify_all();
}

void part_meeting::closed(std::uint32_t part, const error& why) {
  std::shared_ptr<stream_peers> peers;
  {
    std::lock_guard guard(mutex_);
    peers = peers_;
    if (!problem_)
      problem_ = stream_peers::loss_of(part, why);
    channels_[part].reset();
  }
  changed_.notify_all();
  if (peers)
    peers->lost(part, why);
}

void part_meeting::give_up() {
  {
    std::lock_guard guard(mutex_);
    if (begin_)
      return;
  }
  cancel();
}

void part_meeting::cancel() {
  std::vector<std::shared_ptr<peer_channel>> channels;
  std::shared_ptr<stream_peers> peers;
  {
    std::lock_guard guard(mutex_);
    if (!problem_)
      problem_ = make_error(ec::cancelled, "the stream was killed");
    channels = channels_;
    peers = peers_;
  }
  changed_.notify_all();
  for (const auto& x : channels)
    if (x)
      x->finish();
  if (peers)
    peers->detach();
}

} // namespace ebb
