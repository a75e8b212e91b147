#include "actors/links/socket_link.hpp"

#include "schemas/link_codec.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <sys/uio.h>
#include <utility>

namespace ebb {

namespace {

using boost::system::error_code;
using outcome = link_stream::outcome;

// What one connection may read or write before others have their turn.
constexpr std::size_t turn_bytes = std::size_t{1} << 20;
// What a peer that is gone may have left behind.
constexpr std::size_t rest_bytes = std::size_t{64} << 20;
constexpr std::size_t pieces_max = 64;

error closed_link() {
  return make_error(ec::io, "the link is closed");
}

} // namespace

socket_link::socket_link(link_core& core, socket_handle socket, std::unique_ptr<link_stream> stream,
                         link_peer peer)
    : core_(core), peer_(std::move(peer)), stream_(std::move(stream)) {
  socket_.emplace(core.io, socket.release());
}

template <class Work>
void socket_link::post(Work work) {
  boost::asio::post(core_.io, [self = shared_from_this(), work = std::move(work)] { work(*self); });
}

// --- sending -------------------------------------------------------------------------------------

result<void> socket_link::send(const link_message& x) {
  if (!open_)
    return closed_link();
  const auto body = encode(x);
  if (body.size() > link_message_max)
    return make_error(ec::unsupported, "a message of " + std::to_string(body.size())
                                           + " bytes is too large for a link, which takes "
                                           + std::to_string(link_message_max));
  std::lock_guard guard(mutex_);
  if (!open_ || closing_ || finishing_ || broken_)
    return closed_link();
  if (!out_.empty() && waiting_ + body.size() > core_.options.queue_bytes)
    return make_error(ec::resource, "the link is full: " + std::to_string(waiting_) + " bytes wait",
                      "the other side does not read, or too slowly");
  push(body, false);
  if (ready_ && !blocked_)
    write_some();
  return {};
}

void socket_link::push(const buffer_ptr& body, bool ahead) {
  waiting_ += body.size();
  item next{frame_head(static_cast<std::uint32_t>(body.size())), body};
  if (ahead)
    out_.insert(out_.begin() + (out_sent_ != 0 ? 1 : 0), std::move(next));
  else
    out_.push_back(std::move(next));
}

void socket_link::write_some() {
  for (std::size_t written = 0; !out_.empty() || stream_->holds_bytes();) {
    std::array<iovec, pieces_max> pieces;
    std::size_t count = 0;
    auto skip = out_sent_;
    for (auto x = out_.begin(); x != out_.end() && count + 2 <= pieces.size(); ++x) {
      const auto head = std::min(skip, x->head.size());
      if (head < x->head.size())
        pieces[count++] = {x->head.data() + head, x->head.size() - head};
      pieces[count++] = {x->body.as<std::byte>() + (skip - head), x->body.size() - (skip - head)};
      skip = 0;
    }
    const auto step = stream_->write({pieces.data(), count});
    if (step.what == outcome::failed || step.what == outcome::ended) {
      broken_ = true;
      out_.clear();
      waiting_ = 0;
      post([why = make_error(ec::io, "the link broke: " + stream_->problem())](auto& self) {
        self.lost(why);
      });
      return;
    }
    drop(step.bytes);
    written += step.bytes;
    wrote_ = wrote_ || step.bytes != 0;
    if (step.what != outcome::moved || written >= turn_bytes) {
      blocked_ = true;
      post([](auto& self) { self.wait_to_write(); });
      return;
    }
  }
  if (finishing_)
    close_soon(make_error(ec::cancelled, "the link was closed here"));
}

void socket_link::drop(std::size_t sent) {
  out_sent_ += sent;
  while (!out_.empty()) {
    const auto size = out_.front().head.size() + out_.front().body.size();
    if (out_sent_ < size)
      return;
    out_sent_ -= size;
    waiting_ -= out_.front().body.size();
    out_.pop_front();
  }
  beat_waits_ = false;
}

void socket_link::wait_to_write() {
  if (!open_)
    return;
  socket_->async_wait(descriptor::wait_write, [self = shared_from_this()](const error_code& x) {
    std::lock_guard guard(self->mutex_);
    self->blocked_ = false;
    if (!x && self->open_ && !self->broken_)
      self->write_some();
  });
}

// --- reading -------------------------------------------------------------------------------------

void socket_link::begin() {
  if (closing_)
    return;
  core_.add(shared_from_this());
  shake_hands();
}

void socket_link::shake_hands() {
  if (!open_)
    return;
  std::unique_lock guard(mutex_);
  const auto step = stream_->handshake();
  switch (step.what) {
  case outcome::moved:
    ready_ = true;
    heard_ = true; // for all of it there is as much time as for silence
    shown_ = stream_->shown();
    if (!blocked_)
      write_some();
    guard.unlock();
    read_some(turn_bytes);
    return;
  case outcome::want_read:
  case outcome::want_write:
    socket_->async_wait(step.what == outcome::want_read ? descriptor::wait_read
                                                        : descriptor::wait_write,
                        [self = shared_from_this()](const error_code& x) {
                          if (!x)
                            self->shake_hands();
                        });
    return;
  case outcome::ended:
  case outcome::failed:
    close_soon(make_error(
        ec::io,
        "the link could not be secured: "
            + (step.what == outcome::ended ? "the other side has closed it" : stream_->problem()),
        "both sides need certificates of one folder"));
    return;
  }
}

void socket_link::wait_to_read() {
  socket_->async_wait(descriptor::wait_read, [self = shared_from_this()](const error_code& x) {
    if (!x && self->open_)
      self->read_some(turn_bytes);
  });
}

link_stream::step socket_link::read_into(std::span<std::byte> to) {
  if (!stream_->exclusive())
    return stream_->read(to);
  std::lock_guard guard(mutex_);
  return stream_->read(to);
}

void socket_link::read_some(std::size_t budget) {
  while (open_ && !closing_) {
    if (budget == 0) {
      std::lock_guard guard(mutex_);
      post([](auto& self) { self.read_some(turn_bytes); });
      return;
    }
    const auto room = reader_.room();
    const auto to = room.empty() ? std::span<std::byte>(core_.scratch) : room;
    const auto step = read_into(to);
    switch (step.what) {
    case outcome::moved:
      break;
    case outcome::want_read:
      wait_to_read();
      return;
    case outcome::want_write: {
      socket_->async_wait(descriptor::wait_write, [self = shared_from_this()](const error_code& x) {
        if (!x && self->open_)
          self->read_some(turn_bytes);
      });
      return;
    }
    case outcome::ended:
      close(make_error(ec::io, "the other side has closed the link"));
      return;
    case outcome::failed:
      close(make_error(ec::io, "the link broke: " + stream_->problem()));
      return;
    }
    heard_ = true;
    budget -= std::min(budget, step.bytes);
    if (!room.empty()) {
      reader_.filled(step.bytes);
      if (reader_.complete() && !deliver_complete())
        return;
    } else if (!deliver({core_.scratch.data(), step.bytes})) {
      return;
    }
    // A short read has taken all there was.
    if (step.bytes < to.size() && !stream_->exclusive() && open_ && !closing_) {
      wait_to_read();
      return;
    }
  }
}

bool socket_link::deliver(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto taken = reader_.feed(bytes);
    if (!taken) {
      close(taken.error());
      return false;
    }
    bytes = bytes.subspan(*taken);
    if (reader_.complete() && !deliver_complete())
      return false;
  }
  return true;
}

bool socket_link::deliver_complete() {
  const auto frame = reader_.take();
  auto message = decode_link_message(frame.bytes, frame.size);
  if (!message) {
    close(std::move(message).error());
    return false;
  }
  if (!std::holds_alternative<heartbeat>(*message) && handlers.message)
    handlers.message(shared_from_this(), *std::move(message));
  return !closing_;
}

void socket_link::lost(error why) {
  if (open_ && !closing_)
    read_some(rest_bytes);
  close(std::move(why));
}

// --- life ----------------------------------------------------------------------------------------

void socket_link::tick() {
  const auto& how = core_.options;
  if (std::exchange(heard_, false))
    quiet_ = 0;
  else if (++quiet_ * how.heartbeat >= how.silence)
    close(make_error(ec::io,
                     "nothing was heard from " + peer_.name + " for "
                         + std::to_string(how.silence.count()) + " ms",
                     "it is dead, frozen, or this machine has far too much to do"));
  std::lock_guard guard(mutex_);
  if (finishing_ && ++finishing_ticks_ * how.heartbeat >= how.silence)
    close_soon(make_error(ec::cancelled, "the link was closed here"));
  if (closing_ || broken_)
    return;
  if (!std::exchange(wrote_, false) && ready_ && !std::exchange(beat_waits_, true)) {
    push(encode(heartbeat{++beats_}), true);
    if (!blocked_)
      write_some();
  }
}

void socket_link::close(error why) {
  std::lock_guard guard(mutex_);
  close_soon(std::move(why));
}

void socket_link::close_soon(error why) {
  if (!open_ || closing_.exchange(true))
    return;
  post([why = std::move(why)](auto& self) { self.end(why); });
}

void socket_link::finish() {
  std::lock_guard guard(mutex_);
  finishing_ = true;
  if (out_.empty() && !(stream_ && stream_->holds_bytes()))
    close_soon(make_error(ec::cancelled, "the link was closed here"));
}

void socket_link::end(error why) {
  {
    std::lock_guard guard(mutex_);
    if (!open_)
      return;
    closing_ = true;
    open_ = false;
    out_.clear();
    waiting_ = 0;
    stream_.reset();
    socket_.reset();
  }
  const auto self = shared_from_this();
  core_.remove(self);
  const auto last = std::exchange(handlers, {});
  if (last.closed)
    last.closed(self, why);
}

} // namespace ebb
