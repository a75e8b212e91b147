#include "storage/control_db.hpp"

#include "storage/control_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sys/random.h>

namespace ebb {

result<control_db> control_db::open(const std::string& folder) {
  EBB_TRY(make_folder(folder));
  EBB_TRY(refuse_network_file_system(folder));
  EBB_ASSIGN(auto lock, folder_lock::acquire(folder));
  EBB_ASSIGN(auto store, control_store::open(folder, std::move(lock)));
  return control_db{folder, std::move(store)};
}

result<control_db> control_db::open_read_only(const std::string& folder) {
  auto store = control_store::open_read_only(folder);
  if (!store) {
    if (store.error().code == ec::not_found)
      return make_error(ec::not_found, folder + ": there is no control database in this folder",
                        "name the folder that was given to `ebb run --data`");
    return std::move(store).error();
  }
  EBB_TRY(refuse_network_file_system(folder));
  return control_db{folder, *std::move(store)};
}

result<control_transaction> control_db::write() {
  if (store_->read_only())
    return make_error(ec::internal, folder_ + ": the control database was opened to read");
  return store_->begin_write();
}

// --- streams -------------------------------------------------------------------------------------

result<stream_entry> control_db::open_or_create(const stream_entry& wanted) {
  EBB_TRY(check_name(wanted.name, "stream name"));
  EBB_TRY(check_name(wanted.uid, "stream uid"));
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto uid, in.get(control_table::names, wanted.name));
  if (uid)
    return load_stream(in, *uid);
  EBB_ASSIGN(const auto same, in.get(control_table::streams, wanted.uid));
  if (same)
    return make_error(ec::conflict, "there was a stream with uid " + wanted.uid + " before");
  auto entry = wanted;
  entry.generation = 0;
  entry.next_epoch = 1;
  entry.life = stream_life::active;
  EBB_TRY(in.put(control_table::names, entry.name, entry.uid));
  EBB_TRY(store_stream(in, entry));
  EBB_TRY(in.commit("control.create"));
  return entry;
}

result<std::optional<stream_entry>> control_db::find_stream(std::string_view name) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto uid, in.get(control_table::names, name));
  if (!uid)
    return std::optional<stream_entry>{};
  EBB_ASSIGN(auto entry, load_stream(in, *uid));
  return std::optional{std::move(entry)};
}

result<stream_entry> control_db::stream(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_stream(in, uid);
}

void control_db::let_go_of_pages() noexcept {
  store_->let_go_of_pages();
}

result<std::vector<stream_entry>> control_db::streams() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_entries<stream_entry>(in, control_table::streams, {}, decode_stream);
}

result<std::vector<std::pair<std::string, std::string>>> control_db::stream_names() {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto entries, in.scan(control_table::names, {}));
  std::vector<std::pair<std::string, std::string>> all;
  all.reserve(entries.size());
  for (const auto& [name, uid] : entries)
    all.emplace_back(name, uid);
  return all;
}

result<void> control_db::update_stream(const stream_entry& changed, std::uint64_t generation) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(auto entry, load_stream(in, changed.uid, generation));
  entry.manifest = changed.manifest;
  entry.plan = changed.plan;
  entry.plan_fingerprint = changed.plan_fingerprint;
  entry.operators = changed.operators;
  entry.parallelism = changed.parallelism;
  entry.life = changed.life;
  EBB_TRY(store_stream(in, entry));
  return in.commit("control.update");
}

result<void> control_db::erase_stream(control_transaction& in, std::string_view name) {
  EBB_ASSIGN(const auto uid, in.get(control_table::names, name));
  if (!uid)
    return make_error(ec::not_found, "there is no stream named " + std::string(name));
  EBB_ASSIGN(auto entry, load_stream(in, *uid));
  entry.life = stream_life::deleted;
  EBB_TRY(in.erase(control_table::names, entry.name));
  EBB_TRY(in.erase(control_table::lives, entry.uid));
  EBB_TRY(in.erase(control_table::traits, entry.uid));
  EBB_TRY(in.erase(control_table::events, restore_key(entry.uid)));
  EBB_TRY(erase_all(in, control_table::events, given_up_key(entry.uid)));
  for (const auto table : {control_table::records, control_table::savepoints, control_table::tokens,
                           control_table::events})
    EBB_TRY(erase_all(in, table, entry.uid));
  return store_stream(in, entry);
}

result<void> control_db::delete_stream(std::string_view name) {
  EBB_ASSIGN(auto in, write());
  EBB_TRY(erase_stream(in, name));
  return in.commit("control.delete");
}

result<void> control_db::forget_stream(std::string_view uid) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto entry, load_stream(in, uid));
  if (entry.life != stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has not been deleted");
  EBB_TRY(in.erase(control_table::streams, uid));
  return in.commit("control.delete");
}

// --- fencing -------------------------------------------------------------------------------------

result<std::uint64_t> control_db::begin_generation(std::string_view uid) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(auto entry, load_stream(in, uid));
  if (entry.life == stream_life::deleted)
    return make_error(ec::conflict, "stream " + entry.name + " has been deleted");
  ++entry.generation;
  EBB_TRY(store_stream(in, entry));
  EBB_TRY(in.commit("control.generation"));
  return entry.generation;
}

result<std::uint64_t> control_db::reserve_epochs(std::string_view uid, std::uint64_t generation,
                                                 std::uint64_t count) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(auto entry, load_stream(in, uid, generation));
  const auto first = entry.next_epoch;
  entry.next_epoch += count;
  EBB_TRY(store_stream(in, entry));
  EBB_TRY(in.commit("control.epochs"));
  return first;
}

// --- checkpoints ---------------------------------------------------------------------------------

namespace {

/// After a stream has gone back to `record`, its targets hold output up to the epoch of the record
/// or of a token. A savepoint that lists later output is of a history that is given up: whatever
/// comes to lie in its targets from now on is not what it counts on.
result<void> give_up_savepoints(control_transaction& in, const checkpoint_record& record,
                                std::span<const sink_token> tokens) {
  auto held = record.epoch;
  for (const auto& x : tokens)
    held = std::max(held, x.epoch);
  EBB_ASSIGN(const auto all, load_savepoints(in, record.uid));
  for (const auto& x : all) {
    const bool counts_on_more =
        std::any_of(x.record.outputs.begin(), x.record.outputs.end(),
                    [&](const auto& output) { return output.epoch > held; });
    const auto key = given_up_key(record.uid, x.name);
    EBB_ASSIGN(const auto before, in.get(control_table::events, key));
    if (counts_on_more && !before)
      EBB_TRY(in.put(control_table::events, key, std::to_string(held)));
  }
  return {};
}

/// ec::conflict where the savepoint's history was given up; says which savepoints are not.
result<void> must_hold(const control_transaction& in, std::string_view uid,
                       std::string_view name) {
  EBB_ASSIGN(const auto held, in.get(control_table::events, given_up_key(uid, name)));
  if (!held)
    return {};
  EBB_ASSIGN(const auto all, load_savepoints(in, uid));
  std::string good;
  for (const auto& x : all) {
    EBB_ASSIGN(const auto other, in.get(control_table::events, given_up_key(uid, x.name)));
    if (!other)
      good += (good.empty() ? "" : ", ") + x.name;
  }
  return make_error(ec::conflict,
                    fmt::format("savepoint {} is of a history that was given up when the stream "
                                "went back behind it: sinks have no output of it after epoch {}",
                                name, *held),
                    (good.empty() ? std::string("no savepoint is left whose output sinks have")
                                  : "go back to a savepoint whose output sinks have: " + good)
                        + "; or begin anew: ebb delete stream and ebb apply, or ebb run --from "
                          "fresh --yes");
}

} // namespace

result<void> control_db::commit(const commit_request& request) {
  const auto& record = request.record;
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(auto entry, load_stream(in, record.uid, request.generation));
  if (record.epoch == 0 || record.epoch >= entry.next_epoch
      || record.generation != request.generation)
    return make_error(ec::internal, fmt::format("epoch {} of stream {} was never reserved",
                                                record.epoch, entry.name));
  EBB_ASSIGN(const auto records, load_records(in, record.uid));
  if (!records.empty() && record.epoch <= records.back().epoch)
    return make_error(ec::conflict,
                      fmt::format("epoch {} of stream {} comes after epoch {}, which is recorded",
                                  record.epoch, entry.name, records.back().epoch));
  EBB_TRY(in.put(control_table::records, record_key(record.uid, record.epoch), encode(record)));
  const auto kept = std::max<std::size_t>(1, request.retained) - 1;
  for (std::size_t i = 0; i + kept < records.size(); ++i)
    EBB_TRY(in.erase(control_table::records, record_key(record.uid, records[i].epoch)));
  for (const auto& name : request.savepoints) {
    EBB_TRY(check_name(name, "savepoint name"));
    const auto key = savepoint_key(record.uid, name);
    EBB_ASSIGN(const auto taken, in.get(control_table::savepoints, key));
    if (taken)
      return make_error(ec::conflict, "stream " + entry.name + " has a savepoint named " + name,
                        "choose another name: a savepoint is kept as long as its stream");
    EBB_TRY(
        in.put(control_table::savepoints, key, encode(savepoint_entry{name, record.when, record})));
  }
  if (record.finished) {
    entry.life = stream_life::finished;
    EBB_TRY(store_stream(in, entry));
  }
  return in.commit("control.commit");
}

result<std::vector<checkpoint_record>> control_db::records(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(auto records, load_records(in, uid));
  std::reverse(records.begin(), records.end());
  return records;
}

result<std::optional<checkpoint_record>> control_db::newest_record(std::string_view uid) {
  EBB_ASSIGN(auto all, records(uid));
  if (all.empty())
    return std::optional<checkpoint_record>{};
  return std::optional{std::move(all.front())};
}

result<void> control_db::rewind(const checkpoint_record& record, std::uint64_t generation,
                                std::span<const sink_token> tokens) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(auto entry, load_stream(in, record.uid, generation));
  EBB_ASSIGN(const auto records, load_records(in, record.uid));
  for (const auto& x : records)
    if (x.epoch > record.epoch)
      EBB_TRY(in.erase(control_table::records, record_key(x.uid, x.epoch)));
  EBB_TRY(in.put(control_table::records, record_key(record.uid, record.epoch), encode(record)));
  EBB_TRY(erase_all(in, control_table::tokens, record.uid));
  for (const auto& x : tokens)
    EBB_TRY(in.put(control_table::tokens, token_key(record.uid, x.sink, x.lane), encode(x)));
  entry.life = stream_life::active;
  EBB_TRY(store_stream(in, entry));
  EBB_TRY(in.erase(control_table::events, restore_key(record.uid)));
  EBB_TRY(give_up_savepoints(in, record, tokens));
  return in.commit("control.rewind");
}

// --- savepoints ----------------------------------------------------------------------------------

result<std::vector<savepoint_entry>> control_db::savepoints(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_savepoints(in, uid);
}

result<std::vector<std::string>> control_db::given_up_savepoints(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto all, load_savepoints(in, uid));
  std::vector<std::string> names;
  for (const auto& x : all) {
    EBB_ASSIGN(const auto held, in.get(control_table::events, given_up_key(uid, x.name)));
    if (held)
      names.push_back(x.name);
  }
  return names;
}

result<std::optional<savepoint_entry>> control_db::savepoint(std::string_view uid,
                                                             std::string_view name) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  EBB_ASSIGN(const auto value, in.get(control_table::savepoints, savepoint_key(uid, name)));
  if (!value)
    return std::optional<savepoint_entry>{};
  EBB_TRY(must_hold(in, uid, name));
  EBB_ASSIGN(auto x, decode_savepoint(*value));
  return std::optional{std::move(x)};
}

result<void> control_db::delete_savepoint(std::string_view uid, std::string_view name) {
  EBB_ASSIGN(auto in, write());
  const auto key = savepoint_key(uid, name);
  EBB_ASSIGN(const auto value, in.get(control_table::savepoints, key));
  if (!value)
    return make_error(ec::not_found, "there is no savepoint named " + std::string(name));
  EBB_TRY(in.erase(control_table::savepoints, key));
  EBB_TRY(in.erase(control_table::events, given_up_key(uid, name)));
  return in.commit("control.delete");
}

// --- sinks ---------------------------------------------------------------------------------------

result<void> control_db::set_tokens(std::string_view uid, std::uint64_t generation,
                                    std::span<const sink_token> tokens) {
  EBB_ASSIGN(auto in, write());
  EBB_ASSIGN(const auto entry, load_stream(in, uid, generation));
  for (const auto& x : tokens) {
    EBB_TRY(check_name(x.sink, "sink name"));
    const auto key = token_key(uid, x.sink, x.lane);
    EBB_ASSIGN(const auto value, in.get(control_table::tokens, key));
    if (value) {
      EBB_ASSIGN(const auto old, decode_token(*value));
      if (x.epoch < old.epoch || (x.epoch == old.epoch && x.offset != old.offset))
        return make_error(
            ec::conflict,
            fmt::format("sink {} of stream {} stands at epoch {}, offset {}: epoch {}, "
                        "offset {} may not follow",
                        x.sink, entry.name, old.epoch, old.offset, x.epoch, x.offset));
    }
    EBB_TRY(in.put(control_table::tokens, key, encode(x)));
  }
  return in.commit("control.token");
}

result<std::vector<sink_token>> control_db::tokens(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  return load_tokens(in, uid);
}

// --- files ---------------------------------------------------------------------------------------

result<std::vector<std::string>> control_db::listed_files(std::string_view uid) {
  EBB_ASSIGN(const auto in, store_->begin_read());
  std::vector<std::string> names;
  const auto add = [&](const checkpoint_record& record) {
    for (const auto& x : record.segments)
      names.push_back(x.id);
    for (const auto& x : record.outputs)
      if (!x.file.empty())
        names.push_back(x.file);
  };
  EBB_ASSIGN(const auto records, load_records(in, uid));
  for (const auto& x : records)
    add(x);
  EBB_ASSIGN(const auto savepoints, load_savepoints(in, uid));
  for (const auto& x : savepoints)
    add(x.record);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

result<std::vector<std::string>> control_db::garbage(std::string_view uid,
                                                     std::span<const std::string> present) {
  EBB_ASSIGN(const auto listed, listed_files(uid));
  std::vector<std::string> unlisted;
  for (const auto& name : present)
    if (!std::binary_search(listed.begin(), listed.end(), name))
      unlisted.push_back(name);
  return unlisted;
}

result<std::string> random_uid() {
  std::uint64_t words[2] = {};
  if (::getrandom(words, sizeof words, 0) != sizeof words)
    return system_error("random numbers", "read");
  return fmt::format("{:016x}{:016x}", words[0], words[1]);
}

} // namespace ebb
