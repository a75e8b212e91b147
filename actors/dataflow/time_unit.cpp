#include "actors/dataflow/time_unit.hpp"

namespace ebb {

namespace {

struct named_unit {
  std::string_view name;
  time_unit value;
};

constexpr named_unit units[] = {
    {"ago", time_unit::ago},
    {"c", time_unit::century},
    {"cent", time_unit::century},
    {"centuries", time_unit::century},
    {"century", time_unit::century},
    {"d", time_unit::day},
    {"day", time_unit::day},
    {"days", time_unit::day},
    {"dec", time_unit::decade},
    {"decade", time_unit::decade},
    {"decades", time_unit::decade},
    {"decs", time_unit::decade},
    {"h", time_unit::hour},
    {"hour", time_unit::hour},
    {"hours", time_unit::hour},
    {"hr", time_unit::hour},
    {"hrs", time_unit::hour},
    {"m", time_unit::minute},
    {"microsecon", time_unit::microsecond},
    {"mil", time_unit::millennium},
    {"millennia", time_unit::millennium},
    {"millennium", time_unit::millennium},
    {"millisecon", time_unit::millisecond},
    {"mils", time_unit::millennium},
    {"min", time_unit::minute},
    {"mins", time_unit::minute},
    {"minute", time_unit::minute},
    {"minutes", time_unit::minute},
    {"mon", time_unit::month},
    {"mons", time_unit::month},
    {"month", time_unit::month},
    {"months", time_unit::month},
    {"ms", time_unit::millisecond},
    {"msec", time_unit::millisecond},
    {"mseconds", time_unit::millisecond},
    {"msecs", time_unit::millisecond},
    {"qtr", time_unit::quarter},
    {"quarter", time_unit::quarter},
    {"s", time_unit::second},
    {"sec", time_unit::second},
    {"second", time_unit::second},
    {"seconds", time_unit::second},
    {"secs", time_unit::second},
    {"timezone", time_unit::timezone},
    {"timezone_h", time_unit::timezone_hour},
    {"timezone_m", time_unit::timezone_minute},
    {"us", time_unit::microsecond},
    {"usec", time_unit::microsecond},
    {"usecond", time_unit::microsecond},
    {"useconds", time_unit::microsecond},
    {"usecs", time_unit::microsecond},
    {"w", time_unit::week},
    {"week", time_unit::week},
    {"weeks", time_unit::week},
    {"y", time_unit::year},
    {"year", time_unit::year},
    {"years", time_unit::year},
    {"yr", time_unit::year},
    {"yrs", time_unit::year},
};

constexpr named_unit fields[] = {
    {"dow", time_unit::day_of_week},  {"doy", time_unit::day_of_year},
    {"epoch", time_unit::epoch},      {"isodow", time_unit::iso_day_of_week},
    {"isoyear", time_unit::iso_year}, {"j", time_unit::julian},
    {"jd", time_unit::julian},        {"julian", time_unit::julian},
    {"mm", time_unit::minute},
};

template <std::size_t N>
time_unit look_up(const named_unit (&table)[N], std::string_view name) noexcept {
  for (const auto& x : table)
    if (x.name == name.substr(0, 10))
      return x.value;
  return time_unit::none;
}

} // namespace

time_unit unit_of_name(std::string_view lower_case_name) noexcept {
  return look_up(units, lower_case_name);
}

time_unit field_of_name(std::string_view lower_case_name) noexcept {
  const auto unit = unit_of_name(lower_case_name);
  return unit == time_unit::none ? look_up(fields, lower_case_name) : unit;
}

} // namespace ebb
