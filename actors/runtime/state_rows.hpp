/// The state of an operator as rows for people, read from a checkpoint's segments.
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

struct state_row {
  std::string state; ///< operator's identity and the kind of entry
  std::string group; ///< key group; `N groups` where as many say the same
  std::string key;   ///< empty = what the operator notes without a key
  std::string value;
};

struct state_rows {
  std::uint64_t epoch = 0;
  micros when = 0;
  std::vector<state_row> rows; ///< entries with keys, then notes
  bool more = false;           ///< there are more than the limit
};

struct state_question {
  std::string folder; ///< of the stream's segments
  std::string target; ///< name of an operator or source of the manifest
  std::string key;    ///< only entries whose key contains it; empty = all
  std::uint64_t limit = 100;
};

/// Reads segments only, so it may run beside the stream. Blocks. ec::not_found where the operator
/// keeps no state: names those that do.
[[nodiscard]] result<state_rows> read_state_rows(const state_question& what,
                                                 const stream_entry& stream,
                                                 const checkpoint_record& record);

} // namespace ebb
