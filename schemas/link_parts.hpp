/// Parts that several messages of links have, between plain and wire form. Internal to the codecs
/// of links; the readers throw kj::Exception where a value is not known.
#pragma once

#include "schemas/link.capnp.h"
#include "schemas/link_records.hpp"
#include "schemas/wire_message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb::link_wire {

[[nodiscard]] inline capnp::Data::Reader data(const std::string& x) {
  return {reinterpret_cast<const capnp::byte*>(x.data()), x.size()};
}

[[nodiscard]] inline std::string_view view(capnp::Data::Reader x) {
  return {reinterpret_cast<const char*>(x.begin()), x.size()};
}

/// An enumeration of values 0 to `last`.
template <class T>
[[nodiscard]] T choice(std::uint8_t value, T last) {
  KJ_REQUIRE(value <= static_cast<std::uint8_t>(last), "a value is not known");
  return static_cast<T>(value);
}

template <class T>
[[nodiscard]] capnp::uint count(const std::vector<T>& x) {
  return static_cast<capnp::uint>(x.size());
}

inline void write_texts(capnp::List<capnp::Text>::Builder to, const std::vector<std::string>& x) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    to.set(i, text(x[i]));
}

[[nodiscard]] inline std::vector<std::string> read_texts(capnp::List<capnp::Text>::Reader from) {
  std::vector<std::string> x;
  x.reserve(from.size());
  for (const auto one : from)
    x.push_back(text(one));
  return x;
}

void write(wire::LinkError::Builder to, const error& x);
[[nodiscard]] error read(wire::LinkError::Reader from);

void write(wire::LinkHello::Builder to, const worker_hello& x);
[[nodiscard]] worker_hello read(wire::LinkHello::Reader from);
void write(wire::LinkStarted::Builder to, const stream_started& x);
[[nodiscard]] stream_started read(wire::LinkStarted::Reader from);
void write(wire::LinkStatus::Builder to, const stream_status& x);
[[nodiscard]] stream_status read(wire::LinkStatus::Reader from);
void write(wire::LinkEnded::Builder to, const stream_ended& x);
[[nodiscard]] stream_ended read(wire::LinkEnded::Reader from);
void write(wire::LinkLogLine::Builder to, const log_line& x);
[[nodiscard]] log_line read(wire::LinkLogLine::Reader from);
void write(wire::LinkWatch::Builder to, const topic_watch& x);
[[nodiscard]] topic_watch read(wire::LinkWatch::Reader from);
void write(wire::LinkMade::Builder to, const savepoint_made& x);
[[nodiscard]] savepoint_made read(wire::LinkMade::Reader from);
void write(wire::LinkWelcome::Builder to, const control_welcome& x);
[[nodiscard]] control_welcome read(wire::LinkWelcome::Reader from);
void write(wire::LinkIdentity::Builder to, const worker_identity& x);
[[nodiscard]] worker_identity read(wire::LinkIdentity::Reader from);
void write(wire::LinkStart::Builder to, const start_stream& x);
[[nodiscard]] start_stream read(wire::LinkStart::Reader from);
void write(wire::LinkStop::Builder to, const stop_stream& x);
[[nodiscard]] stop_stream read(wire::LinkStop::Reader from);
void write(wire::LinkSavepoint::Builder to, const savepoint_stream& x);
[[nodiscard]] savepoint_stream read(wire::LinkSavepoint::Reader from);

/// The rows of a call's parts as bytes, to be written once the message's size is known.
[[nodiscard]] std::vector<buffer_ptr> encode_rows(const call_operation& x);

void write(wire::LinkCall::Builder to, const link_call& x, const std::vector<buffer_ptr>& rows);
[[nodiscard]] link_call read(wire::LinkCall::Reader from);

/// The same of an answer.
[[nodiscard]] std::vector<buffer_ptr> encode_rows(const call_answer& x);

void write(wire::LinkAnswer::Builder to, const call_answer& x, const std::vector<buffer_ptr>& rows);
/// Rows are views of the message's own bytes.
[[nodiscard]] call_answer read(wire::LinkAnswer::Reader from, const buffer_ptr& message);

/// Bytes of files in it, which make the message long.
[[nodiscard]] std::size_t payload_bytes(const link_message& x) noexcept;

} // namespace ebb::link_wire
