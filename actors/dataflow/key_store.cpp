#include "actors/dataflow/key_store.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <cmath>

namespace ebb {

namespace {

constexpr std::size_t arena_chunk_min = std::size_t{1} << 10;
constexpr std::size_t arena_chunk_max = std::size_t{256} << 10;

/// True where the canonical form keeps everything of a value.
bool is_exact(type_kind kind) noexcept {
  return kind != type_kind::numeric && kind != type_kind::interval && kind != type_kind::real
         && kind != type_kind::double_precision && kind != type_kind::jsonb;
}

bool is_exact(const sql_type& type) noexcept {
  return is_exact(type.kind == type_kind::array ? type.element : type.kind);
}

bool is_minus_zero(const column& x, std::uint32_t k) noexcept {
  if (x.type.kind == type_kind::real)
    return x.data<float>()[k] == 0.0F && std::signbit(x.data<float>()[k]);
  if (x.type.kind == type_kind::double_precision)
    return x.data<double>()[k] == 0.0 && std::signbit(x.data<double>()[k]);
  return false;
}

std::uint32_t pick(const std::uint32_t* picks, std::uint32_t first, std::uint32_t j) noexcept {
  return picks == nullptr ? first + j : picks[j];
}

} // namespace

key_store::key_store(std::vector<sql_type> types)
    : types_(std::move(types)),
      in_words_(types_.size() <= words_max
                && std::all_of(types_.begin(), types_.end(),
                               [](const auto& t) { return is_word_type(t.kind); })),
      exact_(std::all_of(types_.begin(), types_.end(), [](const auto& t) { return is_exact(t); })),
      stride_(in_words_ ? types_.size() + 1 : 2) {}

template <std::size_t N>
void key_store::word_probe<N>::load(std::span<const column* const> columns,
                                    const std::uint32_t* picks, std::uint32_t first,
                                    std::uint32_t count) {
  columns_ = columns;
  nulls_.fill(0);
  for (std::uint32_t j = 0; j < count; ++j)
    rows_[j] = pick(picks, first, j);
  for (std::size_t c = 0; c < N; ++c) {
    const auto& x = *columns[c];
    auto& words = words_[c];
    with_word_reader(x, [&](auto word) {
      if (x.constant) {
        for (std::uint32_t j = 0; j < count; ++j)
          words[j] = word(0);
      } else if (picks == nullptr) {
        for (std::uint32_t j = 0; j < count; ++j)
          words[j] = word(first + j);
      } else {
        for (std::uint32_t j = 0; j < count; ++j)
          words[j] = word(picks[j]);
      }
    });
    if (x.has_nulls())
      for (std::uint32_t j = 0; j < count; ++j)
        if (x.is_null(rows_[j])) {
          words[j] = 0;
          nulls_[j] |= std::uint64_t{1} << c;
        }
  }
}

template <std::size_t N>
void key_store::word_probe<N>::store(key_store& keys, std::uint32_t slot, std::uint32_t j) const {
  auto* r = keys.record(slot);
  std::uint64_t head = nulls_[j];
  for (std::size_t c = 0; c < N; ++c) {
    r[c + 1] = words_[c][j];
    const auto& x = *columns_[c];
    if (words_[c][j] == 0 && !x.is_null(rows_[j]) && is_minus_zero(x, x.at(rows_[j])))
      head |= std::uint64_t{1} << (minus_zero_shift + c);
  }
  r[0] = head;
}

template class key_store::word_probe<0>;
template class key_store::word_probe<1>;
template class key_store::word_probe<2>;
template class key_store::word_probe<3>;
template class key_store::word_probe<4>;

void key_store::byte_probe::load(std::span<const column* const> columns, const std::uint32_t* picks,
                                 std::uint32_t first, std::uint32_t count) {
  columns_ = columns;
  bytes_.clear();
  ends_[0] = 0;

  // Neighbours often share the bytes of a text, which are then encoded once.
  struct encoded_text {
    text_ref text;
    std::size_t at = 0;
    std::size_t size = 0;
  };

  std::vector<encoded_text> last(columns.size());
  for (std::uint32_t j = 0; j < count; ++j) {
    rows_[j] = pick(picks, first, j);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const auto& x = *columns[k];
      if (!holds_text(x.type.kind) || x.is_null(rows_[j])) {
        encode_key_value(x, rows_[j], bytes_);
        continue;
      }
      const auto text = x.data<text_ref>()[x.at(rows_[j])];
      auto& same = last[k];
      const auto at = bytes_.size();
      if (same.size == 0 || text.data != same.text.data || text.size != same.text.size) {
        encode_key_value(x, rows_[j], bytes_);
        same = {text, at, bytes_.size() - at};
        continue;
      }
      bytes_.resize(at + same.size);
      std::memcpy(bytes_.data() + at, bytes_.data() + same.at, same.size);
    }
    ends_[j + 1] = static_cast<std::uint32_t>(bytes_.size());
  }
}

void key_store::byte_probe::store(key_store& keys, std::uint32_t slot, std::uint32_t j) const {
  std::string tail;
  if (!keys.exact_)
    for (const auto* x : columns_)
      append_value(*x, rows_[j], tail);
  keys.set_bytes(slot, std::string_view(bytes_).substr(ends_[j], ends_[j + 1] - ends_[j]), tail);
}

bool key_store::slot_probe::equal(const key_store& keys, std::uint32_t slot,
                                  std::uint32_t j) const {
  const auto* ours = keys.record(slot);
  const auto* theirs = from.record(slots[j]);
  if (!keys.in_words_) {
    const auto size = static_cast<std::uint32_t>(ours[0]);
    return size == static_cast<std::uint32_t>(theirs[0])
           && std::memcmp(keys.bytes(slot), from.bytes(slots[j]), size) == 0;
  }
  bool same = (ours[0] & null_bits) == (theirs[0] & null_bits);
  for (std::size_t w = 1; w < keys.stride_; ++w)
    same &= ours[w] == theirs[w];
  return same;
}

void key_store::slot_probe::store(key_store& keys, std::uint32_t slot, std::uint32_t j) const {
  const auto* theirs = from.record(slots[j]);
  if (keys.in_words_) {
    std::copy_n(theirs, keys.stride_, keys.record(slot));
    keys.record(slot)[0] &= UINT32_MAX; // the change number is the caller's
    return;
  }
  const std::string_view all(from.bytes(slots[j]),
                             static_cast<std::uint32_t>(theirs[0]) + from.tail_size(slots[j]));
  keys.set_bytes(slot, all.substr(0, static_cast<std::uint32_t>(theirs[0])),
                 all.substr(static_cast<std::uint32_t>(theirs[0])));
}

char* key_store::allocate(std::size_t size) {
  if (arena_next_ == nullptr || static_cast<std::size_t>(arena_end_ - arena_next_) < size) {
    // Chunks grow with the arena, so that small tables stay small.
    const auto chunk_bytes =
        std::max(size, std::clamp(arena_bytes_, arena_chunk_min, arena_chunk_max));
    arena_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes));
    arena_next_ = arena_.back().get();
    arena_end_ = arena_next_ + chunk_bytes;
    arena_bytes_ += chunk_bytes;
  }
  auto* place = arena_next_;
  arena_next_ += size;
  return place;
}

void key_store::set_bytes(std::uint32_t slot, std::string_view canonical, std::string_view tail) {
  EBB_ASSERT(canonical.size() < UINT32_MAX && tail.size() < UINT32_MAX);
  const auto size = canonical.size() + tail.size();
  char* place = allocate(std::max<std::size_t>(1, size));
  std::copy(canonical.begin(), canonical.end(), place);
  std::copy(tail.begin(), tail.end(), place + canonical.size());
  auto* r = record(slot);
  r[0] = canonical.size();
  r[1] = reinterpret_cast<std::uint64_t>(place);
  if (!exact_) {
    if (tails_.size() <= slot)
      tails_.resize(slot + std::size_t{1}, 0);
    tails_[slot] = static_cast<std::uint32_t>(tail.size());
  }
  live_bytes_ += size;
}

void key_store::remove(std::uint32_t slot) {
  auto* r = record(slot);
  if (!in_words_) {
    live_bytes_ -= static_cast<std::uint32_t>(r[0]) + tail_size(slot);
    r[0] = 0;
    r[1] = 0;
    if (arena_bytes_ > 2 * arena_chunk_max && live_bytes_ < arena_bytes_ / 4)
      compact();
    return;
  }
  std::fill_n(r, stride_, 0);
}

void key_store::compact() {
  const auto old = std::move(arena_);
  arena_.clear();
  arena_next_ = arena_end_ = nullptr;
  arena_bytes_ = 0;
  const auto count = static_cast<std::uint32_t>(records_.size() / stride_);
  for (std::uint32_t slot = 0; slot < count; ++slot) {
    if (record(slot)[1] == 0)
      continue;
    const auto size = static_cast<std::uint32_t>(record(slot)[0]) + std::size_t{tail_size(slot)};
    char* place = allocate(std::max<std::size_t>(1, size));
    std::copy_n(bytes(slot), size, place);
    record(slot)[1] = reinterpret_cast<std::uint64_t>(place);
  }
}

void key_store::clear() {
  records_.clear();
  tails_.clear();
  arena_.clear();
  arena_next_ = arena_end_ = nullptr;
  arena_bytes_ = 0;
  live_bytes_ = 0;
  changes_.clear();
}

void key_store::touch_first(std::uint32_t slot, std::uint32_t mark) {
  auto& head = record(slot)[0];
  changes_.preserve(slot, static_cast<std::uint32_t>(head >> 32));
  changes_.add(slot, mark);
  head = (head & UINT32_MAX) | std::uint64_t{mark} << 32;
}

void key_store::take_frozen(std::size_t most, std::vector<std::uint32_t>& out) {
  const auto count = static_cast<std::uint32_t>(records_.size() / stride_);
  changes_.take(most, count, out,
                [this](std::uint32_t slot) -> std::uint64_t& { return record(slot)[0]; });
}

column key_store::word_column(std::size_t k, std::span<const std::uint32_t> slots) const {
  const auto& type = types_[k];
  const auto rows = static_cast<std::uint32_t>(slots.size());
  column x = make_column(type, rows);
  const auto fill = [&]<class T>(T* to) {
    for (std::uint32_t i = 0; i < rows; ++i)
      to[i] = static_cast<T>(record(slots[i])[k + 1]);
  };
  const auto fill_floats = [&]<class T, class Bits>(T* to, Bits sign) {
    for (std::uint32_t i = 0; i < rows; ++i) {
      const auto* r = record(slots[i]);
      auto bits = static_cast<Bits>(r[k + 1]);
      if ((r[0] >> (minus_zero_shift + k) & 1) != 0)
        bits = sign;
      to[i] = std::bit_cast<T>(bits);
    }
  };
  switch (type.kind) {
  case type_kind::boolean:
    fill(x.mutable_data<std::uint8_t>());
    break;
  case type_kind::smallint:
    fill(x.mutable_data<std::int16_t>());
    break;
  case type_kind::integer:
  case type_kind::date:
    fill(x.mutable_data<std::int32_t>());
    break;
  case type_kind::real:
    fill_floats(x.mutable_data<float>(), std::uint32_t{1} << 31);
    break;
  case type_kind::double_precision:
    fill_floats(x.mutable_data<double>(), std::uint64_t{1} << 63);
    break;
  default:
    fill(x.mutable_data<std::int64_t>());
    break;
  }
  for (std::uint32_t i = 0; i < rows; ++i)
    if ((record(slots[i])[0] >> k & 1) != 0)
      set_null(x, i);
  return x;
}

column key_store::key_column(std::size_t k, std::span<const std::uint32_t> slots) const {
  if (in_words_)
    return word_column(k, slots);
  value_builder wanted(types_[k], static_cast<std::uint32_t>(slots.size()));
  std::vector<value_builder> skipped;
  for (std::size_t c = 0; c < k; ++c)
    skipped.emplace_back(types_[c]);
  const auto read = [this](std::string_view& from, value_builder& to) {
    const auto done = exact_ ? decode_key_value(from, to) : to.append_encoded(from);
    EBB_ASSERT(bool(done));
  };
  for (const auto slot : slots) {
    const auto size = static_cast<std::uint32_t>(record(slot)[0]);
    std::string_view from = exact_ ? std::string_view(bytes(slot), size)
                                   : std::string_view(bytes(slot) + size, tail_size(slot));
    for (auto& other : skipped)
      read(from, other);
    read(from, wanted);
  }
  return wanted.take();
}

void key_store::encode(std::uint32_t slot, std::string& out) const {
  if (!in_words_) {
    out.append(bytes(slot), static_cast<std::uint32_t>(record(slot)[0]));
    return;
  }
  for (std::size_t k = 0; k < types_.size(); ++k)
    encode_key_value(word_column(k, {&slot, 1}), 0, out);
}

} // namespace ebb
