// Single bytes and bits of BYTEA values.

#include "actors/dataflow/functions/text_kernel.hpp"

#include <bit>

namespace ebb {

namespace {

error bad_index(std::uint32_t i, std::int64_t index, std::int64_t size) {
  return row_error(i, "index " + std::to_string(index) + " out of valid range, 0.."
                          + std::to_string(size - 1));
}

unsigned byte_at(std::string_view bytes, std::int64_t at) {
  return static_cast<unsigned char>(bytes[static_cast<std::size_t>(at)]);
}

result<column> get_byte(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const value_arg<std::int32_t> index(args[1]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    const auto size = static_cast<std::int64_t>(bytes[i].size());
    if (index[i] < 0 || index[i] >= size)
      return bad_index(i, index[i], size);
    to[i] = static_cast<std::int32_t>(byte_at(bytes[i], index[i]));
  }
  return out;
}

result<column> get_bit(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const value_arg<std::int64_t> index(args[1]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    const auto size = static_cast<std::int64_t>(bytes[i].size()) * 8;
    if (index[i] < 0 || index[i] >= size)
      return bad_index(i, index[i], size);
    to[i] = static_cast<std::int32_t>((byte_at(bytes[i], index[i] / 8) >> (index[i] % 8)) & 1U);
  }
  return out;
}

/// The bytes with the one at `at` replaced.
void put(text_output& out, std::uint32_t i, std::string_view bytes, std::int64_t at,
         unsigned value) {
  char* to = out.reserve(bytes.size());
  std::memcpy(to, bytes.data(), bytes.size());
  to[at] = static_cast<char>(value);
  out.commit(i, bytes.size());
}

result<column> set_byte(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const value_arg<std::int32_t> index(args[1]);
  const value_arg<std::int32_t> value(args[2]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto size = static_cast<std::int64_t>(bytes[i].size());
    if (index[i] < 0 || index[i] >= size)
      return bad_index(i, index[i], size);
    put(out, i, bytes[i], index[i], static_cast<unsigned>(value[i]) & 0xffU);
  }
  return out.take();
}

result<column> set_bit(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const value_arg<std::int64_t> index(args[1]);
  const value_arg<std::int32_t> value(args[2]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto size = static_cast<std::int64_t>(bytes[i].size()) * 8;
    if (index[i] < 0 || index[i] >= size)
      return bad_index(i, index[i], size);
    if (value[i] != 0 && value[i] != 1)
      return row_error(i, "new bit must be 0 or 1");
    const auto mask = 1U << (index[i] % 8);
    const auto old = byte_at(bytes[i], index[i] / 8);
    put(out, i, bytes[i], index[i] / 8, value[i] == 1 ? old | mask : old & ~mask);
  }
  return out.take();
}

result<column> bit_count(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::int64_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    for (const char byte : bytes[i])
      to[i] += std::popcount(static_cast<unsigned char>(byte));
  }
  return out;
}

} // namespace

void register_text_bytes(function_catalog& catalog) {
  constexpr auto bytea = type_kind::bytea;
  constexpr auto integer = type_kind::integer;
  constexpr auto bigint = type_kind::bigint;
  add_overload(catalog, {"get_byte", {bytea, integer}, integer, get_byte, true});
  add_overload(catalog, {"set_byte", {bytea, integer, integer}, bytea, set_byte, true});
  add_overload(catalog, {"get_bit", {bytea, bigint}, integer, get_bit, true});
  add_overload(catalog, {"set_bit", {bytea, bigint, integer}, bytea, set_bit, true});
  add_overload(catalog, {"bit_count", {bytea}, bigint, bit_count});
}

} // namespace ebb
