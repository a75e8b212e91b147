// timezone(), which is what AT TIME ZONE calls. UTC, fixed abbreviations and offsets are known.

#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>

namespace ebb::time_kernel {

std::optional<std::int32_t> zone_offset(std::string_view name) {
  if (const auto known = time_input::zone_of_name(name))
    return known;
  // POSIX: an optional name (letters, or anything in <>), and hours west of UTC.
  std::size_t i = 0;
  if (!name.empty() && name[0] == '<') {
    const auto end = name.find('>');
    if (end == std::string_view::npos)
      return std::nullopt;
    i = end + 1;
  } else {
    while (i < name.size() && time_input::is_letter(name[i]))
      ++i;
  }
  if (i == name.size())
    return std::nullopt;
  std::string offset(name.substr(i));
  if (offset[0] != '+' && offset[0] != '-')
    offset.insert(0, 1, '+');
  std::int32_t seconds = 0;
  const auto hour_end = std::min(offset.find(':'), offset.size());
  if (offset.size() < 2 || hour_end > 3 || !time_input::is_digit(offset[1])
      || time_input::read_zone(offset, seconds) != time_input::failure::none)
    return std::nullopt;
  return -seconds;
}

error unknown_zone(std::string_view name) {
  return make_error(ec::unsupported, "time zone \"" + std::string(name) + "\" not recognized",
                    "ebb knows UTC, fixed abbreviations such as EST, and offsets as an interval: "
                    "AT TIME ZONE INTERVAL '2 hours'");
}

namespace {

struct bound_zone final : bound_call {
  explicit bound_zone(std::int64_t x) : offset(x) {}

  std::int64_t offset; ///< microseconds east of UTC
};

result<std::shared_ptr<const bound_call>> bind_zone(std::span<const expr_ptr> args) {
  const auto name = constant_text(args[0]);
  if (!name) {
    if (args[0]->kind == expr_kind::literal)
      return std::shared_ptr<const bound_call>();
    return make_error(ec::unsupported, "the time zone must be a constant");
  }
  const auto offset = zone_offset(*name);
  if (!offset)
    return unknown_zone(args[0]->value.text_of(0));
  return std::shared_ptr<const bound_call>(
      std::make_shared<bound_zone>(*offset * micros_per_second));
}

failure shift(micros t, std::int64_t by, micros& out) noexcept {
  out = t;
  if (!calendar::is_finite(t))
    return ok;
  if (__builtin_add_overflow(t, by, &out) || !calendar::in_range(out))
    return timestamp_range;
  return ok;
}

/// Sign +1: UTC to the zone's clock; -1: back.
template <int Sign>
result<column> to_named_zone(const call_context& context, std::span<const column> args) {
  EBB_ASSERT(context.bound != nullptr);
  const auto offset = static_cast<const bound_zone&>(*context.bound).offset * Sign;
  const values<micros> x(args[1]);
  return each_row<micros>(context,
                          [&](std::uint32_t i, micros& out) { return shift(x[i], offset, out); });
}

template <int Sign>
result<column> to_interval_zone(const call_context& context, std::span<const column> args) {
  const values<interval_value> zone(args[0]);
  const values<micros> x(args[1]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<micros>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    if (calendar::is_finite(x[i]) && (zone[i].months != 0 || zone[i].days != 0)) {
      std::string text;
      append_interval(zone[i], text);
      return failed(i, "interval time zone \"" + text + "\" must not include months or days");
    }
    // Whole seconds, as in PostgreSQL.
    const auto offset = zone[i].micros / micros_per_second * micros_per_second;
    if (const auto problem = shift(x[i], Sign * offset, to[i]); problem != ok)
      return failed(i, problem);
  }
  return out;
}

} // namespace

void register_time_zone(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"timezone", {text, timestamptz}, timestamp, to_named_zone<1>, true, bind_zone});
  add(catalog, {"timezone", {text, timestamp}, timestamptz, to_named_zone<-1>, true, bind_zone});
  add(catalog, {"timezone", {interval, timestamptz}, timestamp, to_interval_zone<1>, true});
  add(catalog, {"timezone", {interval, timestamp}, timestamptz, to_interval_zone<-1>, true});
}

} // namespace ebb::time_kernel
