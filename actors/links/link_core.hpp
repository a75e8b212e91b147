/// The loop's side of links: what all of its connections share. Includes Asio.
#pragma once

#include "actors/links/link_connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_set>

namespace ebb {

class socket_link;

/// Used on the loop's thread alone, but where it says otherwise.
class link_core {
public:
  explicit link_core(const link_options& how);

  void start(); ///< the thread
  void stop();  ///< it, and all connections; from another thread

  /// Runs `work` on the loop's thread and waits for it. From any thread.
  void run_there(const std::function<void()>& work);

  void add(std::shared_ptr<socket_link> x);
  void remove(const std::shared_ptr<socket_link>& x);

  [[nodiscard]] double cpu_seconds() const; ///< from any thread

  const link_options options;
  /// All connections read into this; what they keep, they copy.
  std::array<std::byte, std::size_t{64} << 10> scratch;
  boost::asio::io_context io{1};

private:
  void arm();

  boost::asio::steady_timer ticks_{io};
  bool armed_ = false;
  std::unordered_set<std::shared_ptr<socket_link>> links_;
  std::thread thread_;
};

} // namespace ebb
