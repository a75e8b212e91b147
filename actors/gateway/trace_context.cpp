#include "actors/gateway/trace_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ebb {

namespace {

bool hexadecimal_id(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return std::all_of(text.begin(), text.end(), digit)
         && std::any_of(text.begin(), text.end(), [](char c) { return c != '0'; });
}

} // namespace

bool is_traceparent(std::string_view text) noexcept {
  // 00-TRACE-PARENT-FLAGS of 2, 32, 16 and 2 digits.
  constexpr std::size_t size = 55;
  const auto flag = [&](std::size_t i) {
    return (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
  };
  return text.size() == size && text.starts_with("00-") && text[35] == '-' && text[52] == '-'
         && hexadecimal_id(text.substr(3, 32)) && hexadecimal_id(text.substr(36, 16)) && flag(53)
         && flag(54);
}

std::string trace_id_of(std::string_view traceparent) {
  return is_traceparent(traceparent) ? std::string(traceparent.substr(3, 32)) : std::string();
}

trace_source::trace_source() {
  std::random_device system;
  std::seed_seq seed{system(), system(), system(), system(), system(), system()};
  random_.seed(seed);
}

std::string trace_source::next() {
  const auto nonzero = [this] { return random_() | 1U; };
  // Most significant first, as the traces of others sort.
  return fmt::format("00-{:016x}{:016x}-{:016x}-00", random_(), nonzero(), nonzero());
}

} // namespace ebb
