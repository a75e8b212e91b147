/// What the control database says about topics and about the lives of a service's streams.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// A topic that was applied. Its uid is its identity; another one of the same name never gets its
/// rows.
struct topic_entry {
  std::string uid;
  std::string name;     ///< in the namespace `default` its own, else NAMESPACE.NAME
  std::string manifest; ///< text of its document
  micros created = 0;
  std::uint64_t revision = 1; ///< grows with each change of the document

  bool operator==(const topic_entry&) const = default;
};

/// A source that reads a topic.
struct life_input {
  std::string source;
  std::string topic; ///< uid

  bool operator==(const life_input&) const = default;
};

/// What a control process must know of a stream to go on after its own end. Small: a service reads
/// those of all its streams when it starts. Phase, reason and aim are numbers of the lifecycle's
/// own (actors/service/lifecycle/lifecycle_record.hpp).
struct life_record {
  std::string uid; ///< of the stream
  std::uint8_t phase = 0;
  std::uint8_t reason = 0;
  std::uint8_t aim = 0;
  bool placed = false; ///< a worker may run `placement`
  micros since = 0;
  micros next_wake = max_time;  ///< alarm clock; max_time = none
  std::uint64_t placement = 0;  ///< the last that was given out
  std::uint64_t definition = 0; ///< that it was placed with last
  std::uint32_t failures = 0;   ///< in a row
  micros retry_at = 0;
  micros wake_took = 0;
  std::string message;
  std::string hint;

  bool operator==(const life_record&) const = default;
};

/// What of a stream's definition a service must know without reading its manifest.
struct life_traits {
  std::string uid;
  micros idle_after = 60 * micros_per_second; ///< max_time = never
  std::string cannot_wake;       ///< a source that cannot wake the stream; empty = there is none
  std::uint32_t parallelism = 0; ///< a person's wish; 0 = as in the manifest
  std::uint64_t definition = 1;  ///< grows with each change of manifest or parallelism
  std::vector<life_input> inputs;
  std::vector<std::string> outputs; ///< uids of topics that it writes
  std::vector<std::string> files;   ///< that it writes, with their whole paths
  std::uint32_t workers = 1;        ///< that it is spread over, at most

  bool operator==(const life_traits&) const = default;
};

} // namespace ebb
