#include "actors/gateway/connection.hpp"

#include "actors/gateway/admission.hpp"
#include "actors/gateway/exchange.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace ebb {

namespace {

// A client that sends requests without waiting for answers may be this far ahead.
constexpr std::size_t ahead_bytes_max = 16 << 10;
// Bodies of refused requests up to this are read, so that the connection can stay.
constexpr std::uint64_t drained_bytes_max = 64 << 10;
// What a client still sends after the last answer.
constexpr std::uint64_t lingered_bytes_max = 1 << 20;
// Then others get their turn.
constexpr int requests_in_turn = 32;
constexpr int reads_in_turn = 16;

} // namespace

connection::connection(server_core& core, server_core::tcp::socket socket, std::string peer,
                       std::string counted_address)
    : core_(core), socket_(std::move(socket)),
      transport_(socket_.native_handle(), core.tls ? &*core.tls : nullptr), peer_(std::move(peer)),
      counted_address_(std::move(counted_address)) {}

connection::~connection() = default;

void connection::set_stage(stage next) {
  const bool was_idle = stage_ == stage::idle;
  stage_ = next;
  if (was_idle == (next == stage::idle))
    return;
  since_ = server_core::clock::now();
  core_.idle(*this, next == stage::idle);
}

void connection::deadline_in(server_core::clock::duration from_now) {
  core_.set_deadline(*this, server_core::clock::now() + from_now);
}

server_core::clock::duration connection::transfer_time(std::uint64_t bytes) const {
  return core_.options.limits.transfer_time
         + std::chrono::seconds(bytes / core_.options.limits.rate_bytes);
}

void connection::start() {
  if (transport_.encrypted()) {
    deadline_in(core_.options.limits.header_time);
    shake_hands();
    return;
  }
  set_stage(stage::idle);
  deadline_in(core_.options.limits.idle_time);
  wait_to_read();
}

void connection::shake_hands() {
  switch (transport_.handshake().what) {
  case transport::outcome::moved:
    set_stage(stage::idle);
    deadline_in(core_.options.limits.idle_time);
    // The first request may have come with the last bytes of the handshake.
    on_readable();
    return;
  case transport::outcome::want_read:
    wait_to_read();
    return;
  case transport::outcome::want_write:
    wait_to_write();
    return;
  default:
    close();
  }
}

bool connection::wants_bytes() const noexcept {
  switch (stage_) {
  case stage::answering:
  case stage::writing:
  case stage::streaming:
    return !peer_ended_ && in_.size() < ahead_bytes_max;
  case stage::closed:
    return false;
  default:
    return true;
  }
}

void connection::wait_to_read() {
  if (reading_ || stage_ == stage::closed || (stage_ != stage::handshake && !wants_bytes()))
    return;
  reading_ = true;
  socket_.async_wait(server_core::tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& problem) {
                       self->reading_ = false;
                       if (problem || self->stage_ == stage::closed)
                         return;
                       if (self->stage_ == stage::handshake)
                         self->shake_hands();
                       else
                         self->on_readable();
                     });
}

void connection::on_readable() {
  for (int i = 0; i < reads_in_turn; ++i) {
    if (!wants_bytes())
      return;
    auto& scratch = core_.scratch;
    const auto got = transport_.read(scratch.data(), scratch.size());
    switch (got.what) {
    case transport::outcome::want_read:
      wait_to_read();
      return;
    case transport::outcome::want_write:
      wait_to_write();
      return;
    case transport::outcome::ended:
      on_end();
      return;
    case transport::outcome::failed:
      close();
      return;
    case transport::outcome::moved:
      break;
    }
    core_.counts.received_bytes.add(got.bytes);
    take({scratch.data(), got.bytes});
    if (stage_ == stage::closed)
      return;
    // The socket is empty: the next bytes will be told of.
    if (!transport_.encrypted() && got.bytes < scratch.size()) {
      wait_to_read();
      return;
    }
  }
  if (reading_)
    return;
  reading_ = true;
  boost::asio::post(core_.io, [self = shared_from_this()] {
    self->reading_ = false;
    self->on_readable();
  });
}

void connection::take(std::string_view bytes) {
  if (stage_ == stage::linger) {
    lingered_ += bytes.size();
    if (lingered_ > lingered_bytes_max)
      close();
    return;
  }
  if (!in_.empty()) {
    in_.append(bytes);
    resume();
    return;
  }
  const auto used = process(bytes);
  if (stage_ != stage::closed)
    in_.assign(bytes.substr(used));
}

void connection::resume() {
  const auto used = process(in_);
  if (stage_ == stage::closed)
    return;
  // Memory goes back: an idle connection holds none.
  if (used == in_.size())
    std::string().swap(in_);
  else
    in_.erase(0, used);
}

// How many bytes are used; the rest is wanted again, with what comes next.
std::size_t connection::process(std::string_view bytes) {
  inside_ = true;
  std::size_t at = 0;
  int requests = 0;
  for (bool more = true; more;) {
    const auto rest = bytes.substr(at);
    std::size_t used = 0;
    switch (stage_) {
    case stage::idle:
      more = !rest.empty();
      if (more && ++requests > requests_in_turn) {
        more = false;
        boost::asio::post(core_.io, [self = shared_from_this()] {
          if (self->stage_ == stage::idle) {
            self->resume();
            self->wait_to_read();
          }
        });
      }
      if (more)
        begin_request();
      break;
    case stage::head: {
      const auto step = exchange_->reader.read_head(rest, used);
      at += used;
      more = step != request_reader::step::more;
      if (step == request_reader::step::bad)
        refuse(exchange_->reader.problem(), true);
      else if (more)
        on_head();
      break;
    }
    case stage::body:
    case stage::drain: {
      const bool draining = stage_ == stage::drain;
      auto& x = *exchange_;
      const auto step =
          x.reader.read_body(rest, used, draining ? x.thrown_away : x.request->body, x.body_max);
      at += used;
      more = step != request_reader::step::more;
      on_body_step(step, used);
      break;
    }
    case stage::linger:
      at = bytes.size();
      more = false;
      break;
    default:
      more = false;
    }
  }
  inside_ = false;
  return at;
}

void connection::begin_request() {
  const auto& limits = core_.options.limits;
  exchange_ = std::make_unique<exchange>(
      reader_limits{limits.header_bytes, limits.header_fields, limits.target_bytes});
  set_stage(stage::head);
  deadline_in(limits.header_time);
}

void connection::on_head() {
  auto& x = *exchange_;
  const auto& head = x.reader.head();
  x.head_done = x.body_begun = server_core::clock::now();
  x.http_1_0 = head.http_1_0;
  x.head_only = head.method == "HEAD";
  x.keep_alive = head.keep_alive;
  auto admitted = admit(head, {&core_.routes, core_.tokens.tokens(), server_core::wall_time()});
  x.route = admitted.route;
  const bool has_body = head.has_body();
  if (!admitted.allow.empty()) {
    x.keep_alive = x.keep_alive && !has_body;
    begin_answer({204, {}, {}, {{"Allow", admitted.allow}}});
    return;
  }
  if (admitted.problem) {
    if (!has_body || head.expects_continue || head.content_length > drained_bytes_max
        || admitted.problem->status == 413) {
      refuse(std::move(*admitted.problem), has_body);
      return;
    }
    x.refusal = std::move(admitted.problem);
    x.body_max = drained_bytes_max;
    set_stage(stage::drain);
    deadline_in(transfer_time(0));
    return;
  }
  x.request = std::move(admitted.request);
  x.for_anybody = x.request->to->access == route_access::open;
  x.token = x.request->from.token;
  if (!x.request->from.token.empty())
    core_.tokens.used(x.request->from.token, server_core::wall_time());
  x.request->peer = peer_;
  x.request->received = x.head_done;
  x.request->traceparent =
      is_traceparent(head.traceparent) ? std::string(head.traceparent) : core_.traces.next();
  if (!has_body) {
    dispatch();
    return;
  }
  x.body_max = admitted.body_max;
  // The client waits for this before it sends the body.
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  if (head.expects_continue && transport_.write({go_on}).bytes != go_on.size()) {
    close();
    return;
  }
  set_stage(stage::body);
  deadline_in(transfer_time(0));
}

void connection::on_body_step(request_reader::step step, std::size_t used) {
  auto& x = *exchange_;
  if (stage_ == stage::drain) {
    if (step != request_reader::step::more)
      refuse(std::move(*x.refusal), step == request_reader::step::bad);
    return;
  }
  const auto grown = x.request->body.size() - x.body_bytes;
  x.body_bytes += grown;
  core_.pending_bytes += grown;
  core_.counts.pending_bytes.set(static_cast<double>(core_.pending_bytes));
  if (step == request_reader::step::bad) {
    refuse(x.reader.problem(), true);
  } else if (core_.pending_bytes > core_.options.limits.body_bytes) {
    auto problem = make_problem(503, "busy",
                                "the bodies of requests under way fill the memory "
                                "that is meant for them");
    problem.retry_after_seconds = 1;
    refuse(std::move(problem), true);
  } else if (step == request_reader::step::done) {
    dispatch();
  } else if (used != 0) {
    core_.set_deadline(*this, x.body_begun + transfer_time(x.body_bytes));
  }
}

void connection::dispatch() {
  auto& x = *exchange_;
  if (core_.pending >= core_.options.limits.pending_requests) {
    auto problem = make_problem(503, "busy", "too many requests wait for their answers");
    problem.retry_after_seconds = 1;
    refuse(std::move(problem), false);
    return;
  }
  x.reply = std::make_shared<reply_channel>(
      core_.door,
      [weak = weak_from_this()] {
        if (const auto self = weak.lock())
          self->on_reply();
      },
      core_.options.limits.stream_buffer_bytes);
  x.pending = true;
  core_.counts.pending.set(static_cast<double>(++core_.pending));
  set_stage(stage::answering);
  deadline_in(x.request->to->answer_time);
  x.reply->hold();
  {
    http_reply reply(std::make_shared<reply_state>(x.reply));
    if (!core_.answer(*x.request, reply))
      core_.service.handle(std::exchange(x.request, nullptr), std::move(reply));
  }
  poll_reply();
}

void connection::refuse(http_problem problem, bool close_after) {
  exchange_->keep_alive = exchange_->keep_alive && !close_after;
  begin_answer(response_of(problem));
}

} // namespace ebb
