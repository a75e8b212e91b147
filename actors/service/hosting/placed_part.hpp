/// A part of a stream other than 0: its subtasks, by order of part 0's process.
#pragma once

#include "actors/service/hosting/part_meeting.hpp"
#include "actors/service/hosting/placed_run.hpp"
#include "actors/service/hosting/stream_host.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <mutex>

namespace ebb {

class placed_part final : public placed_run {
public:
  /// All outlive it.
  placed_part(start_stream order, caf::actor_system& system, const stream_environment& environment,
              host_services& services);
  ~placed_part() override;

  result<std::optional<stream_started>> open(const std::function<void()>& concluded) override;
  stream_ended close() override;
  void hurry() override;
  void kill() override;
  hosted_stream name() const override;

private:
  [[nodiscard]] result<supervisor_setup> build(const peer_begin& begin);

  caf::actor_system& system_;
  const stream_environment& environment_;
  host_services& services_;
  const std::shared_ptr<parts> parts_ = std::make_shared<parts>();
  const std::shared_ptr<part_meeting> meeting_;

  mutable std::mutex mutex_; ///< guards what follows
  supervisor_actor supervisor_;
  std::uint64_t generation_ = 0;
  bool killed_ = false;
};

} // namespace ebb
