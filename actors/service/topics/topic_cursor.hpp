/// Goes through the rows of several partitions in the order in which they were appended. Pure but
/// for the function that reads.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"
#include "storage/topic_reader.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace ebb {

/// Rows come by append time, those of one time by partition and offset. Between two calls of
/// `extend` it goes up to the ends that it was told, which are those of one moment: then what comes
/// later is never older, and the order is the same for everybody who reads.
class topic_cursor {
public:
  using read_function = std::function<result<topic_slice>(
      std::uint32_t partition, std::uint64_t offset, const topic_read_limits& limits)>;

  struct position {
    std::uint32_t partition = 0;
    std::uint64_t next = 0;
  };

  struct unit {
    std::uint32_t partition = 0;
    topic_rows rows;
  };

  explicit topic_cursor(std::vector<position> from);

  /// Goes on up to these ends, of all partitions of the topic.
  void extend(const std::vector<topic_bounds>& bounds);

  /// At most `rows_max` rows of one partition and time; nothing where it is at its ends. Where
  /// `read` gives later rows than those asked for, since retention has removed them, it goes on
  /// with those.
  [[nodiscard]] result<std::optional<unit>> next(const read_function& read, std::uint64_t rows_max);

  [[nodiscard]] std::vector<position> positions() const;

  /// Goes back to what positions() gave, and holds no rows.
  void rewind(const std::vector<position>& to);

  [[nodiscard]] bool at_end() const noexcept;

  /// Rows up to the ends, unless retention removes some.
  [[nodiscard]] std::uint64_t rows_left() const noexcept;

private:
  struct part {
    std::uint32_t partition = 0;
    std::uint64_t next = 0;
    std::uint64_t end = 0;
    std::vector<topic_rows> held; ///< read and not given, last first; from `next` on
  };

  [[nodiscard]] result<void> fill(part& x, const read_function& read, std::uint64_t rows_max) const;

  std::vector<part> parts_;
};

} // namespace ebb
