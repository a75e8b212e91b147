#include "tools/simulation/memory_disk.hpp"

#include "actors/plan/stateful_steps.hpp"

#include <algorithm>

namespace ebb::sim {

namespace {

std::string text(std::uint64_t x) {
  return std::to_string(x);
}

/// The live entries of the restored record.
class memory_state final : public stored_state {
public:
  explicit memory_state(std::map<memory_disk::state_key, std::string> state)
      : state_(
          std::make_shared<const std::map<memory_disk::state_key, std::string>>(std::move(state))) {
  }

  result<std::unique_ptr<stored_state>> reopen() const override {
    return std::unique_ptr<stored_state>(std::make_unique<memory_state>(*this));
  }

  std::uint64_t byte_size() const override {
    return state_->size();
  }

  // At every third entry, so that most keys share a range with others and most states do not.
  std::vector<state_place> cuts(const state_place& from, const state_place& to) const override {
    std::vector<state_place> cuts;
    std::size_t i = 0;
    for (auto x = first(from); x != first(to); ++x)
      if (++i % 3 == 0)
        cuts.push_back({std::get<0>(x->first), std::get<1>(x->first), std::get<2>(x->first)});
    return cuts;
  }

  result<void> read(const state_place& from, const state_place& to, state_chunk& out) override {
    for (auto x = first(from); x != first(to); ++x)
      out.add({state_chunk::kind::put, std::get<0>(x->first), std::get<1>(x->first),
               std::get<2>(x->first), x->second});
    return {};
  }

  result<void> read_one(const state_place& at, state_chunk& out) override {
    if (const auto x = state_->find({at.key_group, at.state, at.key}); x != state_->end())
      out.add({state_chunk::kind::put, at.key_group, at.state, at.key, x->second});
    return {};
  }

private:
  [[nodiscard]] std::map<memory_disk::state_key, std::string>::const_iterator
  first(const state_place& at) const {
    return state_->lower_bound({at.key_group, at.state, at.key});
  }

  std::shared_ptr<const std::map<memory_disk::state_key, std::string>> state_;
};

} // namespace

result<std::uint64_t> memory_disk::next_generation() {
  return ++generation_;
}

result<epoch_number> memory_disk::reserve(process& by, std::uint32_t count) {
  const auto fate = by.durable_step("reserve epochs", next_epoch_);
  const auto first = next_epoch_;
  if (fate.happens)
    next_epoch_ += count;
  if (!fate.told)
    return fate.problem();
  for (std::uint32_t i = 0; i < count; ++i)
    owners_[first + i] = by.generation();
  return first;
}

result<std::optional<segment_info>>
memory_disk::write_delta(process& by, epoch_number epoch, std::span<const snapshot_ptr> snapshots) {
  const auto fate = by.durable_step("write delta", epoch, true);
  if (!fate.told)
    return fate.problem();
  const auto owner = owners_.find(epoch);
  if (owner == owners_.end() || owner->second != by.generation())
    log_.violated("epoch " + text(epoch) + " was not reserved by generation "
                  + text(by.generation()));
  std::size_t entries = 0;
  for (const auto& x : snapshots) {
    entries += x->state.size();
    if (x->epoch != epoch)
      log_.violated("a snapshot of epoch " + text(x->epoch) + " in epoch " + text(epoch));
  }
  if (entries == 0)
    return std::optional<segment_info>{};
  segment_info info;
  info.id = text(epoch) + '-' + text(++written_);
  info.epoch = epoch;
  info.entries = entries;
  segments_[info.id] = {snapshots.begin(), snapshots.end()};
  return std::optional(std::move(info));
}

result<void> memory_disk::commit(process& by, const epoch_record& record) {
  const auto fate = by.durable_step("commit", record.epoch);
  if (by.generation() != generation_) {
    if (by.dead())
      return fate.problem();
    log_.note("commit of an older generation refused", by.generation());
    return make_error(ec::conflict, "the stream has a newer generation");
  }
  // Once more, after an error or an answer that came twice.
  const bool again = record_ && record.epoch == record_->epoch;
  if (fate.happens && !again) {
    if (record_ && record.epoch < record_->epoch)
      log_.violated("record " + text(record.epoch) + " after " + text(record_->epoch));
    if (const auto owner = owners_.find(record.epoch);
        owner == owners_.end() || owner->second != by.generation())
      log_.violated("record of epoch " + text(record.epoch) + ", which is not of generation "
                    + text(by.generation()));
    if (record_ && record_->finished)
      log_.violated("a record after the last one");
    check_positions(record);
    take_state(record);
    record_ = record;
  }
  if (!fate.told)
    return fate.problem();
  return {};
}

// Every partition has a position, and none falls back.
void memory_disk::check_positions(const epoch_record& record) {
  std::set<std::pair<std::string, std::uint32_t>> seen;
  for (const auto& part : record.parts)
    for (const auto& source : part.sources)
      for (const auto& x : source.positions) {
        if (!seen.insert({source.source, x.partition}).second)
          log_.violated("two positions of partition " + text(x.partition) + " of " + source.source);
        auto& kept = offsets_[{source.source, x.partition}];
        const auto now = std::stoull(x.bytes);
        if (now < kept)
          log_.violated("partition " + text(x.partition) + " of " + source.source
                        + " falls back from " + text(kept) + " to " + text(now));
        kept = now;
      }
  if (seen.size() != offsets_.size())
    log_.violated("record " + text(record.epoch) + " has positions of " + text(seen.size())
                  + " partitions, not " + text(offsets_.size()));
  for (const auto& part : record.parts)
    for (const auto& x : part.sinks)
      if (x.epoch > record.epoch)
        log_.violated("output of epoch " + text(x.epoch) + " in record " + text(record.epoch));
}

// An erased prefix is about older segments, whatever its place in this one.
void memory_disk::take_state(const epoch_record& record) {
  for (const auto& part : record.parts) {
    if (!part.segment)
      continue;
    const auto found = segments_.find(part.segment->id);
    if (found == segments_.end()) {
      log_.violated("record " + text(record.epoch) + " lists a segment that is not there");
      continue;
    }
    for (const bool prefixes : {true, false})
      for (const auto& snapshot : found->second)
        for (std::size_t i = 0; i < snapshot->state.size(); ++i) {
          const auto x = snapshot->state.at(i);
          state_key key{x.key_group, x.state, std::string(x.key)};
          if ((x.what == state_chunk::kind::erase_prefix) != prefixes)
            continue;
          if (x.what == state_chunk::kind::put) {
            state_[std::move(key)] = std::string(x.value);
          } else if (x.what == state_chunk::kind::erase) {
            state_.erase(key);
          } else {
            auto at = state_.lower_bound(key);
            while (at != state_.end() && std::get<0>(at->first) == x.key_group
                   && std::get<1>(at->first) == x.state
                   && std::get<2>(at->first).compare(0, x.key.size(), x.key) == 0)
              at = state_.erase(at);
          }
        }
  }
  segments_.clear();
}

result<void> memory_disk::applied(process& by, const std::string& sink, std::uint32_t lane,
                                  epoch_number epoch) {
  const auto fate = by.durable_step("note applied", epoch, false);
  if (by.generation() != generation_)
    return make_error(ec::conflict, "the stream has a newer generation");
  if (fate.happens) {
    auto& kept = applied_[{sink, lane}];
    kept = std::max(kept, epoch);
  }
  if (!fate.told)
    return fate.problem();
  return {};
}

result<std::string> memory_disk::keep_output(process& by, const std::string& sink,
                                             std::uint32_t lane, kept_output rows) {
  const auto fate = by.durable_step("seal output", rows.epoch);
  if (!fate.told)
    return fate.problem();
  if (!sealed_.insert({sink, lane, rows.epoch}).second)
    log_.violated("epoch " + text(rows.epoch) + " is sealed twice by " + sink);
  auto name = text(++written_);
  outputs_[name] = std::move(rows);
  return name;
}

result<void> memory_disk::apply_output(process& by, const std::string& sink,
                                       const sealed_output& output) {
  if (output.file.empty())
    return {};
  const auto found = outputs_.find(output.file);
  if (found == outputs_.end()) {
    log_.violated("output " + output.file + " is not there");
    return {};
  }
  const auto epoch = found->second.epoch;
  auto& target = targets_[sink];
  auto& token = target.tokens[output.lane];
  const auto fate = by.durable_step("apply output", epoch, output.lane);
  if (fate.happens && epoch > token) {
    // The token goes with the rows.
    if (!record_ || record_->epoch < epoch)
      log_.violated("output of epoch " + text(epoch) + " goes outside before its record");
    const auto& rows = found->second.rows;
    target.rows.insert(target.rows.end(), rows.begin(), rows.end());
    target.epochs.resize(target.rows.size(), epoch);
    token = epoch;
  }
  if (!fate.told)
    return fate.problem();
  return {};
}

std::unique_ptr<stored_state> memory_disk::recorded_state() const {
  return std::make_unique<memory_state>(state_);
}

std::vector<sink_snapshot> memory_disk::unapplied() const {
  std::vector<sink_snapshot> result;
  if (!record_)
    return result;
  for (const auto& part : record_->parts)
    for (const auto& x : part.sinks) {
      const auto found = applied_.find({x.sink, x.output.lane});
      if (x.output.bytes == 0)
        continue; // nothing to bring anywhere
      if (found == applied_.end() || found->second < x.epoch)
        result.push_back(x);
    }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& x, const auto& y) { return x.epoch < y.epoch; });
  return result;
}

result<stream_data> memory_run_data::open_stream(const stream_definition&, const stage_plan& plan) {
  stream_data data;
  for (const auto& x : stateful_steps(plan))
    if (std::find(disk_.operators.begin(), disk_.operators.end(), x.identity)
        == disk_.operators.end())
      disk_.operators.push_back(x.identity);
  data.start.uid = "simulated";
  data.start.generation = by_->generation();
  data.start.output_folder = "outputs";
  data.start.operators = disk_.operators;
  data.store = std::make_shared<memory_store>(disk_, by_);
  const auto& record = disk_.record();
  if (!record)
    return data;
  data.start.epoch = record->epoch;
  data.finished = record->finished;
  for (const auto& part : record->parts) {
    for (const auto& x : part.sources) {
      auto& to = data.start.positions[x.source];
      to.insert(to.end(), x.positions.begin(), x.positions.end());
    }
    for (const auto& x : part.sinks)
      data.start.outputs[x.sink].push_back(x.output);
  }
  data.state = disk_.recorded_state();
  // Half of the generations load what they need when they need it.
  data.small = by_->generation() % 2 == 0 ? 0 : UINT64_MAX;
  data.unapplied = disk_.unapplied();
  return data;
}

} // namespace ebb::sim
