// Savepoints that persons wish for: of a stream that runs its worker makes them, of one that rests
// its newest record is one. Until it does one or the other, they wait.

#include "actors/service/control_records.hpp"
#include "actors/service/keeper/keeper.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace ebb {

void keeper::savepoint(const std::string& name, const std::string& as, const begun_function& done) {
  auto slot = by_name(name);
  if (!slot)
    return done(std::move(slot).error());
  auto& x = **slot;
  const auto id = operations_.begin(operation_kind::savepoint, x.uid, name, world_.now()).id;
  savepoints_.push_back({id, x.uid, as, 0, 0});
  take_savepoints(x);
  done(id);
}

void keeper::take_savepoints(stream_slot& x) {
  const auto phase = x.life.phase();
  // A run that has ended with an error has left its newest record, too, and may never run again.
  const bool rests = phase == lifecycle_phase::waking
                         ? x.life.reason() == lifecycle_reason::crashed && x.life.held() == 0
                         : phase != lifecycle_phase::running && x.life.settled();
  for (std::size_t i = 0; i < savepoints_.size();) {
    auto& wish = savepoints_[i];
    if (wish.uid != x.uid) {
      ++i;
      continue;
    }
    // The run that was asked has ended without an answer.
    if (wish.request != 0 && wish.placement != x.life.held())
      wish.request = 0;
    if (wish.request == 0 && phase == lifecycle_phase::running)
      ask_for_savepoint(x, wish);
    if (!rests) {
      ++i;
      continue;
    }
    const auto of_rest = std::move(wish);
    savepoints_.erase(savepoints_.begin() + static_cast<std::ptrdiff_t>(i));
    name_newest(of_rest);
  }
}

void keeper::ask_for_savepoint(const stream_slot& x, wished_savepoint& wish) {
  const placement_key key{x.uid, x.life.held()};
  const auto worker = places_.worker_of(key);
  const auto request = next_request_;
  // One that cannot be reached is lost, and what comes then is looked at again.
  if (worker == 0 || !world_.send(worker, savepoint_stream{request, x.uid, key.placement, wish.as}))
    return;
  ++next_request_;
  wish.request = request;
  wish.placement = key.placement;
}

void keeper::name_newest(const wished_savepoint& wish) {
  struct job {
    wished_savepoint wish;
    result<std::string> done;
  };

  const auto j = std::make_shared<job>(job{wish, make_error(ec::internal, "")});
  world_.run(
      [this, j] {
        j->done = world_.records().with([&](control_db& db) -> result<std::string> {
          EBB_ASSIGN(const auto epoch, db.name_newest(j->wish.uid, j->wish.as));
          return "epoch " + std::to_string(epoch);
        });
      },
      [this, j] { finish(j->wish.operation, j->done); });
}

void keeper::take(savepoint_made&& x) {
  const auto found = std::find_if(savepoints_.begin(), savepoints_.end(),
                                  [&](const auto& y) { return y.request == x.id; });
  if (x.id == 0 || found == savepoints_.end())
    return;
  const auto id = found->operation;
  savepoints_.erase(found);
  if (x.problem)
    finish(id, *x.problem);
  else
    finish(id, "epoch " + std::to_string(x.epoch));
}

} // namespace ebb
