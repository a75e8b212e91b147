/// A folder for files of one measurement, under the user's cache folder; gone with the object.
#pragma once

#include <string>

namespace ebb::bench {

class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  /// Empty when none could be made.
  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

private:
  std::string path_;
};

} // namespace ebb::bench
