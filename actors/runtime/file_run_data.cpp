#include "actors/plan/state_change.hpp"
#include "actors/plan/state_layout.hpp"
#include "actors/runtime/left_parts.hpp"
#include "actors/runtime/recorded_values.hpp"
#include "actors/runtime/run_data.hpp"
#include "actors/runtime/segment_state.hpp"
#include "actors/runtime/state_check.hpp"
#include "actors/runtime/stream_store.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

namespace ebb {

namespace {

/// Beside the folder of the segments: damage was found while a stream ran.
constexpr const char* verify_mark = "/../verify";

/// EBB_SMALL_STATE lets tests do with little state what streams do with much.
std::uint64_t small_bytes() {
  const auto* text = std::getenv("EBB_SMALL_STATE");
  return text == nullptr ? small_state_bytes : std::strtoull(text, nullptr, 10);
}

std::optional<sink_token> token_of(const std::vector<sink_token>& tokens, const std::string& sink,
                                   std::uint32_t lane) {
  const auto found = std::find_if(tokens.begin(), tokens.end(),
                                  [&](const auto& x) { return x.sink == sink && x.lane == lane; });
  return found == tokens.end() ? std::nullopt : std::optional(*found);
}

error misfit_of(const savepoint_entry& savepoint, const state_change& change) {
  return make_error(ec::conflict,
                    "savepoint " + savepoint.name
                        + " was made with another manifest, and does not fit: " + change.text(),
                    "run it with the manifest of that time, or set spec.onChange: reset to let "
                    "these operators begin with empty state");
}

error in_stream(error problem, const std::string& stream) {
  if (problem.place.field.empty())
    problem.place.field = "stream " + stream;
  return problem;
}

class file_run_data final : public run_data {
public:
  file_run_data(data_options options, std::shared_ptr<shared_ledger> ledger)
      : options_(std::move(options)), ledger_(std::move(ledger)) {}

  result<stream_data> open_stream(const stream_definition& definition,
                                  const stage_plan& plan) override {
    auto opened = open(definition, plan);
    if (!opened)
      return in_stream(std::move(opened).error(), definition.name);
    return opened;
  }

  bool may_drop(const stream_definition& definition) const override {
    return options_.from != resume_from::latest || definition.reset_state;
  }

  result<start_outlook> look(const stream_definition& definition,
                             const stage_plan& plan) override {
    auto seen = look_at(definition, plan);
    if (!seen)
      return in_stream(std::move(seen).error(), definition.name);
    return seen;
  }

private:
  template <class Use>
  auto with(const Use& use) {
    return ledger_->with(use);
  }

  [[nodiscard]] std::string folder_of_stream(const std::string& uid) const {
    return options_.folder + "/streams/" + uid;
  }

  result<stream_data> open(const stream_definition& definition, const stage_plan& plan) {
    stream_data data;
    EBB_TRY(drop_if_fresh(definition, data));
    EBB_ASSIGN(auto stream, find_or_make(definition, plan));
    EBB_ASSIGN(const auto savepoint, wanted_savepoint(stream));
    EBB_TRY(fit(stream, definition, plan, savepoint, data));
    EBB_ASSIGN(const auto files, files_of(stream.uid));
    data.segments = {
        files->folder(stored_area::segments), stream.uid, stream.key_groups, {}, files};
    EBB_ASSIGN(auto record, savepoint ? from_savepoint(stream, definition, plan, *savepoint, data)
                                      : choose(stream, plan, data));
    EBB_ASSIGN(stream.generation,
               with([&](stream_ledger& db) { return db.begin_generation(stream.uid); }));
    EBB_TRY(with([&](stream_ledger& db) { return db.update_stream(stream, stream.generation); }));
    EBB_ASSIGN(data.tokens, with([&](stream_ledger& db) { return db.tokens(stream.uid); }));

    files->begin(stream.generation);
    data.start.uid = stream.uid;
    data.start.generation = stream.generation;
    data.start.operators = stream.operators;
    if (definition.exactly_once)
      data.start.output_folder = files->folder(stored_area::output);
    data.small = small_bytes();
    if (record) {
      // A start since the record may have gone back to it, and died before it took output back.
      data.went_back = data.went_back || record->generation + 1 < stream.generation;
      remember(*record, data.tokens, data);
      data.segments.segments = record->segments;
      data.finished = record->finished;
    }
    EBB_TRY(sweep_output(*files, data.unapplied, stream.uid));
    data.store = std::make_shared<stream_store>(ledger_, files, stream, data.segments.segments, 0,
                                                data.unapplied);
    return data;
  }

  result<std::shared_ptr<snapshot_store>> files_of(const std::string& uid) const {
    if (options_.files)
      return options_.files(uid);
    EBB_ASSIGN(auto files, make_folder_snapshots(folder_of_stream(uid)));
    return std::shared_ptr<snapshot_store>(std::move(files));
  }

  /// Output of runs before that has reached its target, or that no record lists.
  static result<void> sweep_output(snapshot_store& files,
                                   const std::vector<sink_snapshot>& unapplied,
                                   const std::string& uid) {
    std::vector<std::string> needed;
    for (const auto& x : unapplied)
      needed.push_back(waiting_name(x.output, uid));
    return files.sweep_output(needed);
  }

  static result<std::unique_ptr<stored_state>> open_state(const stream_data& data,
                                                          const checkpoint_record& record) {
    auto from = data.segments;
    from.segments = record.segments;
    auto opened = open_recorded(from, small_bytes());
    // A file that is gone is damage, not something that a person has named wrongly.
    if (!opened && opened.error().code == ec::not_found)
      opened.error().code = ec::corrupt;
    return opened;
  }

  /// ec::conflict where this program cannot read the record's state: then nothing may have changed.
  result<void> must_be_readable(const stream_entry& stream, const stage_plan& plan,
                                const checkpoint_record& record, const stream_data& data) {
    if (readable_.contains({stream.uid, record.epoch}))
      return {};
    auto from = data.segments;
    from.segments = record.segments;
    if (auto tried = check_state(plan, stream.name, stream.operators, from, small_bytes()); !tried)
      return unreadable(std::move(tried).error(), stream.name, data.left_by);
    readable_.insert({stream.uid, record.epoch});
    return {};
  }

  result<start_outlook> look_at(const stream_definition& definition, const stage_plan& plan) {
    start_outlook seen;
    EBB_ASSIGN(auto stream,
               with([&](stream_ledger& db) { return db.find_stream(definition.name); }));
    if (options_.from == resume_from::fresh) {
      seen.drops = stream.has_value();
      if (stream)
        EBB_TRY(droppable(*stream));
      return seen;
    }
    if (!stream)
      return options_.from == resume_from::savepoint ? result<start_outlook>(no_savepoint({}))
                                                     : seen;
    EBB_ASSIGN(const auto savepoint, wanted_savepoint(*stream));
    EBB_ASSIGN(const auto newest,
               with([&](stream_ledger& db) { return db.newest_record(stream->uid); }));
    EBB_ASSIGN(const auto tokens, with([&](stream_ledger& db) { return db.tokens(stream->uid); }));
    stream_data data;
    EBB_TRY(fit(*stream, definition, plan, savepoint, data));
    EBB_ASSIGN(const auto files, files_of(stream->uid));
    data.segments = {
        files->folder(stored_area::segments), stream->uid, stream->key_groups, {}, files};
    if (savepoint) {
      EBB_TRY(may_pass(*savepoint, tokens, definition, options_.output));
      EBB_TRY(open_state(data, savepoint->record));
      EBB_TRY(must_be_readable(*stream, plan, savepoint->record, data));
    } else if (newest && data.must_try) {
      // Where it is damaged an older one may do (`choose`).
      if (auto tried = must_be_readable(*stream, plan, *newest, data);
          !tried && tried.error().code == ec::conflict)
        return std::move(tried).error();
    }
    if (savepoint || newest)
      seen = outlook_of(options_.folder, savepoint ? savepoint->record : *newest, tokens,
                        options_.output);
    seen.uid = stream->uid;
    seen.data_folder = options_.folder;
    // What fits the state says nothing.
    seen.drops = savepoint || !data.notes.empty();
    return seen;
  }

  /// What is there of the stream, if a person has said that it may go; empty where it is nothing.
  result<std::string> droppable(const stream_entry& found) {
    EBB_ASSIGN(const auto newest,
               with([&](stream_ledger& db) { return db.newest_record(found.uid); }));
    EBB_ASSIGN(const auto names, savepoint_names(found.uid));
    if (!newest && names.empty())
      return std::string{};
    const auto what = (newest ? "epoch " + std::to_string(newest->epoch) : "no checkpoint")
                      + (names.empty() ? "" : ", and savepoints " + names);
    if (!options_.drop_state)
      return make_error(ec::conflict,
                        "there is state of this stream in " + options_.folder + ": " + what,
                        "add --yes to drop it, or leave out --from fresh to go on from it");
    return what;
  }

  /// What there was of the stream goes, when it is asked for.
  result<void> drop_if_fresh(const stream_definition& definition, stream_data& data) {
    if (options_.from != resume_from::fresh)
      return {};
    const auto& name = definition.name;
    EBB_ASSIGN(const auto found, with([&](stream_ledger& db) { return db.find_stream(name); }));
    if (!found)
      return {};
    EBB_ASSIGN(const auto what, droppable(*found));
    EBB_TRY(with([&](stream_ledger& db) { return db.delete_stream(name); }));
    std::error_code ignored;
    std::filesystem::remove_all(folder_of_stream(found->uid), ignored);
    if (!ignored)
      EBB_TRY(with([&](stream_ledger& db) { return db.forget_stream(found->uid); }));
    if (!what.empty())
      data.notes.push_back("dropped the state: " + what);
    for (auto& x : left_parts(definition, found->uid))
      data.notes.push_back(std::move(x));
    return {};
  }

  result<stream_entry> find_or_make(const stream_definition& definition, const stage_plan& plan) {
    stream_entry wanted;
    EBB_ASSIGN(wanted.uid, random_uid());
    wanted.name = definition.name;
    wanted.key_groups = plan.key_groups;
    wanted.parallelism = definition.parallelism;
    return with([&](stream_ledger& db) { return db.open_or_create(wanted); });
  }

  /// Whether the plan can go on with the state there is; numbers operators that are new.
  result<void> fit(stream_entry& stream, const stream_definition& definition,
                   const stage_plan& plan, const std::optional<savepoint_entry>& savepoint,
                   stream_data& data) {
    if (stream.key_groups != plan.key_groups)
      return make_error(ec::conflict,
                        "the state has " + std::to_string(stream.key_groups)
                            + " key groups, the manifest asks for "
                            + std::to_string(plan.key_groups),
                        "maxParallelism is fixed for the life of the state: set it back, or begin "
                        "anew with --from fresh --yes");
    EBB_ASSIGN(const auto newest,
               with([&](stream_ledger& db) { return db.newest_record(stream.uid); }));
    auto pinned = read_pinned(stream);
    if (pinned.format > state_format)
      return make_error(ec::unsupported,
                        "the state was left by ebb " + pinned.version + " in format "
                            + std::to_string(pinned.format) + "; this is ebb " + engine_version()
                            + ", which reads formats up to " + std::to_string(state_format),
                        "run it with that version or a later one, or begin anew with --from fresh "
                        "--yes");
    if (newest || savepoint)
      data.left_by = pinned.version;
    data.must_try = pinned.version != engine_version() || pinned.format != state_format;
    if (pinned.format < 2)
      pinned.forget_numbers_by_stage();
    const auto manifest = digest_of_text(definition.text);
    if (pinned.words < state_words && pinned.manifest == manifest)
      pinned.forget_shapes();
    // Of all records and savepoints, also of those that were gone back behind.
    const auto last = stream.next_epoch - 1;
    const auto generation = stream.generation + 1;
    const auto present = pinned;
    if (savepoint)
      pinned.go_back_to(savepoint->record.epoch, last, generation);
    // Then it was another manifest that it was made with, whatever the present one is.
    const bool other_plan = !(pinned == present);
    const auto now = planned_state_of(plan, definition);
    const auto change = compare_plan(pinned, now, pinned.manifest == manifest && !other_plan);
    if ((newest || savepoint) && !change.fits()) {
      if (!definition.reset_state)
        return other_plan ? misfit_of(*savepoint, change) : misfit(change, pinned, manifest);
      pinned.empty(change.to_empty, last, generation);
      for (const auto* list : {&change.removed, &change.changed, &change.to_empty})
        for (const auto& x : *list)
          data.notes.push_back("the state of operator " + x
                               + " is dropped: it goes with the next merge of segments, and "
                                 "savepoints keep theirs");
      data.must_try = true;
    }
    pinned.adopt(now.states, last, generation);
    pinned.adopt_paths(now.paths, last);
    if (pinned.operators.size() > pinned_operators_max)
      return make_error(ec::unsupported,
                        "the stream has had " + std::to_string(pinned_operators_max)
                            + " operators with state, which is the most",
                        "begin anew with --from fresh --yes");
    pinned.version = engine_version();
    pinned.format = state_format;
    pinned.words = state_words;
    pinned.manifest = manifest;
    write_pinned(pinned, stream);
    stream.plan = to_text(state_layouts(plan));
    stream.parallelism = definition.parallelism;
    return {};
  }

  result<std::optional<checkpoint_record>> choose(const stream_entry& stream,
                                                  const stage_plan& plan, stream_data& data) {
    EBB_ASSIGN(auto records, with([&](stream_ledger& db) { return db.records(stream.uid); }));
    EBB_ASSIGN(const auto tokens, with([&](stream_ledger& db) { return db.tokens(stream.uid); }));
    if (records.empty()) {
      if (!tokens.empty())
        return make_error(ec::corrupt,
                          "the stream has written output, but no checkpoint of it is left",
                          "restore the data folder from a copy, or begin anew with --from fresh "
                          "--yes");
      return std::optional<checkpoint_record>{};
    }
    std::optional<error> first;
    for (auto& record : records) {
      const bool passed = is_passed(record, tokens);
      if (first && passed) {
        first->hint = "output of later epochs has gone out, so an older checkpoint would double "
                      "it: restore the file from a copy, go back to a savepoint with --from NAME "
                      "--sinks rewind, or begin anew with --from fresh --yes";
        return *first;
      }
      auto state = open_state(data, record);
      if (state && (first || data.must_try)) {
        if (auto tried = must_be_readable(stream, plan, record, data); !tried)
          state = std::move(tried).error();
      }
      if (state) {
        if (first) {
          data.notes.push_back("the newest checkpoint is damaged (" + first->message
                               + "): going back to epoch " + std::to_string(record.epoch));
          EBB_TRY(go_back_to(stream, record, tokens));
          data.went_back = true;
        }
        data.state = std::move(*state);
        return std::optional(std::move(record));
      }
      // That the store cannot be asked now says nothing about the checkpoint, and what this program
      // cannot read another one can.
      if (state.error().code == ec::resource || state.error().code == ec::cancelled
          || state.error().code == ec::conflict)
        return std::move(state).error();
      if (!first)
        first = std::move(state).error();
    }
    first->hint = "restore the file from a copy, go back to a savepoint with --from NAME (ebb "
                  "checkpoints lists them), or begin anew with --from fresh --yes";
    return *first;
  }

  result<void> go_back_to(const stream_entry& stream, const checkpoint_record& record,
                          const std::vector<sink_token>& tokens) {
    EBB_ASSIGN(const auto generation,
               with([&](stream_ledger& db) { return db.begin_generation(stream.uid); }));
    return with([&](stream_ledger& db) { return db.rewind(record, generation, tokens); });
  }

  result<std::string> savepoint_names(const std::string& uid) {
    EBB_ASSIGN(const auto all, with([&](stream_ledger& db) { return db.savepoints(uid); }));
    std::string names;
    for (const auto& x : all)
      names += (names.empty() ? "" : ", ") + x.name;
    return names;
  }

  result<std::optional<savepoint_entry>> wanted_savepoint(const stream_entry& stream) {
    if (options_.from != resume_from::savepoint)
      return std::optional<savepoint_entry>{};
    EBB_ASSIGN(auto found, with([&](stream_ledger& db) {
                 return db.savepoint(stream.uid, options_.savepoint);
               }));
    if (found)
      return found;
    EBB_ASSIGN(const auto names, savepoint_names(stream.uid));
    return no_savepoint(names);
  }

  /// `names`: of those that there are.
  [[nodiscard]] error no_savepoint(const std::string& names) const {
    return make_error(ec::not_found, "there is no savepoint " + options_.savepoint,
                      names.empty() ? "the stream has none: ebb savepoint STREAM NAME makes one"
                                    : "its savepoints are " + names);
  }

  result<std::optional<checkpoint_record>> from_savepoint(const stream_entry& stream,
                                                          const stream_definition& definition,
                                                          const stage_plan& plan,
                                                          const savepoint_entry& found,
                                                          stream_data& data) {
    auto record = found.record;
    EBB_ASSIGN(auto tokens, with([&](stream_ledger& db) { return db.tokens(stream.uid); }));
    EBB_TRY(may_pass(found, tokens, definition, options_.output));
    EBB_ASSIGN(data.state, open_state(data, record));
    EBB_TRY(must_be_readable(stream, plan, record, data));
    if (options_.output == past_output::rewind)
      for (auto& token : tokens) {
        token.epoch = std::min(token.epoch, record.epoch);
        for (const auto& x : record.outputs)
          if (x.sink == token.sink && x.lane == token.lane)
            token.offset = std::min(token.offset, x.offset + x.bytes);
      }
    EBB_TRY(go_back_to(stream, record, tokens));
    data.went_back = true;
    data.asked_to_take_back = options_.output == past_output::rewind;
    data.notes.push_back("going on from savepoint " + found.name + ", epoch "
                         + std::to_string(record.epoch));
    return std::optional(std::move(record));
  }

  void remember(const checkpoint_record& record, const std::vector<sink_token>& tokens,
                stream_data& data) const {
    data.start.epoch = record.epoch;
    for (const auto& x : record.positions)
      data.start.positions[x.source].push_back(to_position(x));
    for (const auto& x : record.outputs) {
      auto output = to_output(x);
      const auto token = token_of(tokens, x.sink, x.lane);
      if (output.bytes != 0 && (!token || token->epoch < x.epoch))
        data.unapplied.push_back({x.sink, x.epoch, output});
      // Kept output of epochs that are run again: new rows come behind it.
      if (token && token->epoch > record.epoch && options_.output == past_output::keep) {
        output.offset = token->offset;
        output.bytes = 0;
        output.digest = {}; // of other bytes
      }
      auto& lanes = data.start.outputs[x.sink];
      std::erase_if(lanes, [&](const auto& y) { return y.lane == x.lane; });
      lanes.push_back(std::move(output));
    }
  }

  data_options options_;
  std::shared_ptr<shared_ledger> ledger_;
  std::set<std::pair<std::string, std::uint64_t>> readable_; ///< records that were tried
};

} // namespace

result<std::unique_ptr<stored_state>> open_recorded(const recorded_segments& from,
                                                    std::uint64_t small) {
  const auto mark = from.folder + verify_mark;
  const bool suspect = std::filesystem::exists(mark);
  EBB_ASSIGN(auto opened, open_segments(from, suspect || byte_size(from) <= small,
                                        [mark] { static_cast<void>(std::ofstream(mark)); }));
  if (suspect)
    EBB_TRY(remove_file(mark));
  return opened;
}

result<std::shared_ptr<run_data>> open_run_data(const data_options& options) {
  EBB_ASSIGN(auto database, control_db::open(options.folder));
  return make_run_data(options, std::make_shared<shared_ledger>(std::move(database)));
}

std::shared_ptr<run_data> make_run_data(const data_options& options,
                                        std::shared_ptr<shared_ledger> ledger) {
  return std::make_shared<file_run_data>(options, std::move(ledger));
}

} // namespace ebb
