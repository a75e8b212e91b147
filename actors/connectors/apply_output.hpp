/// Brings the committed output of an epoch to where it belongs.
///
/// All of it blocks, and may be done again after a crash at any place: it looks at what is there.
/// The waiting file is removed at the end.
#pragma once

#include "actors/dataflow/endpoint.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// What `sealed_output::target` says.
inline constexpr const char* append_target = "append "; ///< to the file of this path, at the offset
inline constexpr const char* part_target = "part ";     ///< the file of this path, whole
inline constexpr const char* stdout_target = "stdout";

/// Relative paths start at `folder`. An output without a target has been written, and one without a
/// file has nothing to write.
///
/// - `append`: the target is cut to the offset and gets the bytes behind. Shorter than the offset,
///   it was cut or replaced by someone: an error. At offset 0 it is replaced. A path that is no
///   regular file is written to, perhaps twice.
/// - `part`: the file gets its name, unless another one has it: then an error.
/// - `stdout`: written, perhaps twice.
[[nodiscard]] result<void> apply_waiting_output(const std::string& folder,
                                                const sealed_output& output);

/// ec::conflict where the file at `path` is not one that ends with `last`, which was appended to it:
/// it is shorter, or other bytes are there. Behind them may be more. `shown`: its name in messages.
/// Blocks.
[[nodiscard]] result<void> check_appended(const std::string& path, const std::string& shown,
                                          const sealed_output& last);

/// Writes a file's bytes to standard output. Blocks.
[[nodiscard]] result<void> show_file(const std::string& path);

/// Gives a file its name, unless there is one of that name. Returns an errno value or 0.
[[nodiscard]] int rename_anew(const char* from, const char* to) noexcept;

} // namespace ebb
