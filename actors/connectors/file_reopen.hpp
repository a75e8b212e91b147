/// Opens a file behind what was read of it before.
#pragma once

#include "actors/connectors/file_chunk.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_position.hpp"

#include <functional>
#include <memory>

namespace ebb {

struct reopened_text {
  std::unique_ptr<byte_reader> rest; ///< what lies behind the position
  byte_chunk header;                 ///< the text's first `text_position::header` bytes
  text_trail trail;                  ///< of the bytes before the position
};

/// Blocks; compressed text is expanded up to the position. An error when the file is shorter than
/// the position, when the bytes before it are not those that were read, or when it is no regular
/// file. Gives up (ec::cancelled) soon after `stopped` becomes true.
[[nodiscard]] result<reopened_text> reopen(const named_file& file, const text_position& at,
                                           const std::function<bool()>& stopped);

} // namespace ebb
