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

/// How far a stream that does not run has read a partition of a topic.
struct life_input {
  std::string topic; ///< uid
  std::string source;
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;

  bool operator==(const life_input&) const = default;
};

enum class recorded_phase : std::uint8_t {
  asleep,
  awake, ///< or on its way there: to be started when the control process starts
  stopped,
  failed,
};

/// What a control process must know of a stream to go on after its own end. Small: a service reads
/// those of all its streams when it starts.
struct life_record {
  std::string uid; ///< of the stream
  recorded_phase phase = recorded_phase::awake;
  std::string reason;  ///< one word, as in the status
  std::string message; ///< a sentence
  std::string hint;    ///< what to do, where something is to be done
  micros since = 0;
  micros next_wake = max_time; ///< alarm clock; max_time = none
  std::uint64_t placement = 0; ///< the last that was given out
  std::uint32_t failures = 0;  ///< in a row
  micros retry_at = 0;
  std::uint32_t parallelism = 0; ///< a person's wish; 0 = as in the manifest
  std::vector<life_input> inputs;

  bool operator==(const life_record&) const = default;
};

} // namespace ebb
