/// Writes text at once where it goes, for at-least-once delivery.
#pragma once

#include "actors/connectors/output_target.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ebb {

/// Appends to `file`, which is `size` bytes long; sealing makes the epoch's bytes durable, and ends
/// a member of compressed text, so that each epoch's can be expanded alone.
[[nodiscard]] std::unique_ptr<output_target> make_direct_target(descriptor file, compression method,
                                                                std::uint64_t size,
                                                                const std::string& shown);

/// Where the appending goes on after `recorded` bytes; behind may be what a crash has cut off in
/// the middle. `lines`: each line is a record, so that whole ones may stay.
[[nodiscard]] result<std::uint64_t> whole_size(const descriptor& file, bool lines,
                                               std::uint64_t recorded, const std::string& shown);

} // namespace ebb
