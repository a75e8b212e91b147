/// Reads a topic's log, beside its writer.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Rows as they were stored: of one partition, appended at one time.
struct topic_rows {
  std::uint64_t first = 0; ///< offset of row 0
  micros time = 0;         ///< append time: never less than that of rows before, in any partition
  batch_ptr rows;
};

/// A piece of one partition, without gaps.
struct topic_slice {
  std::vector<topic_rows> batches; ///< empty at the end of the partition
  std::uint64_t next = 0;          ///< offset after them
  std::uint64_t end = 0;           ///< of the partition when it was read
};

/// At least one stored batch is given where there is any, whatever its size.
struct topic_read_limits {
  std::size_t bytes = std::size_t{1} << 20; ///< as stored
  std::uint64_t rows = 4096;                ///< exact
};

/// Offsets of the oldest row and of the next one to come. begin == end: nothing is there.
struct topic_bounds {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const topic_bounds&) const = default;
};

/// One thread at a time; any number of readers, each with its own thread. Each call sees all that
/// was acknowledged before it began. A few sealed files are held open, for all readers of a log
/// together; one that retention removes meanwhile stays readable for the call that reads it.
class topic_reader {
public:
  /// Who reads: the log's files (topic_reading.hpp), or somebody else's reader from afar.
  class implementation {
  public:
    virtual ~implementation() = default;
    [[nodiscard]] virtual result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                                                   const topic_read_limits& limits) = 0;
    [[nodiscard]] virtual result<std::vector<topic_bounds>> bounds() = 0;
  };

  /// In a process that does not write the log. ec::not_found where there is none. The writer may
  /// come and go; while there is one, the structure of its newest file is trusted.
  [[nodiscard]] static result<topic_reader> open(const std::string& folder);

  topic_reader(topic_reader&& other) noexcept;
  topic_reader& operator=(topic_reader&& other) noexcept;
  ~topic_reader();

  /// ec::not_found where retention has removed the row, with the oldest offset in the message and
  /// in `bounds`; ec::invalid_argument behind the end or for a partition that does not exist;
  /// ec::corrupt with file, partition and offset where stored bytes are damaged.
  [[nodiscard]] result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                                         const topic_read_limits& limits);

  /// Of each partition.
  [[nodiscard]] result<std::vector<topic_bounds>> bounds();

  explicit topic_reader(std::unique_ptr<implementation> made);

private:
  std::unique_ptr<implementation> implementation_;
};

} // namespace ebb
