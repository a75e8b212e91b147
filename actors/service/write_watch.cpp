#include "actors/service/write_watch.hpp"

#include "storage/write_probe.hpp"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ebb {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto holds_for = std::chrono::seconds(1);

} // namespace

struct write_watch::shared {
  shared(io_executor& to, std::string of) : io(to), lane(to.open_lane()), folder(std::move(of)) {}

  void look() {
    auto now_found = probe_writing(folder);
    if (!now_found) {
      auto& problem = now_found.error();
      problem.message = "the data folder takes no writes: " + problem.message;
      if (problem.code == ec::resource)
        problem.hint = "make room on the volume of " + folder
                       + ": nothing is lost, and it goes on by itself";
    }
    std::vector<answer_function> all;
    {
      std::lock_guard guard(mutex);
      found = now_found;
      at = steady::now();
      all.swap(waiting);
    }
    for (const auto& x : all)
      x(now_found);
  }

  io_executor& io;
  const std::uint64_t lane;
  const std::string folder;
  std::mutex mutex; ///< guards what follows
  std::optional<result<void>> found;
  steady::time_point at;
  std::vector<answer_function> waiting; ///< for the try that is under way
};

write_watch::write_watch(io_executor& io, std::string folder)
    : shared_(std::make_shared<shared>(io, std::move(folder))) {}

void write_watch::ask(answer_function answer) {
  std::optional<result<void>> known;
  {
    std::lock_guard guard(shared_->mutex);
    if (shared_->waiting.empty() && shared_->found && steady::now() - shared_->at < holds_for) {
      known = shared_->found;
    } else {
      shared_->waiting.push_back(std::move(answer));
      if (shared_->waiting.size() == 1)
        shared_->io.submit(shared_->lane, [x = shared_] { x->look(); });
    }
  }
  if (known)
    answer(*known);
}

} // namespace ebb
