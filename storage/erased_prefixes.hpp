/// The erased prefixes of one segment: which keys of *older* segments it hides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

struct erased_prefix {
  std::uint16_t key_group = 0;
  std::uint16_t state = 0;
  std::string prefix;
};

/// A set of prefixes in which none begins with another.
class erased_prefixes {
public:
  erased_prefixes() = default;

  /// Any order; prefixes that others cover are dropped.
  explicit erased_prefixes(std::vector<erased_prefix> prefixes);

  [[nodiscard]] bool covers(std::uint16_t key_group, std::uint16_t state,
                            std::string_view key) const noexcept;

  [[nodiscard]] bool empty() const noexcept {
    return prefixes_.empty();
  }

  /// In order of key group, state, prefix.
  [[nodiscard]] const std::vector<erased_prefix>& list() const noexcept {
    return prefixes_;
  }

private:
  std::vector<erased_prefix> prefixes_;
};

} // namespace ebb
