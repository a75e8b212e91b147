/// What a worker asks the control process to do, and what it gets back. Plain forms of link.capnp.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/control_records.hpp"
#include "schemas/error.hpp"
#include "schemas/stored_files.hpp"
#include "schemas/topic_records.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ebb {

// Functions of the ledger (storage/stream_ledger.hpp), with their arguments.

struct ledger_open_or_create {
  stream_entry wanted;

  bool operator==(const ledger_open_or_create&) const = default;
};

struct ledger_find_stream {
  std::string name;

  bool operator==(const ledger_find_stream&) const = default;
};

struct ledger_update_stream {
  stream_entry changed;
  std::uint64_t generation = 0;

  bool operator==(const ledger_update_stream&) const = default;
};

struct ledger_delete_stream {
  std::string name;

  bool operator==(const ledger_delete_stream&) const = default;
};

struct ledger_forget_stream {
  std::string uid;

  bool operator==(const ledger_forget_stream&) const = default;
};

struct ledger_begin_generation {
  std::string uid;

  bool operator==(const ledger_begin_generation&) const = default;
};

struct ledger_reserve_epochs {
  std::string uid;
  std::uint64_t generation = 0;
  std::uint64_t count = 0;

  bool operator==(const ledger_reserve_epochs&) const = default;
};

struct ledger_commit {
  checkpoint_record record;
  std::uint64_t generation = 0;
  std::vector<std::string> savepoints;
  std::uint64_t retained = 0;

  bool operator==(const ledger_commit&) const = default;
};

struct ledger_records {
  std::string uid;

  bool operator==(const ledger_records&) const = default;
};

struct ledger_newest_record {
  std::string uid;

  bool operator==(const ledger_newest_record&) const = default;
};

struct ledger_rewind {
  checkpoint_record record;
  std::uint64_t generation = 0;
  std::vector<sink_token> tokens;

  bool operator==(const ledger_rewind&) const = default;
};

struct ledger_savepoints {
  std::string uid;

  bool operator==(const ledger_savepoints&) const = default;
};

struct ledger_savepoint {
  std::string uid;
  std::string name;

  bool operator==(const ledger_savepoint&) const = default;
};

struct ledger_set_tokens {
  std::string uid;
  std::uint64_t generation = 0;
  std::vector<sink_token> tokens;

  bool operator==(const ledger_set_tokens&) const = default;
};

struct ledger_tokens {
  std::string uid;

  bool operator==(const ledger_tokens&) const = default;
};

struct ledger_garbage {
  std::string uid;
  std::vector<std::string> present;

  bool operator==(const ledger_garbage&) const = default;
};

// Topics (actors/runtime/topic_access.hpp).
/// Names are those of the calling stream's namespace.
struct topic_find_call {
  std::string name;

  bool operator==(const topic_find_call&) const = default;
};

/// `sink_mark`.
struct link_mark {
  std::string sink;
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;

  bool operator==(const link_mark&) const = default;
};

struct topic_append_file_call {
  std::string topic; ///< uid
  std::string path;
  link_mark mark;

  bool operator==(const topic_append_file_call&) const = default;
};

/// `producer_position`.
struct link_producer {
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint64_t first_sequence = 0;

  bool operator==(const link_producer&) const = default;
};

/// `topic_part`.
struct link_part {
  batch_ptr rows;
  std::vector<std::uint32_t> partitions;
};

/// `topic_append`.
struct topic_append_call {
  std::string topic; ///< uid
  std::vector<link_part> parts;
  std::optional<link_producer> producer;
  std::string idempotency_key;
  std::optional<link_mark> mark;
};

/// `topic_reader::bounds`.
struct topic_bounds_call {
  std::string topic; ///< uid

  bool operator==(const topic_bounds_call&) const = default;
};

/// `topic_reader::read`.
struct topic_read_call {
  std::string topic; ///< uid
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0; ///< limits
  std::uint64_t rows = 0;

  bool operator==(const topic_read_call&) const = default;
};

// Files of the calling stream (storage/object_store.hpp).
struct store_put_call {
  stored_area area = stored_area::segments;
  std::string name;
  stored_piece piece;

  bool operator==(const store_put_call&) const = default;
};

struct store_read_call {
  stored_area area = stored_area::segments;
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0; ///< at most `stored_piece_max`

  bool operator==(const store_read_call&) const = default;
};

struct store_list_call {
  stored_area area = stored_area::segments;

  bool operator==(const store_list_call&) const = default;
};

struct store_remove_call {
  stored_area area = stored_area::segments;
  std::vector<std::string> names;
  std::uint64_t generation = 0;

  bool operator==(const store_remove_call&) const = default;
};

using call_operation =
    std::variant<ledger_open_or_create, ledger_find_stream, ledger_update_stream,
                 ledger_delete_stream, ledger_forget_stream, ledger_begin_generation,
                 ledger_reserve_epochs, ledger_commit, ledger_records, ledger_newest_record,
                 ledger_rewind, ledger_savepoints, ledger_savepoint, ledger_set_tokens,
                 ledger_tokens, ledger_garbage, topic_find_call, topic_append_file_call,
                 topic_append_call, topic_bounds_call, topic_read_call, store_put_call,
                 store_read_call, store_list_call, store_remove_call>;

/// `topic_info`.
struct link_topic {
  std::string uid;
  std::string name;
  std::string folder;
  std::uint32_t partitions = 1;
  schema columns;
  std::string key;
  bool changes = false;
  std::vector<std::string> primary_key = {};

  bool operator==(const link_topic&) const = default;
};

/// `append_answer`; `status` is an `append_status`.
struct link_append_answer {
  std::uint8_t status = 0;
  std::vector<topic_range> ranges;
  micros time = 0;
  std::optional<std::uint64_t> expected_sequence;
  error problem;

  bool operator==(const link_append_answer&) const = default;
};

/// `topic_bounds` of each partition.
struct link_bounds {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all; ///< begin and end

  bool operator==(const link_bounds&) const = default;
};

/// `topic_slice`.
struct link_slice {
  struct rows {
    std::uint64_t first = 0;
    micros time = 0;
    batch_ptr batch;
  };

  std::vector<rows> batches;
  std::uint64_t next = 0;
  std::uint64_t end = 0;
};

/// Bytes of a file.
struct link_bytes {
  std::string bytes;

  bool operator==(const link_bytes&) const = default;
};

/// What the function gives: nothing, a number (generation, first epoch), …
using call_value =
    std::variant<std::monostate, std::uint64_t, stream_entry, std::optional<stream_entry>,
                 std::vector<checkpoint_record>, std::optional<checkpoint_record>,
                 std::vector<savepoint_entry>, std::optional<savepoint_entry>,
                 std::vector<sink_token>, std::vector<std::string>, link_topic, link_append_answer,
                 link_bounds, link_slice, link_bytes>;

using call_outcome = result<call_value>;

} // namespace ebb
