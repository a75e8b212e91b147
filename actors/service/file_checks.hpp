/// Compares what streams and topics have on disk with its checksums.
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"
#include "storage/control_check.hpp"
#include "storage/topic_reader.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct checked_file {
  std::string kind;        ///< `stream`, `topic`, `control`
  std::string name;        ///< of it, qualified
  std::string file;        ///< a segment; `partition 3`; `control.mdb`; a folder that is left over
  std::uint64_t bytes = 0; ///< of a segment
  std::uint64_t rows = 0;  ///< of a partition; entries of the control database
  std::optional<error> problem;
};

/// False: nobody wants to know more.
using check_listener = std::function<bool(const checked_file&)>;

/// The control database, and each problem of it; `folders`: as `folders_of` gave them before.
[[nodiscard]] bool check_control(const std::string& data, const std::vector<std::string>& folders,
                                 const result<control_check>& found, const check_listener& tell);

/// All segments that the records and savepoints list, each once, to the last byte. Blocks.
[[nodiscard]] bool check_segments(const std::string& folder, const stream_entry& stream,
                                  const std::vector<checkpoint_record>& records,
                                  const check_listener& tell);

/// Where rows of a topic come from.
struct topic_rows_source {
  std::function<result<std::vector<topic_bounds>>()> bounds;
  std::function<result<topic_slice>(std::uint32_t partition, std::uint64_t offset,
                                    const topic_read_limits& limits)>
      read;
};

/// All rows that the topic has now; retention may take some meanwhile. Blocks.
[[nodiscard]] bool check_topic(const std::string& name, const topic_rows_source& from,
                               const check_listener& tell);

/// As a line of JSON.
[[nodiscard]] std::string check_json(const checked_file& x);

} // namespace ebb
