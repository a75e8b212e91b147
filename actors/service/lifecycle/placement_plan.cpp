#include "actors/service/lifecycle/placement_plan.hpp"

#include "actors/service/lifecycle/lifecycle_text.hpp"
#include "schemas/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

placement_plan::placement_plan(const placement_limits& limits, std::uint64_t first_worker,
                               micros now, micros start_from)
    : limits_(limits), next_worker_(first_worker), start_after_(start_from), now_(now) {
  EBB_ASSERT(limits.max_workers > 0);
  advance();
}

void placement_plan::place(const placement_key& key, std::uint64_t after, micros now, bool warm,
                           const std::string& pool) {
  now_ = now;
  const bool known = homes_.contains(key)
                     || std::any_of(waiting_.begin(), waiting_.end(),
                                    [&](const request& x) { return x.key == key; });
  if (known)
    return;
  if (const auto home = after == 0 ? homes_.end() : homes_.find({key.stream, after, key.part});
      home != homes_.end() && takes_streams(workers_.at(home->second)))
    assign(key, home->second);
  else
    waiting_.push_back({key, now, warm, limits_.pools.count(pool) != 0 ? pool : std::string()});
  advance();
}

void placement_plan::release(const placement_key& key, micros now) {
  now_ = now;
  forget(key);
  advance();
}

void placement_plan::kill(const placement_key& key, micros now) {
  now_ = now;
  std::erase_if(waiting_, [&](const request& x) { return x.key == key; });
  if (const auto home = homes_.find(key); home != homes_.end()) {
    auto& deadline = workers_.at(home->second).runs.at(key);
    if (deadline == max_time) {
      deadline = now + limits_.drop_within;
      effects_.push_back({effect::kind::drop, home->second, key});
    }
  }
  advance();
}

void placement_plan::dropped(const placement_key& key, micros now) {
  release(key, now);
}

void placement_plan::forget(const placement_key& key) {
  std::erase_if(waiting_, [&](const request& x) { return x.key == key; });
  const auto home = homes_.find(key);
  if (home == homes_.end())
    return;
  auto& worker = workers_.at(home->second);
  worker.runs.erase(key);
  if (worker.runs.empty())
    worker.idle_since = now_;
  homes_.erase(home);
}

void placement_plan::assign(const placement_key& key, std::uint64_t worker) {
  workers_.at(worker).runs.emplace(key, max_time);
  homes_.emplace(key, worker);
  effects_.push_back({effect::kind::assign, worker, key});
}

void placement_plan::returned(micros now) {
  now_ = now;
  if (failures_ == 0)
    start_after_ = std::min(start_after_, now);
  advance();
}

void placement_plan::worker_ready(std::uint64_t worker, std::int64_t pid, micros now) {
  now_ = now;
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.state == worker_state::ready)
    return;
  found->second.pid = pid;
  found->second.state = worker_state::ready;
  found->second.since = now;
  found->second.idle_since = now;
  advance();
}

void placement_plan::worker_lost(std::uint64_t worker, micros now) {
  now_ = now;
  const auto found = workers_.find(worker);
  if (found == workers_.end())
    return;
  const auto gone = std::move(found->second);
  workers_.erase(found);
  for (const auto& [key, deadline] : gone.runs) {
    homes_.erase(key);
    // What was to be dropped is not missed by its stream any more.
    if (deadline == max_time)
      effects_.push_back({effect::kind::lost, worker, key});
  }
  if (!gone.ending) {
    const bool lived = gone.state == worker_state::ready && now - gone.since >= limits_.well_after;
    // One that dies with a stream may die of it: that is the stream's back-off. And those that had
    // started before the last one failed say nothing new.
    const bool failed = !lived && gone.runs.empty() && (failures_ == 0 || gone.since >= failed_at_);
    if (failed || lived) {
      failures_ = failed ? failures_ + 1 : 0;
      start_after_ = failed ? now + backoff() : now;
      failed_at_ = now;
    }
  }
  advance();
}

void placement_plan::worker_back(std::uint64_t worker, std::int64_t pid,
                                 const std::vector<placement_key>& runs, micros now) {
  now_ = now;
  next_worker_ = std::max(next_worker_, worker + 1);
  const auto [found, unknown] = workers_.try_emplace(worker);
  auto& entry = found->second;
  // One that was unknown, or ready before, has lived for a while.
  if (unknown || entry.state == worker_state::starting)
    entry.since = unknown ? now - limits_.well_after : now;
  entry.pid = pid;
  entry.state = worker_state::ready;
  entry.idle_since = now;
  if (entry.only.empty() && !runs.empty())
    entry.only = runs.front().stream;
  for (const auto& key : runs)
    if (homes_.emplace(key, worker).second)
      entry.runs.emplace(key, max_time);
  // What was said to it when the link broke may not have come.
  std::vector<placement_key> gone;
  for (const auto& [key, deadline] : entry.runs) {
    const bool has = std::find(runs.begin(), runs.end(), key) != runs.end();
    if (has && deadline != max_time)
      effects_.push_back({effect::kind::drop, worker, key});
    else if (!has && deadline == max_time)
      effects_.push_back({effect::kind::assign, worker, key});
    else if (!has)
      gone.push_back(key);
  }
  for (const auto& key : gone)
    forget(key);
  advance();
}

void placement_plan::tick(micros now) {
  now_ = now;
  advance();
}

bool placement_plan::takes_streams(const worker_entry& x) noexcept {
  return x.state == worker_state::ready && !x.ending && !x.killed;
}

bool placement_plan::is_idle(const worker_entry& x) noexcept {
  return takes_streams(x) && x.runs.empty();
}

std::size_t placement_plan::count_idle() const {
  return static_cast<std::size_t>(std::count_if(workers_.begin(), workers_.end(),
                                                [](const auto& x) { return is_idle(x.second); }));
}

/// Those that have no stream, and are for none.
std::size_t placement_plan::count_spare(const std::string& pool) const {
  return static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(), [&](const auto& x) {
        const auto& worker = x.second;
        return worker.only.empty() && worker.pool == pool && worker.runs.empty() && !worker.ending
               && !worker.killed;
      }));
}

std::size_t placement_plan::warm_of(const std::string& pool) const {
  const auto found = limits_.pools.find(pool);
  return found == limits_.pools.end() ? limits_.warm : found->second;
}

/// That of those who have none is the last.
std::vector<std::string> placement_plan::pools() const {
  std::vector<std::string> all;
  for (const auto& [name, count] : limits_.pools)
    all.push_back(name);
  all.emplace_back();
  return all;
}

/// Whether it is beyond the warm ones, which are counted apart.
bool placement_plan::may_end(const worker_entry& x) const noexcept {
  return is_idle(x) && (!limits_.own || !x.only.empty());
}

std::size_t placement_plan::count_starting() const {
  return static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(), [](const auto& x) {
        return x.second.state == worker_state::starting && !x.second.ending;
      }));
}

void placement_plan::advance() {
  serve();
  kill_late();
  start_workers();
  end_idle();
}

/// It starts for a stream that does not wait for it any more.
bool placement_plan::is_unwanted(const worker_entry& x) const {
  return limits_.own && !x.only.empty() && x.state == worker_state::starting && !x.ending
         && x.runs.empty() && std::none_of(waiting_.begin(), waiting_.end(), [&](const request& y) {
              return y.key.stream == x.only;
            });
}

void placement_plan::kill_late() {
  for (auto& [number, worker] : workers_) {
    if (worker.killed)
      continue;
    const bool slow =
        worker.state == worker_state::starting && now_ >= worker.since + limits_.ready_within;
    const bool holds = std::any_of(worker.runs.begin(), worker.runs.end(),
                                   [this](const auto& x) { return x.second <= now_; });
    // A worker that was told to end has as long as one that starts.
    const bool lingers = worker.ending && now_ >= worker.since + limits_.ready_within;
    const bool unwanted = is_unwanted(worker);
    if (!slow && !holds && !lingers && !unwanted)
      continue;
    worker.killed = true;
    worker.ending = worker.ending || holds || unwanted;
    effects_.push_back({effect::kind::kill_worker, number, {}});
  }
}

/// The oldest wish first: an idle worker, else after a while, or when there will be none, the one
/// that has least to do.
void placement_plan::serve() {
  if (limits_.own)
    return serve_own();
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto best =
        std::min_element(workers_.begin(), workers_.end(), [](const auto& a, const auto& b) {
          const auto load = [](const worker_entry& x) {
            return takes_streams(x) ? x.runs.size() : SIZE_MAX;
          };
          return load(a.second) < load(b.second);
        });
    if (best == workers_.end() || !takes_streams(best->second))
      return;
    const bool full = workers_.size() >= limits_.max_workers && count_starting() == 0;
    const bool waited = now_ >= next->since + limits_.share_after;
    if (!is_idle(best->second) && !full && !waited)
      return;
    assign(next->key, best->first);
    next = waiting_.erase(next);
  }
}

void placement_plan::start_workers() {
  if (now_ < start_after_)
    return;
  const bool one_lives = std::any_of(workers_.begin(), workers_.end(), [this](const auto& x) {
    return takes_streams(x.second) && x.second.since >= failed_at_
           && now_ >= x.second.since + limits_.well_after;
  });
  failures_ = one_lives ? 0 : failures_;
  if (limits_.own) {
    start_own();
    for (const auto& pool : pools())
      start_warm(pool);
    return;
  }
  const auto wanted = limits_.warm + waiting_.size();
  auto coming = count_idle() + count_starting();
  while (coming < wanted && workers_.size() < limits_.max_workers) {
    // After failures one at a time: it shows whether they work again.
    if (failures_ != 0 && count_starting() != 0)
      return;
    const auto number = next_worker_++;
    workers_[number].since = now_;
    effects_.push_back({effect::kind::start_worker, number, {}});
    ++coming;
  }
}

void placement_plan::serve_own() {
  std::erase_if(waiting_, [this](const request& x) {
    const auto idle = [&](const std::string& only, const std::string& pool) {
      return std::find_if(workers_.begin(), workers_.end(), [&](const auto& y) {
        return is_idle(y.second) && y.second.only == only
               && (!only.empty() || y.second.pool == pool);
      });
    };
    auto own = idle(x.key.stream, {});
    if (own == workers_.end() && x.warm) {
      own = idle({}, x.pool);
      if (own != workers_.end())
        refill_at_ = now_ + limits_.refill_after;
    }
    if (own == workers_.end())
      return false;
    own->second.only = x.key.stream;
    assign(x.key, own->first);
    return true;
  });
}

void placement_plan::start_own() {
  std::map<std::string_view, std::size_t> coming;
  for (const auto& [number, x] : workers_)
    if (!x.ending && !x.killed && x.runs.empty())
      ++coming[x.only];
  for (const auto& x : waiting_) {
    if (auto& own = coming[x.key.stream]; own != 0) {
      --own;
      continue;
    }
    if (workers_.size() >= limits_.max_workers || (failures_ != 0 && count_starting() != 0))
      return;
    const auto number = next_worker_++;
    workers_[number].since = now_;
    workers_[number].only = x.key.stream;
    effects_.push_back({effect::kind::start_worker, number, x.key});
  }
}

void placement_plan::start_warm(const std::string& pool) {
  for (auto spare = count_spare(pool); spare < warm_of(pool); ++spare) {
    if (now_ < refill_at_ || workers_.size() >= limits_.max_workers
        || (failures_ != 0 && count_starting() != 0))
      return;
    const auto number = next_worker_++;
    workers_[number].since = now_;
    workers_[number].pool = pool;
    effects_.push_back({effect::kind::start_worker, number, {}});
  }
}

void placement_plan::end_idle() {
  if (limits_.own)
    return end_own_idle();
  auto idle = count_idle();
  for (auto& [number, worker] : workers_) {
    if (idle <= limits_.warm)
      continue;
    if (!is_idle(worker) || now_ < worker.idle_since + limits_.idle_grace)
      continue;
    worker.ending = true;
    worker.since = now_;
    effects_.push_back({effect::kind::end_worker, number, {}});
    --idle;
  }
}

void placement_plan::end_own_idle() {
  for (auto& [number, worker] : workers_) {
    const bool spare = is_idle(worker) && !may_end(worker);
    if (!is_idle(worker) || (spare && count_spare(worker.pool) <= warm_of(worker.pool))
        || now_ < worker.idle_since + limits_.idle_grace)
      continue;
    worker.ending = true;
    worker.since = now_;
    effects_.push_back({effect::kind::end_worker, number, {}});
  }
}

std::vector<placement_plan::effect> placement_plan::take_effects() {
  return std::exchange(effects_, {});
}

micros placement_plan::next_time() const noexcept {
  auto next = max_time;
  const auto at = [&](micros t) { next = std::min(next, std::max(t, now_ + 1)); };
  const bool beyond = !limits_.own && count_idle() > limits_.warm;
  const auto surplus = [&](const worker_entry& x) {
    return limits_.own ? may_end(x) || count_spare(x.pool) > warm_of(x.pool) : beyond;
  };
  for (const auto& [number, worker] : workers_) {
    if (worker.killed)
      continue;
    if (worker.state == worker_state::starting || worker.ending)
      at(worker.since + limits_.ready_within);
    if (is_idle(worker) && surplus(worker))
      at(worker.idle_since + limits_.idle_grace);
    for (const auto& [key, deadline] : worker.runs)
      if (deadline != max_time)
        at(deadline);
  }
  for (const auto& x : waiting_)
    if (x.since + limits_.share_after > now_)
      at(x.since + limits_.share_after);
  if (now_ < start_after_)
    at(start_after_);
  if (limits_.own && now_ < refill_at_)
    for (const auto& pool : pools())
      if (count_spare(pool) < warm_of(pool))
        at(refill_at_);
  return next;
}

micros placement_plan::backoff() const noexcept {
  const auto doublings = std::min<std::uint32_t>(failures_ == 0 ? 0 : failures_ - 1, 20);
  return std::min(limits_.backoff_min << doublings, limits_.backoff_max);
}

std::vector<placement_plan::worker_view> placement_plan::workers() const {
  std::vector<worker_view> views;
  for (const auto& [number, worker] : workers_) {
    auto& view = views.emplace_back();
    view.worker = number;
    view.pid = worker.pid;
    view.state = worker.state;
    view.since = worker.since;
    view.ending = worker.ending;
    for (const auto& [key, deadline] : worker.runs)
      view.runs.push_back(key);
  }
  return views;
}

std::uint64_t placement_plan::worker_of(const placement_key& key) const {
  const auto home = homes_.find(key);
  return home == homes_.end() ? 0 : home->second;
}

std::vector<placement_key> placement_plan::parts_of(const std::string& stream,
                                                    std::uint64_t placement) const {
  std::vector<placement_key> all;
  for (auto i = homes_.lower_bound({stream, placement, 0});
       i != homes_.end() && i->first.stream == stream && i->first.placement == placement; ++i)
    all.push_back(i->first);
  for (const auto& x : waiting_)
    if (x.key.stream == stream && x.key.placement == placement)
      all.push_back(x.key);
  std::sort(all.begin(), all.end());
  return all;
}

std::string placement_plan::why(const placement_key& key, micros now) const {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& x) { return x.key == key; });
  if (found == waiting_.end())
    return {};
  if (failures_ != 0)
    return fmt::format(
        "{} died at once, the next one starts in {}",
        failures_ == 1 ? "the last worker" : fmt::format("{} workers in a row", failures_),
        duration_text(std::max<micros>(start_after_ - now, 0)));
  return fmt::format("waits for {} for a worker: {} of at most {}, {} of them start",
                     duration_text(std::max<micros>(now - found->since, 0)), workers_.size(),
                     limits_.max_workers, count_starting());
}

} // namespace ebb
