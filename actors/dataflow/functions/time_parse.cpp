// to_timestamp() and to_date(): reading times by a pattern.

#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/functions/time_reader.hpp"
#include "actors/dataflow/time_tokens.hpp"

namespace ebb::time_kernel {

namespace {

using time_pattern::convention;
using time_pattern::given_fields;
using time_pattern::node;

struct bound_nodes final : bound_call {
  std::vector<node> nodes;
};

error bad(std::string message, std::string hint = {}) {
  return make_error(ec::evaluation, std::move(message), std::move(hint));
}

struct moment {
  std::int64_t year = 0;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t seconds = 0; ///< of the day, in UTC
  std::int64_t micros = 0;
  int precision = 0; ///< digits to round to; 0 = all
};

error out_of_range(std::string_view text) {
  return time_input::describe(time_input::failure::field_overflow, text, "timestamp");
}

void set_days(moment& out, std::int64_t days) {
  const auto date = calendar::parts_of(days);
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
}

/// As PostgreSQL's year, which has 32 bits and wraps.
std::int64_t wrapped(std::int64_t year) noexcept {
  return static_cast<std::int32_t>(year);
}

bool set_year(const given_fields& in, moment& out) {
  const auto century =
      wrapped(in.before_christ != 0 ? -std::int64_t{in.century} : std::int64_t{in.century});
  if (in.year != 0 && in.century != 0 && in.year_digits <= 2) {
    const auto within = in.year % 100;
    if (within == 0)
      out.year = wrapped(century * 100 + (century >= 0 ? 0 : 1));
    else
      out.year =
          wrapped(century >= 0 ? within + (century - 1) * 100 : (century + 1) * 100 - within + 1);
    return true;
  }
  if (in.year != 0) {
    out.year = in.before_christ != 0 ? -std::int64_t{in.year} : in.year;
    if (out.year < 0)
      ++out.year;
    return true;
  }
  if (in.century != 0)
    out.year = wrapped((century >= 0 ? century - 1 : century) * 100 + 1);
  return in.century != 0;
}

result<void> set_date(given_fields in, std::string_view text, moment& out) {
  auto checked = set_year(in, out);
  const auto is_iso = in.calendar == convention::iso_week;
  if (in.julian != 0) {
    set_days(out, in.julian - calendar::unix_epoch_julian);
    checked = true;
  }
  if (in.week != 0 && is_iso) {
    auto days = calendar::iso_year_start(out.year) + (std::int64_t{in.week} - 1) * 7;
    if (in.day_of_week != 0)
      days += in.day_of_week > 1 ? in.day_of_week - 2 : 6;
    set_days(out, days);
    checked = true;
  } else if (in.week != 0) {
    if (__builtin_mul_overflow(in.week - 1, 7, &in.day_of_year)
        || __builtin_add_overflow(in.day_of_year, 1, &in.day_of_year))
      return out_of_range(text);
  }
  if (in.week_of_month != 0
      && (__builtin_mul_overflow(in.week_of_month - 1, 7, &in.day)
          || __builtin_add_overflow(in.day, 1, &in.day)))
    return out_of_range(text);
  if (in.day != 0)
    out.day = in.day;
  if (in.month != 0)
    out.month = in.month;
  checked = checked || in.day != 0 || in.month != 0;
  if (in.day_of_year != 0 && (out.month <= 1 || out.day <= 1)) {
    if (out.year == 0 && in.before_christ == 0)
      return bad("cannot calculate day of year without year information");
    checked = true;
    if (is_iso) {
      set_days(out, calendar::iso_year_start(out.year) + in.day_of_year - 1);
    } else {
      int month = 1;
      int before = 0;
      while (month < 12 && in.day_of_year > before + calendar::days_in_month(out.year, month))
        before += calendar::days_in_month(out.year, month++);
      if (out.month <= 1)
        out.month = month;
      if (out.day <= 1)
        out.day = in.day_of_year - before;
    }
  }
  if (checked
      && (out.month < 1 || out.month > 12 || out.day < 1
          || out.day > calendar::days_in_month(out.year, static_cast<int>(out.month))))
    return out_of_range(text);
  return {};
}

std::int64_t hour_of(const given_fields& in) noexcept {
  return in.hour != 0 ? in.hour : in.second_of_day / 3600;
}

result<void> check_hour12(const given_fields& in) {
  const auto hour = hour_of(in);
  if (in.clock12 && (hour < 1 || hour > 12))
    return bad("hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock",
               "use the 24-hour clock, or give an hour between 1 and 12");
  return {};
}

result<void> set_time(const given_fields& in, std::string_view text, moment& out) {
  auto hour = hour_of(in);
  std::int64_t minute = in.second_of_day % 3600 / 60;
  std::int64_t second = in.second_of_day % 60;
  if (in.second != 0)
    second = in.second;
  if (in.minute != 0)
    minute = in.minute;
  if (in.clock12 && in.afternoon != 0 && hour < 12)
    hour += 12;
  else if (in.clock12 && in.afternoon == 0 && hour == 12)
    hour = 0;
  out.micros = std::int64_t{in.millisecond} * 1'000 + in.microsecond;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59
      || out.micros < 0 || out.micros >= micros_per_second)
    return out_of_range(text);
  out.seconds = hour * 3600 + minute * 60 + second;
  if (in.zone_sign != 0) {
    if (in.zone_hour < 0 || in.zone_hour > 15 || in.zone_minute < 0 || in.zone_minute > 59)
      return time_input::describe(time_input::failure::zone_overflow, text, "timestamp");
    out.seconds -= in.zone_sign * (in.zone_hour * 3600 + in.zone_minute * 60);
  }
  return {};
}

result<moment> read_moment(const std::vector<node>& nodes, std::string_view text) {
  EBB_ASSIGN(const auto given, time_pattern::read_fields(nodes, text));
  moment out;
  out.precision = given.precision;
  // PostgreSQL reports a bad hour of the 12-hour clock first, other ranges after the date's.
  EBB_TRY(check_hour12(given));
  EBB_TRY(set_date(given, text, out));
  EBB_TRY(set_time(given, text, out));
  return out;
}

result<std::shared_ptr<const bound_call>> bind_nodes(std::span<const expr_ptr> args) {
  const auto& pattern = *args[1];
  if (pattern.kind != expr_kind::literal || pattern.value.is_null(0))
    return std::shared_ptr<const bound_call>();
  auto out = std::make_shared<bound_nodes>();
  out->nodes = time_pattern::parse(pattern.value.text_of(0));
  return std::shared_ptr<const bound_call>(std::move(out));
}

template <class To, class Convert>
result<column> read_column(const call_context& context, std::span<const column> args,
                           Convert convert) {
  const texts x(args[0]);
  const texts pattern(args[1]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<To>();
  std::vector<node> own;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    if (context.bound == nullptr)
      own = time_pattern::parse(pattern[i]);
    const auto& nodes =
        context.bound != nullptr ? static_cast<const bound_nodes*>(context.bound)->nodes : own;
    auto read = read_moment(nodes, x[i]);
    if (read && convert(*read, to[i]))
      continue;
    auto problem = read ? make_error(
                       ec::evaluation,
                       std::string(std::is_same_v<To, micros> ? "timestamp out of range"
                                                              : "date out of range: \"")
                           + (std::is_same_v<To, micros> ? std::string() : std::string(x[i]) + '"'))
                        : std::move(read).error();
    problem.row = i;
    return problem;
  }
  return out;
}

std::int64_t days_of(const moment& x) noexcept {
  return calendar::days_of(x.year, static_cast<int>(x.month), static_cast<int>(x.day));
}

/// Rounded to `digits` of a second, halves away from 2000, where PostgreSQL begins to count.
micros rounded(micros t, int digits) noexcept {
  constexpr micros y2000 = 946'684'800 * micros_per_second;
  constexpr micros units[] = {1, 100'000, 10'000, 1'000, 100, 10, 1};
  const auto unit = units[digits];
  const auto since = t - y2000;
  const auto magnitude = ((since < 0 ? -since : since) + unit / 2) / unit * unit;
  return y2000 + (since < 0 ? -magnitude : magnitude);
}

result<column> to_timestamp(const call_context& context, std::span<const column> args) {
  return read_column<micros>(context, args, [](const moment& x, micros& out) {
    const auto total = (int128{days_of(x)} * 86'400 + x.seconds) * micros_per_second + x.micros;
    if (total < calendar::min_timestamp || total > calendar::max_timestamp)
      return false;
    out = x.precision == 0 ? static_cast<micros>(total)
                           : rounded(static_cast<micros>(total), x.precision);
    return true;
  });
}

result<column> to_date(const call_context& context, std::span<const column> args) {
  return read_column<std::int32_t>(context, args, [](const moment& x, std::int32_t& out) {
    const auto days = days_of(x);
    if (days < calendar::min_date || days >= calendar::end_date)
      return false;
    out = static_cast<std::int32_t>(days);
    return true;
  });
}

} // namespace

void register_time_parse(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"to_timestamp", {text, text}, timestamptz, to_timestamp, true, bind_nodes});
  add(catalog, {"to_date", {text, text}, date, to_date, true, bind_nodes});
}

} // namespace ebb::time_kernel
