#include "actors/connectors/file_rows.hpp"

#include "actors/connectors/file_chunk.hpp"
#include "actors/connectors/time_bound.hpp"
#include "actors/dataflow/numeric.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

constexpr std::size_t scratch_chunk = std::size_t{16} << 10;

// Columns of so few rows lie in one buffer: making one costs more than filling it.
constexpr std::uint32_t shared_rows_max = 16;
constexpr std::size_t value_alignment = 16; // NUMERIC's

std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + value_alignment - 1) / value_alignment * value_alignment;
}

} // namespace

row_builder::row_builder(const schema& columns, timestamp_unit unit, std::uint32_t capacity)
    : unit_(unit), capacity_(capacity) {
  slots_.reserve(columns.size());
  if (capacity <= shared_rows_max)
    for (const auto& definition : columns)
      shared_bytes_ += aligned(capacity * value_width(definition.type.kind));
  for (const auto& definition : columns) {
    auto& x = slots_.emplace_back();
    x.definition = definition;
    x.kind = definition.type.kind;
    start(x);
  }
}

void row_builder::start(row_slot& x) {
  const auto& type = x.definition.type;
  if (x.kind == type_kind::numeric) {
    x.target = make_numeric_column(type, capacity_);
  } else if (x.kind == type_kind::array) {
    x.target = column{};
    x.target.type = type;
    x.arrays.clear();
  } else {
    // Not make_column: every value of a committed row is stored, so nothing need be cleared.
    x.target = column{};
    x.target.type = type;
    x.target.values = values_for(capacity_ * value_width(x.kind));
  }
  x.target.rows = capacity_;
  x.values = x.target.values ? x.target.values.as<std::byte>() : nullptr;
}

buffer_ptr row_builder::values_for(std::size_t bytes) {
  if (shared_bytes_ == 0)
    return buffer_ptr::make(bytes);
  if (!shared_) {
    shared_ = buffer_ptr::make(shared_bytes_);
    shared_used_ = 0;
  }
  auto part = buffer_ptr::part(shared_, shared_used_, bytes);
  shared_used_ += aligned(bytes);
  return part;
}

void row_builder::restart_row() {
  for (auto& x : slots_) {
    if (x.target.validity)
      set_bit(x.target.validity.as<std::uint8_t>(), rows_);
    if (x.kind == type_kind::array)
      x.arrays.resize(rows_);
  }
}

bool row_builder::fail(const row_slot& x, std::string message) {
  problem_ = {x.definition.name, std::move(message)};
  return false;
}

bool row_builder::time_passes() {
  const auto& x = slots_[watched_];
  const auto time = static_cast<const micros*>(x.values)[rows_];
  if (time <= latest_ || time == max_time
      || (x.target.validity && !get_bit(x.target.validity.as<std::uint8_t>(), rows_)))
    return true;
  return fail(x, ahead_message(time));
}

bool row_builder::store_null(row_slot& x) {
  if (x.definition.not_null)
    return fail(x,
                "null value in column \"" + x.definition.name + "\" violates not-null constraint");
  leave_out(x);
  return true;
}

void row_builder::leave_out(row_slot& x) {
  switch (x.kind) {
  case type_kind::array:
    x.arrays.push_back(make_null_column(x.definition.type, 1));
    return;
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::jsonb:
    x.store(rows_, text_ref{});
    break;
  default:
    // A defined value, so that kernels that compute over NULLs see the same on every run.
    if (const auto width = value_width(x.kind); width != 0)
      std::memset(static_cast<std::byte*>(x.values) + rows_ * width, 0, width);
  }
  clear_bit(ensure_validity(x.target), rows_);
}

bool row_builder::store_boolean(row_slot& x, bool value) {
  if (x.kind != type_kind::boolean)
    return fail(x, "expected " + to_string(x.definition.type) + ", found "
                       + (value ? "true" : "false"));
  x.store<std::uint8_t>(rows_, value ? 1 : 0);
  return true;
}

void row_builder::store_array(row_slot& x, column elements) {
  column one;
  one.type = x.definition.type;
  one.rows = 1;
  one.values = buffer_ptr::of<std::uint32_t>(2);
  one.mutable_data<std::uint32_t>()[0] = 0;
  one.mutable_data<std::uint32_t>()[1] = elements.rows;
  one.child = std::make_shared<column>(std::move(elements));
  x.arrays.push_back(std::move(one));
}

char* row_builder::scratch(std::size_t size) {
  if (scratch_next_ == nullptr || static_cast<std::size_t>(scratch_end_ - scratch_next_) < size) {
    const auto bytes = std::max(scratch_chunk, size + chunk_padding);
    scratch_.push_back(buffer_ptr::make(bytes));
    scratch_next_ = scratch_.back().as<char>();
    scratch_end_ = scratch_next_ + scratch_.back().size() - chunk_padding;
  }
  char* result = scratch_next_;
  scratch_next_ += size;
  return result;
}

void row_builder::uncommit() {
  EBB_ASSERT(rows_ > 0);
  restart_row();
  --rows_;
  if (!distances_.empty())
    distances_.pop_back();
  restart_row();
}

void row_builder::keep(const buffer_ptr& memory) {
  if (heap_.empty() || heap_.back() != memory)
    heap_.push_back(memory);
}

void row_builder::commit(std::uint64_t number) {
  if (rows_ == 0)
    first_ = number;
  const auto distance = static_cast<std::uint32_t>(number - first_);
  if (distance != rows_ && distances_.empty())
    for (std::uint32_t i = 0; i < rows_; ++i)
      distances_.push_back(i);
  if (distance != rows_ || !distances_.empty())
    distances_.push_back(distance);
  ++rows_;
}

std::shared_ptr<batch> row_builder::take(std::shared_ptr<const std::string> source) {
  EBB_ASSERT(rows_ > 0);
  auto result = std::make_shared<batch>();
  result->rows = rows_;
  result->columns.reserve(slots_.size());
  shared_ = {}; // it is the batch's
  for (auto& x : slots_) {
    if (x.kind == type_kind::array) {
      x.arrays.resize(rows_);
      std::vector<const column*> parts;
      parts.reserve(rows_);
      for (const auto& part : x.arrays)
        parts.push_back(&part);
      x.target = concatenate(parts);
      if (holds_text(x.definition.type.element)) {
        auto child = std::make_shared<column>(*x.target.child);
        child->heap.insert(child->heap.end(), heap_.begin(), heap_.end());
        x.target.child = std::move(child);
      }
    }
    x.target.rows = rows_;
    if (holds_text(x.kind)) {
      x.target.heap = heap_;
      x.target.heap.insert(x.target.heap.end(), scratch_.begin(), scratch_.end());
    }
    result->columns.push_back(std::move(x.target));
    start(x);
  }
  result->origin.source = std::move(source);
  result->origin.first = first_;
  if (!distances_.empty()) {
    result->origin.rows = buffer_ptr::of<std::uint32_t>(rows_);
    std::copy_n(distances_.begin(), rows_, result->origin.rows.as<std::uint32_t>());
  }
  rows_ = 0;
  distances_.clear();
  heap_.clear();
  scratch_.clear();
  scratch_next_ = scratch_end_ = nullptr;
  return result;
}

} // namespace ebb
