// Joining values: || of text and bytea, concat, concat_ws.

#include "actors/dataflow/functions/text_kernel.hpp"

#include <cstring>

namespace ebb {

namespace {

/// Bound of a joined value; only reached by many arguments of the largest size.
constexpr std::size_t max_joined_text = std::size_t{1} << 30;

char* put(char* to, std::string_view bytes) noexcept {
  if (!bytes.empty())
    std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

result<column> join_two(const call_context& context, std::span<const column> args) {
  const text_arg a(args[0]);
  const text_arg b(args[1]);
  text_output out(context);
  std::size_t total = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i)
    total += a[i].size() + b[i].size();
  char* to = out.reserve(total);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to = put(put(to, a[i]), b[i]);
    out.commit(i, a[i].size() + b[i].size());
  }
  return out.take();
}

/// Arguments that may be NULL.
std::vector<text_arg> text_args(std::span<const column> args) {
  return {args.begin(), args.end()};
}

result<column> concat(const call_context& context, std::span<const column> args) {
  const auto parts = text_args(args);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    std::size_t size = 0;
    for (std::size_t k = 0; k < parts.size(); ++k)
      size += args[k].is_null(i) ? 0 : parts[k][i].size();
    if (size > max_joined_text)
      return too_large(i);
    char* to = out.reserve(size);
    for (std::size_t k = 0; k < parts.size(); ++k)
      if (!args[k].is_null(i))
        to = put(to, parts[k][i]);
    out.commit(i, size);
  }
  return out.take();
}

result<column> concat_ws(const call_context& context, std::span<const column> args) {
  const auto parts = text_args(args);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i)) {
      out.null(i);
      continue;
    }
    const auto separator = parts[0][i];
    std::size_t size = 0;
    std::size_t present = 0;
    for (std::size_t k = 1; k < parts.size(); ++k) {
      if (args[k].is_null(i))
        continue;
      size += parts[k][i].size() + (present++ == 0 ? 0 : separator.size());
    }
    if (size > max_joined_text)
      return too_large(i);
    char* to = out.reserve(size);
    bool first = true;
    for (std::size_t k = 1; k < parts.size(); ++k) {
      if (args[k].is_null(i))
        continue;
      if (!first)
        to = put(to, separator);
      to = put(to, parts[k][i]);
      first = false;
    }
    out.commit(i, size);
  }
  return out.take();
}

} // namespace

void register_text_concat(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  add_overload(catalog, {"||", {text, text}, text, join_two});
  add_overload(catalog, {"||", {bytea, bytea}, bytea, join_two});
  overload joined{"concat", {text}, text, concat};
  joined.strict = false;
  joined.variadic = true;
  add_overload(catalog, joined);
  overload separated{"concat_ws", {text, text}, text, concat_ws};
  separated.strict = false;
  separated.variadic = true;
  add_overload(catalog, separated);
}

} // namespace ebb
