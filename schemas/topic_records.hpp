/// What a topic's log says about itself, as plain values. Their bytes are those of topic.capnp.
#pragma once

#include "schemas/segment_info.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// `rows` rows of one partition from offset `first` on.
struct topic_range {
  std::uint32_t partition = 0;
  std::uint32_t rows = 0;
  std::uint64_t first = 0;

  bool operator==(const topic_range&) const = default;
};

/// Which file of a log this is; never changes.
struct topic_file_header {
  std::uint32_t format = 0;
  std::string uid;          ///< of the topic
  std::uint64_t number = 0; ///< of the file, from 1
  micros created = 0;
  std::vector<std::uint64_t> begins; ///< first offset of each partition that is not in older files

  bool operator==(const topic_file_header&) const = default;
};

/// A file that nothing is appended to any more.
struct sealed_topic_file {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint64_t transaction = 0; ///< LMDB's number of its last commit
  micros first_time = 0;         ///< append times of its first and last row
  micros last_time = 0;
  std::vector<std::uint64_t> begins;

  bool operator==(const sealed_topic_file&) const = default;
};

/// The sealed files that the log still consists of, oldest first.
struct topic_catalog {
  std::uint64_t version = 0; ///< grows with each change
  std::vector<sealed_topic_file> sealed;

  bool operator==(const topic_catalog&) const = default;
};

/// Written by each commit of a file.
struct topic_summary {
  std::uint64_t transaction = 0; ///< LMDB's number of that commit
  std::uint64_t catalog_version = 0;
  std::uint64_t chunks = 0; ///< of `topic_memory_chunk`s: what was remembered before `first_group`
  std::uint64_t first_group = 0; ///< number of the first `logged_group` that is kept, from 0
  std::uint64_t next_group = 0;
  std::uint64_t logged = 0; ///< requests of the groups that are kept
  std::uint64_t rows = 0;   ///< in this file
  micros first_time = 0;    ///< append times of the file's first and last row
  micros last_time = 0;
  std::vector<std::uint64_t> ends; ///< offset of the next row of each partition

  bool operator==(const topic_summary&) const = default;
};

enum class logged_kind : std::uint8_t {
  producer, ///< `name` has sent rows `sequence` …
  key,      ///< an idempotency key
  mark,     ///< sink `name` has applied `epoch` (its sequence), as of a generation (its epoch)
  forgotten ///< marks that begin with `name` are gone
};

/// One request that has to be known again when it comes a second time.
struct logged_request {
  logged_kind kind = logged_kind::producer;
  bool starts = false; ///< of producers: the numbering begins here
  std::string name;
  digest128 key;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint32_t rows = 0;
  std::vector<topic_range> ranges;

  bool operator==(const logged_request&) const = default;
};

/// The requests of one commit.
struct logged_group {
  micros time = 0;
  std::vector<logged_request> requests;

  bool operator==(const logged_group&) const = default;
};

struct remembered_request {
  std::uint64_t sequence = 0;
  std::uint32_t rows = 0;
  std::vector<topic_range> ranges;

  bool operator==(const remembered_request&) const = default;
};

struct remembered_producer {
  std::string name;
  std::uint64_t epoch = 0;
  std::uint64_t next_sequence = 0;
  micros last_time = 0;
  std::vector<remembered_request> requests; ///< the newest ones, in order

  bool operator==(const remembered_producer&) const = default;
};

struct remembered_key {
  digest128 key;
  std::uint32_t rows = 0;
  micros time = 0;
  std::vector<topic_range> ranges;

  bool operator==(const remembered_key&) const = default;
};

/// How far a sink that writes exactly once has got.
struct remembered_mark {
  std::string sink;
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;

  bool operator==(const remembered_mark&) const = default;
};

/// A part of what a log remembers of producers, keys and sinks.
struct topic_memory_chunk {
  std::vector<remembered_producer> producers;
  std::vector<remembered_key> keys;
  std::vector<remembered_mark> marks;

  bool operator==(const topic_memory_chunk&) const = default;
};

} // namespace ebb
