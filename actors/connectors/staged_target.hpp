/// Keeps each epoch's text in a file of its own until the epoch is committed.
#pragma once

#include "actors/connectors/output_tail.hpp"
#include "actors/connectors/output_target.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct staging {
  std::string folder;
  /// The file that is written now is named by this, the lane, `.g`, the generation, and `open_end`.
  /// A process that was given up, and does not know it yet, writes into one of its own.
  std::string open_start;
  std::string open_end;
  std::uint64_t generation = 0;
  std::string sealed_start; ///< a sealed file's name is this, the epoch,
  std::string sealed_end;   ///< and this
  compression method = compression::none;
  std::uint32_t lane = 0;
  /// Of an epoch's output (apply_output.hpp).
  std::function<std::string(epoch_number)> target;
  std::uint64_t offset = 0; ///< of the next byte in the target
  output_tail tail;         ///< what lies before it there, as far as that is known
  /// Else each epoch's text stands alone. At offset 0 there is a file even for no bytes: applying
  /// it empties the target, once.
  bool has_offsets = true;
  /// Set when the stream is given up. Until then a write waits for room on a full disk.
  std::shared_ptr<std::atomic<bool>> stopped = std::make_shared<std::atomic<bool>>(false);
  /// Kept open as long as this writes (may be null).
  std::shared_ptr<descriptor> claim;
  /// Tells a person that a write waits for room, and that it goes on; may be empty.
  std::function<void(const std::string&)> note;
  /// At the end of the stream, what was written since the last seal goes here (may be null).
  std::function<result<void>(const std::string& file)> rest;
};

/// A file is created with its epoch's first byte, and synced and named when it is sealed. Digests
/// are computed on the way. With the first one, what lower generations have left open goes.
[[nodiscard]] std::unique_ptr<output_target> make_staged_target(staging how);

} // namespace ebb
