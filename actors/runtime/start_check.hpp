/// What stands against a start, looked at before it drops state, checkpoints or output: whoever goes
/// back to a savepoint or begins anew asks here. Nothing changes.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/runtime/connector.hpp"
#include "schemas/control_records.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ebb {

/// What becomes of output that was written after the savepoint that is restored.
enum class past_output : std::uint8_t {
  refuse,
  rewind, ///< targets are cut back to where they were
  keep,   ///< it stays, and may be written again
};

/// Whether output of epochs after the savepoint has reached some target.
[[nodiscard]] bool is_passed(const checkpoint_record& record,
                             const std::vector<sink_token>& tokens);

/// Whether a person has said of a savepoint that is passed what becomes of the output, and whether
/// what the stream's sinks have written can be taken back, where that is wanted: what was appended
/// to a file is cut off, parts are removed. What readers of a topic may have seen stays.
[[nodiscard]] result<void> may_pass(const savepoint_entry& savepoint,
                                    const std::vector<sink_token>& tokens,
                                    const stream_definition& definition, past_output output);

using positions_by_source = std::map<std::string, std::vector<source_position>>;

/// What a start would find.
struct start_outlook {
  std::string uid;         ///< of the stream; empty: it gets one that is new
  std::string data_folder; ///< that it has its state in
  bool drops = false;    ///< it would drop something that is there
  bool finished = false; ///< nothing more is read
  positions_by_source positions;
  std::map<std::string, sink_prospect> sinks; ///< by name; those that have written
};

/// Of a start that goes on from the record.
[[nodiscard]] start_outlook outlook_of(const std::string& data_folder,
                                       const checkpoint_record& record,
                                       const std::vector<sink_token>& tokens, past_output output);

/// An error where a source that is still to be read is not there, or not as it was read. Blocks.
[[nodiscard]] result<void> find_sources(const stream_definition& stream,
                                        const positions_by_source& known,
                                        connector_factory& connectors);

/// Sources as find_sources; sinks: folders that are there and may be written, files that nobody
/// else writes and that hold what the record counts on. Parts are not looked at: readers may have
/// taken them away. Blocks.
[[nodiscard]] result<void> check_start(const stream_definition& stream, const start_outlook& outlook,
                                       connector_factory& connectors);

} // namespace ebb
