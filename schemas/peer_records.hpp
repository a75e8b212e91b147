/// Messages between the workers that share a stream. Plain forms of the peer messages in
/// link.capnp. A connection belongs to one placement of one stream and joins two of its parts.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/control_records.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ebb {

/// First on the connection, by the side that has opened it; the other one answers with its own when
/// it has been ordered to run the part. Parts are numbered from 0; part 0 has
/// the coordinator, and opens connections to all others; of these the higher to the lower.
struct peer_hello {
  std::string uid;
  std::uint64_t placement = 0;
  std::uint32_t from = 0;
  std::uint32_t to = 0;

  bool operator==(const peer_hello&) const = default;
};

/// Part 0 to the others: what the stream begins with.
struct peer_begin {
  /// Generation and epoch, segments, positions of sources, and the last output of each lane.
  checkpoint_record start;
  std::vector<std::string> operators; ///< identities of operators with state, by number
  std::string output_folder;          ///< empty = output is written at once
  std::string segment_folder;
  std::uint16_t key_groups = 128;
  std::uint64_t small = 0; ///< state of no more bytes is loaded at once

  bool operator==(const peer_begin&) const = default;
};

/// To part 0: the part's subtasks are there, and it is connected to the parts below it.
struct peer_ready {
  bool operator==(const peer_ready&) const = default;
};

/// Part 0 to the others, when all are ready.
struct peer_go {
  bool operator==(const peer_go&) const = default;
};

/// What a channel carries (dataflow/channel_item.hpp).
struct peer_item {
  std::uint8_t what = 0; ///< ebb::channel_signal
  micros time = 0;
  batch_ptr rows;
  std::uint64_t bytes = 0;
  std::uint64_t epoch = 0;
};

/// Items of one channel, in order. Subtasks are numbered through the stream.
struct peer_items {
  std::uint32_t subtask = 0; ///< that receives
  std::uint32_t input = 0;
  std::uint32_t channel = 0;
  std::vector<peer_item> items;
};

/// Credit for a channel that goes the other way.
struct peer_credit {
  std::uint32_t subtask = 0; ///< that sends on the channel
  std::uint32_t output = 0;
  std::uint32_t target = 0;
  std::uint64_t bytes = 0;

  bool operator==(const peer_credit&) const = default;
};

/// Part 0 to a subtask.
struct peer_order {
  enum class kind : std::uint8_t { interrupt, checkpoint, conclude, abandon };
  kind what = kind::interrupt;
  std::uint32_t subtask = 0;
  std::uint64_t epoch = 0; ///< checkpoint: this one, and whether all state is written
  std::uint64_t base = 0;
  bool whole = false;

  bool operator==(const peer_order&) const = default;
};

/// To part 0: of a subtask, or (unwritten) of the part's checkpoint.
struct peer_report {
  enum class kind : std::uint8_t {
    drained,  ///< it has worked off its input
    done,     ///< it has ended
    cut,      ///< it has ended, cut off by an interrupt
    failed,   ///< it has ended with `problem`
    unwritten ///< the part of `epoch` is not durable yet, because of `problem`
  };
  kind what = kind::drained;
  std::uint32_t subtask = 0;
  std::uint64_t epoch = 0;
  std::optional<error> problem;

  bool operator==(const peer_report&) const = default;
};

/// A source of a subtask within peer_written.
struct peer_source {
  std::string name;
  bool ended = false;
  std::uint32_t positions = 0; ///< so many of the record's, behind those of the sources before

  bool operator==(const peer_source&) const = default;
};

/// To part 0: everything of the part is durable.
struct peer_written {
  /// Epoch, at most one segment, positions and outputs.
  checkpoint_record part;
  std::vector<peer_source> sources;
  micros watermark = max_time; ///< the lowest that has arrived at a sink
  micros aligned = 0;          ///< when the last subtask had its barriers, and when it was saved
  micros made = 0;

  bool operator==(const peer_written&) const = default;
};

/// To part 0: what a subtask shows.
struct peer_stats {
  std::uint32_t subtask = 0;
  micros watermark = min_time;
  micros next_time = max_time;
  std::vector<std::uint64_t> counters; ///< runtime/peer_values.cpp gives and takes them

  bool operator==(const peer_stats&) const = default;
};

using peer_message = std::variant<peer_hello, peer_begin, peer_ready, peer_go, peer_items,
                                  peer_credit, peer_order, peer_report, peer_written, peer_stats>;

} // namespace ebb
