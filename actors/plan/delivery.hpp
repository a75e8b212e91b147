/// What a crash can do to the rows that a stream reads and writes, with `--data`.
#pragma once

#include "actors/plan/manifest.hpp"

#include <string>

namespace ebb {

enum class delivery_class : std::uint8_t {
  exactly_once,
  at_least_once, ///< rows around a crash may come twice
  none,          ///< rows are not kept, or cannot be read again
};

struct delivery {
  delivery_class what = delivery_class::none;
  std::string how; ///< a few words

  bool operator==(const delivery&) const = default;
};

[[nodiscard]] const char* to_string(delivery_class what) noexcept;

/// `exactly-once (append at the recorded offset)`
[[nodiscard]] std::string to_string(const delivery& x);

/// Of a sink under `checkpoint.mode`. `folder`: where relative paths start; a path is looked at,
/// since a pipe or a folder is written in another way.
[[nodiscard]] delivery delivery_of(const sink_definition& sink, bool exactly_once,
                                   const std::string& folder);

/// Whether a source's rows can be read again after a crash. A stream is no better than its sources.
[[nodiscard]] delivery replay_of(const source_definition& source, const std::string& folder);

} // namespace ebb
