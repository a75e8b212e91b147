// Functions whose result is a part of their input: the bytes are shared, not copied.

#include "actors/dataflow/functions/byte_blocks.hpp"
#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ebb {

namespace {

constexpr std::int64_t to_the_end = std::numeric_limits<std::int64_t>::max();

/// Characters (or bytes) start … end - 1, counted from 1.
struct span_of_text {
  std::int64_t start;
  std::int64_t end;
};

std::string_view cut_characters(std::string_view text, span_of_text part) {
  const auto start = std::max<std::int64_t>(part.start, 1);
  if (part.end <= start)
    return {};
  const auto rest = text.substr(utf8::prefix(text, static_cast<std::size_t>(start - 1)));
  if (part.end == to_the_end)
    return rest;
  return rest.substr(0, utf8::prefix(rest, static_cast<std::size_t>(part.end - start)));
}

std::string_view cut_bytes(std::string_view bytes, span_of_text part) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  const auto start = std::clamp<std::int64_t>(part.start - 1, 0, size);
  const auto end = std::clamp<std::int64_t>(part.end == to_the_end ? size : part.end - 1, 0, size);
  return end <= start
             ? std::string_view{}
             : bytes.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start));
}

using cutter = std::string_view (*)(std::string_view, span_of_text);

template <cutter Cut>
result<column> substring_from(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> start(args[1]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    out.share(i, Cut(text[i], {start[i], to_the_end}));
  return out.take();
}

template <cutter Cut>
result<column> substring_for(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> start(args[1]);
  const value_arg<std::int32_t> length(args[2]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (length[i] < 0) {
      if (skipped(context, i))
        continue;
      return row_error(i, "negative substring length not allowed");
    }
    out.share(i, Cut(text[i], {start[i], std::int64_t{start[i]} + length[i]}));
  }
  return out.take();
}

result<column> left(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> count(args[1]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const std::int64_t n = count[i];
    const auto size = n >= 0 ? utf8::prefix(text[i], static_cast<std::size_t>(n))
                             : utf8::before_suffix(text[i], static_cast<std::size_t>(-n));
    out.share(i, text[i].substr(0, size));
  }
  return out.take();
}

result<column> right(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> count(args[1]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const std::int64_t n = count[i];
    // PostgreSQL cannot negate the least count, and cuts nothing off.
    const auto from = n >= 0 ? utf8::before_suffix(text[i], static_cast<std::size_t>(n))
                      : n == std::numeric_limits<std::int32_t>::min()
                          ? 0
                          : utf8::prefix(text[i], static_cast<std::size_t>(-n));
    out.share(i, text[i].substr(from));
  }
  return out.take();
}

std::string_view nth_part(std::string_view text, std::string_view separator, const byte_is& first,
                          std::int64_t n) {
  if (separator.empty())
    return n == 1 || n == -1 ? text : std::string_view{};
  if (n < 0) {
    // Separators are found from the front, as they may overlap ("aaa" split by "aa").
    std::int64_t fields = 1;
    for (auto at = find_bytes(text, separator); at != std::string_view::npos;
         at = find_bytes(text, separator, at + separator.size()))
      ++fields;
    n += fields + 1;
    if (n <= 0)
      return {};
  }
  if (separator.size() == 1)
    return field_between(text, first, static_cast<std::uint32_t>(n));
  while (true) {
    const auto at = find_bytes(text, separator);
    if (--n == 0)
      return text.substr(0, at);
    if (at == std::string_view::npos)
      return {};
    text.remove_prefix(at + separator.size());
  }
}

result<column> split_part(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg separator(args[1]);
  const value_arg<std::int32_t> field(args[2]);
  text_output out(context);
  out.share_heap(args[0]);
  char letter = 0;
  byte_is first(letter);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    text.fetch_ahead(i, context.rows);
    if (skipped(context, i))
      continue;
    if (field[i] == 0)
      return row_error(i, "field position must not be zero");
    const auto what = separator[i];
    if (!what.empty() && what[0] != letter) {
      letter = what[0];
      first = byte_is(letter);
    }
    out.share(i, nth_part(text[i], what, first, field[i]));
  }
  return out.take();
}

/// True when the first character of `text` (of `size` bytes) is one of `set`.
bool in_set(std::string_view character, std::string_view set) noexcept {
  if (character.size() == 1)
    return std::memchr(set.data(), character[0], set.size()) != nullptr;
  return set.find(character) != std::string_view::npos;
}

std::string_view trim_start(std::string_view text, std::string_view set) noexcept {
  while (!text.empty()) {
    const auto first = text.substr(0, utf8::width(text[0]));
    if (!in_set(first, set))
      break;
    text.remove_prefix(first.size());
  }
  return text;
}

std::string_view trim_end(std::string_view text, std::string_view set) noexcept {
  while (!text.empty()) {
    const auto last = text.substr(utf8::before_suffix(text, 1));
    if (!in_set(last, set))
      break;
    text.remove_suffix(last.size());
  }
  return text;
}

std::string_view trim_bytes_start(std::string_view bytes, std::string_view set) noexcept {
  const auto at = bytes.find_first_not_of(set);
  return at == std::string_view::npos ? std::string_view{} : bytes.substr(at);
}

std::string_view trim_bytes_end(std::string_view bytes, std::string_view set) noexcept {
  const auto at = bytes.find_last_not_of(set);
  return at == std::string_view::npos ? std::string_view{} : bytes.substr(0, at + 1);
}

using trimmer = std::string_view (*)(std::string_view, std::string_view) noexcept;

template <trimmer Trim>
result<column> trim_one_side(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  out.share_heap(args[0]);
  if (args.size() == 1) {
    for (std::uint32_t i = 0; i < context.rows; ++i)
      out.share(i, Trim(text[i], " "));
  } else {
    const text_arg set(args[1]);
    for (std::uint32_t i = 0; i < context.rows; ++i)
      out.share(i, Trim(text[i], set[i]));
  }
  return out.take();
}

template <trimmer First, trimmer Second>
std::string_view trim_both(std::string_view text, std::string_view set) noexcept {
  return Second(First(text, set), set);
}

template <trimmer Trim>
void add_trim(function_catalog& catalog, const char* name, type_kind kind) {
  if (kind == type_kind::text)
    add_overload(catalog, {name, {kind}, kind, trim_one_side<Trim>});
  add_overload(catalog, {name, {kind, kind}, kind, trim_one_side<Trim>});
}

} // namespace

void register_text_slices(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  constexpr auto integer = type_kind::integer;
  for (const char* name : {"substring", "substr"}) {
    add_overload(catalog, {name, {text, integer}, text, substring_from<cut_characters>});
    add_overload(catalog,
                 {name, {text, integer, integer}, text, substring_for<cut_characters>, true});
    add_overload(catalog, {name, {bytea, integer}, bytea, substring_from<cut_bytes>});
    add_overload(catalog, {name, {bytea, integer, integer}, bytea, substring_for<cut_bytes>, true});
  }
  add_overload(catalog, {"left", {text, integer}, text, left});
  add_overload(catalog, {"right", {text, integer}, text, right});
  add_overload(catalog, {"split_part", {text, text, integer}, text, split_part, true});
  for (const char* name : {"btrim", "trim"}) {
    add_trim<trim_both<trim_start, trim_end>>(catalog, name, text);
    add_trim<trim_both<trim_bytes_start, trim_bytes_end>>(catalog, name, bytea);
  }
  add_trim<trim_start>(catalog, "ltrim", text);
  add_trim<trim_bytes_start>(catalog, "ltrim", bytea);
  add_trim<trim_end>(catalog, "rtrim", text);
  add_trim<trim_bytes_end>(catalog, "rtrim", bytea);
}

} // namespace ebb
