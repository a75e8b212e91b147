#include "actors/connectors/file_text.hpp"

#include "actors/dataflow/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace ebb {

namespace {

// Days of the years 1 to 9999, which have a date of fixed form.
constexpr std::int64_t first_day = -719162;
constexpr std::int64_t last_day = 2932896;

char* put2(unsigned value, char* out) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

// The civil date of a day number, counted in eras of 400 years that begin in March.
char* put_date(std::int64_t days, char* out) noexcept {
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const auto year = static_cast<unsigned>(static_cast<std::int64_t>(year_of_era) + era * 400
                                          + (month <= 2 ? 1 : 0));
  out = put2(year / 100, out);
  out = put2(year % 100, out);
  *out++ = '-';
  out = put2(month, out);
  *out++ = '-';
  return put2(day, out);
}

char* put_text(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

template <class T>
char* put_float(T value, char* out) noexcept {
  if (std::isnan(value))
    return put_text("NaN", out);
  if (std::isinf(value))
    return put_text(value > 0 ? "Infinity" : "-Infinity", out);
  return std::to_chars(out, out + fixed_text_max, value).ptr;
}

} // namespace

void output_buffer::cut() {
  if (!memory_)
    return;
  const auto size = static_cast<std::size_t>(next_ - memory_.as<char>());
  if (size != 0)
    full_.push_back({memory_, size});
  memory_ = buffer_ptr{};
  next_ = end_ = nullptr;
}

void output_buffer::grow(std::size_t size) {
  cut();
  memory_ = buffer_ptr::make(std::max(block_size, size));
  next_ = memory_.as<char>();
  end_ = next_ + memory_.size();
}

output_block output_buffer::pop(bool partial) {
  if (full_.empty() && partial)
    cut();
  if (full_.empty())
    return {};
  auto block = std::move(full_.front());
  full_.pop_front();
  popped_ += block.size;
  return block;
}

char* write_int(std::int64_t value, char* out) noexcept {
  return std::to_chars(out, out + fixed_text_max, value).ptr;
}

char* write_double(double value, char* out) noexcept {
  return put_float(value, out);
}

char* write_real(float value, char* out) noexcept {
  return put_float(value, out);
}

char* write_date(std::int32_t days, char* out) {
  if (days >= first_day && days <= last_day)
    return put_date(days, out);
  std::string text;
  append_date(days, text);
  return put_text(text, out);
}

char* write_timestamp(micros time, bool utc, char* out) {
  std::int64_t days = time / micros_per_day;
  micros rest = time % micros_per_day;
  if (rest < 0) {
    rest += micros_per_day;
    --days;
  }
  if (days < first_day || days > last_day) {
    std::string text;
    append_iso_timestamp(time, utc, text);
    return put_text(text, out);
  }
  out = put_date(days, out);
  const auto seconds = static_cast<unsigned>(rest / micros_per_second);
  auto fraction = static_cast<unsigned>(rest % micros_per_second);
  *out++ = 'T';
  out = put2(seconds / 3600, out);
  *out++ = ':';
  out = put2(seconds / 60 % 60, out);
  *out++ = ':';
  out = put2(seconds % 60, out);
  if (fraction != 0) {
    *out++ = '.';
    char* first = out;
    for (unsigned i = 6; i-- > 0; fraction /= 10)
      first[i] = static_cast<char>('0' + fraction % 10);
    out += 6;
    while (out[-1] == '0')
      --out;
  }
  if (utc)
    *out++ = 'Z';
  return out;
}

} // namespace ebb
