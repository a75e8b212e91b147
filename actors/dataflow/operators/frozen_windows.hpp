/// What operators that keep rows by window need to save them piece by piece while windows go.
#pragma once

#include "actors/dataflow/operators/state_keys.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// The windows of a map that a save writes, in order. `Part` says what of one is to be written.
template <class Windows, class Part>
class frozen_windows {
public:
  using entry = std::pair<const typename Windows::value_type*, Part>;

  /// In the order of the map.
  void add(const typename Windows::value_type& window, Part part) {
    entries_.emplace_back(&window, std::move(part));
  }

  /// Writes one window after the other by `put(window, part)`, which says whether that is written
  /// to its end. True = all are.
  template <class Put>
  [[nodiscard]] bool put_all(const Put& put) {
    for (; next_ != entries_.size(); ++next_) {
      auto& [window, part] = entries_[next_];
      if (!put(*window, part))
        return false;
      if (!kept_.empty() && &*kept_.begin() == window)
        kept_.erase(kept_.begin());
    }
    return true;
  }

  /// Takes the first window out of its map, and keeps it if it is still to be written.
  void drop_first(Windows& from) {
    const auto at =
        std::partition_point(entries_.begin() + static_cast<std::ptrdiff_t>(next_), entries_.end(),
                             [&](const entry& x) { return x.first->first < from.begin()->first; });
    if (at != entries_.end() && at->first == &*from.begin())
      kept_.insert(from.extract(from.begin()));
    else
      from.erase(from.begin());
  }

private:
  std::vector<entry> entries_;
  std::size_t next_ = 0;
  Windows kept_; ///< gone, and not written
};

/// Erases what was dropped before a save, key group after key group, before anything is put.
class frozen_drops {
public:
  void start(const dropped_panes& dropped, change_mark since) {
    first_ = next_ = dropped.first_after(since);
    end_ = dropped.end();
    group_ = 0;
  }

  /// Goes on, erasing prefixes of the states 0 and 1 for about `left`, which it counts down.
  /// `begin(i)` selects the group number i and gives what stands before its prefixes; `end(i)`
  /// writes what else a group begins with. True = all groups are done.
  template <class Begin, class End>
  [[nodiscard]] bool save(const dropped_panes& dropped, std::uint32_t groups, std::uint32_t& left,
                          state_sink& sink, const Begin& begin, const End& end) {
    for (; group_ < groups; ++group_, next_ = first_) {
      const std::string before = begin(group_);
      for (; next_ < end_ && left != 0; ++next_) {
        dropped.erase(next_, 2, sink, before);
        left -= std::min(left, 2U);
      }
      if (left == 0)
        return false;
      end(group_);
      --left;
    }
    return true;
  }

private:
  std::size_t first_ = 0;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::uint32_t group_ = 0;
};

} // namespace ebb
