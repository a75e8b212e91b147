#include "tests/fuzz/support.hpp"

#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ebb::fuzz {

namespace {

bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return out;
    text.remove_prefix(end + 1);
  }
}

bool same_bytes(const buffer_ptr& a, const buffer_ptr& b, std::size_t size) {
  return static_cast<bool>(a) == static_cast<bool>(b)
         && (!a || size == 0 || std::memcmp(a.as<std::byte>(), b.as<std::byte>(), size) == 0);
}

void check_equal_columns(const column& a, const column& b) {
  EBB_FUZZ_CHECK(a.type == b.type, to_string(a.type) + " and " + to_string(b.type));
  EBB_FUZZ_CHECK(a.rows == b.rows, "");
  EBB_FUZZ_CHECK(a.scale == b.scale, "");
  // Lists of no bytes are as good as none.
  EBB_FUZZ_CHECK(a.rows == 0 || static_cast<bool>(a.scales) == static_cast<bool>(b.scales), "");
  EBB_FUZZ_CHECK(!a.constant && !b.constant, "");
  const bool is_text = holds_text(a.type.kind);
  const auto width = value_width(a.type.kind);
  for (std::uint32_t i = 0; i < a.rows; ++i) {
    EBB_FUZZ_CHECK(a.is_null(i) == b.is_null(i), "");
    if (a.type.kind == type_kind::array)
      EBB_FUZZ_CHECK(a.data<std::uint32_t>()[i + 1] == b.data<std::uint32_t>()[i + 1], "");
    if (a.scales)
      EBB_FUZZ_CHECK(a.scale_of(i) == b.scale_of(i), "");
    if (is_text || (a.scales && a.scale_of(i) == numeric_tag::big && !a.is_null(i)))
      EBB_FUZZ_CHECK(a.text_of(i) == b.text_of(i), a.text_of(i));
    else if (a.type.kind != type_kind::array && !a.is_null(i))
      EBB_FUZZ_CHECK(
          std::memcmp(a.data<std::byte>() + i * width, b.data<std::byte>() + i * width, width) == 0,
          to_string(a.type));
  }
  if (a.type.kind == type_kind::array)
    check_equal_columns(*a.child, *b.child);
}

} // namespace

void broken(const char* file, int line, std::string_view what, std::string_view seen) {
  std::fprintf(stderr, "%s:%d: does not hold: %.*s\n%.*s\n", file, line,
               static_cast<int>(what.size()), what.data(), static_cast<int>(seen.size()),
               seen.data());
  std::abort();
}

std::uint8_t input::byte() {
  if (rest_.empty())
    return 0;
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

std::uint32_t input::below(std::uint32_t bound) {
  return byte() % bound;
}

std::string_view input::take(std::size_t size) {
  const auto out = rest_.substr(0, size);
  rest_.remove_prefix(out.size());
  return out;
}

std::uint32_t random_numbers::below(std::uint32_t bound) {
  state_ += 0x9E3779B97F4A7C15U;
  auto x = state_;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return static_cast<std::uint32_t>((x ^ (x >> 31)) % bound);
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t size = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (size == 0 || c > 0xF4 || i + size > text.size())
      return false;
    for (std::size_t k = 1; k < size; ++k)
      if (!continues_character(text[i + k]))
        return false;
    const auto second = size > 1 ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90)
        || (c == 0xF4 && second > 0x8F))
      return false;
    i += size;
  }
  return true;
}

void check_error(const error& x) {
  const auto seen = to_string(x);
  EBB_FUZZ_CHECK(!x.message.empty(), seen);
  EBB_FUZZ_CHECK(x.code != ec::internal && x.code != ec::cancelled, seen);
  EBB_FUZZ_CHECK(is_utf8(seen), seen);
  EBB_FUZZ_CHECK(seen.find('\0') == std::string::npos, seen);
}

void check_manifest_error(const error& x, std::string_view text, std::string_view file) {
  check_error(x);
  const auto seen = to_string(x);
  EBB_FUZZ_CHECK(x.place.file == file, seen);
  // Either a hint says what to do, or the message says what is expected.
  EBB_FUZZ_CHECK(!x.hint.empty() || x.message.find("expected ") != std::string::npos, seen);
  const auto lines = lines_of(text);
  EBB_FUZZ_CHECK(x.place.line <= lines.size(), seen);
  if (x.place.line == 0) {
    EBB_FUZZ_CHECK(x.excerpt.empty(), seen);
    return;
  }
  auto line = lines[x.place.line - 1];
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  const auto characters =
      line.size()
      - static_cast<std::size_t>(std::count_if(line.begin(), line.end(), continues_character));
  EBB_FUZZ_CHECK(x.place.column >= 1 && x.place.column <= characters + 1, seen);
}

void check_equal(const batch& a, const batch& b) {
  EBB_FUZZ_CHECK(a.rows == b.rows, "");
  EBB_FUZZ_CHECK(a.columns.size() == b.columns.size(), "");
  for (std::size_t k = 0; k < a.columns.size(); ++k)
    check_equal_columns(a.columns[k], b.columns[k]);
  EBB_FUZZ_CHECK(same_bytes(a.weights, b.weights, a.rows * sizeof(std::int32_t)), "weights");
  EBB_FUZZ_CHECK(same_bytes(a.watermarks, b.watermarks, a.rows * sizeof(micros)), "watermarks");
  EBB_FUZZ_CHECK(same_bytes(a.hashes, b.hashes, a.rows * sizeof(std::uint64_t)), "hashes");
}

std::vector<std::string> rows_of(const batch& x) {
  std::vector<std::string> out;
  // A few bytes may stand for millions of rows without columns.
  if (x.columns.empty())
    return out;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    std::string line;
    for (const auto& c : x.columns) {
      line += '|';
      if (c.is_null(i))
        line += "NULL";
      else
        append_value_text(c, i, line);
    }
    out.push_back(std::move(line));
  }
  return out;
}

} // namespace ebb::fuzz
