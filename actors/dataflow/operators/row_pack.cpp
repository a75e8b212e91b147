#include "actors/dataflow/operators/row_pack.hpp"

#include "actors/dataflow/value_builder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ebb {

namespace {

enum class form : std::uint8_t { values, integers, fixed, text, decimals };

constexpr std::uint8_t has_nulls = 0x80;
constexpr std::uint32_t texts_ahead = 8; ///< whose bytes are fetched

template <class T>
[[nodiscard]] bool take_raw(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value)
    return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

template <class Narrow, class T>
void put_differences(const T* values, std::size_t count, std::uint64_t least, pack_bytes& out) {
  auto* to = out.more(count * sizeof(Narrow));
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = static_cast<Narrow>(static_cast<std::uint64_t>(values[i]) - least);
    std::memcpy(to + i * sizeof(Narrow), &x, sizeof(Narrow));
  }
}

template <class T>
void put_integers(const T* values, std::size_t count, pack_bytes& out) {
  T least = count == 0 ? T{} : values[0];
  T most = least;
  for (std::size_t i = 0; i < count; ++i) {
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  const auto base = static_cast<std::uint64_t>(least);
  const auto range = static_cast<std::uint64_t>(most) - base;
  out.append_raw(base);
  const std::uint8_t width = range == 0            ? 0
                             : range <= UINT8_MAX  ? 1
                             : range <= UINT16_MAX ? 2
                             : range <= UINT32_MAX ? 4
                                                   : 8;
  out.append_raw(width);
  switch (width) {
  case 0:
    break;
  case 1:
    put_differences<std::uint8_t>(values, count, base, out);
    break;
  case 2:
    put_differences<std::uint16_t>(values, count, base, out);
    break;
  case 4:
    put_differences<std::uint32_t>(values, count, base, out);
    break;
  default:
    put_differences<std::uint64_t>(values, count, base, out);
    break;
  }
}

template <class Narrow, class T>
void add_differences(const char* from, std::size_t count, std::uint64_t base, T* to) {
  for (std::size_t i = 0; i < count; ++i) {
    Narrow x{};
    std::memcpy(&x, from + i * sizeof(Narrow), sizeof(Narrow));
    to[i] = static_cast<T>(base + x);
  }
}

template <class T>
[[nodiscard]] bool take_integers(std::string_view& bytes, std::size_t count, T* to) {
  std::uint64_t base = 0;
  std::uint8_t width = 0;
  if (!take_raw(bytes, base) || !take_raw(bytes, width)
      || (width != 0 && bytes.size() / width < count))
    return false;
  switch (width) {
  case 0:
    std::fill_n(to, count, static_cast<T>(base));
    break;
  case 1:
    add_differences<std::uint8_t>(bytes.data(), count, base, to);
    break;
  case 2:
    add_differences<std::uint16_t>(bytes.data(), count, base, to);
    break;
  case 4:
    add_differences<std::uint32_t>(bytes.data(), count, base, to);
    break;
  case 8:
    add_differences<std::uint64_t>(bytes.data(), count, base, to);
    break;
  default:
    return false;
  }
  bytes.remove_prefix(count * width);
  return true;
}

/// What stands under a cleared bit is anything: a value that is there, or zero.
template <class T>
void put_integers_of(const column& x, std::uint32_t first, std::uint32_t count, pack_bytes& out) {
  const auto* values = x.data<T>() + first;
  if (!x.has_nulls())
    return put_integers(values, count, out);
  std::vector<T> own(values, values + count);
  std::uint32_t some = 0;
  while (some < count && x.is_null(first + some))
    ++some;
  const T fill = some == count ? T{} : values[some];
  for (std::uint32_t i = 0; i < count; ++i)
    if (x.is_null(first + i))
      own[i] = fill;
  put_integers(own.data(), count, out);
}

void put_fixed(const column& x, std::uint32_t first, std::uint32_t count, pack_bytes& out) {
  const auto width = value_width(x.type.kind);
  auto* to = out.more(count * width);
  std::memcpy(to, x.data<char>() + first * width, count * width);
  if (x.has_nulls())
    for (std::uint32_t i = 0; i < count; ++i)
      if (x.is_null(first + i))
        std::memset(to + i * width, 0, width);
}

void put_text(const column& x, std::uint32_t first, std::uint32_t count, pack_bytes& out) {
  const auto* refs = x.data<text_ref>() + first;
  std::vector<std::uint32_t> sizes(count);
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    sizes[i] = refs[i].size;
    bytes += refs[i].size;
  }
  put_integers(sizes.data(), count, out);
  auto* to = out.more(bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    // Rows of one key group lie far apart.
    if (i + texts_ahead < count)
      __builtin_prefetch(refs[i + texts_ahead].data);
    if (refs[i].size != 0)
      std::memcpy(to, refs[i].data, refs[i].size);
    to += refs[i].size;
  }
}

/// Of one scale, small, none NULL.
[[nodiscard]] bool put_decimals(const column& x, std::uint32_t first, std::uint32_t count,
                                pack_bytes& out) {
  if (x.has_nulls() || count == 0)
    return false;
  const auto scale = x.scale_of(first);
  if (scale < 0 || scale == numeric_tag::big)
    return false;
  std::vector<std::int64_t> small(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto value = x.data<int128>()[first + i];
    if (x.scale_of(first + i) != scale || value < std::numeric_limits<std::int64_t>::min()
        || value > std::numeric_limits<std::int64_t>::max())
      return false;
    small[i] = static_cast<std::int64_t>(value);
  }
  out.append_raw(form::decimals);
  out.append_raw(scale);
  put_integers(small.data(), count, out);
  return true;
}

form form_of(type_kind kind) {
  switch (kind) {
  case type_kind::boolean:
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
  case type_kind::date:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return form::integers;
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::interval:
    return form::fixed;
  default:
    return holds_text(kind) ? form::text : form::values;
  }
}

template <class Do>
void with_integers(std::size_t width, const Do& act) {
  if (width == 1)
    act(std::uint8_t{});
  else if (width == 2)
    act(std::int16_t{});
  else if (width == 4)
    act(std::int32_t{});
  else
    act(std::int64_t{});
}

[[nodiscard]] bool take_text(std::string_view& bytes, std::uint32_t rows, column& to) {
  std::vector<std::uint32_t> sizes(rows);
  if (!take_integers(bytes, rows, sizes.data()))
    return false;
  std::uint64_t all = 0;
  for (const auto size : sizes)
    all += size;
  if (all > bytes.size())
    return false;
  if (all != 0) {
    to.heap.push_back(buffer_ptr::make(all));
    std::memcpy(to.heap.back().as<char>(), bytes.data(), all);
  }
  const auto* at = all == 0 ? nullptr : to.heap.back().as<const char>();
  auto* refs = to.mutable_data<text_ref>();
  for (std::uint32_t i = 0; i < rows; ++i) {
    refs[i] = text_ref{sizes[i] == 0 ? nullptr : at, sizes[i]};
    at += sizes[i];
  }
  bytes.remove_prefix(all);
  return true;
}

[[nodiscard]] bool take_decimals(std::string_view& bytes, std::uint32_t rows, column& to) {
  std::vector<std::int64_t> small(rows);
  if (!take_raw(bytes, to.scale) || to.scale < 0 || to.scale == numeric_tag::big
      || !take_integers(bytes, rows, small.data()))
    return false;
  std::copy(small.begin(), small.end(), to.mutable_data<int128>());
  return true;
}

[[nodiscard]] bool take_column(std::string_view& bytes, std::uint32_t rows, column& to) {
  std::uint8_t kind = 0;
  std::uint8_t as = 0;
  if (!take_raw(bytes, kind) || !take_raw(bytes, as)
      || kind > static_cast<std::uint8_t>(type_kind::jsonb))
    return false;
  const sql_type type{static_cast<type_kind>(kind)};
  const bool nulls = (as & has_nulls) != 0;
  const auto what = static_cast<form>(as & ~has_nulls);
  if (type.kind == type_kind::array)
    return false;
  if (what == form::values) {
    value_builder built(type, rows);
    for (std::uint32_t i = 0; i < rows; ++i)
      if (!built.append_encoded(bytes))
        return false;
    to = built.take();
    return true;
  }
  to = make_column(type, rows);
  if (nulls) {
    const std::size_t size = (std::size_t{rows} + 7) / 8;
    if (bytes.size() < size)
      return false;
    std::memcpy(ensure_validity(to), bytes.data(), size);
    bytes.remove_prefix(size);
  }
  const auto width = value_width(type.kind);
  if (what == form::decimals && type.kind == type_kind::numeric)
    return take_decimals(bytes, rows, to);
  if (what != form_of(type.kind))
    return false;
  if (what == form::text)
    return take_text(bytes, rows, to);
  if (what == form::integers) {
    bool good = false;
    with_integers(width, [&](auto one) {
      good = take_integers(bytes, rows, to.mutable_data<decltype(one)>());
    });
    return good;
  }
  if (bytes.size() / width < rows)
    return false;
  std::memcpy(to.mutable_data<char>(), bytes.data(), rows * width);
  bytes.remove_prefix(rows * width);
  return true;
}

} // namespace

void begin_pack(std::span<const std::uint64_t> sequences, std::size_t columns, pack_bytes& out) {
  out.append_raw(static_cast<std::uint32_t>(sequences.size()));
  out.append_raw(static_cast<std::uint16_t>(columns));
  put_integers(sequences.data(), sequences.size(), out);
}

void append_pack_column(const column& x, std::uint32_t first, std::uint32_t count,
                        pack_bytes& out) {
  const auto kind = x.type.kind;
  out.append_raw(static_cast<std::uint8_t>(kind));
  if (kind == type_kind::numeric && put_decimals(x, first, count, out))
    return;
  const auto as = form_of(kind);
  if (as == form::values) {
    out.append_raw(as);
    std::string values;
    for (std::uint32_t i = 0; i < count; ++i)
      append_value(x, first + i, values);
    out.append(values);
    return;
  }
  const auto nulls = x.has_nulls() ? has_nulls : std::uint8_t{0};
  out.append_raw(static_cast<std::uint8_t>(static_cast<std::uint8_t>(as) | nulls));
  if (x.has_nulls()) {
    auto* bits = reinterpret_cast<std::uint8_t*>(out.more((std::size_t{count} + 7) / 8));
    std::fill_n(bits, (std::size_t{count} + 7) / 8, std::uint8_t{0});
    for (std::uint32_t i = 0; i < count; ++i)
      if (!x.is_null(first + i))
        set_bit(bits, i);
  }
  if (as == form::text)
    put_text(x, first, count, out);
  else if (as == form::fixed)
    put_fixed(x, first, count, out);
  else
    with_integers(value_width(kind),
                  [&](auto one) { put_integers_of<decltype(one)>(x, first, count, out); });
}

result<row_pack> take_pack(std::string_view& bytes) {
  const auto corrupt = [] {
    return make_error(ec::corrupt, "a state entry's rows cannot be read");
  };
  std::uint32_t rows = 0;
  std::uint16_t columns = 0;
  // Each row has at least a byte, unless all are equal; so many are in no pack.
  constexpr std::uint32_t rows_max = 1U << 24;
  if (!take_raw(bytes, rows) || !take_raw(bytes, columns) || rows > rows_max)
    return corrupt();
  row_pack pack;
  pack.sequences.resize(rows);
  if (!take_integers(bytes, rows, pack.sequences.data()))
    return corrupt();
  pack.rows.rows = rows;
  pack.rows.columns.resize(columns);
  for (auto& x : pack.rows.columns)
    if (!take_column(bytes, rows, x))
      return corrupt();
  return pack;
}

} // namespace ebb
