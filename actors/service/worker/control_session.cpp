#include "actors/service/worker/control_session.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace ebb {

namespace {

constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{1000};
// From the connection to the welcome.
constexpr std::chrono::seconds welcome_within{10};

} // namespace

control_session::control_session(connector connect, session_listener& listener, const bell& wake,
                                 std::shared_ptr<link_calls> calls, clock::time_point now)
    : connect_(std::move(connect)), listener_(listener), bell_(wake), calls_(std::move(calls)),
      watches_(std::make_shared<topic_watches>(
          [this](const topic_watch& x) { static_cast<void>(send(x)); })),
      due_(now), alone_since_(now), pause_(first_pause) {}

void control_session::step(clock::time_point now) {
  {
    std::lock_guard guard(mutex_);
    if (state_ == state::linked || finishing_ || now < due_)
      return;
    if (state_ == state::greeting) {
      link_->close(make_error(ec::io, "the control process has not said welcome"));
      due_ = now + welcome_within;
      return;
    }
    // An attempt that blocks is not counted as a pause.
    due_ = now + pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
  }
  link_handlers handlers;
  handlers.message = [this](const link_pointer& link, link_message&& x) {
    receive(link, std::move(x));
  };
  handlers.closed = [this](const link_pointer& link, const error& why) { closed(link, why); };
  auto made = connect_(std::move(handlers));
  if (!made)
    return;
  {
    std::lock_guard guard(mutex_);
    link_ = *made;
    state_ = state::greeting;
    due_ = clock::now() + welcome_within;
  }
  // Where it is closed already, or too full, which a new one is not, `closed` was or will be told.
  static_cast<void>((*made)->send(listener_.hello()));
  if (!(*made)->open())
    closed(*made, make_error(ec::io, "the link is closed"));
}

void control_session::receive(const link_pointer& link, link_message&& x) {
  if (const auto* welcomed = std::get_if<control_welcome>(&x)) {
    welcome(link, *welcomed);
    return;
  }
  {
    std::lock_guard guard(mutex_);
    if (link != link_ || state_ != state::linked) {
      link->close(make_error(ec::io, "the control process has not said welcome first"));
      return;
    }
  }
  if (auto* answer = std::get_if<call_answer>(&x))
    calls_->answered(std::move(*answer));
  else if (const auto* moved = std::get_if<topic_moved>(&x))
    watches_->moved(moved->uid);
  else
    listener_.received(std::move(x));
}

void control_session::welcome(const link_pointer& link, const control_welcome& x) {
  {
    std::lock_guard guard(mutex_);
    if (x.incarnation < incarnation_ || state_ == state::linked) {
      link->close(make_error(ec::conflict, state_ == state::linked
                                               ? "the control process has said welcome twice"
                                               : "this control process is older than the last"));
      return;
    }
    link_ = link;
    state_ = state::linked;
    incarnation_ = x.incarnation;
    pause_ = first_pause;
  }
  listener_.welcomed(x);
  calls_->connected(link, x.incarnation);
  watches_->reconnected();
  bell_.ring();
}

void control_session::closed(const link_pointer& link, const error& why) {
  bool was_linked = false;
  bool wanted = false;
  {
    std::lock_guard guard(mutex_);
    if (link != link_)
      return;
    was_linked = state_ == state::linked;
    const auto now = clock::now();
    if (was_linked)
      alone_since_ = now;
    due_ = now + pause_;
    pause_ = std::min(pause_ * 2, longest_pause);
    wanted = finishing_;
    link_.reset();
    state_ = state::none;
  }
  calls_->disconnected(link);
  if (wanted)
    listener_.note(log_level::debug, "the link to the control process is closed");
  else if (was_linked)
    listener_.note(log_level::warning, "the link to the control process is lost: " + why.message);
  else
    listener_.note(log_level::debug, "the control process was not joined: " + why.message);
  bell_.ring();
}

result<void> control_session::send(const link_message& x) {
  link_pointer link;
  {
    std::lock_guard guard(mutex_);
    if (state_ == state::linked)
      link = link_;
  }
  if (!link)
    return make_error(ec::io, "there is no control process");
  auto sent = link->send(x);
  if (!sent && sent.error().code == ec::resource)
    link->close(sent.error());
  return sent;
}

bool control_session::linked() const {
  std::lock_guard guard(mutex_);
  return state_ == state::linked;
}

std::uint64_t control_session::incarnation() const {
  std::lock_guard guard(mutex_);
  return incarnation_;
}

std::optional<control_session::clock::time_point> control_session::next() const {
  std::lock_guard guard(mutex_);
  if (state_ == state::linked || finishing_)
    return std::nullopt;
  return due_;
}

std::optional<control_session::clock::time_point> control_session::alone_since() const {
  std::lock_guard guard(mutex_);
  if (state_ == state::linked)
    return std::nullopt;
  return alone_since_;
}

void control_session::finish() {
  link_pointer link;
  {
    std::lock_guard guard(mutex_);
    finishing_ = true;
    link = link_;
  }
  if (link)
    link->finish();
}

bool control_session::has_link() const {
  std::lock_guard guard(mutex_);
  return link_ != nullptr;
}

} // namespace ebb
