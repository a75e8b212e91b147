/// Deadlines of many connections for the price of one timer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace ebb {

/// Something with a deadline. It leaves its wheel when it is destroyed.
class deadline_entry {
public:
  using time_point = std::chrono::steady_clock::time_point;

  deadline_entry() = default;
  deadline_entry(const deadline_entry&) = delete;
  deadline_entry& operator=(const deadline_entry&) = delete;

  virtual void on_deadline() = 0;

  [[nodiscard]] time_point deadline() const noexcept {
    return deadline_;
  }

protected:
  virtual ~deadline_entry() {
    unlink();
  }

private:
  friend class deadline_wheel;

  void unlink() noexcept {
    if (next_ == nullptr)
      return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

  // The ring of a slot begins with its head, which is an entry without meaning.
  deadline_entry* next_ = nullptr;
  deadline_entry* previous_ = nullptr;
  time_point deadline_;
  long long slot_time_ = 0; ///< tick at which it is looked at, if linked
};

/// Slots of one tick each; a later deadline waits in the last slot and is moved on from there.
/// Setting a later deadline costs a store, an earlier one relinks. Entries are called at most one
/// tick late. Not thread-safe.
class deadline_wheel {
public:
  using time_point = deadline_entry::time_point;
  static constexpr std::chrono::milliseconds tick{50};

  deadline_wheel() {
    for (auto& x : slots_)
      x.next_ = x.previous_ = &x;
  }

  ~deadline_wheel() {
    for (auto& x : slots_) {
      while (x.next_ != &x)
        x.next_->unlink();
      x.next_ = x.previous_ = nullptr;
    }
  }

  deadline_wheel(const deadline_wheel&) = delete;
  deadline_wheel& operator=(const deadline_wheel&) = delete;

  /// `when` may lie in the past: then it is called by the next run.
  void set(deadline_entry& entry, time_point when, time_point now) {
    entry.deadline_ = when;
    const auto wanted = slot_of(when, now);
    if (entry.next_ != nullptr && entry.slot_time_ <= wanted)
      return;
    link(entry, wanted);
  }

  void clear(deadline_entry& entry) noexcept {
    entry.unlink();
  }

  /// Calls what is due. An entry may set deadlines and destroy entries, itself as well.
  void run(time_point now) {
    const auto until = tick_of(now);
    if (done_ == 0 || until - done_ > static_cast<long long>(slots))
      done_ = until - static_cast<long long>(slots);
    while (done_ < until) {
      auto& head = slots_[static_cast<std::size_t>(++done_) % slots];
      // What is linked again meanwhile lies in other slots, or behind the mark.
      slot_head mark;
      mark.next_ = head.next_ == &head ? &mark : head.next_;
      mark.previous_ = head.previous_ == &head ? &mark : head.previous_;
      mark.next_->previous_ = mark.previous_->next_ = &mark;
      head.next_ = head.previous_ = &head;
      while (mark.next_ != &mark) {
        auto& entry = *mark.next_;
        entry.unlink();
        if (entry.deadline_ <= now)
          entry.on_deadline();
        else
          link(entry, slot_of(entry.deadline_, now));
      }
      mark.next_ = mark.previous_ = nullptr;
    }
  }

  /// When run() should be called next; nothing when no entry waits.
  [[nodiscard]] std::optional<time_point> next(time_point now) const {
    const auto current = tick_of(now);
    for (long long i = 1; i <= static_cast<long long>(slots); ++i) {
      const auto& head = slots_[static_cast<std::size_t>(current + i) % slots];
      if (head.next_ != &head)
        return time_point(tick * (current + i));
    }
    return std::nullopt;
  }

private:
  static constexpr std::size_t slots = 256;

  struct slot_head final : deadline_entry {
    void on_deadline() override {}
  };

  static long long tick_of(time_point when) {
    return when.time_since_epoch() / tick;
  }

  // After the current tick, so that it is not in a slot that is being run.
  static long long slot_of(time_point when, time_point now) {
    const auto current = tick_of(now);
    const auto wanted = tick_of(when) + 1;
    const auto last = current + static_cast<long long>(slots) - 1;
    return wanted <= current ? current + 1 : wanted > last ? last : wanted;
  }

  void link(deadline_entry& entry, long long at) {
    entry.unlink();
    auto& head = slots_[static_cast<std::size_t>(at) % slots];
    entry.slot_time_ = at;
    entry.previous_ = head.previous_;
    entry.next_ = &head;
    head.previous_->next_ = &entry;
    head.previous_ = &entry;
  }

  std::array<slot_head, slots> slots_;
  long long done_ = 0; ///< the last tick that has run
};

} // namespace ebb
