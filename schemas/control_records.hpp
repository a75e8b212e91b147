/// What the control database says about streams and their checkpoints.
#pragma once

#include "schemas/segment_info.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

enum class stream_life : std::uint8_t {
  active,   ///< may be run
  finished, ///< its bounded input has ended, and all of its output is in
  deleted,  ///< only its files may still be there
};

[[nodiscard]] const char* to_string(stream_life x) noexcept;

/// A stream. Its uid is its identity; another one of the same name never gets its state.
struct stream_entry {
  std::string uid;
  std::string name;
  std::string manifest; ///< text of its document
  std::string plan;     ///< the pinned plan, in the planner's own form
  std::string plan_fingerprint;
  std::vector<std::string> operators; ///< identities of operators with state, by number
  std::uint16_t key_groups = 128;     ///< maxParallelism; fixed for the life of the state
  std::uint32_t parallelism = 1;
  std::uint64_t generation = 0; ///< of the incarnation that runs or ran last; 0 = none yet
  std::uint64_t next_epoch = 1; ///< never given out so far
  stream_life life = stream_life::active;
  micros created = 0;         ///< 0 = not known
  std::uint64_t revision = 0; ///< of the manifest, where a service keeps it

  bool operator==(const stream_entry&) const = default;
};

enum class record_reason : std::uint8_t { interval, savepoint, final };

[[nodiscard]] const char* to_string(record_reason x) noexcept;

/// How long the phases of a checkpoint took, as far as they were over when the record was written.
struct record_phases {
  micros align = 0;     ///< from the request to the last barrier
  micros serialise = 0; ///< until the last chunk left its subtask
  micros write = 0;     ///< until the segments were durable
  micros commit = 0;    ///< writing of the record

  bool operator==(const record_phases&) const = default;
};

/// Where a source stands in one partition: behind the last row that is in the checkpoint.
struct recorded_position {
  std::string source;
  std::uint32_t partition = 0;
  bool finished = false;
  std::string bytes; ///< the connector's own form

  bool operator==(const recorded_position&) const = default;
};

struct recorded_watermark {
  std::string source;
  micros watermark = 0;

  bool operator==(const recorded_watermark&) const = default;
};

/// Output that may reach its target as soon as the record is durable.
struct recorded_output {
  std::string sink;
  std::uint32_t lane = 0;
  std::uint64_t epoch = 0; ///< that sealed it; at most the record's
  std::string file;        ///< where the bytes wait; empty = there are none
  std::uint64_t bytes = 0;
  digest128 digest;         ///< of the bytes
  std::string target;       ///< the connector's own form: path, or name of the part
  std::uint64_t offset = 0; ///< of the bytes in the target, where it has offsets
  std::uint64_t rows = 0;

  bool operator==(const recorded_output&) const = default;
};

/// One completed checkpoint: all that a restore needs, and nothing else is ever opened.
struct checkpoint_record {
  std::string uid;
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
  micros when = 0; ///< processing time of the request
  record_phases phases;
  record_reason reason = record_reason::interval;
  bool finished = false;              ///< the stream's input has ended and all of it is in
  std::vector<segment_info> segments; ///< oldest to newest: bases, then deltas
  std::vector<recorded_position> positions;
  std::vector<recorded_watermark> watermarks;
  std::vector<recorded_output> outputs;
  std::uint64_t bytes = 0; ///< newly written for this checkpoint

  bool operator==(const checkpoint_record&) const = default;
};

/// A record that is kept under a name until it is deleted.
struct savepoint_entry {
  std::string name;
  micros when = 0;
  checkpoint_record record;

  bool operator==(const savepoint_entry&) const = default;
};

/// How far one lane of a sink has got: output up to `epoch` is in the target.
struct sink_token {
  std::string sink;
  std::uint32_t lane = 0;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0; ///< end of the target, where it has offsets

  bool operator==(const sink_token&) const = default;
};

} // namespace ebb
