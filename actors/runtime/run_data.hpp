/// The data folder of `ebb run --data`: what each stream left there, and where it goes on.
#pragma once

#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/checkpoint_store.hpp"
#include "actors/runtime/restore_stream.hpp"
#include "actors/runtime/segment_state.hpp"
#include "actors/runtime/start_check.hpp"
#include "schemas/control_records.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Where a run begins.
enum class resume_from : std::uint8_t {
  latest,    ///< the newest checkpoint, or fresh where there is none
  fresh,     ///< from nothing; what was kept is dropped
  savepoint, ///< a named one
};

struct data_options {
  std::string folder;
  resume_from from = resume_from::latest;
  std::string savepoint;
  bool drop_state = false; ///< `fresh` may drop state that is there
  past_output output = past_output::refuse;
  /// Where a stream, by uid, keeps its files; null: in FOLDER/streams/UID.
  std::function<result<std::shared_ptr<snapshot_store>>(const std::string& uid)> files = {};
};

/// One stream of the folder, made ready to run: its generation is new, and what others of older
/// generations do is refused from now on.
struct stream_data {
  stream_start start;
  bool finished = false; ///< its input has ended before: there is nothing to run
  std::shared_ptr<checkpoint_store> store;
  std::unique_ptr<stored_state> state;     ///< null = nothing to restore
  recorded_segments segments;              ///< that `state` consists of
  std::uint64_t small = small_state_bytes; ///< for restore_state
  /// Output of the restored epoch that may not have reached its target, in the order to apply.
  std::vector<sink_snapshot> unapplied;
  /// The record may not be the last that was written: sinks may have put out more.
  bool went_back = false;
  bool asked_to_take_back = false; ///< a person wants that to be gone
  std::vector<sink_token> tokens;  ///< as they are now
  std::string left_by; ///< version of the ebb that wrote the state; empty = none, or not known
  bool must_try = false; ///< it may not be readable, or something is dropped: try before that
  std::vector<std::string> notes; ///< for the person: what was found and decided
};

/// Holds the folder's lock while it lives. Blocks on files. Thread-safe after opening.
class run_data {
public:
  virtual ~run_data() = default;

  /// Whether opening the stream may drop something: state, checkpoints, output.
  [[nodiscard]] virtual bool may_drop(const stream_definition& definition) const {
    static_cast<void>(definition);
    return false;
  }

  /// What `open_stream` would find, with the errors that it would have. Nothing changes.
  [[nodiscard]] virtual result<start_outlook> look(const stream_definition& definition,
                                                   const stage_plan& plan) {
    static_cast<void>(definition);
    static_cast<void>(plan);
    return start_outlook{};
  }

  /// Errors are for people: what does not fit, where, what to do. Nothing has changed then.
  [[nodiscard]] virtual result<stream_data> open_stream(const stream_definition& definition,
                                                        const stage_plan& plan) = 0;
};

/// The state of a record. What is more than `small` bytes is verified as it is read; all of it now,
/// where damage has been found before.
[[nodiscard]] result<std::unique_ptr<stored_state>> open_recorded(const recorded_segments& from,
                                                                  std::uint64_t small);

/// ec::conflict where another process holds the folder; ec::unsupported on a network file system.
[[nodiscard]] result<std::shared_ptr<run_data>> open_run_data(const data_options& options);

class shared_ledger;

/// The same with a ledger that another process keeps, on a folder that both see.
[[nodiscard]] std::shared_ptr<run_data> make_run_data(const data_options& options,
                                                      std::shared_ptr<shared_ledger> ledger);

} // namespace ebb
