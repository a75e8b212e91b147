#include "actors/service/topics/job_lanes.hpp"

namespace ebb {

namespace {

// Then other lanes of the pool have their turn.
constexpr std::size_t jobs_a_turn = 64;

} // namespace

job_lanes::job_lanes(io_executor& io, std::size_t count) : io_(io) {
  for (std::size_t i = 0; i < count; ++i) {
    lanes_.push_back(std::make_shared<lane>());
    lanes_.back()->number = io.open_lane();
  }
}

void job_lanes::submit(std::size_t index, std::function<void()> job) {
  const auto& on = lanes_[index];
  {
    std::lock_guard guard(on->mutex);
    on->jobs.push_back(std::move(job));
    if (on->scheduled)
      return;
    on->scheduled = true;
  }
  io_.submit(on->number, [&io = io_, on] { work(io, on); });
}

void job_lanes::work(io_executor& io, const std::shared_ptr<lane>& on) {
  for (std::size_t i = 0; i < jobs_a_turn; ++i) {
    std::function<void()> job;
    {
      std::lock_guard guard(on->mutex);
      if (on->jobs.empty()) {
        on->scheduled = false;
        return;
      }
      job = std::move(on->jobs.front());
      on->jobs.pop_front();
    }
    job();
  }
  io.submit(on->number, [&io, on] { work(io, on); });
}

} // namespace ebb
