#include "actors/runtime/stream_store.hpp"

#include "actors/runtime/merge_plan.hpp"
#include "actors/runtime/recorded_values.hpp"
#include "actors/runtime/sorted_entries.hpp"
#include "storage/merge.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <utility>

namespace ebb {

namespace {

// Before the part's number in the names of what parts other than 0 write.
constexpr char part_mark = 'p';

record_reason reason_of(checkpoint_reason x) {
  switch (x) {
  case checkpoint_reason::interval:
    return record_reason::interval;
  case checkpoint_reason::savepoint:
    return record_reason::savepoint;
  case checkpoint_reason::final:
    return record_reason::final;
  }
  return record_reason::interval;
}

} // namespace

checkpoint_record to_record(const epoch_record& from, const std::string& uid,
                            std::uint64_t generation, std::vector<segment_info> segments) {
  checkpoint_record result;
  result.uid = uid;
  result.epoch = from.epoch;
  result.generation = generation;
  result.when = from.timing.started;
  snapshot_moments when;
  for (const auto& part : from.parts)
    when.later(part.when);
  // The rest is writing, also of parts that do not say when they were aligned.
  const auto until = [&, all = from.timing.snapshot](micros moment) {
    return std::clamp<micros>(moment - from.timing.started, 0, all);
  };
  result.phases.align = until(when.aligned);
  result.phases.serialise = std::max<micros>(until(when.made) - result.phases.align, 0);
  result.phases.write = from.timing.snapshot - result.phases.align - result.phases.serialise;
  result.reason = reason_of(from.reason);
  result.finished = from.finished;
  result.segments = std::move(segments);
  for (const auto& part : from.parts) {
    if (part.segment)
      result.bytes += part.segment->bytes;
    for (const auto& source : part.sources)
      for (const auto& x : source.positions)
        result.positions.push_back(to_recorded(source.source, x));
    for (const auto& x : part.sinks) {
      result.outputs.push_back(to_recorded(x.sink, x.epoch, x.output));
      result.bytes += x.output.bytes;
    }
  }
  std::stable_sort(result.outputs.begin(), result.outputs.end(),
                   [](const auto& a, const auto& b) { return a.epoch < b.epoch; });
  return result;
}

shared_ledger::shared_ledger(control_db database)
    : open_([folder = database.folder()]() -> result<std::unique_ptr<stream_ledger>> {
        EBB_ASSIGN(auto opened, control_db::open(folder));
        return std::unique_ptr<stream_ledger>(std::make_unique<control_db>(std::move(opened)));
      }),
      ledger_(std::make_unique<control_db>(std::move(database))) {}

std::string waiting_name(const sealed_output& output, const std::string& uid) {
  const std::filesystem::path path(output.file);
  const auto folder = path.parent_path();
  return folder.filename() == to_string(stored_area::output)
                 && folder.parent_path().filename() == uid
             ? path.filename().string()
             : std::string{};
}

stream_store::stream_store(std::shared_ptr<shared_ledger> ledger, const std::string& folder,
                           stream_entry stream, std::vector<segment_info> segments,
                           std::uint32_t part)
    : stream_store(std::move(ledger), make_segment_folder(folder), std::move(stream),
                   std::move(segments), part) {}

stream_store::stream_store(std::shared_ptr<shared_ledger> ledger,
                           std::shared_ptr<snapshot_store> files, stream_entry stream,
                           std::vector<segment_info> segments, std::uint32_t part,
                           std::span<const sink_snapshot> unapplied)
    : ledger_(std::move(ledger)), files_(std::move(files)), stream_(std::move(stream)), part_(part),
      dropped_(stream_), chain_(std::move(segments)) {
  for (const auto& x : unapplied)
    expect(x);
}

result<epoch_number> stream_store::reserve(std::uint32_t count) {
  return ledger_->with([&](stream_ledger& database) {
    return database.reserve_epochs(stream_.uid, stream_.generation, count);
  });
}

std::string stream_store::new_name(const char* kind, epoch_number epoch, bool plain) {
  std::lock_guard guard(mutex_);
  auto name = std::string(kind) + '-' + std::to_string(epoch) + '-'
              + std::to_string(stream_.generation) + '-'
              + (part_ == 0 ? std::string{} : part_mark + std::to_string(part_) + '-')
              + std::to_string(names_++) + ".seg";
  unlisted_.emplace(name, plain ? epoch : 0);
  return name;
}

result<std::optional<segment_info>>
stream_store::write_delta(epoch_number epoch, std::span<const snapshot_ptr> snapshots) {
  EBB_TRY(keep_outputs(snapshots));
  const auto entries = sorted_entries(snapshots);
  if (entries.empty())
    return std::optional<segment_info>{};
  segment_identity identity;
  identity.stream_uid = stream_.uid;
  identity.epoch = epoch;
  identity.kind = segment_kind::delta;
  identity.key_groups = stream_.key_groups;
  identity.first_key_group = entries.front().key_group;
  identity.last_key_group = entries.back().key_group;
  EBB_ASSIGN(auto writer, segment_writer::create(files_->folder(stored_area::segments) + '/'
                                                     + new_name("delta", epoch, true),
                                                 identity));
  for (const auto& x : entries)
    EBB_TRY(writer.add(x));
  EBB_ASSIGN(auto info, writer.finish());
  EBB_TRY(files_->keep(stored_area::segments, info.id, {}));
  return std::optional<segment_info>(std::move(info));
}

// Before the part is acknowledged, since the record will name them.
result<void> stream_store::keep_outputs(std::span<const snapshot_ptr> snapshots) {
  for (const auto& snapshot : snapshots)
    for (const auto& x : snapshot->sinks) {
      const auto name = waiting_name(x.output, stream_.uid);
      if (name.empty())
        continue;
      {
        std::lock_guard guard(mutex_);
        if (kept_outputs_.count(name) != 0)
          continue; // of an epoch that was given up
      }
      EBB_TRY(files_->keep(stored_area::output, name, {}));
      std::lock_guard guard(mutex_);
      kept_outputs_.insert(name);
    }
  return {};
}

void stream_store::expect(const sink_snapshot& x) {
  if (auto name = waiting_name(x.output, stream_.uid); !name.empty())
    waiting_[{x.sink, x.output.lane}][x.epoch] = std::move(name);
}

result<sink_snapshot> stream_store::bring(sink_snapshot x) {
  const auto name = waiting_name(x.output, stream_.uid);
  if (name.empty())
    return x;
  EBB_TRY(files_->bring(name, x.output.bytes, x.output.digest));
  x.output.file = files_->folder(stored_area::output) + '/' + name;
  return x;
}

result<std::vector<std::size_t>> stream_store::taken(const epoch_record& record) {
  std::vector<std::size_t> found;
  const auto& names = record.savepoints;
  if (names.empty())
    return found;
  EBB_ASSIGN(const auto known, ledger_->with([&](stream_ledger& database) {
    return database.savepoints(stream_.uid);
  }));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = names.begin() + static_cast<std::ptrdiff_t>(i);
    // Those of this epoch are its own: the answer to an earlier try was lost.
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& x) {
      return x.name == *at && x.record.epoch != record.epoch;
    });
    if (is_known || std::find(names.begin(), at, *at) != at)
      found.push_back(i);
  }
  return found;
}

result<void> stream_store::commit(const epoch_record& record) {
  std::vector<segment_info> fresh;
  for (const auto& part : record.parts)
    if (part.segment)
      fresh.push_back(*part.segment);
  std::vector<segment_info> segments;
  bool unsure = false;
  {
    std::lock_guard guard(mutex_);
    segments = chain_;
    unsure = std::exchange(unsure_, record.epoch) == record.epoch;
  }
  segments.insert(segments.end(), fresh.begin(), fresh.end());
  commit_request request;
  request.record = to_record(record, stream_.uid, stream_.generation, std::move(segments));
  request.generation = stream_.generation;
  request.savepoints = record.savepoints;
  EBB_TRY(ledger_->with([&](stream_ledger& database) -> result<void> {
    if (unsure) {
      EBB_ASSIGN(const auto newest, database.newest_record(stream_.uid));
      if (newest && newest->epoch == record.epoch && newest->generation == stream_.generation)
        return {};
    }
    return database.commit(request);
  }));
  std::lock_guard guard(mutex_);
  unsure_ = 0;
  committed_ = record.epoch;
  chain_.insert(chain_.end(), fresh.begin(), fresh.end());
  for (const auto& x : request.record.segments)
    unlisted_.erase(x.id);
  kept_outputs_.clear();
  for (const auto& part : record.parts)
    for (const auto& x : part.sinks)
      expect(x);
  // Deltas of epochs that were given up before this one are garbage.
  std::erase_if(unlisted_,
                [&](const auto& x) { return x.second != 0 && x.second <= record.epoch; });
  return {};
}

result<void> stream_store::applied(const std::string& sink, std::uint32_t lane, epoch_number epoch,
                                   std::uint64_t offset) {
  const sink_token token{sink, lane, epoch, offset};
  EBB_TRY(ledger_->with([&](stream_ledger& database) {
    return database.set_tokens(stream_.uid, stream_.generation, {&token, 1});
  }));
  std::vector<std::string> done;
  {
    std::lock_guard guard(mutex_);
    auto& waiting = waiting_[{sink, lane}];
    while (!waiting.empty() && waiting.begin()->first <= epoch) {
      done.push_back(std::move(waiting.begin()->second));
      waiting.erase(waiting.begin());
    }
  }
  // What stays is removed by the next run.
  for (const auto& name : done)
    static_cast<void>(files_->remove(stored_area::output, name));
  return {};
}

result<bool> stream_store::maintain() {
  EBB_ASSIGN(const bool merged, merge());
  EBB_TRY(remove_garbage());
  return merged;
}

// What is committed meanwhile stays behind the new segments.
result<bool> stream_store::merge() {
  std::vector<segment_info> recorded;
  bool grows = false;
  {
    std::lock_guard guard(mutex_);
    grows = grows_;
    // The delta of an epoch under way may still be given up.
    for (const auto& x : chain_) {
      if (unlisted_.count(x.id) != 0 && is_plain_delta(x))
        break;
      recorded.push_back(x);
    }
  }
  auto plan = plan_merge(recorded, grows);
  if (!plan.into_base) {
    EBB_ASSIGN(const bool some, dropped_.lies_in(recorded, *files_));
    if (some)
      plan = {0, recorded.size(), true};
  }
  if (plan.count == 0)
    return false;
  const auto first = recorded.begin() + static_cast<std::ptrdiff_t>(plan.first);
  const auto last = first + static_cast<std::ptrdiff_t>(plan.count);
  std::vector<std::shared_ptr<segment_reader>> readers;
  for (auto x = first; x != last; ++x) {
    EBB_ASSIGN(auto reader, files_->open({*x, stream_.uid, stream_.key_groups}));
    readers.push_back(std::move(reader));
  }
  const auto epoch = (last - 1)->epoch;
  merge_request request;
  request.folder = files_->folder(stored_area::segments);
  request.identity.stream_uid = stream_.uid;
  request.identity.epoch = epoch;
  request.identity.kind = plan.into_base ? segment_kind::base : segment_kind::delta;
  request.identity.key_groups = stream_.key_groups;
  request.identity.first_key_group = 0;
  request.identity.last_key_group = unkeyed_group;
  const char* kind = plan.into_base ? "base" : merged_delta;
  request.name = [this, kind, epoch](std::size_t) { return new_name(kind, epoch, false); };
  request.dropped = dropped_.states();
  request.give_up = [this] { return stopping_.load(); };
  EBB_ASSIGN(const auto made, merge_segments(merged_state(std::move(readers)), std::move(request)));
  if (made.empty())
    return false;
  if (auto kept = keep_merged(made); !kept) {
    if (stopping_)
      return false;
    return std::move(kept).error();
  }
  const auto bytes_of = [](auto begin, auto end) {
    return std::transform_reduce(begin, end, std::uint64_t{0}, std::plus<>(),
                                 [](const segment_info& x) { return x.bytes; });
  };
  std::lock_guard guard(mutex_);
  if (plan.into_base) {
    dropped_.are_gone();
    grows_ = merge_kept_most(bytes_of(first, last), bytes_of(made.begin(), made.end()));
  }
  const auto at = chain_.begin() + static_cast<std::ptrdiff_t>(plan.first);
  const auto behind = chain_.erase(at, at + static_cast<std::ptrdiff_t>(plan.count));
  chain_.insert(behind, made.begin(), made.end());
  return true;
}

result<void> stream_store::keep_merged(const std::vector<segment_info>& made) {
  const auto give_up = [this] { return stopping_.load(); };
  for (const auto& x : made)
    if (auto kept = files_->keep(stored_area::segments, x.id, give_up); !kept) {
      // They are garbage now.
      std::lock_guard guard(mutex_);
      for (const auto& y : made)
        unlisted_.erase(y.id);
      return kept;
    }
  return {};
}

bool stream_store::is_of_part(const std::string& name) const {
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
  int end = 0;
  if (std::sscanf(name.c_str(), "delta-%" SCNu64 "-%" SCNu64 "-%n", &epoch, &generation, &end) < 2
      || end == 0 || name[static_cast<std::size_t>(end)] != part_mark)
    return false;
  return generation >= stream_.generation && epoch > committed_;
}

result<void> stream_store::remove_garbage() {
  EBB_ASSIGN(const auto present, files_->list(stored_area::segments));
  EBB_ASSIGN(auto garbage, ledger_->with([&](stream_ledger& database) {
    return database.garbage(stream_.uid, present);
  }));
  {
    std::lock_guard guard(mutex_);
    std::erase_if(garbage, [&](const std::string& name) {
      // A file that is being written has its name and a mark.
      const auto end = name.find(segment_temporary_mark);
      return unlisted_.count(name.substr(0, end)) != 0 || is_of_part(name)
             || std::any_of(chain_.begin(), chain_.end(),
                            [&](const auto& x) { return x.id == name; });
    });
  }
  for (const auto& name : garbage)
    EBB_TRY(files_->remove(stored_area::segments, name));
  return {};
}

} // namespace ebb
