// The half of a connection that writes.

#include "actors/gateway/connection.hpp"
#include "actors/gateway/exchange.hpp"
#include "actors/gateway/response_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

// A small body goes out with its head, as one packet.
constexpr std::size_t joined_bytes_max = 8 << 10;
constexpr std::string_view last_chunk = "0\r\n\r\n";
constexpr std::string_view chunk_end = "\r\n";
constexpr std::string_view chunk_end_and_last = "\r\n0\r\n\r\n";

// What is left of `piece`; `skip` bytes of it and the pieces before are sent.
std::string_view rest_of(std::string_view piece, std::size_t& skip) {
  const auto gone = std::min(skip, piece.size());
  skip -= gone;
  return piece.substr(gone);
}

} // namespace

void connection::on_reply() {
  if (stage_ == stage::answering || stage_ == stage::streaming)
    poll_reply();
}

void connection::poll_reply() {
  auto& x = *exchange_;
  // What is written meanwhile is asked for when this is sent.
  if (stage_ == stage::streaming && x.sent < x.size())
    return;
  auto news = x.reply->take();
  if (stage_ == stage::streaming) {
    pull_stream(std::move(news));
    return;
  }
  if (!news.answer)
    return;
  if (!news.begins) {
    begin_answer(std::move(*news.answer));
    return;
  }
  begin_stream(std::move(*news.answer));
  if (stage_ == stage::streaming)
    pull_stream(std::move(news));
}

// The service has answered, or never was asked.
void connection::count_answer() {
  auto& x = *exchange_;
  if (std::exchange(x.pending, false))
    core_.counts.pending.set(static_cast<double>(--core_.pending));
  core_.pending_bytes -= std::exchange(x.body_bytes, 0);
  core_.counts.pending_bytes.set(static_cast<double>(core_.pending_bytes));
  x.request = nullptr;
}

void connection::begin_answer(http_response answer) {
  auto& x = *exchange_;
  count_answer();
  x.status = answer.status;
  x.keep_alive = x.keep_alive && !core_.stopping && !peer_ended_;
  x.out = response_head(answer, body_framing::length, x.keep_alive, x.http_1_0, core_.date());
  if (!x.head_only && answer.body.size() <= joined_bytes_max)
    x.out += answer.body;
  else if (!x.head_only)
    x.body = std::move(answer.body);
  x.last = true;
  set_stage(stage::writing);
  deadline_in(transfer_time(x.size()));
  flush();
}

void connection::begin_stream(http_response head) {
  auto& x = *exchange_;
  count_answer();
  x.status = head.status;
  x.chunked = !x.http_1_0;
  x.keep_alive = x.keep_alive && x.chunked && !core_.stopping && !peer_ended_;
  x.events = head.content_type.starts_with("text/event-stream");
  x.out = response_head(head, x.chunked ? body_framing::chunked : body_framing::close, x.keep_alive,
                        false, core_.date());
  if (!x.head_only) {
    set_stage(stage::streaming);
    return;
  }
  x.reply->close();
  x.last = true;
  set_stage(stage::writing);
  deadline_in(transfer_time(x.size()));
  flush();
}

void connection::pull_stream(reply_channel::news news) {
  auto& x = *exchange_;
  if (news.cut) {
    close();
    return;
  }
  if (core_.stopping) {
    // What was taken so far is sent; the service hears that no more will be.
    x.reply->close();
    x.keep_alive = false;
  }
  x.last = news.ended || core_.stopping;
  const auto news_bytes = news.bytes.size();
  if (news_bytes != 0 || x.last || !x.out.empty())
    put_chunk(std::move(news.bytes), news_bytes);
}

// Sends it behind what `out` holds already; after the last one, the end. `payload` of the bytes
// came from the service.
void connection::put_chunk(std::string bytes, std::size_t payload) {
  auto& x = *exchange_;
  x.body = std::move(bytes);
  x.stream_payload = payload;
  if (x.chunked && !x.body.empty()) {
    x.out += fmt::format("{:x}\r\n", x.body.size());
    x.tail = x.last ? chunk_end_and_last : chunk_end;
  } else {
    x.tail = x.chunked && x.last ? last_chunk : std::string_view();
  }
  deadline_in(transfer_time(x.size()));
  flush();
}

void connection::wait_to_write() {
  if (writing_)
    return;
  writing_ = true;
  socket_.async_wait(server_core::tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& problem) {
                       self->writing_ = false;
                       if (problem || self->stage_ == stage::closed)
                         return;
                       if (self->stage_ == stage::handshake)
                         self->shake_hands();
                       else if (self->exchange_ && self->exchange_->sent < self->exchange_->size())
                         self->flush();
                       else
                         self->on_readable();
                     });
}

void connection::flush() {
  auto& x = *exchange_;
  while (x.sent < x.size()) {
    auto skip = x.sent;
    const auto out = rest_of(x.out, skip);
    const auto body = rest_of(x.body, skip);
    const auto tail = rest_of(x.tail, skip);
    const auto step = transport_.write({out, body, tail});
    if (step.what == transport::outcome::want_write) {
      wait_to_write();
      return;
    }
    if (step.what != transport::outcome::moved) {
      close();
      return;
    }
    x.sent += step.bytes;
    core_.counts.sent_bytes.add(step.bytes);
  }
  on_flushed();
}

void connection::on_flushed() {
  auto& x = *exchange_;
  const auto payload = std::exchange(x.stream_payload, 0);
  x.out.clear();
  std::string().swap(x.body);
  x.tail = {};
  x.sent = 0;
  if (x.last) {
    if (x.reply && stage_ == stage::streaming)
      x.reply->sent(payload);
    finish_answer();
    return;
  }
  deadline_in(x.events ? core_.options.limits.heartbeat_time : core_.options.limits.idle_time);
  x.reply->hold();
  x.reply->sent(payload);
  // By way of the loop, so that a stream that always has more does not keep the thread.
  core_.door->post([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->on_reply();
  });
  wait_to_read();
}

void connection::finish_answer() {
  auto& x = *exchange_;
  core_.counts.answered(x.route, x.status,
                        x.head_done == server_core::clock::time_point()
                            ? server_core::clock::duration()
                            : server_core::clock::now() - x.head_done);
  if (x.reply)
    x.reply->finish();
  if (!x.keep_alive) {
    linger();
    return;
  }
  exchange_.reset();
  set_stage(stage::idle);
  deadline_in(core_.options.limits.idle_time);
  // process() goes on itself.
  if (inside_)
    return;
  if (!in_.empty())
    resume();
  wait_to_read();
}

} // namespace ebb
