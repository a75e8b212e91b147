/// How a synthetic source's numbers are shared out: stride p of n makes every n-th group of them.
#pragma once

#include "actors/dataflow/partition_news.hpp"
#include "actors/runtime/connector.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// The strides that one reader makes. The number of all strides stays what it was when the stream
/// began, so that a reader has one of them, or several, or none after a restart with another
/// parallelism. Used by one thread.
class strides {
public:
  struct stride {
    std::uint32_t partition = 0; ///< among those of the reader
    std::uint64_t next = 0;      ///< the number to make next
  };

  /// Stride p begins with `first + p * group`; a stride whose first number is `end` or more is
  /// none (`end` 0 = without end). An error when a recorded position does not fit.
  [[nodiscard]] static result<strides> of(const std::string& source,
                                          const connector_context& context, std::uint64_t first,
                                          std::uint64_t group, std::uint64_t end);

  /// Distance of a stride's groups, in groups.
  [[nodiscard]] std::uint32_t count() const noexcept {
    return count_;
  }

  /// Of this reader.
  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(mine_.size());
  }

  /// The lowest number that any reader had to make when this one was opened: where a pace begins.
  [[nodiscard]] std::uint64_t floor() const noexcept {
    return floor_;
  }

  /// The stride whose next number is the lowest; there must be one.
  [[nodiscard]] stride& lowest() noexcept;

  void positions(std::vector<source_position>& out) const;

  /// For the step that assigns watermarks: `quiet` = the reader waits for the time of its next row.
  [[nodiscard]] partition_news news(bool quiet) const;

private:
  std::uint32_t count_ = 1;
  std::uint32_t subtask_ = 0;
  std::uint32_t parallelism_ = 1;
  std::uint64_t end_ = 0;
  std::uint64_t floor_ = 0;
  std::vector<stride> mine_;
};

} // namespace ebb
