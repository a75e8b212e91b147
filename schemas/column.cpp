#include "schemas/column.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t heap_chunk = std::size_t{64} << 10;

std::size_t bit_bytes(std::uint32_t rows) noexcept {
  return (static_cast<std::size_t>(rows) + 7) / 8;
}

bool is_text(type_kind kind) noexcept {
  return holds_text(kind);
}

template <class T>
void pick(const column& source, column& target, const std::uint32_t* picks, std::uint32_t count) {
  const T* from = source.data<T>();
  T* to = target.mutable_data<T>();
  for (std::uint32_t i = 0; i < count; ++i)
    to[i] = from[picks[i]];
}

struct bytes16 {
  std::uint64_t low;
  std::uint64_t high;
};

void append_heap(std::vector<buffer_ptr>& heap, const std::vector<buffer_ptr>& more) {
  for (const auto& owner : more)
    if (std::find(heap.begin(), heap.end(), owner) == heap.end())
      heap.push_back(owner);
}

} // namespace

column make_column(sql_type type, std::uint32_t rows) {
  column result;
  result.type = type;
  result.rows = rows;
  result.scale = std::max<std::int16_t>(0, type.scale); // NUMERIC(2, -3) holds whole numbers
  const std::size_t count = rows + (type.kind == type_kind::array ? 1U : 0U);
  result.values = buffer_ptr::make(std::max<std::size_t>(1, count) * value_width(type.kind));
  if (is_text(type.kind))
    std::fill_n(result.mutable_data<text_ref>(), rows, text_ref{});
  return result;
}

column make_null_column(sql_type type, std::uint32_t rows) {
  column result = make_column(type, rows);
  std::memset(result.values.as<std::byte>(), 0,
              (rows + (type.kind == type_kind::array ? 1U : 0U)) * value_width(type.kind));
  result.validity = buffer_ptr::make(bit_bytes(rows));
  std::memset(result.validity.as<std::byte>(), 0, bit_bytes(rows));
  if (type.kind == type_kind::array)
    result.child = std::make_shared<column>(make_column(type.element_type(), 0));
  return result;
}

std::uint8_t* ensure_validity(column& target) {
  if (!target.validity) {
    const auto size = bit_bytes(target.constant ? 1 : target.rows);
    target.validity = buffer_ptr::make(size);
    std::memset(target.validity.as<std::byte>(), 0xff, size);
  }
  return target.validity.as<std::uint8_t>();
}

void set_null(column& target, std::uint32_t i) {
  clear_bit(ensure_validity(target), i);
  if (is_text(target.type.kind))
    target.mutable_data<text_ref>()[i] = text_ref{};
}

column gather(const column& source, const std::uint32_t* picks, std::uint32_t count) {
  column result;
  result.type = source.type;
  result.rows = count;
  result.scale = source.scale;
  result.heap = source.heap;
  if (source.constant) {
    result.constant = true;
    result.values = source.values;
    result.validity = source.validity;
    result.scales = source.scales;
    result.child = source.child;
    return result;
  }
  if (source.type.kind == type_kind::array) {
    const auto* offsets = source.data<std::uint32_t>();
    result.values = buffer_ptr::of<std::uint32_t>(count + std::size_t{1});
    auto* to = result.mutable_data<std::uint32_t>();
    std::vector<std::uint32_t> elements;
    to[0] = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      for (auto k = offsets[picks[i]]; k < offsets[picks[i] + 1]; ++k)
        elements.push_back(k);
      to[i + 1] = static_cast<std::uint32_t>(elements.size());
    }
    result.child = std::make_shared<column>(
        gather(*source.child, elements.data(), static_cast<std::uint32_t>(elements.size())));
  } else {
    result.values =
        buffer_ptr::make(std::max<std::size_t>(1, count) * value_width(source.type.kind));
    switch (value_width(source.type.kind)) {
    case 1:
      pick<std::uint8_t>(source, result, picks, count);
      break;
    case 2:
      pick<std::uint16_t>(source, result, picks, count);
      break;
    case 4:
      pick<std::uint32_t>(source, result, picks, count);
      break;
    case 8:
      pick<std::uint64_t>(source, result, picks, count);
      break;
    default:
      pick<bytes16>(source, result, picks, count);
      break;
    }
  }
  if (source.scales) {
    result.scales = buffer_ptr::of<std::int16_t>(std::max<std::size_t>(1, count));
    const auto* from = source.scales.as<const std::int16_t>();
    auto* to = result.scales.as<std::int16_t>();
    for (std::uint32_t i = 0; i < count; ++i)
      to[i] = from[picks[i]];
  }
  if (source.validity) {
    const auto* from = source.validity.as<const std::uint8_t>();
    result.validity = buffer_ptr::make(std::max<std::size_t>(1, bit_bytes(count)));
    auto* to = result.validity.as<std::uint8_t>();
    std::memset(to, 0, bit_bytes(count));
    bool any_null = false;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto bit = static_cast<std::uint8_t>((from[picks[i] >> 3] >> (picks[i] & 7)) & 1);
      to[i >> 3] = static_cast<std::uint8_t>(to[i >> 3] | (bit << (i & 7)));
      any_null |= bit == 0;
    }
    if (!any_null)
      result.validity = buffer_ptr{};
  }
  return result;
}

column slice(const column& source, std::uint32_t first, std::uint32_t count) {
  if (first == 0 && count == source.rows)
    return source;
  std::vector<std::uint32_t> picks(count);
  for (std::uint32_t i = 0; i < count; ++i)
    picks[i] = first + i;
  return gather(source, picks.data(), count);
}

column concatenate(const std::vector<const column*>& parts) {
  EBB_ASSERT(!parts.empty());
  if (parts.size() == 1)
    return *parts.front();
  std::uint32_t rows = 0;
  bool nulls = false;
  bool scales = false;
  for (const auto* part : parts) {
    rows += part->rows;
    nulls |= part->has_nulls();
    scales |= static_cast<bool>(part->scales) || part->scale != parts.front()->scale;
  }
  column result;
  result.type = parts.front()->type;
  result.rows = rows;
  result.scale = parts.front()->scale;
  const auto kind = result.type.kind;
  const auto width = value_width(kind);
  if (nulls) {
    result.validity = buffer_ptr::make(std::max<std::size_t>(1, bit_bytes(rows)));
    std::memset(result.validity.as<std::byte>(), 0, bit_bytes(rows));
  }
  if (scales)
    result.scales = buffer_ptr::of<std::int16_t>(std::max<std::size_t>(1, rows));
  std::vector<const column*> children;
  result.values = buffer_ptr::make((static_cast<std::size_t>(rows) + 1) * width);
  std::uint32_t at = 0;
  std::uint32_t element_base = 0;
  for (const auto* part : parts) {
    EBB_ASSERT(!part->constant);
    append_heap(result.heap, part->heap);
    if (kind == type_kind::array) {
      auto* to = result.mutable_data<std::uint32_t>();
      const auto* from = part->data<std::uint32_t>();
      for (std::uint32_t i = 0; i <= part->rows; ++i)
        to[at + i] = element_base + from[i];
      element_base += part->child->rows;
      children.push_back(part->child.get());
    } else if (part->rows != 0) {
      std::memcpy(result.values.as<std::byte>() + static_cast<std::size_t>(at) * width,
                  part->values.as<const std::byte>(), static_cast<std::size_t>(part->rows) * width);
    }
    if (nulls) {
      auto* to = result.validity.as<std::uint8_t>();
      for (std::uint32_t i = 0; i < part->rows; ++i)
        if (!part->is_null(i))
          set_bit(to, at + i);
    }
    if (scales) {
      auto* to = result.scales.as<std::int16_t>();
      for (std::uint32_t i = 0; i < part->rows; ++i)
        to[at + i] = part->scale_of(i);
    }
    at += part->rows;
  }
  if (kind == type_kind::array)
    result.child = std::make_shared<column>(concatenate(children));
  return result;
}

column materialize(column source) {
  if (!source.constant)
    return source;
  const auto rows = source.rows;
  source.constant = false;
  source.rows = 1;
  const std::vector<std::uint32_t> zeros(rows, 0);
  return gather(source, zeros.data(), rows);
}

text_builder::text_builder(sql_type type, std::uint32_t capacity)
    : column_(make_column(type, std::max<std::uint32_t>(1, capacity))),
      capacity_(std::max<std::uint32_t>(1, capacity)) {
  column_.rows = 0;
}

void text_builder::grow() {
  column wider = make_column(column_.type, capacity_ * 2);
  std::memcpy(wider.values.as<std::byte>(), column_.values.as<const std::byte>(),
              static_cast<std::size_t>(column_.rows) * sizeof(text_ref));
  column_.values = wider.values;
  if (column_.validity) {
    auto wider_bits = buffer_ptr::make(bit_bytes(capacity_ * 2));
    std::memset(wider_bits.as<std::byte>(), 0xff, bit_bytes(capacity_ * 2));
    std::memcpy(wider_bits.as<std::byte>(), column_.validity.as<const std::byte>(),
                bit_bytes(capacity_));
    column_.validity = wider_bits;
  }
  capacity_ *= 2;
}

char* text_builder::reserve(std::size_t size) {
  if (static_cast<std::size_t>(end_ - next_) < size || next_ == nullptr) {
    const auto bytes = std::max(size, heap_chunk);
    column_.heap.push_back(buffer_ptr::make(bytes));
    next_ = column_.heap.back().as<char>();
    end_ = next_ + column_.heap.back().size();
  }
  return next_;
}

void text_builder::commit(std::size_t size) {
  if (column_.rows == capacity_)
    grow();
  column_.mutable_data<text_ref>()[column_.rows++] =
      text_ref{next_, static_cast<std::uint32_t>(size)};
  next_ += size;
}

void text_builder::append(std::string_view text) {
  char* to = reserve(text.size());
  if (!text.empty())
    std::memcpy(to, text.data(), text.size());
  commit(text.size());
}

void text_builder::append_null() {
  if (column_.rows == capacity_)
    grow();
  if (!column_.validity) {
    column_.validity = buffer_ptr::make(bit_bytes(capacity_));
    std::memset(column_.validity.as<std::byte>(), 0xff, bit_bytes(capacity_));
  }
  column_.mutable_data<text_ref>()[column_.rows] = text_ref{};
  clear_bit(column_.validity.as<std::uint8_t>(), column_.rows++);
}

column text_builder::take() {
  return std::move(column_);
}

} // namespace ebb
