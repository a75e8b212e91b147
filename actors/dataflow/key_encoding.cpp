#include "actors/dataflow/key_encoding.hpp"

#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/key_words.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#define XXH_INLINE_ALL
#include <bit>
#include <cstring>
#include <type_traits>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr char tag_null = 0;
constexpr char tag_value = 1;
// Markers before each array element. A shorter array sorts first, a NULL element last, as
// PostgreSQL compares arrays.
constexpr char element_end = 0;
constexpr char element_value = 1;
constexpr char element_null = 2;

template <class T>
void put_big_endian(T bits, std::string& out) {
  static_assert(std::is_unsigned_v<T>);
  char bytes[sizeof(T)];
  for (std::size_t k = 0; k < sizeof(T); ++k)
    bytes[k] = static_cast<char>(static_cast<unsigned char>(bits >> (8 * (sizeof(T) - 1 - k))));
  out.append(bytes, sizeof(T));
}

template <class T>
T read_big_endian(const char* bytes) {
  T bits = 0;
  for (std::size_t k = 0; k < sizeof(T); ++k)
    bits = static_cast<T>(static_cast<std::uint64_t>(bits) << 8
                          | static_cast<unsigned char>(bytes[k]));
  return bits;
}

template <class T>
void put_integer(T value, std::string& out) {
  using bits = std::make_unsigned_t<T>;
  constexpr auto sign = static_cast<bits>(bits{1} << (8 * sizeof(T) - 1));
  put_big_endian(static_cast<bits>(static_cast<bits>(value) ^ sign), out);
}

template <class T>
T read_integer(const char* bytes) {
  using bits = std::make_unsigned_t<T>;
  constexpr auto sign = static_cast<bits>(bits{1} << (8 * sizeof(T) - 1));
  return static_cast<T>(static_cast<bits>(read_big_endian<bits>(bytes) ^ sign));
}

/// Bits whose unsigned order is the order of the floats (NaN last).
template <class Bits>
Bits ordered_bits(Bits canonical) {
  constexpr auto sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  return (canonical & sign) != 0 ? static_cast<Bits>(~canonical)
                                 : static_cast<Bits>(canonical | sign);
}

template <class Bits>
Bits unordered_bits(Bits ordered) {
  constexpr auto sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  return (ordered & sign) != 0 ? static_cast<Bits>(ordered & ~sign) : static_cast<Bits>(~ordered);
}

void put_text(std::string_view text, std::string& out) {
  while (true) {
    const void* zero = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size());
    if (zero == nullptr)
      break;
    const auto count = static_cast<std::size_t>(static_cast<const char*>(zero) - text.data());
    out.append(text.data(), count + 1);
    out.push_back('\xff');
    text.remove_prefix(count + 1);
  }
  const auto at = out.size();
  out.resize(at + text.size() + 2); // ends in zeros
  if (!text.empty())
    std::memcpy(out.data() + at, text.data(), text.size());
}

/// Length of the escaped text at the front of `bytes`, terminator included; 0 = damaged.
std::size_t escaped_size(std::string_view bytes) {
  std::size_t at = 0;
  while (true) {
    at = bytes.find('\0', at);
    if (at == std::string_view::npos || at + 1 >= bytes.size())
      return 0;
    if (bytes[at + 1] == '\0')
      return at + 2;
    if (bytes[at + 1] != '\xff')
      return 0;
    at += 2;
  }
}

void put_value(const column& x, std::uint32_t k, std::string& out) {
  switch (x.type.kind) {
  case type_kind::boolean:
    out.push_back(static_cast<char>(x.data<std::uint8_t>()[k] != 0 ? 1 : 0));
    return;
  case type_kind::smallint:
    put_integer(x.data<std::int16_t>()[k], out);
    return;
  case type_kind::integer:
  case type_kind::date:
    put_integer(x.data<std::int32_t>()[k], out);
    return;
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    put_integer(x.data<std::int64_t>()[k], out);
    return;
  case type_kind::real:
    put_big_endian(ordered_bits(canonical_bits(x.data<float>()[k])), out);
    return;
  case type_kind::double_precision:
    put_big_endian(ordered_bits(canonical_bits(x.data<double>()[k])), out);
    return;
  case type_kind::interval: {
    const auto span = comparable(x.data<interval_value>()[k]);
    put_integer(static_cast<std::int64_t>(span >> 64), out);
    put_big_endian(static_cast<std::uint64_t>(span), out);
    return;
  }
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::unknown:
    put_text(x.data<text_ref>()[k].view(), out);
    return;
  case type_kind::jsonb: {
    std::string normal;
    jsonb::append_normal(x.data<text_ref>()[k].view(), normal);
    put_text(normal, out);
    return;
  }
  case type_kind::numeric:
    encode_numeric_key(x, k, out);
    return;
  case type_kind::array: {
    const auto* offsets = x.data<std::uint32_t>();
    for (auto e = offsets[k]; e < offsets[k + 1]; ++e) {
      if (x.child->is_null(e)) {
        out.push_back(element_null);
      } else {
        out.push_back(element_value);
        put_value(*x.child, e, out);
      }
    }
    out.push_back(element_end);
    return;
  }
  }
  EBB_UNREACHABLE("key type");
}

template <class T>
bool read_fixed(std::string_view& bytes, value_builder& to, T (*read)(const char*)) {
  if (bytes.size() < sizeof(T))
    return false;
  to.append(read(bytes.data()));
  bytes.remove_prefix(sizeof(T));
  return true;
}

template <class T, class Bits>
T read_float(const char* bytes) {
  return std::bit_cast<T>(unordered_bits(read_big_endian<Bits>(bytes)));
}

std::uint8_t read_boolean(const char* bytes) {
  return *bytes != 0 ? 1 : 0;
}

bool read_interval(std::string_view& bytes, value_builder& to) {
  if (bytes.size() < 16)
    return false;
  const auto high = read_integer<std::int64_t>(bytes.data());
  const auto low = read_big_endian<std::uint64_t>(bytes.data() + 8);
  bytes.remove_prefix(16);
  const auto span = static_cast<int128>((static_cast<unsigned __int128>(high) << 64) | low);
  const int128 month = int128{30} * micros_per_day;
  const auto clamp = [](int128 x) {
    return x > INT32_MAX ? int128{INT32_MAX} : x < INT32_MIN ? int128{INT32_MIN} : x;
  };
  // Whole months first, so that every comparison value of an interval fits its three parts.
  const auto months = clamp(span / month);
  auto rest = span - months * month;
  const auto days = clamp(rest / micros_per_day);
  rest -= days * micros_per_day;
  if (rest > INT64_MAX || rest < INT64_MIN)
    return false;
  to.append(interval_value{static_cast<std::int64_t>(rest), static_cast<std::int32_t>(days),
                           static_cast<std::int32_t>(months)});
  return true;
}

bool read_text(std::string_view& bytes, value_builder& to) {
  const auto size = escaped_size(bytes);
  if (size == 0)
    return false;
  const auto escaped = bytes.substr(0, size - 2);
  bytes.remove_prefix(size);
  if (escaped.find('\0') == std::string_view::npos) {
    to.append_text(escaped);
    return true;
  }
  std::string text;
  for (std::size_t k = 0; k < escaped.size(); ++k) {
    text.push_back(escaped[k]);
    if (escaped[k] == '\0')
      ++k;
  }
  to.append_text(text);
  return true;
}

bool read_value(std::string_view& bytes, value_builder& to);

bool read_array(std::string_view& bytes, value_builder& to) {
  while (!bytes.empty()) {
    const char marker = bytes.front();
    bytes.remove_prefix(1);
    if (marker == element_end) {
      to.end_array();
      return true;
    }
    if (marker == element_null)
      to.elements().append_null();
    else if (marker != element_value || !read_value(bytes, to.elements()))
      return false;
  }
  return false;
}

bool read_value(std::string_view& bytes, value_builder& to) {
  switch (to.type().kind) {
  case type_kind::boolean:
    return read_fixed<std::uint8_t>(bytes, to, read_boolean);
  case type_kind::smallint:
    return read_fixed<std::int16_t>(bytes, to, read_integer<std::int16_t>);
  case type_kind::integer:
  case type_kind::date:
    return read_fixed<std::int32_t>(bytes, to, read_integer<std::int32_t>);
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return read_fixed<std::int64_t>(bytes, to, read_integer<std::int64_t>);
  case type_kind::real:
    return read_fixed<float>(bytes, to, read_float<float, std::uint32_t>);
  case type_kind::double_precision:
    return read_fixed<double>(bytes, to, read_float<double, std::uint64_t>);
  case type_kind::interval:
    return read_interval(bytes, to);
  case type_kind::unknown:
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::jsonb:
    return read_text(bytes, to);
  case type_kind::array:
    return read_array(bytes, to);
  case type_kind::numeric: {
    column one = make_numeric_column(sql_type{type_kind::numeric}, 1);
    if (!decode_numeric_key(bytes, one, 0))
      return false;
    to.append_copy(one, 0);
    return true;
  }
  }
  return false;
}

/// Takes trailing decimal zeros off a value, at most `places`; returns how many are left.
template <class T>
int strip_zeros(T& value, int places) noexcept {
  while (places > 0 && value % 10 == 0) {
    value /= 10;
    --places;
  }
  return places;
}

std::uint64_t hash_numeric(const column& x, std::uint32_t k) {
  // The least scale that holds the value names it in only one way.
  int scale = x.scale_of(k);
  if (scale >= 0) {
    auto value = x.data<int128>()[k];
    if (value == 0) {
      scale = 0;
    } else if (auto narrow = static_cast<std::int64_t>(value); narrow == value) {
      scale = strip_zeros(narrow, scale);
      value = narrow;
    } else {
      scale = strip_zeros(value, scale);
    }
    const auto high = static_cast<std::uint64_t>(value >> 64);
    return mix_word(static_cast<std::uint64_t>(value)
                    ^ mix_word(high + static_cast<std::uint64_t>(scale) * 0x9E3779B97F4A7C15U));
  }
  std::string key;
  encode_numeric_key(x, k, key);
  if (scale == numeric_tag::big) {
    // A big form whose value fits 128 bits after all must hash as that one does.
    std::string_view bytes = key;
    column small = make_numeric_column(sql_type{type_kind::numeric}, 1);
    if (decode_numeric_key(bytes, small, 0) && small.scale_of(0) >= 0)
      return hash_numeric(small, 0);
  }
  return XXH3_64bits(key.data(), key.size());
}

/// A word that equal values share.
std::uint64_t value_word(const column& x, std::uint32_t k) {
  switch (x.type.kind) {
  case type_kind::interval: {
    const auto span = comparable(x.data<interval_value>()[k]);
    return static_cast<std::uint64_t>(span) ^ mix_word(static_cast<std::uint64_t>(span >> 64));
  }
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::unknown: {
    const auto text = x.data<text_ref>()[k];
    return XXH3_64bits(text.data, text.size);
  }
  case type_kind::numeric:
    return hash_numeric(x, k);
  case type_kind::jsonb: {
    std::string normal;
    jsonb::append_normal(x.data<text_ref>()[k].view(), normal);
    return XXH3_64bits(normal.data(), normal.size());
  }
  default: {
    std::string key;
    put_value(x, k, key);
    return XXH3_64bits(key.data(), key.size());
  }
  }
}

/// Runs `combine(i, word)` over a column's words.
template <class Combine>
void for_each_word(const column& x, std::uint32_t rows, const Combine& combine) {
  const auto loop = [&](auto word) {
    if (x.constant) {
      const auto w = x.is_null(0) ? null_word : word(0);
      for (std::uint32_t i = 0; i < rows; ++i)
        combine(i, w);
    } else if (x.has_nulls()) {
      const auto* bits = x.validity.as<const std::uint8_t>();
      for (std::uint32_t i = 0; i < rows; ++i)
        combine(i, get_bit(bits, i) ? word(i) : null_word);
    } else {
      for (std::uint32_t i = 0; i < rows; ++i)
        combine(i, word(i));
    }
  };
  if (is_word_type(x.type.kind)) {
    with_word_reader(x, loop);
    return;
  }
  if (!holds_text(x.type.kind)) {
    loop([&x](std::uint32_t i) { return value_word(x, i); });
    return;
  }
  // Neighbours often share their bytes: a day, what a constant made.
  text_ref last;
  std::uint64_t word = XXH3_64bits(last.data, last.size);
  loop([&](std::uint32_t i) {
    const auto text = x.data<text_ref>()[i];
    if (text.data != last.data || text.size != last.size) {
      word = value_word(x, i);
      last = text;
    }
    return word;
  });
}

} // namespace

void encode_key_value(const column& x, std::uint32_t i, std::string& out) {
  if (x.is_null(i)) {
    out.push_back(tag_null);
    return;
  }
  out.push_back(tag_value);
  put_value(x, x.at(i), out);
}

result<void> decode_key_value(std::string_view& bytes, value_builder& to) {
  const char tag = bytes.empty() ? '\xff' : bytes.front();
  if (!bytes.empty())
    bytes.remove_prefix(1);
  if (tag == tag_null) {
    to.append_null();
    return {};
  }
  if (tag != tag_value || !read_value(bytes, to))
    return make_error(ec::corrupt, "damaged key of type " + to_string(to.type()));
  return {};
}

result<column> decode_key_value(std::string_view& bytes, const sql_type& type) {
  value_builder value(type, 1);
  EBB_TRY(decode_key_value(bytes, value));
  return value.take();
}

void hash_keys(std::span<const column* const> keys, std::uint32_t rows, std::uint64_t* hashes) {
  if (keys.empty()) {
    const auto only = mix_word(0);
    for (std::uint32_t i = 0; i < rows; ++i)
      hashes[i] = only;
    return;
  }
  for_each_word(*keys[0], rows,
                [hashes](std::uint32_t i, std::uint64_t word) { hashes[i] = mix_word(word); });
  for (std::size_t c = 1; c < keys.size(); ++c)
    for_each_word(*keys[c], rows, [hashes](std::uint32_t i, std::uint64_t word) {
      hashes[i] = mix_word(std::rotl(hashes[i], 29) ^ word);
    });
}

} // namespace ebb
