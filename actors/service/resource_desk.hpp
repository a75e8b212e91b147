/// Streams and topics of a service, applied and looked at from within the process: for who takes
/// them from a cluster.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

enum class resource_kind : std::uint8_t { topic, stream };

/// `Topic`, `Stream`.
[[nodiscard]] constexpr const char* to_string(resource_kind x) noexcept {
  return x == resource_kind::topic ? "Topic" : "Stream";
}

struct held_resource {
  resource_kind kind = resource_kind::stream;
  std::string name_space;
  std::string name; ///< in its namespace
  std::string uid;

  bool operator==(const held_resource&) const = default;
};

/// Reason of a stream's condition `Degraded`.
inline constexpr const char* checkpoint_held_up = "CheckpointHeldUp";

/// A stream as people are shown it.
struct resource_report {
  std::string uid;
  std::string phase;  ///< `Asleep` …
  std::string reason; ///< `InputArrived` …
  std::string message;
  micros since = 0;
  micros next_wake = max_time;
  micros last_wake = 0; ///< 0 = not known
  std::uint64_t generation = 0;
  std::uint64_t worker = 0; ///< 0 = none
  std::uint32_t parallelism = 1;
  std::uint64_t rows = 0;           ///< that its sources have read in this run
  std::optional<std::uint64_t> lag; ///< rows of its topics that no checkpoint has yet
  bool ready = false;               ///< it would take a message, asleep included
  std::string held_up;              ///< what keeps its checkpoints from being made; empty = nothing

  struct checkpoint {
    std::uint64_t epoch = 0;
    micros when = 0;
    std::uint64_t bytes = 0;
    micros took = 0;

    bool operator==(const checkpoint&) const = default;
  };

  std::optional<checkpoint> newest;

  bool operator==(const resource_report&) const = default;
};

/// Answers come in other threads. Thread-safe; nothing blocks.
class resource_desk {
public:
  virtual ~resource_desk() = default;

  /// One document, as `POST /v1/apply` takes it, in that namespace; a new one gets this uid.
  virtual void apply(std::string text, std::string name_space, std::string uid,
                     std::function<void(result<held_resource>)> done) = 0;

  /// Success also where there is none with this uid. ec::conflict: a topic that streams use.
  virtual void remove(held_resource what, std::function<void(result<void>)> done) = 0;

  virtual void list(std::function<void(result<std::vector<held_resource>>)> done) = 0;

  /// Nothing where there is none with this uid.
  virtual void look(held_resource stream,
                    std::function<void(result<std::optional<resource_report>>)> done) = 0;
};

} // namespace ebb
