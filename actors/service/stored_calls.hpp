/// Calls of workers that are about the files of their stream.
#pragma once

#include "actors/service/control_records.hpp"
#include "schemas/link_operations.hpp"

namespace ebb {

[[nodiscard]] bool is_stored_call(const call_operation& x) noexcept;

/// Whether it only reads: then it may overtake those that write.
[[nodiscard]] bool is_stored_read(const call_operation& x) noexcept;

/// In the folder of the calling stream, and no other. ec::conflict where its placement may not
/// write any more, or its generation is not the newest. Blocks; calls that write come one after the
/// other.
[[nodiscard]] call_outcome answer_stored_call(control_records& records,
                                              const stream_placement& from,
                                              const call_operation& what);

/// Where the control process has a waiting output of this stream, whatever folder the worker has
/// written it in.
[[nodiscard]] std::string stored_output_path(const control_records& records,
                                             const std::string& stream_uid,
                                             const std::string& path);

} // namespace ebb
