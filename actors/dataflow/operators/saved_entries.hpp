/// Entries that had to be written before their time, until the save comes to take them.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "schemas/assert.hpp"

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
    return next_ == places_.size();
  }

  /// Hands on up to `most` entries; returns how many.
  std::uint32_t drain(std::uint32_t most, state_sink& sink) {
    std::uint32_t count = 0;
    for (; count < most && next_ < places_.size(); ++count, ++next_) {
      const auto& x = places_[next_];
      const std::string_view all(bytes_);
      sink.select_group(x.group);
      if (x.put)
        sink.put(x.state, all.substr(x.at, x.key), all.substr(x.at + x.key, x.value));
      else
        sink.erase(x.state, all.substr(x.at, x.key));
    }
    if (empty())
      clear();
    return count;
  }

  void clear() {
    bytes_.clear();
    places_.clear();
    next_ = 0;
  }

private:
  struct place {
    std::size_t at;
    std::size_t key;
    std::size_t value;
    std::uint16_t group;
    std::uint16_t state;
    bool put;
  };

  void add(std::uint16_t state, std::string_view key, std::string_view value, bool put) {
    places_.push_back({bytes_.size(), key.size(), value.size(), group_, state, put});
    bytes_ += key;
    bytes_ += value;
  }

  std::string bytes_;
  std::vector<place> places_;
  std::size_t next_ = 0;
  std::uint16_t group_ = 0;
};

} // namespace ebb
