#include "tests/service/lifecycle/exhaustive.hpp"

#include "tests/service/lifecycle/model_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_set>

namespace ebb::model {

namespace {
/// What may happen, and how often at most in one path.
struct allowance {
  std::vector<act> kinds; ///< any of these
  std::uint32_t times = 0;
  std::uint32_t b = 0; ///< only actions with this one; UINT32_MAX = any
};

constexpr std::uint32_t any = UINT32_MAX;

struct scenario {
  const char* name;
  std::vector<allowance> adverse;
};

std::vector<scenario> scenarios() {
  const allowance one{{act::append}, 1, 0};
  const allowance two{{act::append}, 2, 0};
  const allowance timer{{act::append}, 1, 1};
  const allowance control_dies{{act::kill_control}, 1, any};
  const allowance worker_dies{{act::kill_worker}, 1, 0};
  const std::vector<act> persons = {act::sleep,  act::wake,    act::stop,
                                    act::define, act::restore, act::remove};
  return {
      {"two appends", {two}},
      {"three appends", {{{act::append}, 3, 0}}},
      {"an append that sets a timer, and one that does not", {timer, one}},
      {"an append, the control process dies", {one, control_dies}},
      {"two appends, the control process dies", {two, control_dies}},
      {"an append, the control process dies twice", {one, {{act::kill_control}, 2, any}}},
      {"a timer is set, the control process and the worker die",
       {timer, control_dies, worker_dies}},
      {"two appends, a worker dies", {two, worker_dies}},
      {"an append, a worker is frozen", {one, {{act::freeze}, 1, 0}}},
      {"an append, the link is cut", {one, {{act::cut_link}, 1, 0}}},
      {"an append, a message is lost", {one, {{act::lose_to_worker, act::lose_to_control}, 1, 0}}},
      {"two appends, a job fails", {two, {{act::fail_job}, 1, any}}},
      {"an append, a run fails", {one, {{act::fail_run, act::spoil_run}, 1, 0}}},
      {"an append, a person", {one, {persons, 1, any}}},
      {"an append, a person, the control process dies",
       {one, {{act::wake, act::define}, 1, 0}, control_dies}},
      {"a person, the control process dies", {{persons, 1, 0}, control_dies}},
      {"two persons", {{{act::sleep, act::wake, act::stop, act::define}, 2, any}}},
  };
}

world_settings small_world() {
  world_settings x;
  auto policy = std::make_shared<lifecycle_policy>();
  policy->idle_after = micros_per_second;
  x.streams.push_back({{0}, INT64_MAX, std::move(policy)});
  x.placement.warm = 0;
  x.placement.max_workers = 1;
  // Later than it would sleep, so that the status of a quiet run does not multiply the paths.
  x.status_every = 20 * micros_per_second;
  x.timer_delay = 60 * micros_per_second;
  return x;
}

class explorer {
public:
  explicit explorer(const scenario& x) : scenario_(x), settings_(small_world()) {}

  /// Throws `violation`; `tell` then has the path.
  void run() {
    do {
      ++paths_;
      walk();
    } while (next_path());
  }

  [[nodiscard]] std::uint64_t paths() const {
    return paths_;
  }

  [[nodiscard]] std::size_t states() const {
    return seen_.size();
  }

  [[nodiscard]] std::string tell() const {
    std::string text;
    for (const auto& x : path_)
      text += fmt::format("  {}\n", to_string(x.options[x.chosen]));
    return text + (world_ ? world_->describe() : std::string());
  }

private:
  struct choice {
    std::vector<action> options;
    std::size_t chosen = 0;
  };

  void walk() {
    world_ = std::make_unique<world>(settings_);
    used_.assign(scenario_.adverse.size(), 0);
    // Until it decides to sleep there is one path.
    for (std::uint32_t i = 0; world_->lifecycle(0)->phase() != lifecycle_phase::going_to_sleep;
         ++i) {
      if (i == 1000)
        throw violation("it never goes to sleep");
      list_normal();
      world_->carry_out(actions_.front());
    }
    for (std::size_t depth = 0;; ++depth) {
      if (depth == path_.size() && !extend())
        return;
      if (depth == 500)
        throw violation("it does not come to rest");
      const auto& x = path_[depth].options[path_[depth].chosen];
      if (const auto i = allowance_of(x); i < used_.size())
        ++used_[i];
      world_->carry_out(x);
    }
  }

  /// The next choice of this path; false when it is over.
  bool extend() {
    auto seen = world_->digest();
    for (const auto x : used_)
      seen = (seen ^ x) * 0x9e3779b97f4a7c15U;
    if (!seen_.insert(seen).second)
      return false;
    choice next;
    const bool quiet = world_->is_quiet();
    if (quiet) {
      world_->check_end();
    } else {
      list_normal();
      if (actions_.empty())
        throw violation("nothing can happen any more");
      next.options = actions_;
    }
    world_->list_actions(actions_, true);
    for (const auto& x : actions_)
      if (const auto i = allowance_of(x); i < used_.size() && used_[i] < scenario_.adverse[i].times)
        next.options.push_back(x);
    if (next.options.empty())
      return false;
    path_.push_back(std::move(next));
    return true;
  }

  void list_normal() {
    world_->list_actions(actions_, false);
    // Time passes when nothing else is left to do.
    if (actions_.size() > 1)
      std::erase_if(actions_, [](const action& x) { return x.what == act::pass_time; });
  }

  [[nodiscard]] std::size_t allowance_of(const action& x) const {
    if (!is_adverse(x.what))
      return used_.size();
    for (std::size_t i = 0; i < scenario_.adverse.size(); ++i) {
      const auto& y = scenario_.adverse[i];
      if (std::find(y.kinds.begin(), y.kinds.end(), x.what) != y.kinds.end()
          && (y.b == any || y.b == x.b))
        return i;
    }
    return used_.size();
  }

  bool next_path() {
    while (!path_.empty() && path_.back().chosen + 1 == path_.back().options.size())
      path_.pop_back();
    if (path_.empty())
      return false;
    ++path_.back().chosen;
    return true;
  }

  const scenario& scenario_;
  world_settings settings_;
  std::unique_ptr<world> world_;
  std::vector<choice> path_;
  std::vector<std::uint32_t> used_;
  std::vector<action> actions_;
  std::unordered_set<std::uint64_t> seen_;
  std::uint64_t paths_ = 0;
};
} // namespace

bool run_exhaustive(std::string& out) {
  for (const auto& x : scenarios()) {
    const auto begin = std::chrono::steady_clock::now();
    explorer one(x);
    try {
      one.run();
    } catch (const violation& problem) {
      out += fmt::format("{}{}: {}\n", one.tell(), x.name, problem.what());
      return false;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    out += fmt::format("{}: {} paths, {} states, {:.1f} s\n", x.name, one.paths(), one.states(),
                       took.count());
  }
  return true;
}

} // namespace ebb::model
