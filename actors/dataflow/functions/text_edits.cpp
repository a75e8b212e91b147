// Functions that write new text: replace, pad, repeat, reverse, translate, overlay, chr, to_hex.

#include "actors/dataflow/functions/byte_blocks.hpp"
#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace ebb {

namespace {

/// Where `what` occurs in `in`, one occurrence behind the other.
void find_all(std::string_view in, std::string_view what, const byte_is& first,
              std::vector<std::size_t>& places) {
  places.clear();
  if (what.empty())
    return;
  if (what.size() == 1) {
    for_each_block(in, first, [&](std::size_t at, std::uint32_t bits) {
      for (; bits != 0; bits &= bits - 1)
        places.push_back(at + static_cast<std::size_t>(std::countr_zero(bits)));
      return true;
    });
    return;
  }
  for (auto at = find_bytes(in, what); at != std::string_view::npos;
       at = find_bytes(in, what, at + what.size()))
    places.push_back(at);
}

result<column> replace(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg from(args[1]);
  const text_arg to(args[2]);
  text_output out(context);
  out.share_heap(args[0]);
  std::vector<std::size_t> places;
  char letter = 0;
  byte_is first(letter);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    text.fetch_ahead(i, context.rows);
    const auto source = text[i];
    const auto what = from[i];
    const auto with = to[i];
    if (!what.empty() && what[0] != letter) {
      letter = what[0];
      first = byte_is(letter);
    }
    find_all(source, what, first, places);
    if (places.empty()) {
      out.share(i, source);
      continue;
    }
    const auto size = source.size() - places.size() * what.size() + places.size() * with.size();
    if (size > max_made_text) {
      if (skipped(context, i))
        continue;
      return too_large(i);
    }
    char* p = out.reserve(size);
    const auto put = [&](std::string_view bytes) {
      if (!bytes.empty())
        std::memcpy(p, bytes.data(), bytes.size());
      p += bytes.size();
    };
    std::size_t done = 0;
    for (const auto at : places) {
      put(source.substr(done, at - done));
      put(with);
      done = at + what.size();
    }
    put(source.substr(done));
    out.commit(i, size);
  }
  return out.take();
}

/// Writes `count` characters of `fill`, over and over; `bytes` is their size.
void write_fill(std::string_view fill, std::size_t bytes, char* to) noexcept {
  while (bytes != 0) {
    const auto step = std::min(bytes, fill.size());
    std::memcpy(to, fill.data(), step);
    to += step;
    bytes -= step;
  }
}

template <bool Left>
result<column> pad(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> length(args[1]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto source = text[i];
    const auto fill = args.size() == 2 ? std::string_view(" ") : text_arg(args[2])[i];
    const auto wanted = static_cast<std::size_t>(std::max(length[i], 0));
    const std::size_t present = utf8::length(source);
    if (wanted <= present || fill.empty()) {
      out.share(i, source.substr(0, utf8::prefix(source, wanted)));
      continue;
    }
    const auto missing = wanted - present;
    const std::size_t fill_length = utf8::length(fill);
    const auto rounds = missing / fill_length;
    const auto fill_bytes =
        rounds * fill.size() + utf8::prefix(fill, missing - rounds * fill_length);
    const auto size = source.size() + fill_bytes;
    if (size > max_made_text)
      return too_large(i);
    char* const to = out.reserve(size);
    if (!source.empty())
      std::memcpy(Left ? to + fill_bytes : to, source.data(), source.size());
    write_fill(fill, fill_bytes, Left ? to : to + source.size());
    out.commit(i, size);
  }
  return out.take();
}

result<column> repeat(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const value_arg<std::int32_t> count(args[1]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i) || count[i] <= 0 || text[i].empty())
      continue;
    const auto size = text[i].size() * static_cast<std::size_t>(count[i]);
    if (size > max_made_text)
      return too_large(i);
    write_fill(text[i], size, out.reserve(size));
    out.commit(i, size);
  }
  return out.take();
}

result<column> reverse(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto source = text[i];
    char* const to = out.reserve(source.size());
    if (utf8::is_ascii(source)) {
      std::reverse_copy(source.begin(), source.end(), to);
    } else {
      std::size_t end = source.size();
      for (std::size_t at = 0; at < source.size();) {
        const auto size = std::min(utf8::width(source[at]), source.size() - at);
        end -= size;
        std::memcpy(to + end, source.data() + at, size);
        at += size;
      }
    }
    out.commit(i, source.size());
  }
  return out.take();
}

std::vector<char32_t> characters_of(std::string_view text) {
  std::vector<char32_t> codes;
  for (std::size_t at = 0; at < text.size();)
    codes.push_back(utf8::next(text, at));
  return codes;
}

result<column> translate(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg from_arg(args[1]);
  const text_arg to_arg(args[2]);
  text_output out(context);
  std::vector<char32_t> from;
  std::vector<char32_t> to;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (i == 0 || !args[1].constant)
      from = characters_of(from_arg[i]);
    if (i == 0 || !args[2].constant)
      to = characters_of(to_arg[i]);
    const auto source = text[i];
    char* const bytes = out.reserve(source.size() * 4);
    std::size_t used = 0;
    for (std::size_t at = 0; at < source.size();) {
      const auto c = utf8::next(source, at);
      const auto found = std::find(from.begin(), from.end(), c);
      const auto place = static_cast<std::size_t>(found - from.begin());
      if (found == from.end())
        used += utf8::encode(c, bytes + used);
      else if (place < to.size())
        used += utf8::encode(to[place], bytes + used);
    }
    out.commit(i, used);
  }
  return out.take();
}

/// `start` and `count` select the part that is replaced, in characters from 1 (bytes for BYTEA).
template <bool Bytes>
result<column> overlay(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg with(args[1]);
  const value_arg<std::int32_t> start(args[2]);
  text_output out(context);
  const auto prefix = [](std::string_view x, std::size_t count) {
    return Bytes ? std::min(x.size(), count) : utf8::prefix(x, count);
  };
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto source = text[i];
    const std::int64_t count =
        args.size() == 4
            ? value_arg<std::int32_t>(args[3])[i]
            : static_cast<std::int64_t>(Bytes ? with[i].size() : utf8::length(with[i]));
    if (start[i] <= 0)
      return row_error(i, "negative substring length not allowed");
    const std::int64_t next = start[i] + count;
    if (next > std::numeric_limits<std::int32_t>::max()
        || next < std::numeric_limits<std::int32_t>::min())
      return row_error(i, "integer out of range");
    const auto head = source.substr(0, prefix(source, static_cast<std::size_t>(start[i] - 1)));
    const auto tail = source.substr(
        prefix(source, static_cast<std::size_t>(std::max<std::int64_t>(next, 1) - 1)));
    char* to = out.reserve(head.size() + with[i].size() + tail.size());
    std::size_t used = 0;
    for (const auto part : {head, with[i], tail}) {
      if (!part.empty())
        std::memcpy(to + used, part.data(), part.size());
      used += part.size();
    }
    out.commit(i, used);
  }
  return out.take();
}

result<column> chr(const call_context& context, std::span<const column> args) {
  const value_arg<std::int32_t> code(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto c = code[i];
    if (c < 0)
      return row_error(i, "character number must be positive");
    if (c == 0)
      return row_error(i, "null character not permitted");
    if (c > 0x10ffff)
      return row_error(i, "requested character too large for encoding: " + std::to_string(c));
    if (c >= 0xd800 && c < 0xe000)
      return row_error(i, "requested character not valid for encoding: " + std::to_string(c));
    out.commit(i, utf8::encode(static_cast<char32_t>(c), out.reserve(4)));
  }
  return out.take();
}

template <class T>
result<column> to_hex(const call_context& context, std::span<const column> args) {
  const value_arg<T> number(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    char* const to = out.reserve(16);
    const auto end =
        std::to_chars(to, to + 16, static_cast<std::make_unsigned_t<T>>(number[i]), 16);
    out.commit(i, static_cast<std::size_t>(end.ptr - to));
  }
  return out.take();
}

} // namespace

void register_text_edits(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  constexpr auto integer = type_kind::integer;
  add_overload(catalog, {"replace", {text, text, text}, text, replace, true});
  add_overload(catalog, {"lpad", {text, integer}, text, pad<true>, true});
  add_overload(catalog, {"lpad", {text, integer, text}, text, pad<true>, true});
  add_overload(catalog, {"rpad", {text, integer}, text, pad<false>, true});
  add_overload(catalog, {"rpad", {text, integer, text}, text, pad<false>, true});
  add_overload(catalog, {"repeat", {text, integer}, text, repeat, true});
  add_overload(catalog, {"reverse", {text}, text, reverse});
  add_overload(catalog, {"translate", {text, text, text}, text, translate});
  add_overload(catalog, {"overlay", {text, text, integer}, text, overlay<false>, true});
  add_overload(catalog, {"overlay", {text, text, integer, integer}, text, overlay<false>, true});
  add_overload(catalog, {"overlay", {bytea, bytea, integer}, bytea, overlay<true>, true});
  add_overload(catalog, {"overlay", {bytea, bytea, integer, integer}, bytea, overlay<true>, true});
  add_overload(catalog, {"chr", {integer}, text, chr, true});
  add_overload(catalog, {"to_hex", {integer}, text, to_hex<std::int32_t>});
  add_overload(catalog, {"to_hex", {type_kind::bigint}, text, to_hex<std::int64_t>});
}

} // namespace ebb
