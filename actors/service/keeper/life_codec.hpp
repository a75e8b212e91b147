/// What the keeper stores and reads of a stream.
#pragma once

#include "actors/service/keeper/stream_slot.hpp"
#include "actors/service/lifecycle/stream_lifecycle.hpp"
#include "schemas/service_records.hpp"

#include <string>
#include <vector>

namespace ebb {

class control_records;
class topic_registry;

[[nodiscard]] lifecycle_record to_lifecycle(const life_record& x);
[[nodiscard]] life_record to_record(const std::string& uid, const lifecycle_record& x);

// Events as JSON objects, for the API.

[[nodiscard]] std::string decision_json(const stream_slot& x, const lifecycle_effect& e,
                                        micros now);
[[nodiscard]] std::string wake_json(const wake_trace& x);
[[nodiscard]] std::string error_json(const error& x, micros now);
[[nodiscard]] std::string log_json(const log_line& x);

// Blocking.

/// As `kept_restore` has it.
[[nodiscard]] link_past_output kept_past_output(std::uint8_t x);

/// Whether a topic among `inputs` has rows behind the positions of the stream's newest record.
/// Rows of the topics (uids) that the checkpoint has not; without one, all that the topics hold.
/// Blocks. Nothing where a topic cannot be looked at.
[[nodiscard]] std::optional<std::uint64_t>
rows_behind(topic_registry& topics, const std::optional<checkpoint_record>& newest,
            const std::vector<std::string>& inputs);

[[nodiscard]] comparison compare_inputs(control_records& records, topic_registry& topics,
                                        const std::string& uid,
                                        const std::vector<std::string>& inputs);

/// Whether the stream could go back to the savepoint.
[[nodiscard]] result<void> check_restore(control_records& records, const std::string& uid,
                                         const std::string& files_folder, const restore_wish& wish);

/// The stream's end: its entry, its files, its marks in topics. May be done again.
[[nodiscard]] result<void> delete_stream_files(control_records& records, topic_registry& topics,
                                               const std::string& uid, const std::string& name,
                                               const std::vector<std::string>& outputs);

} // namespace ebb
