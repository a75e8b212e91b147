/// Where bad records go under `onBadRecord: quarantine`: JSON lines in the data folder.
#pragma once

#include "actors/connectors/file_parser.hpp"
#include "actors/connectors/file_position.hpp"
#include "actors/runtime/connector.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Appends `{error, source, offset, raw}` to `quarantine/STREAM-SOURCE.ndjson` in the data folder,
/// or without one in the stream's. `raw` that is not UTF-8 is base64, marked by
/// `"rawEncoding":"base64"`; of a record longer than `raw_bytes_max` it is the beginning, marked by
/// `"truncated":true` with the record's `length`. Every append is one write of whole lines, so several subtasks may
/// share the file.
///
/// With checkpoints each partition has a file of its own, `STREAM-SOURCE.P.ndjson` but for the
/// first: then a position of the partition is a position in its file, too, and a resumed run
/// neither loses nor doubles a line. It cuts off what was written behind the position, and writes
/// the lines that the position says were on their way.
class quarantine {
public:
  /// For all partitions of a source.
  quarantine(const connector_context& context, std::string source);
  /// For one partition; `offset`: the size of its file (`restore_quarantine`).
  quarantine(const connector_context& context, std::string source, std::uint32_t partition,
             std::uint64_t offset);
  ~quarantine();
  quarantine(const quarantine&) = delete;
  quarantine& operator=(const quarantine&) = delete;

  /// Takes records; they are written in the background. An error of an earlier write comes out.
  [[nodiscard]] result<void> add(const std::vector<bad_record>& records);
  /// True when so much waits to be written that the reader should pause until it is woken.
  [[nodiscard]] bool is_full() const;
  /// True when all is written; else the wake function will be called.
  [[nodiscard]] result<bool> settle();
  /// Of a partition's file: all lines taken.
  [[nodiscard]] quarantine_position position() const;

private:
  struct shared;

  void submit();

  std::string source_;
  io_executor& io_;
  std::uint64_t lane_;
  std::shared_ptr<shared> shared_;
};

/// Makes a partition's quarantine file what it was at `at` (nothing = leaves it as it is, for a
/// stream that begins) and returns its size. A file that is shorter was emptied or removed by
/// someone who has dealt with it: that is no error. Blocks.
[[nodiscard]] result<std::uint64_t> restore_quarantine(const connector_context& context,
                                                       const std::string& source,
                                                       std::uint32_t partition,
                                                       const quarantine_position* at);

/// The file of a source's first partition. `folder`: the stream's; `data_folder`: empty = none.
[[nodiscard]] std::string quarantine_path(const std::string& folder, const std::string& data_folder,
                                          const std::string& stream, const std::string& source);

/// One line of the quarantine file.
[[nodiscard]] std::string quarantine_line(const std::string& source, const bad_record& record);

} // namespace ebb
