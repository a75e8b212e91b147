/// The file in which an epoch's rows wait on their way to a topic.
///
/// Little-endian. `ebbtopo1`, then records, each a header of 32 bytes (kind u32, count u32, size
/// u64, XXH3-128 of those and of what follows) and what it announces:
///
/// | kind | holds |
/// |---|---|
/// | 1, rows | `count` partitions u32 (one for all rows, or one a row), padded to 8 bytes, and a
/// batch of `size` bytes (schemas/batch.capnp) | | 2, end of a request | nothing; at most
/// `topic_output_request` bytes of rows before it, or one batch | | 3, end of the file | `size`
/// bytes: generation u64, epoch u64, number of rows u64, name of the mark |
///
/// An epoch is appended as one request where it is small, else as several, one after the other,
/// since a request is one transaction. The last one has the mark's name, the others the name with
/// `#` and their number from 0 behind: so the plain mark stands for the whole epoch.
#pragma once

#include "actors/connectors/file_text.hpp"
#include "schemas/error.hpp"
#include "storage/topic_request.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace ebb {

inline constexpr std::size_t topic_output_request = std::size_t{16} << 20; ///< bytes of rows

/// Writes one file after the other as bytes. Used by one thread.
class topic_output_encoder {
public:
  /// Appends rows; `part.partitions` must not be empty.
  void add(const topic_part& part, output_buffer& out);

  /// Appends the end of the file. What is added next belongs to another one.
  void end(const sink_mark& mark, output_buffer& out);

  /// Rows added since the last end.
  [[nodiscard]] std::uint64_t rows() const noexcept {
    return rows_;
  }

private:
  std::uint64_t rows_ = 0;
  std::size_t request_bytes_ = 0;
};

/// Checks the file, then hands its requests to `append`, one after the other, with their marks.
/// `known`: the topic's mark of this name, if it has one; where it is of this epoch or a later one
/// nothing is to be done, and the file, which may be gone, is not looked at. ec::corrupt where it
/// is damaged, gone or another epoch's: nothing was appended then. An answer that is neither
/// appended nor duplicate ends it and is the error. Holds one request at a time in memory. Blocks.
[[nodiscard]] result<void>
append_topic_output(const std::string& path, const sink_mark& mark,
                    const std::optional<sink_mark>& known,
                    const std::function<append_answer(topic_append)>& append);

/// Name of the mark of one lane of a sink. Those of a stream begin with its uid and `/`.
[[nodiscard]] std::string topic_mark_name(const std::string& stream_uid, const std::string& sink,
                                          std::uint32_t lane);

} // namespace ebb
