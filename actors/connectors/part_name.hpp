/// Names of a folder's parts: `UID-LANE-EPOCH` and an ending, with a dot before it while they wait.
#pragma once

#include "actors/dataflow/channel_item.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace ebb {

struct part_name {
  std::uint32_t lane = 0;
  epoch_number epoch = 0;
};

/// Takes a number off the front; false where there is none that fits.
template <class Number>
[[nodiscard]] bool take_number(std::string_view& text, Number& number) {
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{})
    return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return true;
}

/// What a name says that is `start`, a lane, `-`, an epoch and `end`; nothing where it is another.
[[nodiscard]] std::optional<part_name> part_of(std::string_view name, std::string_view start,
                                               std::string_view end);

} // namespace ebb
