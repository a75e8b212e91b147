// How a connection ends, by its peer, by the clock, or with the server.

#include "actors/gateway/connection.hpp"
#include "actors/gateway/exchange.hpp"

#include <utility>

namespace ebb {

// The peer has closed, or only its half.
void connection::on_end() {
  switch (stage_) {
  case stage::answering:
  case stage::writing:
    // Its last request may still be answered.
    peer_ended_ = true;
    exchange_->keep_alive = false;
    return;
  default:
    close();
  }
}

void connection::on_deadline() {
  const auto self = shared_from_this();
  const auto slow = [&](const char* detail) {
    core_.counts.timeouts.add();
    refuse(make_problem(408, "timeout", detail), true);
  };
  switch (stage_) {
  case stage::head:
    slow("the head of the request took too long");
    return;
  case stage::body:
  case stage::drain:
    slow("the body of the request came too slowly");
    return;
  case stage::answering: {
    exchange_->reply->close();
    auto problem = make_problem(503, "timeout", "the answer took too long", {},
                                "what was asked for may still happen");
    problem.retry_after_seconds = 1;
    refuse(std::move(problem), false);
    return;
  }
  case stage::streaming: {
    auto& x = *exchange_;
    if (x.sent < x.size())
      break;
    // A line that clients skip; it finds out whether somebody is there.
    if (x.events)
      put_chunk(":\n\n", 0);
    else
      deadline_in(core_.options.limits.idle_time);
    return;
  }
  case stage::writing:
    break;
  default:
    close();
    return;
  }
  core_.counts.timeouts.add();
  close();
}

void connection::wind_up() {
  switch (stage_) {
  case stage::body:
  case stage::drain:
  case stage::answering:
  case stage::writing:
    exchange_->keep_alive = false;
    return;
  case stage::streaming:
    exchange_->keep_alive = false;
    on_reply();
    return;
  case stage::linger:
    return;
  default:
    close();
  }
}

void connection::on_tokens() {
  if (streams() && !exchange_->for_anybody
      && !core_.tokens.holds(exchange_->token, core_.wall_time()))
    close();
}

void connection::linger() {
  exchange_.reset();
  if (peer_ended_) {
    close();
    return;
  }
  transport_.end_writing();
  set_stage(stage::linger);
  // What the client still sends is read, so that it can read the answer.
  deadline_in(std::chrono::seconds(2));
  wait_to_read();
}

void connection::close() {
  if (stage_ == stage::closed)
    return;
  const auto self = shared_from_this();
  if (exchange_ != nullptr) {
    count_answer();
    if (exchange_->reply)
      exchange_->reply->close();
  }
  set_stage(stage::closed);
  boost::system::error_code ignored;
  socket_.close(ignored);
  core_.gone(*this);
}

} // namespace ebb
