/// Where a file source stands in a file, and how it knows the file again.
#pragma once

#include "actors/connectors/file_paths.hpp"
#include "actors/dataflow/endpoint.hpp"
#include "schemas/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// Behind the last record that was given out or left out. Bytes are those of the uncompressed text.
struct text_position {
  std::uint64_t offset = 0;
  std::uint64_t number = 1; ///< of the record that comes next
  std::uint64_t line = 1;
  std::uint64_t header = 0;     ///< bytes of the header (CSV)
  std::uint64_t first_hash = 0; ///< XXH3 of the first bytes before it, at most text_trail::most
  std::uint64_t last_hash = 0;  ///< of the last ones

  bool operator==(const text_position&) const = default;
};

/// The first and the last of the bytes that have been read: a text whose trail is another one is
/// not the text that was read before.
class text_trail {
public:
  static constexpr std::size_t most = 4096;

  void add(const char* bytes, std::size_t size);
  /// Bytes between the first and the last ones were left out.
  void skip();
  [[nodiscard]] std::uint64_t first_hash() const noexcept;
  [[nodiscard]] std::uint64_t last_hash() const noexcept;

private:
  std::array<char, most> first_;
  std::array<char, most> last_;
  std::size_t first_size_ = 0;
  std::size_t last_size_ = 0;
};

/// Where a quarantine file stands: lines behind `offset` were written for records behind the
/// position, but for `pending`, which come next.
struct quarantine_position {
  std::uint64_t offset = 0; ///< bytes on the disk
  std::string pending;      ///< lines not yet known to be there
};

/// The bytes of a file source's position.
struct file_position {
  std::string path; ///< as the source names it, without `.` and `..`
  text_position text;
  quarantine_position quarantine;
};

[[nodiscard]] std::string encode(const file_position& x);
[[nodiscard]] result<file_position> decode(const std::string& bytes, const std::string& source);

/// A partition of a file source.
struct numbered_file {
  std::optional<named_file> file; ///< nothing = it is gone, and was read to its end
  file_position at;
  bool finished = false;
};

/// Files that were known keep their partition's number, others follow in the order of `found`. An
/// error when one is missing that was not read to its end.
[[nodiscard]] result<std::vector<numbered_file>>
number_files(const std::string& source, std::vector<named_file> found,
             const std::vector<source_position>& known);

} // namespace ebb
