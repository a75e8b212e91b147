/// One connection of a loop.
#pragma once

#include "actors/links/frame_reader.hpp"
#include "actors/links/link_connection.hpp"
#include "actors/links/link_core.hpp"
#include "actors/links/link_stream.hpp"
#include "actors/links/unix_socket.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

namespace ebb {

/// Messages are encoded and, where the socket takes them at once, written by the thread that sends
/// them; all else happens on the loop's thread.
class socket_link final : public link_connection, public std::enable_shared_from_this<socket_link> {
public:
  /// `begin` comes next, after `handlers` are set.
  socket_link(link_core& core, socket_handle socket, std::unique_ptr<link_stream> stream,
              link_peer peer);

  result<void> send(const link_message& x) override;
  void close(error why) override;
  void finish() override;

  [[nodiscard]] bool open() const noexcept override {
    return open_;
  }

  [[nodiscard]] std::size_t waiting() const noexcept override {
    return waiting_;
  }

  [[nodiscard]] const link_peer& peer() const noexcept override {
    return peer_;
  }

  // The loop's thread.

  [[nodiscard]] const link_credential& shown() const noexcept override {
    return shown_;
  }

  void begin();
  void tick(); ///< once a heartbeat
  void end(error why);

  link_handlers handlers;

private:
  using descriptor = boost::asio::posix::stream_descriptor;

  struct item {
    std::array<std::byte, frame_head_bytes> head;
    buffer_ptr body;
  };

  void shake_hands();
  void wait_to_read();
  void wait_to_write();
  void read_some(std::size_t budget);
  bool deliver(std::span<const std::byte> bytes);
  bool deliver_complete();
  link_stream::step read_into(std::span<std::byte> to);
  void lost(error why);

  // With the lock.
  void push(const buffer_ptr& body, bool ahead);
  void write_some();
  void drop(std::size_t sent);
  void close_soon(error why);
  template <class Work>
  void post(Work work);

  link_core& core_;
  const link_peer peer_;
  std::atomic<bool> open_ = true;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<bool> closing_ = false;

  std::mutex mutex_; ///< of what follows; and of the stream, to write and where it is exclusive
  std::optional<descriptor> socket_;
  std::unique_ptr<link_stream> stream_;
  std::deque<item> out_;
  std::size_t out_sent_ = 0; ///< of the first
  bool ready_ = false;       ///< hands are shaken
  bool blocked_ = false;     ///< the loop waits until it can write
  bool finishing_ = false;
  bool broken_ = false; ///< nothing can be written any more
  bool wrote_ = false;  ///< since the last tick
  bool beat_waits_ = false;

  // The loop's thread.
  link_credential shown_;
  frame_reader reader_;
  bool heard_ = false; ///< since the last tick
  int quiet_ = 0;      ///< ticks
  int finishing_ticks_ = 0;
  std::uint64_t beats_ = 0;
};

} // namespace ebb
