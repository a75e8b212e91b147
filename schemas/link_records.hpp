/// Messages between the control process and its workers. Plain forms of link.capnp.
#pragma once

#include "schemas/error.hpp"
#include "schemas/link_operations.hpp"
#include "schemas/peer_records.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ebb {

/// Version of the messages. Every frame carries it; a link between different ones is closed.
inline constexpr std::uint16_t link_protocol = 1;

/// One start of a stream in a worker. Calls and reports of a placement that is not the stream's
/// current one are refused.
struct stream_placement {
  std::string uid;
  std::uint64_t placement = 0;

  bool operator==(const stream_placement&) const = default;
};

struct hosted_stream {
  std::string uid;
  std::uint64_t placement = 0;
  std::uint64_t generation = 0; ///< 0: it has none yet
  std::uint32_t part = 0;       ///< of the stream's parts (peer_records.hpp)

  bool operator==(const hosted_stream&) const = default;
};

struct refused_stream {
  std::string uid;
  std::uint64_t placement = 0;
  std::string reason;

  bool operator==(const refused_stream&) const = default;
};

// From the worker to the control process.

/// First on every connection.
struct worker_hello {
  std::string version; ///< of ebb
  std::int64_t pid = 0;
  std::string name;          ///< that it was started with
  std::uint64_t session = 0; ///< random; the same on each connection of one process
  std::vector<hosted_stream> hosted;
  std::string peers = {}; ///< where it takes connections of other workers
  micros time = 0;        ///< by its wall clock; 0 = not said

  bool operator==(const worker_hello&) const = default;
};

struct stream_started {
  std::string uid;
  std::uint64_t placement = 0;
  std::uint64_t generation = 0;
  std::vector<std::string> notes; ///< for people

  bool operator==(const stream_started&) const = default;
};

struct link_source_report {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bad_rows = 0;

  bool operator==(const link_source_report&) const = default;
};

struct link_operator_report {
  std::string name;
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late_rows = 0;
  std::uint64_t state_bytes = 0;

  bool operator==(const link_operator_report&) const = default;
};

struct link_sink_report {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;

  bool operator==(const link_sink_report&) const = default;
};

struct link_checkpoint_report {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t last = 0; ///< epoch
  micros longest = 0;
  std::string alarm;

  bool operator==(const link_checkpoint_report&) const = default;
};

/// Behind the last row of a topic's partition that is in the last checkpoint.
struct read_position {
  std::string source;
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;

  bool operator==(const read_position&) const = default;
};

struct stream_status {
  std::string uid;
  std::uint64_t placement = 0;
  bool busy = false;            ///< it has work now
  std::uint64_t activity = 0;   ///< another number after rows have moved
  micros next_timer = max_time; ///< processing time; max_time = none
  micros watermark = min_time;
  std::uint64_t state_bytes = 0;
  std::vector<link_source_report> sources;
  std::vector<link_operator_report> operators;
  std::vector<link_sink_report> sinks;
  std::vector<read_position> positions; ///< may be left out
  link_checkpoint_report checkpoints;
  std::uint64_t batches = 0; ///< that subtasks have passed to each other
  micros blocked = 0;        ///< that subtasks waited for credit or for slow sinks, all together
  // Moments of this start; 0 = not yet.
  micros mapped = 0;       ///< its state was in place
  micros first_record = 0; ///< a source had read the first row
  micros first_output = 0; ///< a sink had taken the first row
  std::string held_back;   ///< `partition 3 of source clicks`: by which its watermark is

  bool operator==(const stream_status&) const = default;
};

struct stream_ended {
  std::string uid;
  std::uint64_t placement = 0;
  bool cut = false;      ///< stopped by a final checkpoint, all of its output applied
  bool finished = false; ///< the input has ended and everything is written
  std::optional<error> problem;
  micros next_timer = max_time;
  std::vector<read_position> positions;
  std::uint32_t part = 0; ///< the others say nothing but that they have ended

  bool operator==(const stream_ended&) const = default;
};

enum class log_level : std::uint8_t { debug, info, warning, error };

[[nodiscard]] const char* to_string(log_level x) noexcept;

struct log_line {
  std::string uid; ///< of the stream; empty = of the worker
  log_level level = log_level::info;
  micros time = 0;
  std::string text;
  std::vector<std::pair<std::string, std::string>> fields;

  bool operator==(const log_line&) const = default;
};

/// Whether the worker wants `topic_moved` of this topic. Once that is arranged it is answered with
/// a first `topic_moved`, since rows may have come after the worker's last look.
struct topic_watch {
  std::string uid;
  bool on = true;

  bool operator==(const topic_watch&) const = default;
};

struct link_call {
  std::uint64_t id = 0;      ///< from 1, in the session; the same when it is repeated
  std::uint64_t settled = 0; ///< calls below this have their answers
  std::string uid;           ///< stream that calls
  std::uint64_t placement = 0;
  call_operation operation;
};

struct savepoint_made {
  std::uint64_t id = 0;
  std::uint64_t epoch = 0;
  std::optional<error> problem;

  bool operator==(const savepoint_made&) const = default;
};

// From the control process to the worker.

/// Answers the hello.
struct control_welcome {
  std::uint64_t incarnation = 0;
  std::vector<stream_placement> accepted;
  std::vector<refused_stream> refused; ///< are to be killed

  bool operator==(const control_welcome&) const = default;
};

enum class link_past_output : std::uint8_t { refuse, rewind, keep };

struct start_stream {
  std::string uid;
  std::uint64_t placement = 0;
  std::string name; ///< in its namespace
  std::string name_space;
  std::string folder;            ///< that relative paths of the manifest start from
  std::string data_folder;       ///< segments and staged output
  std::string manifest;          ///< text of its document
  std::uint32_t parallelism = 0; ///< 0 = as in the manifest
  std::string savepoint;         ///< empty = newest record
  link_past_output past_output = link_past_output::refuse;
  std::uint32_t part = 0; ///< that the worker is to run
  std::vector<std::string> peers =
      {};                 ///< of all parts, where there are several: `worker_hello::peers`
  std::string trace = {}; ///< W3C traceparent of the request that has woken it; empty = none has

  bool operator==(const start_stream&) const = default;
};

struct stop_stream {
  std::string uid;
  std::uint64_t placement = 0;
  bool kill = false; ///< without a final checkpoint

  bool operator==(const stop_stream&) const = default;
};

struct savepoint_stream {
  std::uint64_t id = 0; ///< of the request
  std::string uid;
  std::uint64_t placement = 0;
  std::string name;

  bool operator==(const savepoint_stream&) const = default;
};

/// Rows were appended; maybe, and maybe seen already.
struct topic_moved {
  std::string uid;

  bool operator==(const topic_moved&) const = default;
};

struct call_answer {
  std::uint64_t id = 0;
  call_outcome outcome = call_value{};
};

/// What the worker proves from now on that it is itself; PEM. Before the start of a stream, whose
/// certificate it is, and before the one that it has ends.
struct worker_identity {
  std::string authority;
  std::string certificate;
  std::string key;

  bool operator==(const worker_identity&) const = default;
};

struct worker_shutdown {
  bool operator==(const worker_shutdown&) const = default;
};

// Both ways.

/// Sent and taken by the connection itself.
struct heartbeat {
  std::uint64_t number = 0;

  bool operator==(const heartbeat&) const = default;
};

using link_message =
    std::variant<heartbeat, worker_hello, stream_started, stream_status, stream_ended, log_line,
                 topic_watch, link_call, savepoint_made, control_welcome, start_stream, stop_stream,
                 savepoint_stream, topic_moved, call_answer, worker_shutdown, peer_message,
                 worker_identity>;

} // namespace ebb
