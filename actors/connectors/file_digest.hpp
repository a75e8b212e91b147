/// Hashes of outputs, and what makes files durable.
#pragma once

#include "actors/connectors/file_io.hpp"
#include "schemas/error.hpp"
#include "storage/digest.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// Of `bytes` bytes from `offset` on; of fewer where the file ends. Blocks.
[[nodiscard]] result<digest128> digest_of(const descriptor& file, std::uint64_t offset,
                                          std::uint64_t bytes, const std::string& shown);

/// Makes the file's bytes durable; no error for what keeps none (a pipe, a device).
[[nodiscard]] result<void> sync_file(const descriptor& file, const std::string& shown);
/// Makes the names in the folder of `path` durable.
[[nodiscard]] result<void> sync_folder_of(const std::string& path);

/// `.` where the path has no folder.
[[nodiscard]] std::string parent_folder_of(const std::string& path);

} // namespace ebb
