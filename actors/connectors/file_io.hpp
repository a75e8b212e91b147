/// Blocking reading and writing of files, compressed by their ending: `.gz`, `.zst`. Runs on the
/// I/O pool only.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

enum class compression : std::uint8_t { none, gzip, zstd };

[[nodiscard]] compression compression_of(const std::string& path) noexcept;

/// Says what the system refused (`open`, `read`, `write`…), with what to do where that is known.
/// `problem` is an errno value.
[[nodiscard]] error file_error(const char* action, const std::string& path, int problem);

/// An open file descriptor; closes it.
class descriptor {
public:
  descriptor() = default;

  explicit descriptor(int number) noexcept : number_(number) {}

  descriptor(descriptor&& other) noexcept;
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor();

  [[nodiscard]] int number() const noexcept {
    return number_;
  }

  /// Closes now; returns an errno value or 0.
  int close() noexcept;

private:
  int number_ = -1;
};

/// Reads a file's uncompressed bytes.
class byte_reader {
public:
  virtual ~byte_reader() = default;
  /// Up to `room` bytes; 0 = the end. A file that grows may be read on after its end.
  [[nodiscard]] virtual result<std::size_t> read(char* to, std::size_t room) = 0;

  /// Goes on at byte `offset` of the file. False where only reading leads there, or when the file
  /// is shorter.
  [[nodiscard]] virtual result<bool> seek(std::uint64_t offset) {
    static_cast<void>(offset);
    return false;
  }
};

/// Takes bytes to be compressed and written. Not usable after an error.
class byte_writer {
public:
  virtual ~byte_writer() = default;
  [[nodiscard]] virtual result<void> write(const char* bytes, std::size_t size) = 0;
  /// Makes all that was taken readable in the file.
  [[nodiscard]] virtual result<void> flush() = 0;
  /// Ends the file and closes it.
  [[nodiscard]] virtual result<void> finish() = 0;
};

/// `shown` is the path as messages name it. A pipe or a device may be silent for ever: waiting for
/// it is given up (ec::cancelled) soon after `stopped` becomes true.
[[nodiscard]] result<std::unique_ptr<byte_reader>>
open_reader(const std::string& path, const std::string& shown, std::function<bool()> stopped);

/// A reader of compressed bytes on top of another reader; takes it over.
[[nodiscard]] std::unique_ptr<byte_reader>
decompress(compression method, std::unique_ptr<byte_reader> source, const std::string& shown);

/// Writes to `file`, which is open for writing.
[[nodiscard]] std::unique_ptr<byte_writer> make_writer(descriptor file, compression method,
                                                       const std::string& shown);

/// Compresses what it takes into `target`; takes it over.
[[nodiscard]] std::unique_ptr<byte_writer>
compress(compression method, std::unique_ptr<byte_writer> target, const std::string& shown);

} // namespace ebb
