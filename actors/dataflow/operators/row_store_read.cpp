// Reading rows out of a store: gathered columns, whole chunks and the byte form.

#include "actors/dataflow/operators/row_pack.hpp"
#include "actors/dataflow/operators/row_store.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Beyond this many heap buffers a gathered column copies its text instead of keeping them alive:
// every later copy of the column would copy the list.
constexpr std::size_t most_heaps = 32;

struct bytes16 {
  std::uint64_t low;
  std::uint64_t high;
};

} // namespace

column row_store::gather(std::size_t k, const std::uint32_t* rows, std::uint32_t count) const {
  auto result = peek(k, rows, count);
  if (holds_text(result.type.kind) || scaled_[k] != 0)
    attach_heap(result, k, rows, count);
  if (types_[k].kind == type_kind::array)
    return decode_arrays(std::move(result), types_[k]);
  result.type = types_[k];
  return result;
}

column row_store::peek(std::size_t k, const std::uint32_t* rows, std::uint32_t count) const {
  const auto& type = storage_[k];
  column result;
  result.type = type;
  result.rows = count;
  result.scale = types_[k].scale;
  result.values = buffer_ptr::make(std::max<std::size_t>(1, count) * value_width(type.kind));
  const auto* bases = bases_[k].data();
  const auto pick = [&]<class T>(T* to) {
    for (std::uint32_t i = 0; i < count; ++i)
      to[i] = static_cast<const T*>(bases[slot_of(rows[i])])[place_of(rows[i])];
  };
  switch (value_width(type.kind)) {
  case 1:
    pick(result.mutable_data<std::uint8_t>());
    break;
  case 2:
    pick(result.mutable_data<std::uint16_t>());
    break;
  case 4:
    pick(result.mutable_data<std::uint32_t>());
    break;
  case 8:
    pick(result.mutable_data<std::uint64_t>());
    break;
  default:
    pick(result.mutable_data<bytes16>());
    break;
  }
  if (nulls_[k] != 0)
    for (std::uint32_t i = 0; i < count; ++i)
      if (is_null(k, rows[i]))
        clear_bit(ensure_validity(result), i);
  if (scaled_[k] != 0) {
    result.scales = buffer_ptr::of<std::int16_t>(std::max<std::size_t>(1, count));
    auto* scales = result.scales.as<std::int16_t>();
    for (std::uint32_t i = 0; i < count; ++i)
      scales[i] = stored(k, rows[i]).scale_of(place_of(rows[i]));
  }
  return result;
}

void row_store::gather_all(const std::uint32_t* rows, std::uint32_t count,
                           std::vector<column>& out) const {
  for (std::size_t k = 0; k < types_.size(); ++k)
    out.push_back(gather(k, rows, count));
}

// Keeps the bytes alive that the gathered refs point at.
void row_store::attach_heap(column& to, std::size_t k, const std::uint32_t* rows,
                            std::uint32_t count) const {
  if (stamps_.size() < chunks_.size())
    stamps_.resize(chunks_.size(), stamp_);
  if (++stamp_ == 0) {
    std::fill(stamps_.begin(), stamps_.end(), 0U);
    stamp_ = 1;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto slot = slot_of(rows[i]);
    if (stamps_[slot] == stamp_)
      continue;
    stamps_[slot] = stamp_;
    for (const auto& heap : chunks_[slot].columns[k].heap)
      if (std::find(to.heap.begin(), to.heap.end(), heap) == to.heap.end())
        to.heap.push_back(heap);
    if (to.heap.size() > most_heaps)
      break;
  }
  if (to.heap.size() <= most_heaps)
    return;
  to.heap.clear();
  const bool numbers = to.type.kind == type_kind::numeric;
  const auto owned = [&](std::uint32_t i) {
    return !numbers
           || (to.scales.as<const std::int16_t>()[i] == numeric_tag::big && !to.is_null(i));
  };
  auto* refs = to.mutable_data<text_ref>();
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i)
    if (owned(i))
      bytes += refs[i].size;
  if (bytes == 0)
    return;
  to.heap.push_back(buffer_ptr::make(bytes));
  char* next = to.heap.back().as<char>();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!owned(i) || refs[i].size == 0)
      continue;
    std::memcpy(next, refs[i].data, refs[i].size);
    refs[i].data = next;
    next += refs[i].size;
  }
}

column row_store::decode_arrays(column bytes, const sql_type& type) const {
  value_builder out(type, bytes.rows);
  for (std::uint32_t i = 0; i < bytes.rows; ++i) {
    if (bytes.is_null(i)) {
      out.append_null();
      continue;
    }
    auto value = bytes.text_of(i);
    auto read = out.append_encoded(value);
    EBB_ASSERT(static_cast<bool>(read)); // the store wrote them
  }
  return out.take();
}

column row_store::chunk_column(std::uint32_t chunk, std::size_t k) const {
  const auto& from = chunks_[dropped_ + chunk];
  column result = from.columns[k];
  result.rows = from.rows;
  if (types_[k].kind == type_kind::array)
    return decode_arrays(std::move(result), types_[k]);
  result.type = types_[k];
  return result;
}

void row_store::encode(std::uint32_t row, std::string& out) const {
  for (std::size_t k = 0; k < types_.size(); ++k) {
    const auto& x = stored(k, row);
    const auto place = place_of(row);
    if (types_[k].kind != type_kind::array)
      append_value(x, place, out);
    else if (x.is_null(place))
      out.push_back('\0');
    else
      out.append(x.text_of(place));
  }
}

result<std::uint32_t> row_store::append_encoded(std::string_view& bytes, std::uint64_t sequence) {
  batch one;
  one.rows = 1;
  for (const auto& type : types_) {
    value_builder value(type, 1);
    EBB_TRY(value.append_encoded(bytes));
    one.columns.push_back(value.take());
  }
  const auto next = next_sequence_;
  next_sequence_ = sequence;
  std::uint32_t number = 0;
  auto appended = append(one, nullptr, 1, &number);
  next_sequence_ = std::max(next, next_sequence_);
  if (!appended)
    return std::move(appended).error();
  return number;
}

result<void> row_store::append_saved(row_pack pack, std::span<const std::uint32_t> kept,
                                     std::uint32_t* numbers) {
  auto& columns = pack.rows.columns;
  bool fits = columns.size() == types_.size();
  for (std::size_t k = 0; fits && k < columns.size(); ++k) {
    fits = columns[k].type.kind == storage_[k].kind;
    if (fits && types_[k].kind == type_kind::array)
      columns[k] = decode_arrays(std::move(columns[k]), types_[k]);
    columns[k].type = types_[k];
  }
  if (!fits)
    return make_error(ec::corrupt, "a state entry's rows have other columns");
  const auto count = static_cast<std::uint32_t>(kept.size());
  if (pack.sequences.empty())
    return {};
  const auto [least, largest] = std::minmax_element(pack.sequences.begin(), pack.sequences.end());
  const auto next = next_sequence_;
  next_sequence_ = *least; // of no row is it larger than what it gets below
  const auto appended = append(pack.rows, kept.data(), count, numbers);
  // No number is given out twice, not even one of a row that is not kept.
  next_sequence_ = std::max(next, *largest + 1);
  EBB_TRY(appended);
  for (std::uint32_t i = 0; i < count; ++i)
    set_sequence(numbers[i], pack.sequences[kept[i]]);
  return {};
}

void row_store::set_sequence(std::uint32_t row, std::uint64_t sequence) {
  auto& to = chunks_[slot_of(row)];
  if (to.sequences.empty()) {
    to.sequences.resize(to.rows);
    std::iota(to.sequences.begin(), to.sequences.end(), to.first_sequence);
  }
  to.sequences[place_of(row)] = sequence;
  to.newest = std::max(to.newest, sequence);
}

} // namespace ebb
