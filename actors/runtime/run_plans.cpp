#include "actors/runtime/run_plans.hpp"

#include "actors/runtime/engine_config.hpp"
#include "actors/runtime/prepare_run.hpp"
#include "actors/runtime/stream_run.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace ebb {

namespace {

using std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(20);
constexpr auto progress_interval = std::chrono::milliseconds(100);

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

std::uint32_t threads_for(const std::vector<prepared_stream>& streams, std::uint32_t wished) {
  std::size_t subtasks = 0;
  for (const auto& x : streams)
    subtasks += x.setup.subtasks.size();
  const std::size_t processors = wished != 0 ? wished : std::thread::hardware_concurrency();
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(processors, 1, std::max<std::size_t>(1, subtasks)));
}

/// Says which of several streams has failed.
void name_stream(error& problem, const std::string& stream) {
  auto& field = problem.place.field;
  if (!field.starts_with("stream "))
    field = "stream " + stream + (field.empty() ? "" : ", ") + field;
}

/// Waits on behalf of the caller: for the streams, for Ctrl-C, for the next progress report.
class watch {
public:
  watch(std::span<const planned_stream> streams, const run_options& options)
      : options_(options), ended_(streams.size()), seconds_(streams.size()) {}

  void start(caf::actor_system& system, std::span<const planned_stream> streams,
             std::vector<prepared_stream> prepared) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      boards_.push_back(prepared[i].checkpoints);
      ended_[i] = prepared[i].finished;
      runs_.push_back(std::make_unique<stream_run>(
          system, streams[i].plan, streams[i].definition, std::move(prepared[i].setup),
          [this] { concluded(); }, prepared[i].finished));
    }
    if (!options_.savepoints)
      return;
    std::map<std::string, savepoint_desk::ask_function> desks;
    for (std::size_t i = 0; i < streams.size(); ++i)
      if (runs_[i]->supervisor())
        desks[streams[i].definition.name] = [to = runs_[i]->supervisor()](const auto& name,
                                                                          auto answer) {
          caf::anon_send(to, savepoint_wish{name, std::move(answer)});
        };
    options_.savepoints->open(std::move(desks));
  }

  result<std::vector<stream_report>> wait() {
    auto next_progress = start_ + progress_interval;
    for (;;) {
      look();
      if (std::all_of(ended_.begin(), ended_.end(), [](bool x) { return x; }))
        break;
      if (options_.interrupted != nullptr && *options_.interrupted)
        interrupt();
      if (steady_clock::now() >= next_progress) {
        show();
        next_progress = steady_clock::now() + progress_interval;
      }
      std::unique_lock guard(mutex_);
      conclusion_.wait_for(guard, poll_interval, [this] { return conclusions_ != 0; });
      conclusions_ = 0;
    }
    show();
    if (problem_ && options_.failed)
      options_.failed(*problem_);
    auto result = reports();
    // Handles must not outlive the actor system.
    if (options_.savepoints)
      options_.savepoints->open({});
    runs_.clear();
    if (problem_)
      return *problem_;
    return result;
  }

private:
  /// From an actor's thread.
  void concluded() {
    {
      std::lock_guard guard(mutex_);
      ++conclusions_;
    }
    conclusion_.notify_one();
  }

  void look() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (ended_[i])
        continue;
      auto outcome = runs_[i]->outcome();
      if (!outcome)
        continue;
      ended_[i] = true;
      seconds_[i] = seconds_since(start_);
      if (!outcome->problem)
        continue;
      if (!problem_) {
        problem_ = std::move(outcome->problem);
        if (runs_.size() > 1)
          name_stream(*problem_, runs_[i]->report().name);
      }
      if (options_.data)
        interrupt();
      else
        give_up_others(runs_[i]->report().name);
    }
  }

  /// Without checkpoints what the others have written so far is part of a result, which must not
  /// look like a whole one.
  void give_up_others(const std::string& failed) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (ended_[i] || runs_[i]->outcome())
        continue;
      ended_[i] = true;
      seconds_[i] = seconds_since(start_);
      runs_[i]->give_up();
      if (options_.note)
        options_.note(runs_[i]->report().name,
                      "is given up, as stream " + failed + " has failed; it leaves no output file");
    }
  }

  void interrupt() {
    if (interrupted_)
      return;
    interrupted_ = true;
    for (const auto& x : runs_)
      x->interrupt();
  }

  [[nodiscard]] std::vector<stream_report> reports() const {
    std::vector<stream_report> result;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      result.push_back(runs_[i]->report());
      result.back().seconds = ended_[i] ? seconds_[i] : seconds_since(start_);
      if (boards_[i])
        result.back().checkpoints = boards_[i]->get();
    }
    return result;
  }

  void show() const {
    if (options_.progress)
      options_.progress({reports(), seconds_since(start_)});
  }

  const run_options& options_;
  steady_clock::time_point start_ = steady_clock::now();
  std::vector<std::unique_ptr<stream_run>> runs_;
  std::vector<std::shared_ptr<checkpoint_board>> boards_; ///< null without data
  std::vector<bool> ended_;
  std::vector<double> seconds_;
  std::optional<error> problem_;
  bool interrupted_ = false;
  std::mutex mutex_;
  std::condition_variable conclusion_;
  std::uint32_t conclusions_ = 0; ///< since the last look
};

} // namespace

result<std::vector<stream_report>> run_plans_in(const stream_environment& environment,
                                                std::span<const planned_stream> streams,
                                                connector_factory& connectors,
                                                const run_options& options) {
  EBB_ASSIGN(auto prepared, prepare_run(streams, connectors, environment, options));
  if (options.ready)
    options.ready();
  engine_config config(threads_for(prepared, options.threads));
  // Actors call into the watch until the system is gone.
  watch waiting(streams, options);
  caf::actor_system system(config);
  waiting.start(system, streams, std::move(prepared));
  return waiting.wait();
}

} // namespace ebb
