/// The file that a sink writes before it gets its name: one process at a time has it.
#pragma once

#include "actors/connectors/file_io.hpp"
#include "schemas/error.hpp"

#include <string>
#include <sys/types.h>

namespace ebb {

/// Opens an empty file for writing and locks it until all descriptors of it are closed; what a
/// process left there that is dead is taken over. An error when another process, or another sink,
/// has it. `shown`: the path of the whole file.
[[nodiscard]] result<descriptor> open_exclusive_part(const std::string& path, mode_t mode,
                                                     const std::string& shown);

/// Whether the path still leads to the open file.
[[nodiscard]] bool is_at(const descriptor& file, const std::string& path) noexcept;

/// An error (ec::io) where it does not: what was written would be lost, or another's file published.
/// `shown`: the path of the whole file.
[[nodiscard]] result<void> check_part(const descriptor& file, const std::string& path,
                                      const std::string& shown);

/// Another descriptor of the same open file.
[[nodiscard]] result<descriptor> same_file(const descriptor& file, const std::string& shown);

/// False when another process holds the lock; true also where there are no locks.
[[nodiscard]] bool try_lock(const descriptor& file) noexcept;

} // namespace ebb
