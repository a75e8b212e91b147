/// Output of a stream whose state was dropped.
#pragma once

#include "actors/plan/manifest.hpp"

#include <string>
#include <vector>

namespace ebb {

/// Of each sink of `now` whose folder has parts that the stream with this uid left: how many, and
/// what to do. Blocks.
[[nodiscard]] std::vector<std::string> left_parts(const stream_definition& now,
                                                  const std::string& uid);

} // namespace ebb
