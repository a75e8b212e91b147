#include "actors/dataflow/operators/row_store.hpp"

#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

constexpr std::uint32_t smallest_chunk = 32;
constexpr std::size_t largest_arena = std::size_t{256} << 10;
// A batch's heap is kept without a closer look while it costs at most this much a row.
constexpr std::size_t cheap_heap_per_row = 64;

bool is_text(type_kind kind) noexcept {
  return holds_text(kind);
}

buffer_ptr widened(const buffer_ptr& old, std::size_t used, std::size_t bytes, int fill) {
  auto wider = buffer_ptr::make(bytes);
  auto* to = wider.as<std::byte>();
  if (used != 0)
    std::memcpy(to, old.as<const std::byte>(), used);
  if (fill >= 0)
    std::memset(to + used, fill, bytes - used);
  return wider;
}

template <class T>
void copy_values(const column& from, const std::uint32_t* picks, std::uint32_t first,
                 std::uint32_t count, T* to) {
  const T* values = from.data<T>();
  if (picks == nullptr) {
    std::memcpy(to, values + first, count * sizeof(T));
    return;
  }
  for (std::uint32_t i = 0; i < count; ++i)
    to[i] = values[picks[first + i]];
}

struct bytes16 {
  std::uint64_t low;
  std::uint64_t high;
};

// Arrays are stored as the byte form of their values, so that chunks hold flat columns only.
column encode_arrays(const column& x) {
  text_builder out(sql_type{type_kind::bytea}, x.rows);
  std::string bytes;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    if (x.is_null(i)) {
      out.append_null();
      continue;
    }
    bytes.clear();
    append_value(x, i, bytes);
    out.append(bytes);
  }
  return out.take();
}

} // namespace

row_store::row_store(std::vector<sql_type> types, std::uint32_t adopt_from)
    : types_(std::move(types)), storage_(types_), adopt_from_(adopt_from), bases_(types_.size()),
      nulls_(types_.size(), 0), scaled_(types_.size(), 0) {
  for (auto& type : storage_)
    if (type.kind == type_kind::array) {
      type = sql_type{type_kind::bytea};
      adopt_from_ = UINT32_MAX;
    }
}

bool row_store::add_chunk() {
  if (chunk_count() >= chunk_mask)
    return false;
  chunks_.emplace_back();
  chunks_.back().columns.reserve(types_.size());
  for (auto& bases : bases_)
    bases.push_back(nullptr);
  return true;
}

result<void> row_store::append(const batch& from, const std::uint32_t* picks, std::uint32_t count,
                               std::uint32_t* numbers) {
  EBB_ASSERT(from.columns.size() == types_.size());
  if (count == 0)
    return {};
  if (picks == nullptr && count == from.rows && count >= adopt_from_ && count <= chunk_rows) {
    if (!add_chunk())
      return make_error(ec::resource, "an operator's state holds too many rows",
                        "bound it by time or raise the parallelism");
    // The number after the last row of the last chunk is no_row, so that chunk is never full.
    if (count < chunk_rows || row_at(chunk_count() - 1, 0) >> place_bits != chunk_mask) {
      adopt(from);
      std::iota(numbers, numbers + count, row_at(chunk_count() - 1, 0));
      return {};
    }
  }
  std::vector<column> flat;
  for (std::uint32_t done = 0; done < count;) {
    if (!make_room())
      return make_error(ec::resource, "an operator's state holds too many rows",
                        "bound it by time or raise the parallelism");
    auto& to = chunks_.back();
    const auto piece = std::min(count - done, to.capacity - to.rows);
    for (std::size_t k = 0; k < types_.size(); ++k) {
      if (types_[k].kind == type_kind::array) {
        if (flat.empty())
          flat.resize(types_.size());
        if (flat[k].rows == 0)
          flat[k] = encode_arrays(from.columns[k]);
        copy_in(to, k, flat[k], picks, done, piece);
      } else {
        copy_in(to, k, from.columns[k], picks, done, piece);
      }
    }
    std::iota(numbers + done, numbers + done + piece, row_at(chunk_count() - 1, to.rows));
    give_sequences(to, piece);
    to.rows += piece;
    rows_ += piece;
    done += piece;
  }
  return {};
}

void row_store::adopt(const batch& from) {
  auto& to = chunks_.back();
  const auto slot = chunks_.size() - 1;
  give_sequences(to, from.rows);
  to.rows = from.rows;
  to.columns = from.columns;
  for (std::size_t k = 0; k < types_.size(); ++k) {
    auto& x = to.columns[k];
    to.bytes += from.rows * value_width(x.type.kind);
    if (is_text(x.type.kind) && !x.heap.empty()) {
      const auto pinned =
          std::transform_reduce(x.heap.begin(), x.heap.end(), std::size_t{0}, std::plus<>(),
                                [](const auto& b) { return b.size(); });
      std::size_t used = pinned;
      if (pinned > from.rows * cheap_heap_per_row) {
        const auto* refs = x.data<text_ref>();
        used = 0;
        for (std::uint32_t i = 0; i < from.rows; ++i)
          used += refs[i].size;
      }
      if (used * 2 < pinned) {
        auto own = buffer_ptr::of<text_ref>(from.rows);
        std::copy_n(x.data<text_ref>(), from.rows, own.as<text_ref>());
        x.values = std::move(own);
        x.heap.clear();
        own_bytes(to, x, x.mutable_data<text_ref>(), from.rows);
      } else {
        to.bytes += pinned;
      }
    }
    if (x.validity)
      nulls_[k] = 1;
    if (x.scales || x.scale != types_[k].scale)
      scaled_[k] = 1;
    bases_[k][slot] = x.values.as<const std::byte>();
  }
  rows_ += from.rows;
  bytes_ += to.bytes;
}

// Numbers the next `count` rows of the chunk in the order of arrival.
void row_store::give_sequences(stored_chunk& to, std::uint32_t count) {
  if (to.rows == 0)
    to.first_sequence = next_sequence_;
  if (to.sequences.empty() && to.first_sequence + to.rows != next_sequence_) {
    to.sequences.resize(to.rows);
    std::iota(to.sequences.begin(), to.sequences.end(), to.first_sequence);
  }
  if (!to.sequences.empty())
    for (std::uint32_t i = 0; i < count; ++i)
      to.sequences.push_back(next_sequence_ + i);
  next_sequence_ += count;
  to.newest = std::max(to.newest, next_sequence_ - 1);
}

// Makes sure that the last chunk takes at least one more row.
bool row_store::make_room() {
  const auto open = chunk_count() != 0 && chunks_.back().capacity != 0;
  const auto limit = open && row_at(chunk_count() - 1, 0) >> place_bits == chunk_mask
                         ? chunk_rows - 1
                         : chunk_rows;
  if (open && chunks_.back().rows < std::min(chunks_.back().capacity, limit))
    return true;
  if (open && chunks_.back().capacity < limit) {
    auto& to = chunks_.back();
    const auto wider = std::min(limit, to.capacity * 4);
    for (std::size_t k = 0; k < types_.size(); ++k) {
      auto& x = to.columns[k];
      const auto width = value_width(x.type.kind);
      x.values = widened(x.values, to.rows * width, wider * width, -1);
      if (x.validity)
        x.validity = widened(x.validity, (x.rows + 7) / 8, (wider + 7) / 8, 0xff);
      if (x.scales)
        x.scales =
            widened(x.scales, to.rows * sizeof(std::int16_t), wider * sizeof(std::int16_t), 0);
      x.rows = wider;
      bases_[k][chunks_.size() - 1] = x.values.as<const std::byte>();
      bytes_ += (wider - to.capacity) * width;
      to.bytes += (wider - to.capacity) * width;
    }
    to.capacity = wider;
    return true;
  }
  // A chunk that was added for an adoption that did not happen is used as it is.
  const auto fresh = chunk_count() != 0 && chunks_.back().rows == 0;
  if (!fresh && !add_chunk())
    return false;
  auto& to = chunks_.back();
  const auto full = chunk_count() > 1 && chunks_[chunks_.size() - 2].rows >= chunk_rows / 2;
  to.capacity = full ? chunk_rows / 4 : smallest_chunk;
  for (std::size_t k = 0; k < types_.size(); ++k) {
    auto x = make_column(storage_[k], to.capacity);
    x.scale = types_[k].scale;
    bases_[k][chunks_.size() - 1] = x.values.as<const std::byte>();
    to.bytes += to.capacity * value_width(x.type.kind);
    to.columns.push_back(std::move(x));
  }
  bytes_ += to.bytes;
  return true;
}

void row_store::copy_in(stored_chunk& to, std::size_t k, const column& from,
                        const std::uint32_t* picks, std::uint32_t first, std::uint32_t count) {
  auto& into = to.columns[k];
  const auto row = [&](std::uint32_t i) { return picks == nullptr ? first + i : picks[first + i]; };
  switch (value_width(into.type.kind)) {
  case 1:
    copy_values(from, picks, first, count, into.mutable_data<std::uint8_t>() + to.rows);
    break;
  case 2:
    copy_values(from, picks, first, count, into.mutable_data<std::uint16_t>() + to.rows);
    break;
  case 4:
    copy_values(from, picks, first, count, into.mutable_data<std::uint32_t>() + to.rows);
    break;
  case 8:
    copy_values(from, picks, first, count, into.mutable_data<std::uint64_t>() + to.rows);
    break;
  default:
    copy_values(from, picks, first, count, into.mutable_data<bytes16>() + to.rows);
    break;
  }
  if (from.validity) {
    nulls_[k] = 1;
    auto* bits = ensure_validity(into);
    const auto* source = from.validity.as<const std::uint8_t>();
    for (std::uint32_t i = 0; i < count; ++i)
      if (!get_bit(source, row(i)))
        clear_bit(bits, to.rows + i);
  }
  if (is_text(into.type.kind)) {
    if (!from.heap.empty())
      own_bytes(to, into, into.mutable_data<text_ref>() + to.rows, count);
    return;
  }
  if (into.type.kind != type_kind::numeric
      || (!into.scales && !from.scales && into.scale == from.scale))
    return;
  scaled_[k] = 1;
  if (!into.scales) {
    into.scales = buffer_ptr::of<std::int16_t>(to.capacity);
    std::fill_n(into.scales.as<std::int16_t>(), to.capacity, into.scale);
  }
  auto* scales = into.scales.as<std::int16_t>() + to.rows;
  for (std::uint32_t i = 0; i < count; ++i) {
    scales[i] = from.scale_of(row(i));
    if (from.is_null(row(i)))
      scales[i] = 0;
    else if (scales[i] == numeric_tag::big)
      own_bytes(to, into, into.mutable_data<text_ref>() + to.rows + i, 1);
  }
}

// Copies the bytes that `refs` point at into the arenas and lets the refs point there.
void row_store::own_bytes(stored_chunk& to, column& into, text_ref* refs, std::uint32_t count) {
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i)
    bytes += refs[i].size;
  if (bytes == 0)
    return;
  char* next = arena(bytes, into);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (refs[i].size == 0)
      continue;
    std::memcpy(next, refs[i].data, refs[i].size);
    refs[i].data = next;
    next += refs[i].size;
  }
  to.bytes += bytes;
  if (to.capacity != 0)
    bytes_ += bytes;
}

char* row_store::arena(std::size_t bytes, column& user) {
  if (bytes > arena_next_ / 2) {
    user.heap.push_back(buffer_ptr::make(bytes));
    return user.heap.back().as<char>();
  }
  if (!arena_ || arena_.size() - arena_used_ < bytes) {
    arena_ = buffer_ptr::make(arena_next_);
    arena_used_ = 0;
    arena_next_ = std::min(arena_next_ * 2, largest_arena);
  }
  if (user.heap.empty() || user.heap.back() != arena_)
    user.heap.push_back(arena_);
  char* at = arena_.as<char>() + arena_used_;
  arena_used_ += bytes;
  return at;
}

void row_store::drop_oldest() {
  EBB_ASSERT(chunk_count() != 0);
  auto& oldest = chunks_[dropped_];
  rows_ -= oldest.rows;
  bytes_ -= oldest.bytes;
  oldest = stored_chunk{};
  ++dropped_;
  if (dropped_ < 64 || dropped_ * 2U < chunks_.size())
    return;
  // The front of the tables goes away at intervals, so that a drop costs O(1) on average.
  chunks_.erase(chunks_.begin(), chunks_.begin() + dropped_);
  for (auto& bases : bases_)
    bases.erase(bases.begin(), bases.begin() + dropped_);
  base_ = (base_ + dropped_) & chunk_mask;
  dropped_ = 0;
}

void row_store::clear() {
  row_store fresh(std::move(types_), adopt_from_);
  fresh.next_sequence_ = next_sequence_;
  *this = std::move(fresh);
}

void row_store::keep_only(std::span<std::uint32_t> rows) {
  row_store fresh(types_, adopt_from_);
  for (std::size_t done = 0; done < rows.size();) {
    const auto count =
        static_cast<std::uint32_t>(std::min<std::size_t>(rows.size() - done, chunk_rows));
    std::vector<std::uint32_t> kept(count);
    batch piece;
    piece.rows = count;
    gather_all(rows.data() + done, count, piece.columns);
    auto appended = fresh.append(piece, nullptr, count, kept.data());
    EBB_ASSERT(static_cast<bool>(appended)); // fewer rows than before
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& to = fresh.chunks_[fresh.slot_of(kept[i])];
      if (to.sequences.size() < to.rows)
        to.sequences.resize(to.rows);
      to.sequences[place_of(kept[i])] = sequence_of(rows[done + i]);
      to.newest = std::max(to.newest, sequence_of(rows[done + i]));
      rows[done + i] = kept[i];
    }
    done += count;
  }
  fresh.next_sequence_ = next_sequence_;
  *this = std::move(fresh);
}

bool rows_without_nulls(const batch& x, std::span<const std::uint32_t> keys,
                        std::vector<std::uint32_t>& picks) {
  if (std::none_of(keys.begin(), keys.end(),
                   [&](std::uint32_t k) { return x.columns[k].has_nulls(); }))
    return true;
  picks.clear();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    if (std::none_of(keys.begin(), keys.end(),
                     [&](std::uint32_t k) { return x.columns[k].is_null(i); }))
      picks.push_back(i);
  return picks.size() == x.rows;
}

} // namespace ebb
