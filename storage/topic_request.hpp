/// What goes into a topic's log, and what it answers.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"
#include "schemas/topic_records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// Rows of a request, in order. Their watermarks, hashes and origin are not kept.
struct topic_part {
  batch_ptr rows;
  /// Partition of each row; one number stands for all rows. Empty: the log chooses one for the
  /// whole request, by its producer's name, else by turns.
  std::vector<std::uint32_t> partitions;
};

/// Rows of a producer are numbered; this names the first of a request.
struct producer_position {
  std::string producer; ///< at most `producer_name_max` bytes
  std::uint64_t epoch = 0;
  std::uint64_t first_sequence = 0;
};

/// Token of a sink that writes exactly once (DESIGN 5): its epochs rise, and a request with an
/// epoch that it has had is answered as a duplicate, without ranges.
struct sink_mark {
  std::string sink; ///< names stream uid, sink and lane; at most `producer_name_max` bytes
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;
};

inline constexpr std::size_t producer_name_max = 255;
inline constexpr std::size_t idempotency_key_max = 255;

/// Appended whole or not at all. At most one of producer, key and mark; only a request with a mark
/// may be without rows.
struct topic_append {
  std::vector<topic_part> parts;
  std::optional<producer_position> producer;
  std::string idempotency_key; ///< empty = none
  std::optional<sink_mark> mark;
};

enum class append_status : std::uint8_t {
  appended,   ///< durable
  duplicate,  ///< had been appended before; the ranges are those of the first time
  conflict,   ///< a gap, a sequence too old, a lower epoch or generation, a key of other rows
  over_quota, ///< the topic holds as much as it may (429)
  invalid,    ///< the request is malformed (400)
  failed,     ///< ec::resource: not appended, there was no room. Any other error: it is not known
              ///< whether it was appended; a retry, if it has a producer or a key, finds out
};

[[nodiscard]] const char* to_string(append_status status) noexcept;

struct append_answer {
  append_status status = append_status::failed;
  std::vector<topic_range> ranges; ///< by partition
  micros time = 0;                 ///< of appended rows
  /// Of a conflict: what the producer's next request has to begin with.
  std::optional<std::uint64_t> expected_sequence;
  error problem; ///< unless appended or duplicate
};

/// Rows of a request, over all parts.
[[nodiscard]] std::uint64_t row_count(const topic_append& x) noexcept;

/// What it takes in memory, for bounds on what waits.
[[nodiscard]] std::size_t byte_size(const topic_append& x) noexcept;

} // namespace ebb
