/// What a stream begins with, as part 0 tells it to the others.
#pragma once

#include "actors/runtime/restore_stream.hpp"
#include "actors/runtime/segment_state.hpp"
#include "schemas/peer_records.hpp"

namespace ebb {

[[nodiscard]] peer_begin to_begin(const stream_start& start, const recorded_segments& segments,
                                  std::uint64_t small);
[[nodiscard]] stream_start start_of(const peer_begin& x);
[[nodiscard]] recorded_segments segments_of(const peer_begin& x);

} // namespace ebb
