/// What a text says about a date and a time, by PostgreSQL's rules (DateStyle ISO, MDY).
#pragma once

#include "actors/dataflow/time_tokens.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::time_input {

/// Fields seen so far; each may be given once.
namespace mask {
constexpr unsigned year = 1;
constexpr unsigned month = 2;
constexpr unsigned day = 4;
constexpr unsigned time = 8;
constexpr unsigned zone = 16;
constexpr unsigned day_of_year = 32;
constexpr unsigned weekday = 64;
constexpr unsigned meridiem = 128;
constexpr unsigned era = 256;
constexpr unsigned reserved = 512;
constexpr unsigned date = year | month | day;
} // namespace mask

enum class special : std::uint8_t { none, epoch, minus_infinity, infinity };

/// What a text means, before it becomes a number.
struct decoded {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t day_of_year = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t micros = 0;
  std::int32_t zone = 0; ///< seconds east
  bool has_zone = false;
  special value = special::none;
};

/// Puts tokens together by PostgreSQL's rules (DateStyle ISO, MDY).
class decoder {
public:
  explicit decoder(decoded& out) : out_(out) {}

  failure run(const token_list& tokens);

  /// A word that no rule covers and that must be reported by name; empty = none.
  [[nodiscard]] const std::string& unknown_zone() const noexcept {
    return unknown_zone_;
  }

  /// A word that stands for the current time.
  [[nodiscard]] const std::string& moving_word() const noexcept {
    return moving_word_;
  }

private:
  enum class expects : std::uint8_t { nothing, julian, time, other };
  enum class meridiem : std::uint8_t { none, am, pm };

  failure date_token(std::string_view text, unsigned& seen);
  failure time_token(std::string_view text, unsigned& seen);
  failure number_token(std::string_view text, unsigned& seen);
  failure labelled_number(std::string_view text, unsigned& seen);
  failure word_token(const token_list& tokens, std::size_t i, unsigned& seen);
  failure whole_date(std::string_view text, unsigned& seen);
  failure single_number(std::string_view text, bool text_month, unsigned fields, unsigned& seen);
  failure run_together(std::string_view text, unsigned fields, unsigned& seen);
  failure zone_token(std::string_view text, unsigned& seen);
  failure check();
  failure check_year();
  void set_julian(std::int64_t julian);

  decoded& out_;
  unsigned fields_ = 0;
  expects expects_ = expects::nothing;
  meridiem meridiem_ = meridiem::none;
  bool text_month_ = false;
  bool is_julian_ = false;
  bool two_digit_year_ = false;
  bool before_christ_ = false;
  std::string unknown_zone_;
  std::string moving_word_;
};

/// `type_name` is for messages. Words for the current time and zones by name are refused.
[[nodiscard]] result<decoded> decode(std::string_view text, const char* type_name);

} // namespace ebb::time_input
