#include "actors/runtime/stream_peers.hpp"

#include "schemas/overloaded.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <utility>

namespace ebb {

void stream_peers::attach(actors x) {
  {
    std::lock_guard guard(mutex_);
    if (early_)
      caf::anon_send(x.supervisor, failure{*std::exchange(early_, std::nullopt)});
    if (detached_)
      return;
    actors_ = std::make_shared<const actors>(std::move(x));
  }
  if (attached)
    attached();
}

void stream_peers::detach() {
  {
    std::lock_guard guard(mutex_);
    actors_.reset();
    failed_ = detached_ = true; // nobody is to be told any more
  }
  for (const auto& x : channels_)
    if (x)
      x->finish();
}

void stream_peers::send(std::uint32_t part, const peer_message& x) {
  const auto& channel = channels_[part];
  if (!channel)
    return;
  if (auto sent = channel->send(x); !sent)
    lost(part, sent.error());
}

void stream_peers::send_all(const peer_message& x) {
  for (std::uint32_t i = 0; i < channels_.size(); ++i)
    send(i, x);
}

error stream_peers::loss_of(std::uint32_t part, const error& why) {
  return make_error(ec::cancelled,
                    "the worker of part " + std::to_string(part)
                        + " of the stream is lost: " + why.message,
                    why.hint);
}

void stream_peers::lost(std::uint32_t part, const error& why) {
  fail(loss_of(part, why));
}

void stream_peers::fail(const error& why) {
  std::shared_ptr<const actors> to;
  {
    std::lock_guard guard(mutex_);
    if (std::exchange(failed_, true))
      return;
    to = actors_;
    if (!to)
      early_ = why;
  }
  if (to)
    caf::anon_send(to->supervisor, failure{why});
}

void stream_peers::receive(std::uint32_t from, peer_message&& x) {
  std::visit(overloaded{
                 [this](peer_items& y) { take(std::move(y)); },
                 [this](const peer_credit& y) { take(y); },
                 [this](const peer_order& y) { take(y); },
                 [this, from](peer_report& y) { take(from, std::move(y)); },
                 [this, from](const peer_written& y) { take(from, y); },
                 [this](const peer_stats& y) { take(y); },
                 [this](const peer_go&) {
                   if (const auto all = known())
                     caf::anon_send(all->supervisor, start_atom::value);
                 },
                 // What comes before the actors: of who connects them.
                 [](const auto&) {},
             },
             x);
}

namespace {

/// The subtask, where it is there and in this process, or (`here` false) in another one.
const subtask_actor* find_in(const stream_peers::actors& all, std::uint32_t subtask,
                             std::uint32_t part, bool here) {
  if (subtask >= all.subtasks.size() || (all.parts[subtask] == part) != here)
    return nullptr;
  return &all.subtasks[subtask];
}

} // namespace

std::shared_ptr<const stream_peers::actors> stream_peers::known() {
  std::lock_guard guard(mutex_);
  return actors_;
}

void stream_peers::take(peer_items&& x) {
  const auto all = known();
  const auto* to = all ? find_in(*all, x.subtask, part_, true) : nullptr;
  if (to == nullptr)
    return;
  arrival message{generation_, x.input, x.channel, {}};
  message.items.reserve(x.items.size());
  for (auto& item : x.items)
    message.items.push_back({static_cast<channel_signal>(item.what), item.time,
                             std::move(item.rows), static_cast<std::size_t>(item.bytes),
                             item.epoch});
  caf::anon_send(*to, std::move(message));
}

void stream_peers::take(const peer_credit& x) {
  const auto all = known();
  if (const auto* to = all ? find_in(*all, x.subtask, part_, true) : nullptr)
    caf::anon_send(
        *to, credit_return{generation_, x.output, x.target, static_cast<std::size_t>(x.bytes)});
}

void stream_peers::take(const peer_order& x) {
  const auto all = known();
  const auto* to = all ? find_in(*all, x.subtask, part_, true) : nullptr;
  if (to == nullptr)
    return;
  switch (x.what) {
  case peer_order::kind::interrupt:
    caf::anon_send(*to, interrupt_atom::value);
    return;
  case peer_order::kind::checkpoint:
    caf::anon_send(*to, checkpoint_request{generation_, x.epoch, x.base, x.whole});
    return;
  case peer_order::kind::conclude:
    caf::anon_send(*to, conclude_atom::value, generation_);
    return;
  case peer_order::kind::abandon:
    caf::anon_send(*to, abandon_atom::value);
    return;
  }
}

void stream_peers::take(std::uint32_t from, peer_report&& x) {
  const auto all = known();
  if (!all)
    return;
  if (x.what == peer_report::kind::unwritten) {
    step_done done;
    done.what = durable_step::write;
    done.epoch = x.epoch;
    done.problem = std::move(x.problem);
    if (all->coordinator)
      caf::anon_send(all->coordinator, std::move(done));
    return;
  }
  const auto* stand_in = find_in(*all, x.subtask, part_, false);
  if (stand_in == nullptr || all->parts[x.subtask] != from)
    return;
  switch (x.what) {
  case peer_report::kind::drained:
    if (all->coordinator)
      caf::anon_send(all->coordinator, drained_atom::value, generation_, x.subtask);
    return;
  case peer_report::kind::done:
  case peer_report::kind::cut:
    caf::anon_send(all->supervisor, done_atom::value, x.subtask, x.what == peer_report::kind::cut);
    break;
  case peer_report::kind::failed:
    caf::anon_send(all->supervisor,
                   failure{x.problem ? std::move(*x.problem)
                                     : make_error(ec::internal, "a subtask failed elsewhere")},
                   x.subtask);
    break;
  case peer_report::kind::unwritten:
    return;
  }
  // It has ended there, so its stand-in ends here; the supervisor has heard why before.
  caf::anon_send_exit(*stand_in, caf::exit_reason::user_shutdown);
}

void stream_peers::take(std::uint32_t from, const peer_written& x) {
  const auto all = known();
  if (all && all->coordinator)
    caf::anon_send(all->coordinator,
                   epoch_written{generation_, from, x.part.epoch, from_peer_written(x)});
}

void stream_peers::take(const peer_stats& x) {
  const auto all = known();
  if (all && find_in(*all, x.subtask, part_, false) != nullptr)
    all->boards[x.subtask]->publish(from_peer_stats(x));
}

} // namespace ebb
