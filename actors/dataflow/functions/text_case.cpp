// lower, upper, initcap.

#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/unicode.hpp"
#include "actors/dataflow/functions/utf8.hpp"

namespace ebb {

namespace {

enum class letter_case : std::uint8_t { lower, upper };

template <letter_case Case>
void map_ascii(char* bytes, std::size_t size) noexcept {
  constexpr char first = Case == letter_case::lower ? 'A' : 'a';
  for (std::size_t i = 0; i < size; ++i) {
    const auto distance = static_cast<unsigned char>(bytes[i] - first);
    bytes[i] = static_cast<char>(bytes[i] ^ (distance < 26 ? 0x20 : 0));
  }
}

/// Calls `map` for every character of `from`; returns the bytes written. A mapped character takes
/// at most one byte more than its original of two.
template <class Map>
std::size_t map_characters(std::string_view from, char* to, Map&& map) {
  std::size_t written = 0;
  for (std::size_t at = 0; at < from.size();)
    written += utf8::encode(map(utf8::next(from, at)), to + written);
  return written;
}

std::size_t mapped_bound(std::size_t size) noexcept {
  return size + size / 2 + 4;
}

/// ASCII rows are laid end to end and mapped in one pass over all of them.
template <letter_case Case>
result<column> change_case(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i)
    total += text[i].size();
  char* const bytes = out.reserve(total);
  std::size_t used = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto from = text[i];
    if (!from.empty())
      std::memcpy(bytes + used, from.data(), from.size());
    used += from.size();
    out.commit(i, from.size());
  }
  if (utf8::is_ascii({bytes, used})) {
    map_ascii<Case>(bytes, used);
    return out.take();
  }
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto from = text[i];
    char* const to = out.reserve(mapped_bound(from.size()));
    const auto size = map_characters(from, to, [](char32_t c) {
      return Case == letter_case::lower ? unicode::to_lower(c) : unicode::to_upper(c);
    });
    out.commit(i, size);
  }
  return out.take();
}

result<column> initcap(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto from = text[i];
    char* const to = out.reserve(mapped_bound(from.size()));
    bool inside = false;
    const auto size = map_characters(from, to, [&](char32_t c) {
      const char32_t mapped = inside ? unicode::to_lower(c) : unicode::to_upper(c);
      inside = unicode::is_alnum(mapped);
      return mapped;
    });
    out.commit(i, size);
  }
  return out.take();
}

} // namespace

void register_text_case(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  add_overload(catalog, {"lower", {text}, text, change_case<letter_case::lower>});
  add_overload(catalog, {"upper", {text}, text, change_case<letter_case::upper>});
  add_overload(catalog, {"initcap", {text}, text, initcap});
}

} // namespace ebb
