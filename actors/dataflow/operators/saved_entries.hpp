/// Entries that had to be written before their time, until the save comes to take them.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "schemas/assert.hpp"

#include <deque>
#include <string>
#include <vector>

namespace ebb {

/// Keeps puts and erases in order and hands them on in pieces.
class saved_entries final : public state_sink {
public:
  void select_group(std::uint16_t key_group) override {
    group_ = key_group;
  }

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    add(state, key, value, true);
  }

  void erase(std::uint16_t state, std::string_view key) override {
    add(state, key, {}, false);
  }

  /// Prefixes are erased before anything changes.
  void erase_prefix(std::uint16_t, std::string_view) override {
    EBB_UNREACHABLE("an erased prefix after the puts");
  }

  [[nodiscard]] bool empty() const noexcept {
    return pieces_.empty();
  }

  /// Hands on up to `most` entries; returns how many.
  std::uint32_t drain(std::uint32_t most, state_sink& sink) {
    std::uint32_t count = 0;
    for (; count < most && !pieces_.empty(); ++count) {
      const auto& from = pieces_.front();
      const auto& x = from.places[next_];
      const auto all = std::string_view(from.bytes).substr(x.at);
      sink.select_group(x.group);
      if (x.put)
        sink.put(x.state, all.substr(0, x.key), all.substr(x.key, x.value));
      else
        sink.erase(x.state, all.substr(0, x.key));
      if (++next_ < from.places.size())
        continue;
      next_ = 0;
      pieces_.pop_front();
    }
    return count;
  }

private:
  // Small, since a large one would be copied as a whole when it grows.
  static constexpr std::size_t piece_bytes = std::size_t{64} << 10;

  struct place {
    std::size_t at;
    std::size_t key;
    std::size_t value;
    std::uint16_t group;
    std::uint16_t state;
    bool put;
  };

  struct piece {
    std::string bytes;
    std::vector<place> places;
  };

  void add(std::uint16_t state, std::string_view key, std::string_view value, bool put) {
    if (pieces_.empty() || pieces_.back().bytes.size() >= piece_bytes)
      pieces_.emplace_back();
    auto& to = pieces_.back();
    to.places.push_back({to.bytes.size(), key.size(), value.size(), group_, state, put});
    to.bytes += key;
    to.bytes += value;
  }

  std::deque<piece> pieces_;
  std::size_t next_ = 0; ///< entry of the first piece
  std::uint16_t group_ = 0;
};

} // namespace ebb
