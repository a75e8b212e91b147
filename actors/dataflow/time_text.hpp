/// Text of dates, times and intervals, as PostgreSQL reads and writes them (ISO style, UTC), and
/// calendar arithmetic on microseconds.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

struct civil_time {
  std::int64_t year = 1970; ///< proleptic Gregorian; 0 = 1 BC
  int month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int32_t micros = 0;
};

[[nodiscard]] civil_time to_civil(micros time) noexcept;
/// Microseconds since 1970 of a civil time (fields in range).
[[nodiscard]] micros from_civil(const civil_time& t) noexcept;
[[nodiscard]] std::int32_t days_from_civil(std::int64_t year, int month, int day) noexcept;

/// `2013-01-01 05:00:00.5`, `infinity`, years BC with ` BC`.
void append_timestamp(micros time, std::string& out);
/// The same with `+00`.
void append_timestamptz(micros time, std::string& out);
void append_date(std::int32_t days, std::string& out);
/// PostgreSQL's `postgres` interval style: `1 year 2 mons 3 days 04:05:06.7`.
void append_interval(const interval_value& x, std::string& out);
/// `2013-01-01T05:00:00` with as many fraction digits as needed; `Z` appended when `utc`.
void append_iso_timestamp(micros time, bool utc, std::string& out);

/// PostgreSQL input: date and time with space or `T`, optional fraction and zone (`Z`, `+02`,
/// `+02:30`, `-0800`, `UTC`), `infinity`, `-infinity`, `epoch`; 24:00:00. A zone is applied for
/// timestamptz and for `apply_zone` (ignored otherwise, as PostgreSQL does for TIMESTAMP).
[[nodiscard]] result<micros> parse_timestamp(std::string_view text, bool apply_zone);
[[nodiscard]] result<std::int32_t> parse_date(std::string_view text);
/// PostgreSQL's forms (`1 day 02:03:04`, `1 year -2 mons`, `@ 1 minute ago`) and ISO 8601
/// (`P1DT2H`).
[[nodiscard]] result<interval_value> parse_interval(std::string_view text);

} // namespace ebb
