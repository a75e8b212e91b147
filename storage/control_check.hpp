/// Whether what the control database says fits together.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace ebb {

struct control_check {
  std::uint64_t entries = 0; ///< all of which were read, and have the right checksums
  std::vector<std::string> problems;
  /// uids; also of streams that are deleted and not forgotten. Folders of others are left over.
  std::set<std::string> streams;
  std::set<std::string> topics;
};

/// Folders of DATA/streams and DATA/topics that belong to nothing the database knows, nor knew when
/// it was looked at: `streams/UID`. `data`: the data folder. Those that are made later do not
/// count: list the folders with `folders_of` before the database is read.
[[nodiscard]] std::vector<std::string> folders_of(const std::string& data);
[[nodiscard]] std::vector<std::string> left_over(const std::string& data,
                                                 const std::vector<std::string>& folders,
                                                 const control_check& known);

} // namespace ebb
