/// Whether the operators of this program understand the state that a stream has left: looked at
/// before anything is dropped or taken back for it.
#pragma once

#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/segment_state.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// Gives entries to operators that are thrown away then: of each operator all it would be given
/// before the first row, and of what it loads later whole key groups until they are `enough` bytes,
/// as the entries of all groups are made alike. `operators`: as in stream_start. Changes nothing.
/// Blocks. ec::unsupported: an operator does not understand an entry, though its checksum is right;
/// ec::corrupt: damage.
[[nodiscard]] result<void> check_state(const stage_plan& plan, const std::string& stream,
                                       const std::vector<std::string>& operators,
                                       const recorded_segments& from, std::uint64_t enough);

/// What an operator did not understand (ec::unsupported), as a person is told it. `left_by`: the
/// version of ebb that wrote it; empty = not known. Other errors stay.
[[nodiscard]] error unreadable(error problem, const std::string& stream,
                               const std::string& left_by);

} // namespace ebb
