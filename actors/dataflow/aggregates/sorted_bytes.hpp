/// Values of no one width as ordered-set aggregates keep them; see sorted_values.hpp. Internal to
/// the folder.
#pragma once

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// TEXT and BYTEA: bytes are their order (collation C).
struct sorted_text {
  std::string bytes;

  static sorted_text of(const column& x, std::uint32_t i) {
    return {std::string(x.text_of(i))};
  }

  [[nodiscard]] bool before(const sorted_text& y) const noexcept {
    return bytes < y.bytes;
  }

  [[nodiscard]] bool equals(const sorted_text& y) const noexcept {
    return bytes == y.bytes;
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    to.append_text(bytes);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return bytes.capacity() > 15 ? bytes.capacity() : 0;
  }
};

/// NUMERIC and arrays: canonical bytes to compare by, exact bytes to give back.
struct sorted_encoded {
  std::string key;
  std::string exact;

  static sorted_encoded of(const column& x, std::uint32_t i) {
    sorted_encoded made;
    encode_key_value(x, i, made.key);
    append_value(x, i, made.exact);
    return made;
  }

  [[nodiscard]] bool before(const sorted_encoded& y) const noexcept {
    const auto order = key.compare(y.key);
    return order != 0 ? order < 0 : exact < y.exact;
  }

  [[nodiscard]] bool equals(const sorted_encoded& y) const noexcept {
    return key == y.key;
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    std::string_view bytes = exact;
    return to.append_encoded(bytes);
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return (key.capacity() > 15 ? key.capacity() : 0)
           + (exact.capacity() > 15 ? exact.capacity() : 0);
  }
};

} // namespace ebb
