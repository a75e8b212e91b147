/// Reads one file ahead on the I/O pool, in chunks, for a reader that must not block.
#pragma once

#include "actors/connectors/file_chunk.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/file_reopen.hpp"
#include "actors/runtime/connector.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/types.h>

namespace ebb {

/// Owned by the reader and by its job in flight. All methods but the job's are called by the
/// reader's thread.
class file_feed : public std::enable_shared_from_this<file_feed> {
public:
  enum class state : std::uint8_t {
    chunk,     ///< a chunk was taken
    pending,   ///< the wake function will be called
    caught_up, ///< follow: the file has no more bytes now; `look_again` reads on
    end,       ///< the file has ended
  };

  /// `from`: where to begin; at offset 0 the file is new.
  file_feed(named_file file, const text_position& from, bool follow, io_executor& io,
            std::uint64_t lane, wake_function wake);

  /// Starts to read ahead. Call once.
  void start();
  [[nodiscard]] result<state> take(byte_chunk& out);
  /// What lies before `from` (without `rest`), once: after the first `take` that is not pending.
  [[nodiscard]] std::optional<reopened_text> take_start();
  /// After `caught_up`: looks for more bytes; then call `take`.
  void look_again();
  /// The job in flight, if any, stops soon; nothing is called any more.
  void stop();

  /// Its bytes come without anyone having to write them: no pipe, no terminal. Known once it is
  /// open.
  [[nodiscard]] bool is_plain() const noexcept {
    return plain_;
  }

private:
  void submit();
  void run();
  result<std::size_t> read_chunk(byte_chunk& chunk);
  result<void> open();
  [[nodiscard]] std::optional<error> check_file();

  const named_file file_;
  const text_position from_;
  const bool follow_;
  io_executor& io_;
  const std::uint64_t lane_;

  // Of the job alone.
  std::unique_ptr<byte_reader> bytes_;
  std::uint64_t offset_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint64_t size_ = 0; ///< the largest seen of the file, in bytes

  std::atomic<bool> plain_ = false;

  std::mutex mutex_; ///< guards what follows
  wake_function wake_;
  std::optional<reopened_text> start_;
  std::deque<byte_chunk> ready_;
  std::optional<error> failure_;
  bool busy_ = false;
  bool waited_for_ = false;
  bool dry_ = false; ///< the last read found no more bytes
  bool stopped_ = false;
};

} // namespace ebb
