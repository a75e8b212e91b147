// Functions of text that give numbers or truth: lengths, positions, prefixes.

#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"

namespace ebb {

namespace {

/// INTEGER column with f(row).
template <class F>
column integers(const call_context& context, F&& f) {
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    values[i] = static_cast<std::int32_t>(f(i));
  return out;
}

result<column> characters(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  return integers(context, [&](auto i) {
    text.fetch_ahead(i, context.rows);
    return utf8::length(text[i]);
  });
}

result<column> octets(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  return integers(context, [&](auto i) { return text[i].size(); });
}

result<column> bits(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  return integers(context, [&](auto i) { return text[i].size() * 8; });
}

result<column> text_position(const call_context& context, std::span<const column> args) {
  const text_arg in(args[0]);
  const text_arg what(args[1]);
  return integers(context, [&](auto i) -> std::uint32_t {
    const auto at = find_bytes(in[i], what[i]);
    return at == std::string_view::npos ? 0 : utf8::length(in[i].substr(0, at)) + 1;
  });
}

result<column> bytea_position(const call_context& context, std::span<const column> args) {
  const text_arg in(args[0]);
  const text_arg what(args[1]);
  return integers(context, [&](auto i) -> std::size_t {
    const auto at = find_bytes(in[i], what[i]);
    return at == std::string_view::npos ? 0 : at + 1;
  });
}

result<column> ascii(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  return integers(context, [&](auto i) -> char32_t {
    std::size_t at = 0;
    return text[i].empty() ? 0 : utf8::next(text[i], at);
  });
}

result<column> starts_with(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg prefix(args[1]);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    values[i] = text[i].starts_with(prefix[i]) ? 1 : 0;
  return out;
}

} // namespace

void register_text_measures(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  constexpr auto integer = type_kind::integer;
  for (const char* name : {"length", "char_length", "character_length"})
    add_overload(catalog, {name, {text}, integer, characters});
  add_overload(catalog, {"length", {bytea}, integer, octets});
  for (const auto kind : {text, bytea}) {
    add_overload(catalog, {"octet_length", {kind}, integer, octets});
    add_overload(catalog, {"bit_length", {kind}, integer, bits});
  }
  for (const char* name : {"position", "strpos"})
    add_overload(catalog, {name, {text, text}, integer, text_position});
  add_overload(catalog, {"position", {bytea, bytea}, integer, bytea_position});
  add_overload(catalog, {"ascii", {text}, integer, ascii});
  for (const char* name : {"starts_with", "^@"})
    add_overload(catalog, {name, {text, text}, type_kind::boolean, starts_with});
}

} // namespace ebb
