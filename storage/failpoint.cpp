#include "storage/failpoint.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace ebb {

namespace detail {
std::atomic<bool> failpoint_armed{false};
}

namespace {

// Written while one thread runs (at start, or by a test), read by any.
std::string armed_name;
failpoint_side armed_side = failpoint_side::before;
std::atomic<std::uint32_t> armed_left{0};

[[noreturn]] void refuse(std::string_view text) {
  std::fprintf(stderr, "EBB_FAILPOINT: '%.*s' is not name:before[:nth] or name:after[:nth]\n",
               static_cast<int>(text.size()), text.data());
  std::_Exit(2);
}

const bool armed_from_environment = [] {
  if (const auto* text = std::getenv("EBB_FAILPOINT"); text != nullptr)
    arm_failpoint(text);
  return true;
}();

} // namespace

void arm_failpoint(std::string_view text) {
  detail::failpoint_armed.store(false);
  if (text.empty())
    return;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0)
    refuse(text);
  auto side = text.substr(colon + 1);
  std::uint32_t nth = 1;
  if (const auto second = side.find(':'); second != std::string_view::npos) {
    const auto digits = side.substr(second + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), nth);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || nth == 0)
      refuse(text);
    side = side.substr(0, second);
  }
  if (side != "before" && side != "after")
    refuse(text);
  armed_name = text.substr(0, colon);
  armed_side = side == "before" ? failpoint_side::before : failpoint_side::after;
  armed_left.store(nth);
  detail::failpoint_armed.store(true);
}

void detail::reach_failpoint(std::string_view name, failpoint_side side) noexcept {
  if (side != armed_side || name != armed_name)
    return;
  if (armed_left.fetch_sub(1) == 1)
    ::_exit(failpoint_exit_code);
}

} // namespace ebb
