/// Kinds of things that a service keeps, as commands name them.
#pragma once

#include "schemas/error.hpp"

#include <string>
#include <string_view>

namespace ebb::client {

struct kind_names {
  const char* kind;     ///< Stream
  const char* singular; ///< stream
  const char* plural;   ///< streams: the part of the path
};

/// One, by any of its names in any case. ec::invalid_argument with the nearest else.
[[nodiscard]] result<kind_names> kind_named(std::string_view word);

/// A list about a stream, that `get` shows too: wakes, decisions, errors, checkpoints.
[[nodiscard]] bool is_view(std::string_view word) noexcept;

/// What a command was asked for: `streams`, `stream delays`, `stream/delays`.
struct target {
  kind_names kind;
  std::string name; ///< empty = all
};

[[nodiscard]] result<target> target_of(const std::string& word, const std::string& name);

} // namespace ebb::client
