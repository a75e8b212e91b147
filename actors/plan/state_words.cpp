// A signature (state_change.cpp) is for comparing; here its parts are found again by the words that
// stand before them.

#include "actors/plan/state_words.hpp"

#include "actors/dataflow/operator_spec.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ebb {

namespace {

using numbers = std::vector<std::int64_t>;

/// Up to `most` numbers, with one space between, at the text's beginning.
numbers numbers_at(std::string_view text, std::size_t most) {
  numbers result;
  while (result.size() < most) {
    std::int64_t x = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (problem != std::errc{})
      break;
    result.push_back(x);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with(' '))
      break;
    text.remove_prefix(1);
  }
  return result;
}

numbers numbers_after(std::string_view text, std::string_view word, std::size_t most) {
  const auto found = text.find(word);
  return found == std::string_view::npos ? numbers{} : numbers_at(text.substr(found + word.size()), most);
}

std::string span_words(micros span) {
  struct unit {
    micros size;
    const char* name;
  };
  constexpr std::array<unit, 6> units{{{86'400'000'000, "day"},
                                       {3'600'000'000, "hour"},
                                       {60'000'000, "minute"},
                                       {1'000'000, "second"},
                                       {1'000, "millisecond"},
                                       {1, "microsecond"}}};
  for (const auto& x : units)
    if (span != 0 && span % x.size == 0) {
      const auto count = span / x.size;
      return std::to_string(count) + ' ' + x.name + (count == 1 || count == -1 ? "" : "s");
    }
  return "0 seconds";
}

std::string window_words(std::string_view signature) {
  const auto x = numbers_after(signature, " window ", 4);
  if (x.size() < 4)
    return {};
  const auto size = span_words(x[1]);
  const auto offset = x[3] == 0 ? std::string{} : " moved by " + span_words(x[3]);
  switch (static_cast<window_kind>(x[0])) {
  case window_kind::tumble:
    return "tumble of " + size + offset;
  case window_kind::hop:
    return "hop of " + size + " every " + span_words(x[2]) + offset;
  case window_kind::cumulate:
    return "cumulate up to " + size + " by " + span_words(x[2]) + offset;
  case window_kind::session:
    return "session with gaps of " + size;
  case window_kind::attached:
    return "those of its input";
  }
  return {};
}

std::string join_words(std::string_view signature) {
  constexpr std::array names{"inner", "left", "right", "full", "semi", "anti"};
  const auto end = signature.rfind(']');
  if (end == std::string_view::npos)
    return {};
  const auto x = numbers_at(signature.substr(end + 1), 1);
  return x.empty() || x[0] < 0 || x[0] >= static_cast<std::int64_t>(names.size())
             ? std::string{}
             : names[static_cast<std::size_t>(x[0])];
}

std::string bounds_words(std::string_view signature) {
  const auto end = signature.rfind(']');
  const auto x = end == std::string_view::npos ? numbers{} : numbers_at(signature.substr(end + 1), 3);
  return x.size() < 3 ? std::string{} : span_words(x[1]) + " to " + span_words(x[2]);
}

/// `bigint text`
std::string types_in(std::string_view signature) {
  std::string result;
  while (signature.starts_with('(')) {
    // Types have brackets of their own, without a space before the end.
    const auto end = signature.find(" )");
    if (end == std::string_view::npos)
      break;
    result += signature.substr(1, end - 1);
    signature.remove_prefix(end + 2);
    result += signature.starts_with('(') ? "; " : "";
  }
  return result;
}

std::string after(std::string_view signature, std::string_view word) {
  const auto x = numbers_after(signature, word, 1);
  return x.empty() ? "none" : std::to_string(x[0]);
}

std::string retention_words(std::string_view signature) {
  return signature.find(" dropped by ticks") != std::string_view::npos ? "by processing time"
         : signature.find(" dropped by") != std::string_view::npos     ? "by event time"
                                                                       : "none";
}

std::string updating_words(std::string_view signature) {
  std::string result;
  for (auto at = signature.find(" updating"); at != std::string_view::npos;
       at = signature.find(" updating", at + 1))
    result += result.empty() ? "some" : " and others";
  return result.empty() ? "none" : result;
}

std::string without_end(std::string text) {
  while (text.ends_with(' ') || text.ends_with(';'))
    text.pop_back();
  return text;
}

} // namespace

std::string difference_in_words(const kept_state& before, const kept_state& now) {
  std::string result;
  const auto add = [&](const char* what, const std::string& was, const std::string& is) {
    if (was != is && !was.empty() && !is.empty())
      result += std::string(result.empty() ? "" : "; ") + what + is + ", before " + was;
  };
  if (!before.shape.empty() && before.shape != now.shape)
    result = "of " + without_end(now.shape) + ", before of " + without_end(before.shape);
  const auto& a = before.signature;
  const auto& b = now.signature;
  const bool joins = now.identity.find(" join/") != std::string::npos
                     || now.identity.find("/join/") != std::string::npos;
  add("window ", window_words(a), window_words(b));
  add("LIMIT ", after(a, " limit "), after(b, " limit "));
  add("OFFSET ", after(a, " offset "), after(b, " offset "));
  if (joins) {
    add("join ", join_words(a), join_words(b));
    add("times ", bounds_words(a), bounds_words(b));
  }
  add("stateRetention ", retention_words(a), retention_words(b));
  add("inputs that update: ", updating_words(a), updating_words(b));
  if (result.empty())
    add("types ", types_in(a), types_in(b));
  return result.empty() ? without_end(b) + ", before " + without_end(a) : result;
}

} // namespace ebb
