/// One stream that a host runs: from the order to start it to the end of its actors.
#pragma once

#include "actors/runtime/prepare_run.hpp"
#include "actors/runtime/stream_run.hpp"
#include "actors/service/hosting/part_meeting.hpp"
#include "actors/service/hosting/placed_run.hpp"
#include "actors/service/hosting/stream_host.hpp"
#include "actors/service/hosting/waiting_sinks.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace ebb {

class placed_stream final : public placed_run {
public:
  /// All outlive it.
  placed_stream(start_stream order, caf::actor_system& system,
                const stream_environment& environment, host_services& services);

  result<std::optional<stream_started>> open(const std::function<void()>& concluded) override;
  stream_ended close() override;
  /// Waits for the first reports of all subtasks, since they say when the stream wants to be woken.
  void stop() override;
  void kill() override;
  void savepoint(const std::string& name,
                 const std::function<void(const result<epoch_number>&)>& answer) const override;
  hosted_stream name() const override;
  std::optional<stream_status> change(bool always) override;

private:
  [[nodiscard]] stream_status status(const stream_report& from) const;
  /// With several parts: brings them together.
  result<void> gather(prepared_stream& stream);

  caf::actor_system& system_;
  const stream_environment& environment_;
  host_services& services_;

  const std::shared_ptr<parts> parts_ = std::make_shared<parts>();
  const std::shared_ptr<waiting_sinks> sinks_ = std::make_shared<waiting_sinks>();
  std::shared_ptr<checkpoint_board> board_;
  std::shared_ptr<part_meeting> meeting_; ///< null = it has one part

  mutable std::mutex mutex_; ///< guards what follows
  std::unique_ptr<stream_run> run_;
  std::uint64_t generation_ = 0;
  bool killed_ = false;
  micros mapped_ = 0;                 ///< when its state was in place
  micros next_timer_ = max_time;      ///< when the stop was ordered
  std::optional<stream_status> told_; ///< the last one
};

} // namespace ebb
