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

/// The rows of a call's parts as bytes, to be written once the message's size is known.
[[nodiscard]] std::vector<buffer_ptr> encode_rows(const call_operation& x);

void write(wire::LinkCall::Builder to, const link_call& x, const std::vector<buffer_ptr>& rows);
[[nodiscard]] link_call read(wire::LinkCall::Reader from);

void write(wire::LinkAnswer::Builder to, const call_answer& x);
[[nodiscard]] call_answer read(wire::LinkAnswer::Reader from);

} // namespace ebb::link_wire
