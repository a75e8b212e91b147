/// A stream's stored files in a folder: where the control process keeps what workers send.
#pragma once

#include "storage/object_store.hpp"

#include <string>
#include <vector>

namespace ebb {

/// Files lie in `FOLDER/segments` and `FOLDER/output`; one whose last piece has not come has
/// `unfinished_mark` behind its name. Calls for one stream come one after the other. Generations
/// are the caller's to check.
class folder_objects final : public object_store {
public:
  static constexpr const char* unfinished_mark = ".tmp-sent";

  /// Of one stream (DATA/streams/UID). It need not exist.
  explicit folder_objects(std::string folder) : folder_(std::move(folder)) {}

  result<std::uint64_t> put(stored_area area, const std::string& name,
                            const stored_piece& piece) override;
  result<std::string> read(stored_area area, const std::string& name, std::uint64_t offset,
                           std::uint64_t bytes) override;
  result<std::vector<std::string>> list(stored_area area) override;
  result<void> remove(stored_area area, std::span<const std::string> names,
                      std::uint64_t generation) override;

private:
  [[nodiscard]] std::string folder_of(stored_area area) const;
  [[nodiscard]] result<std::string> path_of(stored_area area, const std::string& name) const;

  std::string folder_;
};

} // namespace ebb
