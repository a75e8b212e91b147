/// Positions and outputs as subtasks know them, and as records do.
#pragma once

#include "actors/dataflow/endpoint.hpp"
#include "schemas/control_records.hpp"

#include <string>

namespace ebb {

[[nodiscard]] inline recorded_position to_recorded(const std::string& source,
                                                   const source_position& x) {
  return {source, x.partition, x.finished, x.bytes};
}

[[nodiscard]] inline source_position to_position(const recorded_position& x) {
  return {x.partition, x.finished, x.bytes};
}

/// `epoch`: that sealed it.
[[nodiscard]] inline recorded_output to_recorded(const std::string& sink, epoch_number epoch,
                                                 const sealed_output& x) {
  return {sink, x.lane, epoch, x.file, x.bytes, x.digest, x.target, x.offset, x.rows};
}

[[nodiscard]] inline sealed_output to_output(const recorded_output& x) {
  return {x.lane, x.file, x.bytes, x.digest, x.target, x.offset, x.rows};
}

} // namespace ebb
