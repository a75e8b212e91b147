// to_char() of timestamps and intervals.

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/functions/time_writer.hpp"

#include <algorithm>

namespace ebb::time_kernel {

namespace {

using time_pattern::field;
using time_pattern::node;
using time_pattern::node_kind;

struct bound_pattern final : bound_call {
  std::vector<node> nodes;
  bool is_empty = false;
  micros unit = 1; ///< times of one such unit since 1970 look the same
};

/// The largest unit in which a field of a timestamp shows nothing smaller.
micros unit_of(field what) noexcept {
  constexpr micros second = 1'000'000;
  switch (what) {
  case field::fraction:
  case field::millisecond:
  case field::microsecond:
    return 1;
  case field::second:
  case field::second_of_day:
    return second;
  case field::minute:
    return 60 * second;
  case field::hour24:
  case field::hour12:
  case field::meridiem:
  case field::meridiem_dots:
    return 3600 * second;
  default:
    return 86'400 * second;
  }
}

/// Fields that mean nothing for an interval, since it is not tied to a date.
bool needs_date(field what) noexcept {
  switch (what) {
  case field::zone_name:
  case field::zone_hour:
  case field::zone_minute:
  case field::offset:
  case field::era:
  case field::era_dots:
  case field::month_name:
  case field::month_short:
  case field::day_name:
  case field::day_short:
  case field::day_of_week:
  case field::iso_day_of_week:
    return true;
  default:
    return false;
  }
}

result<void> check_interval(const std::vector<node>& nodes) {
  for (const auto& item : nodes)
    if (item.kind == node_kind::field && needs_date(item.key->what))
      return make_error(ec::evaluation, "invalid format specification for an interval value",
                        "intervals are not tied to specific calendar dates");
  return {};
}

std::shared_ptr<bound_pattern> make_pattern(std::string_view text) {
  auto out = std::make_shared<bound_pattern>();
  out->nodes = time_pattern::parse(text);
  out->is_empty = text.empty();
  out->unit = unit_of(field::day);
  for (const auto& item : out->nodes)
    if (item.kind == node_kind::field)
      out->unit = std::min(out->unit, unit_of(item.key->what));
  return out;
}

result<std::shared_ptr<const bound_call>> bind_pattern(std::span<const expr_ptr> args) {
  const auto& pattern = *args[1];
  if (pattern.kind != expr_kind::literal || pattern.value.is_null(0))
    return std::shared_ptr<const bound_call>();
  return std::shared_ptr<const bound_call>(make_pattern(pattern.value.text_of(0)));
}

/// Rows with their pattern: the bound one, or the row's own, parsed anew only where it changes.
class patterns {
public:
  patterns(const call_context& context, const column& x)
      : bound_(static_cast<const bound_pattern*>(context.bound)), texts_(x) {}

  const bound_pattern& of(std::uint32_t i) {
    if (bound_ != nullptr)
      return *bound_;
    if (own_ == nullptr || last_ != texts_[i]) {
      last_ = texts_[i];
      own_ = make_pattern(last_);
    }
    return *own_;
  }

private:
  const bound_pattern* bound_;
  texts texts_;
  std::string last_;
  std::shared_ptr<bound_pattern> own_;
};

result<column> format_timestamp(const call_context& context, std::span<const column> args) {
  const values<micros> x(args[0]);
  const auto has_zone = args[0].type.kind == type_kind::timestamptz;
  patterns pattern(context, args[1]);
  auto out = make_column(context.type, context.rows);
  text_builder texts(context.type, 16);
  std::vector<std::uint32_t> shown(context.rows); ///< which of them
  std::string text;
  // Neighbours are often of one day or minute, and then look the same: they share its bytes.
  const bound_pattern* last = nullptr;
  micros begin = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i) || !calendar::is_finite(x[i]) || pattern.of(i).is_empty) {
      set_null(out, i);
      continue;
    }
    const auto& p = pattern.of(i);
    if (last != &p || x[i] < begin || x[i] - begin >= p.unit) {
      text.clear();
      time_pattern::write(p.nodes, time_pattern::shown_parts(x[i], has_zone), text);
      begin = x[i] - (x[i] % p.unit + p.unit) % p.unit;
      last = context.bound == nullptr ? nullptr : &p;
      texts.append(text);
    }
    shown[i] = texts.rows() - 1;
  }
  auto all = texts.take();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    if (!out.is_null(i))
      out.mutable_data<text_ref>()[i] = all.data<text_ref>()[shown[i]];
  out.heap = std::move(all.heap);
  return out;
}

result<column> format_interval(const call_context& context, std::span<const column> args) {
  const values<interval_value> x(args[0]);
  patterns pattern(context, args[1]);
  text_builder out(context.type, context.rows);
  std::string text;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i) || pattern.of(i).is_empty) {
      out.append_null();
      continue;
    }
    text.clear();
    const auto& nodes = pattern.of(i).nodes;
    if (auto usable = check_interval(nodes); !usable) {
      usable.error().row = i;
      return std::move(usable).error();
    }
    time_pattern::write(nodes, time_pattern::shown_parts(x[i]), text);
    out.append(text);
  }
  return out.take();
}

} // namespace

void register_time_format(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"to_char", {timestamp, text}, text, format_timestamp, false, bind_pattern});
  add(catalog, {"to_char", {timestamptz, text}, text, format_timestamp, false, bind_pattern});
  add(catalog, {"to_char", {interval, text}, text, format_interval, true, bind_pattern});
  register_time_parse(catalog);
}

} // namespace ebb::time_kernel
