#include "actors/dataflow/value_builder.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t heap_chunk = std::size_t{16} << 10;

bool is_text(type_kind kind) noexcept {
  return holds_text(kind);
}

template <class T>
void put_raw(const T& value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T>
bool read_raw(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(T))
    return false;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}

void put_sized(std::string_view text, std::string& out) {
  put_raw(static_cast<std::uint32_t>(text.size()), out);
  out.append(text);
}

bool read_sized(std::string_view& bytes, std::string_view& text) {
  std::uint32_t size = 0;
  if (!read_raw(bytes, size) || bytes.size() < size)
    return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

buffer_ptr widen(const buffer_ptr& old, std::size_t used, std::size_t bytes) {
  auto wider = buffer_ptr::make(bytes);
  if (used != 0)
    std::memcpy(wider.as<std::byte>(), old.as<const std::byte>(), used);
  return wider;
}

} // namespace

void append_value(const column& x, std::uint32_t i, std::string& out) {
  if (x.is_null(i)) {
    out.push_back('\0');
    return;
  }
  out.push_back('\1');
  const auto k = x.at(i);
  const auto kind = x.type.kind;
  if (is_text(kind)) {
    put_sized(x.data<text_ref>()[k].view(), out);
  } else if (kind == type_kind::numeric) {
    const auto scale = x.scale_of(i);
    put_raw(scale, out);
    if (scale == numeric_tag::big)
      put_sized(x.data<text_ref>()[k].view(), out);
    else
      put_raw(x.data<int128>()[k], out);
  } else if (kind == type_kind::array) {
    const auto* offsets = x.data<std::uint32_t>();
    put_raw(offsets[k + 1] - offsets[k], out);
    for (auto e = offsets[k]; e < offsets[k + 1]; ++e)
      append_value(*x.child, e, out);
  } else {
    const auto width = value_width(kind);
    out.append(x.data<char>() + k * width, width);
  }
}

value_builder::value_builder(sql_type type, std::uint32_t capacity)
    : type_(type), capacity_(std::max<std::uint32_t>(1, capacity)) {
  if (is_text(type.kind)) {
    text_.emplace(type, capacity_);
    return;
  }
  column_ = make_column(type, capacity_);
  if (type.kind == type_kind::numeric)
    column_.scales = buffer_ptr::of<std::int16_t>(capacity_);
  if (type.kind == type_kind::array) {
    column_.mutable_data<std::uint32_t>()[0] = 0;
    child_ = std::make_unique<value_builder>(type.element_type());
  }
}

void value_builder::grow() {
  const auto wider = capacity_ * 2;
  const auto width = value_width(type_.kind);
  const std::size_t extra = type_.kind == type_kind::array ? 1 : 0;
  column_.values = widen(column_.values, (rows_ + extra) * width, (wider + extra) * width);
  if (column_.scales)
    column_.scales =
        widen(column_.scales, rows_ * sizeof(std::int16_t), wider * sizeof(std::int16_t));
  if (column_.validity) {
    const std::size_t used = (static_cast<std::size_t>(capacity_) + 7) / 8;
    const std::size_t size = (static_cast<std::size_t>(wider) + 7) / 8;
    column_.validity = widen(column_.validity, used, size);
    // Bits from the old capacity on are those of values to come: set until one is NULL.
    auto* bits = column_.validity.as<std::uint8_t>();
    for (auto i = capacity_; i < used * 8; ++i)
      set_bit(bits, i);
    std::memset(bits + used, 0xff, size - used);
  }
  capacity_ = wider;
}

void value_builder::append_null() {
  if (text_) {
    text_->append_null();
    ++rows_;
    return;
  }
  if (rows_ == capacity_)
    grow();
  column_.rows = capacity_;
  clear_bit(ensure_validity(column_), rows_);
  const auto width = value_width(type_.kind);
  if (type_.kind == type_kind::array) {
    auto* offsets = column_.mutable_data<std::uint32_t>();
    offsets[rows_ + 1] = offsets[rows_];
  } else {
    std::memset(column_.mutable_data<char>() + rows_ * width, 0, width);
  }
  if (column_.scales)
    column_.scales.as<std::int16_t>()[rows_] = 0;
  ++rows_;
}

void value_builder::append_text(std::string_view text) {
  text_->append(text);
  ++rows_;
}

void value_builder::append_numeric(int128 unscaled, std::int16_t scale) {
  if (rows_ == capacity_)
    grow();
  column_.mutable_data<int128>()[rows_] = unscaled;
  column_.scales.as<std::int16_t>()[rows_++] = scale;
}

void value_builder::append_big(std::string_view bytes) {
  if (rows_ == capacity_)
    grow();
  if (heap_next_ == nullptr || static_cast<std::size_t>(heap_end_ - heap_next_) < bytes.size()) {
    column_.heap.push_back(buffer_ptr::make(std::max(bytes.size(), heap_chunk)));
    heap_next_ = column_.heap.back().as<char>();
    heap_end_ = heap_next_ + column_.heap.back().size();
  }
  std::memcpy(heap_next_, bytes.data(), bytes.size());
  column_.mutable_data<text_ref>()[rows_] =
      text_ref{heap_next_, static_cast<std::uint32_t>(bytes.size())};
  column_.scales.as<std::int16_t>()[rows_++] = numeric_tag::big;
  // Big forms may be read as words.
  heap_next_ += std::min<std::size_t>((bytes.size() + 7) / 8 * 8,
                                      static_cast<std::size_t>(heap_end_ - heap_next_));
}

void value_builder::end_array() {
  if (rows_ == capacity_)
    grow();
  column_.mutable_data<std::uint32_t>()[++rows_] = child_->rows();
}

void value_builder::append_copy(const column& x, std::uint32_t i) {
  if (x.is_null(i)) {
    append_null();
    return;
  }
  const auto k = x.at(i);
  if (text_) {
    append_text(x.data<text_ref>()[k].view());
  } else if (type_.kind == type_kind::numeric) {
    const auto scale = x.scale_of(i);
    if (scale == numeric_tag::big)
      append_big(x.data<text_ref>()[k].view());
    else
      append_numeric(x.data<int128>()[k], scale);
  } else if (type_.kind == type_kind::array) {
    const auto* offsets = x.data<std::uint32_t>();
    for (auto e = offsets[k]; e < offsets[k + 1]; ++e)
      child_->append_copy(*x.child, e);
    end_array();
  } else {
    if (rows_ == capacity_)
      grow();
    const auto width = value_width(type_.kind);
    std::memcpy(column_.mutable_data<char>() + rows_ * width, x.data<char>() + k * width, width);
    ++rows_;
  }
}

result<void> value_builder::append_encoded(std::string_view& bytes) {
  const auto damaged = [this] {
    return make_error(ec::corrupt, "damaged value of type " + to_string(type_));
  };
  char tag = 0;
  if (!read_raw(bytes, tag))
    return damaged();
  if (tag == 0) {
    append_null();
    return {};
  }
  if (text_) {
    std::string_view text;
    if (!read_sized(bytes, text))
      return damaged();
    append_text(text);
  } else if (type_.kind == type_kind::numeric) {
    std::int16_t scale = 0;
    int128 value = 0;
    std::string_view big;
    if (!read_raw(bytes, scale))
      return damaged();
    if (scale == numeric_tag::big ? !read_sized(bytes, big) : !read_raw(bytes, value))
      return damaged();
    if (scale == numeric_tag::big)
      append_big(big);
    else
      append_numeric(value, scale);
  } else if (type_.kind == type_kind::array) {
    std::uint32_t count = 0;
    if (!read_raw(bytes, count))
      return damaged();
    for (std::uint32_t e = 0; e < count; ++e)
      EBB_TRY(child_->append_encoded(bytes));
    end_array();
  } else {
    const auto width = value_width(type_.kind);
    if (bytes.size() < width)
      return damaged();
    if (rows_ == capacity_)
      grow();
    std::memcpy(column_.mutable_data<char>() + rows_ * width, bytes.data(), width);
    bytes.remove_prefix(width);
    ++rows_;
  }
  return {};
}

column value_builder::take() {
  if (text_)
    return text_->take();
  column_.rows = rows_;
  if (child_)
    column_.child = std::make_shared<column>(child_->take());
  if (column_.scales) {
    // One scale for all lets kernels take their fast path.
    const auto* scales = column_.scales.as<const std::int16_t>();
    const auto first = rows_ == 0 ? std::int16_t{0} : scales[0];
    if (first >= 0 && std::all_of(scales, scales + rows_, [&](auto s) { return s == first; })) {
      column_.scale = first;
      column_.scales = buffer_ptr{};
    }
  }
  return std::move(column_);
}

} // namespace ebb
