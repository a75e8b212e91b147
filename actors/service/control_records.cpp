#include "actors/service/control_records.hpp"

#include "actors/links/ledger_calls.hpp"

namespace ebb {

namespace {

/// A worker knows the manifest that it was started with; a newer one, the parallelism and the life
/// are the service's.
result<void> keep_applied(control_db& database, ledger_update_stream& x) {
  EBB_ASSIGN(const auto now, database.stream(x.changed.uid));
  x.changed.manifest = now.manifest;
  x.changed.parallelism = now.parallelism;
  x.changed.life = now.life;
  return {};
}

} // namespace

result<std::unique_ptr<control_records>> control_records::open(const std::string& folder) {
  EBB_ASSIGN(auto database, control_db::open(folder));
  return std::unique_ptr<control_records>(new control_records(folder, std::move(database)));
}

void control_records::allow(const std::string& uid, std::uint64_t placement) {
  std::lock_guard guard(mutex_);
  if (placement == 0)
    allowed_.erase(uid);
  else if (auto& x = allowed_[uid]; x.placement != placement)
    x = {placement, {}};
}

void control_records::forbid(const stream_placement& x) {
  std::lock_guard guard(mutex_);
  if (const auto found = allowed_.find(x.uid);
      found != allowed_.end() && found->second.placement == x.placement)
    allowed_.erase(found);
}

void control_records::admit(const stream_placement& x, std::uint64_t worker) {
  std::lock_guard guard(mutex_);
  const auto found = allowed_.find(x.uid);
  if (found != allowed_.end() && found->second.placement == x.placement)
    found->second.workers.insert(worker);
}

bool control_records::allows(const stream_placement& x) {
  std::lock_guard guard(mutex_);
  const auto found = allowed_.find(x.uid);
  return found != allowed_.end() && found->second.placement == x.placement;
}

bool control_records::allows(const stream_placement& x, std::uint64_t worker) {
  std::lock_guard guard(mutex_);
  const auto found = allowed_.find(x.uid);
  return found != allowed_.end() && found->second.placement == x.placement
         && found->second.workers.count(worker) != 0;
}

call_outcome control_records::answer(const stream_placement& from, const call_operation& what) {
  return with([&](control_db& database) -> call_outcome {
    const auto found = allowed_.find(from.uid);
    if (found == allowed_.end() || found->second.placement != from.placement)
      return make_error(ec::conflict, "this start of the stream has been replaced",
                        "the process drops it");
    if (const auto* update = std::get_if<ledger_update_stream>(&what)) {
      auto kept = *update;
      EBB_TRY(keep_applied(database, kept));
      return answer_ledger_call(database, kept);
    }
    return answer_ledger_call(database, what);
  });
}

} // namespace ebb
