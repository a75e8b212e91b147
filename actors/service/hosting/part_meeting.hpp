/// Brings the parts of a stream together before it starts.
#pragma once

#include "actors/service/hosting/peer_desk.hpp"
#include "schemas/link_records.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ebb {

/// One part's. Thread-safe; functions that wait give up at their deadline, when a channel breaks
/// (ec::cancelled), and after `cancel`.
class part_meeting : public std::enable_shared_from_this<part_meeting> {
public:
  /// `desk` outlives it.
  [[nodiscard]] static std::shared_ptr<part_meeting> make(peer_desk& desk,
                                                          const start_stream& order);

  /// Part 0: connects to all others and sends them `begin`; then waits until all are ready.
  result<void> gather(const peer_begin& begin, std::chrono::milliseconds within);

  /// Others: waits for part 0's word.
  [[nodiscard]] result<peer_begin> await_begin(std::chrono::milliseconds within);
  /// Others: connects to lower parts and waits for higher ones.
  result<void> join(std::chrono::milliseconds within);

  /// Messages go there from now on; channels belong to it. Where one is lost already, it is told.
  [[nodiscard]] std::shared_ptr<stream_peers> hand_over(generation_number generation);

  /// Ends all waiting; channels are closed.
  void cancel();
  /// The same, where part 0 has not called yet.
  void give_up();

private:
  part_meeting(peer_desk& desk, const start_stream& order);

  [[nodiscard]] peer_inbox inbox_of(std::uint32_t part);
  [[nodiscard]] peer_hello hello(std::uint32_t to) const;
  result<void> dial(std::uint32_t part);
  void receive(std::uint32_t from, peer_message&& x);
  void closed(std::uint32_t part, const error& why);
  /// Waits until `is_there()`, called with the lock.
  template <class Condition>
  result<void> await(const char* what, std::chrono::steady_clock::time_point until,
                     const Condition& is_there);

  peer_desk& desk_;
  const std::string uid_;
  const std::uint64_t placement_;
  const std::uint32_t part_;
  const std::vector<std::string> addresses_; ///< by part
  std::shared_ptr<void> expected_;

  std::mutex mutex_; ///< guards what follows
  std::condition_variable changed_;
  std::vector<std::shared_ptr<peer_channel>> channels_;
  std::optional<peer_begin> begin_;
  std::set<std::uint32_t> greeted_; ///< parts that have answered
  std::set<std::uint32_t> ready_;
  std::optional<error> problem_;
  std::shared_ptr<stream_peers> peers_;
};

} // namespace ebb
