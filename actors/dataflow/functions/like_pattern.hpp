/// A compiled LIKE pattern. Immutable; any thread may match with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class like_answer : std::uint8_t {
  no,
  yes,
  ends_with_escape, ///< the text reached the pattern's dangling escape: an error in PostgreSQL
};

/// `%` any text, `_` one character (one byte where `bytes`), `\` makes the next one plain.
class like_pattern {
public:
  like_pattern(std::string_view pattern, bool bytes);

  [[nodiscard]] like_answer match(std::string_view text) const {
    switch (shape_) {
    case shape::exact:
      return answer(text == head_);
    case shape::prefix:
      return answer(text.starts_with(head_));
    case shape::suffix:
      return answer(text.ends_with(tail_));
    case shape::contains:
      return answer(finds(text, middle_.front()));
    case shape::segments:
      return answer(match_segments(text));
    case shape::general:
      return match_general(text);
    }
    return like_answer::no;
  }

private:
  enum class shape : std::uint8_t { exact, prefix, suffix, contains, segments, general };

  static like_answer answer(bool yes) noexcept {
    return yes ? like_answer::yes : like_answer::no;
  }

  [[nodiscard]] static bool finds(std::string_view text, std::string_view part) noexcept;
  [[nodiscard]] bool match_segments(std::string_view text) const noexcept;
  [[nodiscard]] like_answer match_general(std::string_view text) const noexcept;

  shape shape_ = shape::general;
  bool bytes_;
  std::string head_;                ///< text before the first `%`
  std::string tail_;                ///< text after the last `%`
  std::vector<std::string> middle_; ///< texts between two `%`, none empty
  std::string pattern_;             ///< as written, for the general shape
};

} // namespace ebb
