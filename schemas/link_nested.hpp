/// Messages of other codecs within those of links. Internal to the codecs of links.
#pragma once

#include "schemas/control_codec.hpp"
#include "schemas/link_parts.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebb::link_wire {

template <class T>
[[nodiscard]] T sound(result<T> x) {
  KJ_REQUIRE(static_cast<bool>(x), "a message within the message is not sound");
  return *std::move(x);
}

template <class List, class T>
void write_encoded(List to, const std::vector<T>& from) {
  for (capnp::uint i = 0; i < to.size(); ++i)
    to.set(i, data(encode(from[i])));
}

template <class T, class Decode>
std::vector<T> read_encoded(capnp::List<capnp::Data>::Reader from, const Decode& decode) {
  std::vector<T> all;
  all.reserve(from.size());
  for (const auto x : from)
    all.push_back(sound(decode(view(x))));
  return all;
}

template <class T>
std::string encode_if(const std::optional<T>& x) {
  return x ? encode(*x) : std::string{};
}

template <class T, class Decode>
std::optional<T> decode_if(capnp::Data::Reader from, const Decode& decode) {
  if (from.size() == 0)
    return std::nullopt;
  return sound(decode(view(from)));
}

} // namespace ebb::link_wire
