/// Keys of entries that were saved and are gone, until a save has carried them off.
#pragma once

#include "actors/dataflow/operator.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Kept in pieces, in the order of their changes, so that a million are noted, written and let go
/// of a piece at a time. Places are numbers until `forget`.
class erased_keys {
public:
  void add(change_mark now, std::uint16_t group, std::string_view key) {
    if (pieces_.empty() || pieces_.back().keys.size() == piece_keys)
      pieces_.emplace_back();
    auto& to = pieces_.back();
    to.bytes += key;
    to.keys.push_back({now, group, to.bytes.size()});
  }

  /// Lets go of most that went away until `asked`: saves will ask for later marks only.
  void forget(change_mark asked) {
    while (!pieces_.empty() && pieces_.front().keys.back().at <= asked)
      pieces_.pop_front();
  }

  /// Place before those that went away after `since`.
  [[nodiscard]] std::size_t first_after(change_mark since) const noexcept {
    std::size_t piece = 0;
    while (piece < pieces_.size() && pieces_[piece].keys.back().at <= since)
      ++piece;
    return std::min(piece * piece_keys, end());
  }

  [[nodiscard]] std::size_t end() const noexcept {
    return pieces_.empty() ? 0 : (pieces_.size() - 1) * piece_keys + pieces_.back().keys.size();
  }

  /// Erases those at places [at, end) that went away after `since`, looking at up to `left`.
  void save(std::size_t& at, std::size_t end, change_mark since, std::uint16_t state,
            std::uint32_t& left, state_sink& sink) const {
    for (; at < end && left != 0; ++at, --left) {
      const auto& piece = pieces_[at / piece_keys];
      const auto i = at % piece_keys;
      if (piece.keys[i].at <= since)
        continue;
      sink.select_group(piece.keys[i].group);
      sink.erase(state, key_of(piece, i));
    }
  }

  /// Erases those of one key group that went away after `since`.
  void save_group(std::uint16_t group, change_mark since, std::uint16_t state,
                  state_sink& sink) const {
    for (const auto& piece : pieces_)
      for (std::size_t i = 0; i < piece.keys.size(); ++i)
        if (piece.keys[i].at > since && piece.keys[i].group == group)
          sink.erase(state, key_of(piece, i));
  }

private:
  static constexpr std::size_t piece_keys = 1024;

  struct erased_key {
    change_mark at;
    std::uint16_t group;
    std::size_t end; ///< of its bytes; they begin where those of the one before end
  };

  struct key_piece {
    std::vector<erased_key> keys;
    std::string bytes;
  };

  [[nodiscard]] static std::string_view key_of(const key_piece& x, std::size_t i) noexcept {
    const auto first = i == 0 ? 0 : x.keys[i - 1].end;
    return std::string_view(x.bytes).substr(first, x.keys[i].end - first);
  }

  std::deque<key_piece> pieces_;
};

} // namespace ebb
