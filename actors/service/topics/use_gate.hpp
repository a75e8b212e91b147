/// Says when nobody uses something any more that others own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace ebb {

/// Thread-safe. Uses may lie within each other, on one thread or several.
class use_gate {
public:
  /// A use; false where the gate is closed: then the thing may be gone.
  class use {
  public:
    explicit use(use_gate& of) : of_(of), open_(of.enter()) {}

    ~use() {
      if (open_)
        of_.leave();
    }

    use(const use&) = delete;
    use& operator=(const use&) = delete;

    explicit operator bool() const noexcept {
      return open_;
    }

  private:
    use_gate& of_;
    const bool open_;
  };

  /// No further use begins; waits for those under way. Not from within one.
  void close() {
    std::unique_lock guard(mutex_);
    closed_ = true;
    left_.wait(guard, [this] { return uses_ == 0; });
  }

private:
  bool enter() {
    std::lock_guard guard(mutex_);
    uses_ += closed_ ? 0 : 1;
    return !closed_;
  }

  void leave() {
    std::lock_guard guard(mutex_);
    if (--uses_ == 0 && closed_)
      left_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  std::uint32_t uses_ = 0;
  bool closed_ = false;
};

} // namespace ebb
