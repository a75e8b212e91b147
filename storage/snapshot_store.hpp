/// Where a stream's segments and waiting output are kept, as the process that runs it uses it.
///
/// New files are written into a folder of this process, then kept: from then on a record may name
/// them. Either the folder is where they are kept (`make_folder_snapshots`), or it is a cache of an
/// object store (`make_cached_snapshots`).
#pragma once

#include "schemas/stored_files.hpp"
#include "storage/object_store.hpp"
#include "storage/segment_reader.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Thread-safe; functions block.
class snapshot_store {
public:
  virtual ~snapshot_store() = default;

  /// Where this process writes files of this kind. It exists.
  [[nodiscard]] virtual const std::string& folder(stored_area area) const = 0;

  /// Of the run that writes. Files of newer runs are not touched any more (ec::conflict).
  virtual void begin(std::uint64_t generation) = 0;

  /// The folder's file is durable, and can be read by others, when it returns. `give_up` (may be
  /// null) is asked between pieces of a long file: ec::cancelled. Doing it again goes on.
  [[nodiscard]] virtual result<void> keep(stored_area area, const std::string& name,
                                          const std::function<bool()>& give_up) = 0;

  /// A segment that a record names.
  [[nodiscard]] virtual result<std::unique_ptr<segment_reader>>
  open(const segment_expectation& expected) = 0;

  /// Waiting output lies in the folder when it returns, unless it is kept nowhere: then it has been
  /// applied, or is lost, which its target tells.
  [[nodiscard]] virtual result<void> bring(const std::string& output, std::uint64_t bytes,
                                           const digest128& digest) = 0;

  /// A run begins: waiting output but that of these names goes, where it can only be of runs
  /// before.
  [[nodiscard]] virtual result<void> sweep_output(const std::vector<std::string>& needed) = 0;

  /// Names of all files, those of the folder and those that are kept.
  [[nodiscard]] virtual result<std::vector<std::string>> list(stored_area area) = 0;

  /// Nobody needs it any more. No error where there is none.
  [[nodiscard]] virtual result<void> remove(stored_area area, const std::string& name) = 0;
};

/// Files lie in `FOLDER/segments` and `FOLDER/output`, and are kept there.
[[nodiscard]] result<std::unique_ptr<snapshot_store>>
make_folder_snapshots(const std::string& folder);

/// The same where only segments are asked for, all of them in `folder`.
[[nodiscard]] std::unique_ptr<snapshot_store> make_segment_folder(const std::string& folder);

} // namespace ebb
