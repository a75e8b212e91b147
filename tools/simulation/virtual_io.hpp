/// The process's I/O, in virtual time.
#pragma once

#include "actors/runtime/connector.hpp"
#include "tools/simulation/dice.hpp"
#include "tools/simulation/process.hpp"

#include <deque>
#include <functional>
#include <map>
#include <utility>

namespace ebb::sim {

/// Jobs of a lane run in order, each some time after it was submitted, when `run` says so.
class virtual_io final : public io_executor {
public:
  virtual_io(const fault_rates& rates, dice& random, std::function<micros()> clock)
      : rates_(rates), random_(random), clock_(std::move(clock)) {}

  std::uint64_t open_lane() override {
    return next_lane_++;
  }

  void submit(std::uint64_t lane, std::function<void()> job) override {
    auto& jobs = lanes_[lane];
    const auto delay = static_cast<micros>(random_.chance(rates_.slow) ? random_.below(400'000)
                                                                       : random_.below(2'000));
    const auto before = jobs.empty() ? clock_() : jobs.back().at;
    jobs.push_back({std::max(before, clock_()) + delay, std::move(job)});
  }

  /// When the next job is due; max_time = there is none.
  [[nodiscard]] micros next_time() const {
    micros result = max_time;
    for (const auto& [lane, jobs] : lanes_)
      if (!jobs.empty())
        result = std::min(result, jobs.front().at);
    return result;
  }

  /// Runs one job that is due, of any lane; false = there is none.
  bool run_one() {
    const auto now = clock_();
    std::uint32_t due = 0;
    for (const auto& [lane, jobs] : lanes_)
      due += !jobs.empty() && jobs.front().at <= now;
    if (due == 0)
      return false;
    auto pick = random_.below(due);
    for (auto& [lane, jobs] : lanes_) {
      if (jobs.empty() || jobs.front().at > now || pick-- != 0)
        continue;
      const auto job = std::move(jobs.front().run);
      jobs.pop_front();
      job();
      return true;
    }
    return false;
  }

  /// The process is dead: nothing more runs.
  void drop() {
    auto gone = std::exchange(lanes_, {});
  }

private:
  struct waiting_job {
    micros at = 0;
    std::function<void()> run;
  };

  const fault_rates& rates_;
  dice& random_;
  std::function<micros()> clock_;
  std::map<std::uint64_t, std::deque<waiting_job>> lanes_;
  std::uint64_t next_lane_ = 0;
};

} // namespace ebb::sim
