/// Lines of a file or pipe, in batches that fit a request.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb::client {

struct line_batch {
  std::string body;                 ///< NDJSON: every line with its end
  std::vector<std::uint64_t> lines; ///< number of each in the file, from 1
};

struct batch_limits {
  std::uint64_t rows = 1'000;
  std::size_t bytes = std::size_t{1} << 20; ///< a longer line is a batch of its own
  std::size_t line_bytes = std::size_t{16} << 20;
};

/// Blank lines are left out. A file gives the same batches whenever it is read; of a pipe or
/// terminal, what is there is given when nothing more comes for a moment.
class line_batches {
public:
  /// `-` = standard input. ec::invalid_argument where the file cannot be read.
  [[nodiscard]] static result<line_batches> open(const std::string& path, batch_limits limits);

  line_batches(line_batches&& other) noexcept;
  line_batches& operator=(line_batches&& other) = delete;
  ~line_batches();

  /// Nothing at the end. ec::cancelled when interrupted, ec::invalid_argument for a line that is
  /// too long.
  [[nodiscard]] result<std::optional<line_batch>> next();

  [[nodiscard]] const std::string& name() const noexcept {
    return name_;
  }

private:
  line_batches(int file, std::string name, batch_limits limits)
      : file_(file), name_(std::move(name)), limits_(limits) {}

  /// Moves lines of the buffer into the batch; whether it is full.
  [[nodiscard]] bool fill(line_batch& batch);
  /// False where nothing came in time.
  [[nodiscard]] result<bool> read_more(bool hurry);

  int file_;
  std::string name_;
  batch_limits limits_;
  std::string buffer_;
  std::size_t begin_ = 0;   ///< of what is not given yet
  std::size_t scanned_ = 0; ///< no line ends between begin_ and this
  std::uint64_t line_ = 0;  ///< lines seen
  bool ended_ = false;
};

} // namespace ebb::client
