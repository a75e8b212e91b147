/// One writer a data folder.
#pragma once

#include "schemas/error.hpp"
#include "storage/files.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ebb {

/// A lock on FOLDER/control.lock, held as long as the object lives or its process does (also kill
/// -9 gives it back). The file names the holder's process id and stays when the lock is gone.
class folder_lock {
public:
  /// ec::conflict with the holder's process id where it is held, by this process as well.
  [[nodiscard]] static result<folder_lock> acquire(const std::string& folder);

  /// The process that holds it now, if any; 0 where its id cannot be read.
  [[nodiscard]] static result<std::optional<int>> holder(const std::string& folder);

  /// Number of the last commit that was noted in this folder, if any was: its database is at least
  /// as far.
  [[nodiscard]] static result<std::optional<std::uint64_t>> noted(const std::string& folder);

  /// Notes a commit. Not synced: after a loss of power the note may be an older one.
  [[nodiscard]] result<void> note(std::uint64_t commit);
  [[nodiscard]] result<void> sync();

private:
  explicit folder_lock(owned_file file) : file_(std::move(file)) {}

  owned_file file_;
};

} // namespace ebb
