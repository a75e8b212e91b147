/// Which slots of a key_store changed after which mark, and which of them a save has frozen and not
/// written yet. Internal to key_index.
#pragma once

#include "schemas/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ebb {

/// Slots are listed at their first change after a mark, once there is a mark. A save of what
/// changed between the last two marks goes through that list; any other looks at all slots.
///
/// A frozen slot that is about to change for the first time since is put on another list, for the
/// owner of the values to write it out before it changes them.
class slot_changes {
public:
  /// Of a slot's change number: written by the present save.
  static constexpr std::uint32_t written = std::uint32_t{1} << 31;

  void add(std::uint32_t slot, std::uint32_t mark) {
    if (mark > 1)
      changed_.push_back(slot);
  }

  void start_mark() {
    EBB_ASSERT(frozen_ == mode::none);
    last_ = std::move(changed_);
    changed_.clear();
  }

  /// Freezes what changed after mark `since`; `mark` is the present one, just started.
  void freeze(std::uint32_t since, std::uint32_t mark, std::uint32_t slots) {
    since_ = since;
    mark_ = mark;
    at_ = 0;
    slots_ = slots;
    frozen_ = since != 0 && since + 2 == mark ? mode::list : mode::all;
    preserved_.clear();
  }

  void unfreeze() {
    frozen_ = mode::none;
    last_ = {};
    preserved_.clear();
  }

  [[nodiscard]] bool frozen() const noexcept {
    return frozen_ != mode::none;
  }

  /// The slot's number is about to be replaced.
  void preserve(std::uint32_t slot, std::uint32_t number) {
    if (frozen_ == mode::none)
      return;
    const bool waits = frozen_ == mode::list
                           ? number == mark_ - 1
                           : slot >= at_ && slot < slots_ && (number & ~written) > since_;
    if (waits)
      preserved_.push_back(slot);
  }

  /// Slots that must be written before their values change.
  [[nodiscard]] std::vector<std::uint32_t>& preserved() noexcept {
    return preserved_;
  }

  /// Appends up to `most` frozen slots; looks at not many more. `head(slot)` has the number in its
  /// high half.
  template <class Head>
  void take(std::size_t most, std::uint32_t count, std::vector<std::uint32_t>& out,
            const Head& head) {
    const auto all = frozen_ == mode::list ? last_.size() : std::size_t{slots_};
    const auto end = out.size() + most;
    for (std::size_t looked = 0; at_ < all && out.size() < end && looked < most * looks; ++looked) {
      const auto slot = frozen_ == mode::list ? last_[at_] : static_cast<std::uint32_t>(at_);
      ++at_;
      if (slot >= count)
        continue;
      auto& x = head(slot);
      const auto number = static_cast<std::uint32_t>(x >> 32);
      if (frozen_ == mode::list) {
        if (number != mark_ - 1)
          continue; // it has changed since, or is gone
        x |= std::uint64_t{written} << 32;
      } else if (const auto at = number & ~written; at <= since_ || at >= mark_) {
        continue;
      }
      out.push_back(slot);
    }
  }

  [[nodiscard]] bool all_taken() const noexcept {
    return at_ >= (frozen_ == mode::list ? last_.size() : std::size_t{slots_});
  }

  void clear() {
    unfreeze();
    changed_.clear();
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return (changed_.capacity() + last_.capacity() + preserved_.capacity()) * sizeof(std::uint32_t);
  }

private:
  enum class mode : std::uint8_t { none, list, all };
  static constexpr std::size_t looks = 8;

  std::vector<std::uint32_t> changed_; ///< since the last mark
  std::vector<std::uint32_t> last_;    ///< between the two marks before
  std::vector<std::uint32_t> preserved_;
  mode frozen_ = mode::none;
  std::uint32_t since_ = 0;
  std::uint32_t mark_ = 0;
  std::uint32_t slots_ = 0; ///< that there were
  std::size_t at_ = 0;
};

} // namespace ebb
