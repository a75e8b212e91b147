#include "actors/connectors/row_hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ebb {

namespace {

constexpr std::uint64_t null_hash = 0x9ae16a3b2f90404fULL;

// Texts so many rows ahead are fetched: their bytes lie anywhere.
constexpr std::uint32_t text_ahead = 12;

// Multiply and fold: one 64×64 → 128 bit product mixes well enough for a checksum.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product =
      static_cast<unsigned __int128>(a ^ 0xa0761d6478bd642fULL) * (b ^ 0xe7037ed1a0b428dbULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t text_hash(const text_ref& text) noexcept {
  return XXH3_64bits(text.data, text.size);
}

template <class T>
std::uint64_t bits_of(T value) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

// Combines value i of the column, as `value(i)`, into hashes[i].
template <class Value>
void combine(const column& x, std::uint64_t* hashes, const Value& value) {
  if (!x.validity) {
    for (std::uint32_t i = 0; i < x.rows; ++i)
      hashes[i] = mix(hashes[i], value(i));
    return;
  }
  for (std::uint32_t i = 0; i < x.rows; ++i)
    hashes[i] = mix(hashes[i], x.is_null(i) ? null_hash : value(i));
}

template <class T>
void combine_fixed(const column& x, std::uint64_t* hashes) {
  const T* values = x.data<T>();
  combine(x, hashes, [&](std::uint32_t i) { return bits_of(values[i]); });
}

void combine_column(const column& x, std::uint64_t* hashes);

std::uint64_t element_hash(const column& elements, std::uint32_t first, std::uint32_t last) {
  std::uint64_t result = last - first;
  for (auto k = first; k < last; ++k) {
    auto one = slice(elements, k, 1);
    std::uint64_t hash = 0;
    combine_column(one, &hash);
    result = mix(result, hash);
  }
  return result;
}

void combine_column(const column& x, std::uint64_t* hashes) {
  switch (x.type.kind) {
  case type_kind::boolean:
    return combine_fixed<std::uint8_t>(x, hashes);
  case type_kind::smallint:
    return combine_fixed<std::int16_t>(x, hashes);
  case type_kind::integer:
  case type_kind::date:
    return combine_fixed<std::int32_t>(x, hashes);
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return combine_fixed<std::int64_t>(x, hashes);
  case type_kind::real:
    return combine_fixed<float>(x, hashes);
  case type_kind::double_precision:
    return combine_fixed<double>(x, hashes);
  case type_kind::interval: {
    const auto* values = x.data<interval_value>();
    return combine(x, hashes, [&](std::uint32_t i) {
      return mix(bits_of(values[i].micros),
                 mix(bits_of(values[i].days), bits_of(values[i].months)));
    });
  }
  case type_kind::numeric: {
    const auto* values = x.data<unsigned __int128>();
    return combine(x, hashes, [&](std::uint32_t i) {
      const auto scale = x.scale_of(i);
      if (scale == numeric_tag::big)
        return text_hash(x.data<text_ref>()[i]);
      if (scale < 0)
        return mix(static_cast<std::uint64_t>(-scale), null_hash);
      return mix(static_cast<std::uint64_t>(values[i]),
                 static_cast<std::uint64_t>(values[i] >> 64) + static_cast<std::uint64_t>(scale));
    });
  }
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::jsonb:
  case type_kind::unknown: {
    const auto* values = x.data<text_ref>();
    return combine(x, hashes, [&](std::uint32_t i) {
      if (i + text_ahead < x.rows) {
        const auto& next = values[i + text_ahead];
        __builtin_prefetch(next.data);
        __builtin_prefetch(next.data + next.size);
      }
      return text_hash(values[i]);
    });
  }
  case type_kind::array: {
    const auto* offsets = x.data<std::uint32_t>();
    return combine(x, hashes, [&](std::uint32_t i) {
      return element_hash(*x.child, offsets[i], offsets[i + 1]);
    });
  }
  }
}

} // namespace

void row_hasher::add(const batch& rows) {
  hashes_.assign(rows.rows, 0x2d358dccaa6c78a5ULL);
  for (const auto& x : rows.columns)
    combine_column(x, hashes_.data());
  const auto* weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
  for (std::uint32_t i = 0; i < rows.rows; ++i)
    sum_ += hashes_[i] * static_cast<std::uint64_t>(weights == nullptr ? 1 : weights[i]);
}

} // namespace ebb
