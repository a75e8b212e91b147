/// Files of one stream in a place that outlives the processes that write them: a folder, or the
/// control process at the far end of a link. A store of objects (S3) would be another.
#pragma once

#include "schemas/error.hpp"
#include "schemas/stored_files.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ebb {

/// Functions block. Files are written once, piece by piece, and never change; until its last piece
/// a file is not there. Thread-safe. Errors: ec::invalid_argument for a name that is no file's,
/// ec::resource where there is no room or no answer (do it again later), ec::conflict where a newer
/// run of the stream has taken over, ec::cancelled, ec::io.
class object_store {
public:
  virtual ~object_store() = default;

  /// How many of the file's bytes, from its first, the store has then: where that is less than the
  /// piece's end, go on there. A piece without bytes asks. The last piece is answered with the
  /// file's size once the file is durable, and with 0 where the bytes have another digest than it
  /// says: begin again. ec::conflict where the name is another file's.
  [[nodiscard]] virtual result<std::uint64_t> put(stored_area area, const std::string& name,
                                                  const stored_piece& piece) = 0;

  /// `bytes` (at most `stored_piece_max`) from `offset`; fewer at the file's end. ec::not_found.
  [[nodiscard]] virtual result<std::string> read(stored_area area, const std::string& name,
                                                 std::uint64_t offset, std::uint64_t bytes) = 0;

  /// Names, also of files whose last piece has not come.
  [[nodiscard]] virtual result<std::vector<std::string>> list(stored_area area) = 0;

  /// No error where they are not there.
  [[nodiscard]] virtual result<void> remove(stored_area area, std::span<const std::string> names,
                                            std::uint64_t generation) = 0;
};

} // namespace ebb
