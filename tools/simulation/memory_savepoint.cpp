#include "tools/simulation/memory_disk.hpp"

namespace ebb::sim {

void memory_disk::note_savepoint() {
  if (!record_ || record_->savepoints.empty() || record_->finished)
    return;
  if (!savepoint_ || savepoint_->record.epoch != record_->epoch)
    savepoint_ = savepoint{*record_, state_, offsets_};
}

bool memory_disk::go_back() {
  if (!savepoint_)
    return false;
  log_.note("back to the savepoint of epoch", savepoint_->record.epoch);
  record_ = savepoint_->record;
  state_ = savepoint_->state;
  offsets_ = savepoint_->offsets;
  segments_.clear();
  for (auto& [name, target] : targets_) {
    // Those of several lanes do not come in the order of their epochs.
    sink_target cut;
    for (std::size_t i = 0; i < target.rows.size(); ++i)
      if (target.epochs[i] <= record_->epoch) {
        cut.rows.push_back(std::move(target.rows[i]));
        cut.epochs.push_back(target.epochs[i]);
      }
    target.rows = std::move(cut.rows);
    target.epochs = std::move(cut.epochs);
  }
  return true;
}

} // namespace ebb::sim
