/// The links between the parts of a simulated stream.
#pragma once

#include "actors/runtime/stream_peers.hpp"
#include "tools/simulation/dice.hpp"
#include "tools/simulation/process.hpp"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace ebb::sim {

/// Messages of one link come in order, each some time after it was sent, when `deliver_one` says
/// so. Of a part that dies, what it has sent last may never come; then the others are told.
class virtual_links : public std::enable_shared_from_this<virtual_links> {
public:
  virtual_links(std::uint32_t parts, const fault_rates& rates, dice& random,
                std::function<micros()> clock)
      : parts_(parts), rates_(rates), random_(random), clock_(std::move(clock)), peers_(parts),
        links_(std::size_t{parts} * parts) {}

  /// Connects a part's end to all others.
  void connect(std::uint32_t part, std::shared_ptr<stream_peers> peers);

  /// A message that is due, of any link; false = there is none. `hurry`: all are due.
  bool deliver_one(bool hurry = false);
  /// When the next one is; max_time = nothing is under way.
  [[nodiscard]] micros next_time() const;

  /// The part's process is dead.
  void cut(std::uint32_t part);

  /// Nothing comes to anybody any more.
  void drop();

private:
  class channel;

  struct message {
    micros at = 0;
    std::optional<peer_message> what; ///< nothing = the link closes
  };

  struct link {
    std::deque<message> waiting;
    bool closed = false; ///< nothing more is sent
  };

  link& between(std::uint32_t from, std::uint32_t to) {
    return links_[std::size_t{from} * parts_ + to];
  }

  void put(link& to, std::optional<peer_message> what);
  result<void> send(std::uint32_t from, std::uint32_t to, const peer_message& x);
  void finish(std::uint32_t from, std::uint32_t to);

  const std::uint32_t parts_;
  const fault_rates& rates_;
  dice& random_;
  const std::function<micros()> clock_;
  std::vector<std::shared_ptr<stream_peers>> peers_;
  std::vector<link> links_;
};

} // namespace ebb::sim
