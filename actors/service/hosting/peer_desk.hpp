/// Where the workers that share a stream meet.
#pragma once

#include "actors/runtime/stream_peers.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

/// Who takes what comes over a connection. Called by one thread at a time; must not block.
struct peer_inbox {
  std::function<void(peer_message&&)> message;
  /// Once; nothing comes after it.
  std::function<void(const error& why)> closed;
};

/// Thread-safe.
class peer_desk {
public:
  using arrived_function =
      std::function<peer_inbox(std::uint32_t from, std::shared_ptr<peer_channel>)>;

  virtual ~peer_desk() = default;

  /// Connects to another worker and says `hello`. May block for a few seconds.
  [[nodiscard]] virtual result<std::shared_ptr<peer_channel>>
  dial(const std::string& address, const peer_hello& hello, peer_inbox take) = 0;

  /// `arrived` is called for each connection that another part opens to this one, `to.to`, until
  /// the handle goes; also for those that were opened before, for a while.
  [[nodiscard]] virtual std::shared_ptr<void> expect(const peer_hello& to,
                                                     arrived_function arrived) = 0;
};

} // namespace ebb
