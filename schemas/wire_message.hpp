/// Plain values as single Cap'n Proto messages in bytes. Internal to the codecs, which alone see
/// generated schema headers.
#pragma once

#include "schemas/error.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ebb {

[[nodiscard]] inline capnp::Text::Reader text(const std::string& x) {
  return {x.c_str(), x.size()};
}

[[nodiscard]] inline std::string text(capnp::Text::Reader x) {
  return {x.begin(), x.size()};
}

/// `fill` gets the root's builder.
template <class Wire, class Fill>
[[nodiscard]] std::string to_message(const Fill& fill) {
  capnp::MallocMessageBuilder builder;
  fill(builder.initRoot<Wire>());
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

struct message_limits {
  const char* what; ///< for the error: what the bytes should be
  const char* hint;
  std::uint64_t passes; ///< over the message's words, at most; more is a message that loops
};

/// `take` gets the root's reader and gives a T. Error: ec::corrupt.
template <class Wire, class T, class Take>
[[nodiscard]] result<T> from_message(std::string_view bytes, const message_limits& limits,
                                     const Take& take) {
  const auto refuse = [&] {
    return make_error(ec::corrupt,
                      std::string(limits.what) + ": it is no sound Cap'n Proto message",
                      limits.hint);
  };
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0)
    return refuse();
  try {
    // Values in LMDB's pages are not aligned.
    auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(words.asBytes().begin(), bytes.data(), bytes.size());
    capnp::ReaderOptions options;
    options.traversalLimitInWords = words.size() * limits.passes + 1024;
    capnp::FlatArrayMessageReader reader{words, options};
    return take(reader.getRoot<Wire>());
  } catch (const kj::Exception&) {
    return refuse();
  }
}

} // namespace ebb
