/// A fast matcher for plain patterns, such as `id=([^&]*)` or `^(\d+)-(\w+)$`.
///
/// A pattern is linear when a match from a given place can be found without a choice: literals,
/// classes and greedy repeats of a class whose next character cannot belong to the repeat. Choices
/// at the front are multiplied out into several programs.
#pragma once

#include "actors/dataflow/functions/regex_syntax.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Immutable once compiled; any thread may match with it. Gives what the full matchers give.
class regex_linear {
public:
  /// Nothing when the pattern is not linear.
  [[nodiscard]] static std::optional<regex_linear> compile(const regex_tree& tree);

  /// True when it answers for ASCII texts only.
  [[nodiscard]] bool ascii_only() const noexcept {
    return ascii_only_;
  }

  /// As regex::match; text.data() is not null.
  [[nodiscard]] bool match(std::string_view text, std::size_t start,
                           std::span<std::string_view> found) const noexcept;

private:
  static constexpr std::size_t most_programs = 4;
  static constexpr std::size_t most_slots = 20; ///< two a group, with the match itself

  /// Bytes of a class: ASCII each, beyond ASCII all or none.
  struct byte_class {
    std::array<bool, 256> has{}; ///< by first byte of a character
    bool beyond_ascii = false;
  };

  enum class op : std::uint8_t { literal, one, repeat, text_start, text_end, save };

  struct piece {
    op code = op::literal;
    std::uint32_t index = 0; ///< of the literal, the class or the slot
    std::uint32_t min = 0;   ///< repeat: characters
    std::uint32_t max = 0;
  };

  struct program {
    std::vector<piece> elements;
    std::size_t offset = 0; ///< bytes before the literal that every match has
  };

  class builder;

  using slots = std::array<std::size_t, most_slots>;

  /// End of the match of one program from `at`, or npos.
  [[nodiscard]] std::size_t run(const program& x, std::string_view text, std::size_t at,
                                slots& groups) const noexcept;
  /// The longest match of any program from `at`.
  [[nodiscard]] bool try_at(std::string_view text, std::size_t at,
                            std::span<std::string_view> found) const noexcept;
  /// Characters of a repeat from `at`; returns their end, or npos when they are too few.
  [[nodiscard]] std::size_t repeat(const piece& x, std::string_view text,
                                   std::size_t at) const noexcept;

  std::vector<program> programs_;
  std::vector<std::string> literals_;
  std::vector<byte_class> classes_;
  std::string required_;          ///< literal of every match, at `program::offset`; may be empty
  std::array<bool, 256> first_{}; ///< bytes a match can start with
  bool ascii_only_ = false;
  bool anchored_ = false;   ///< matches only at the start of the text
  bool everywhere_ = false; ///< may match nothing: every place must be tried
};

} // namespace ebb
