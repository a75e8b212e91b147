#include "actors/connectors/file_rows.hpp"

#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_chunk.hpp"
#include "actors/connectors/time_bound.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace ebb {

namespace {

constexpr std::size_t scratch_chunk = std::size_t{16} << 10;

// Columns of so few rows lie in one buffer: making one costs more than filling it.
constexpr std::uint32_t shared_rows_max = 16;
constexpr std::size_t value_alignment = 16; // NUMERIC's

std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + value_alignment - 1) / value_alignment * value_alignment;
}

// PostgreSQL's range of TIMESTAMP: 4713-11-24 BC up to, but not including, 294277-01-01.
constexpr micros time_first = -210866803200000000;
constexpr micros time_last = 9223371331199999999;

bool is_integer_text(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-')
    text.remove_prefix(1);
  return !text.empty()
         && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// NaN and the infinities, as ebb writes them into JSON strings.
bool is_special_number(std::string_view text) noexcept {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

bool is_float(type_kind kind) noexcept {
  return kind == type_kind::real || kind == type_kind::double_precision;
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

bool row_builder::to_time(std::int64_t value, micros& out) const noexcept {
  switch (unit_) {
  case timestamp_unit::s:
    if (__builtin_mul_overflow(value, micros_per_second, &out))
      return false;
    break;
  case timestamp_unit::ms:
    if (__builtin_mul_overflow(value, std::int64_t{1000}, &out))
      return false;
    break;
  case timestamp_unit::us:
    out = value;
    break;
  case timestamp_unit::ns:
    out = value / 1000 - (value % 1000 < 0 ? 1 : 0);
    break;
  }
  return out >= time_first && out <= time_last;
}

bool row_builder::store_integer(row_slot& x, std::int64_t value) {
  switch (x.kind) {
  case type_kind::bigint:
    x.store(rows_, value);
    return true;
  case type_kind::integer:
    if (value < INT32_MIN || value > INT32_MAX)
      return fail(x, "value \"" + std::to_string(value) + "\" is out of range for type integer");
    x.store(rows_, static_cast<std::int32_t>(value));
    return true;
  case type_kind::smallint:
    if (value < INT16_MIN || value > INT16_MAX)
      return fail(x, "value \"" + std::to_string(value) + "\" is out of range for type smallint");
    x.store(rows_, static_cast<std::int16_t>(value));
    return true;
  default:
    micros time = 0;
    if (!to_time(value, time))
      return fail(x, "timestamp out of range: \"" + std::to_string(value) + "\"");
    x.store(rows_, time);
    return true;
  }
}

bool row_builder::store_parsed(row_slot& x, std::string_view text) {
  auto done = parse_value_text(text, x.target, rows_);
  return done || fail(x, shown(done.error().message));
}

bool row_builder::store_time(row_slot& x, std::string_view text) {
  if (is_integer_text(text)) {
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{})
      return fail(x, "timestamp out of range: \"" + shown(text) + "\"");
    return store_integer(x, value);
  }
  auto parsed = parse_timestamp(text, true);
  if (!parsed) {
    // The text was read as one with a zone; the message names the column's own type.
    if (auto plain = parse_timestamp(text, x.kind == type_kind::timestamptz); !plain)
      return fail(x, shown(plain.error().message));
    return fail(x, shown(parsed.error().message));
  }
  x.store(rows_, *parsed);
  return true;
}

bool row_builder::store_bytes(row_slot& x, std::string_view text) {
  if (text.substr(0, 2) == "\\x") {
    auto parsed = parse_literal(text, x.definition.type);
    if (!parsed)
      return fail(x, shown(parsed.error().message));
    const auto bytes = parsed->text_of(0);
    char* copy = scratch(bytes.size());
    std::memcpy(copy, bytes.data(), bytes.size());
    x.store(rows_, text_ref{copy, static_cast<std::uint32_t>(bytes.size())});
    return true;
  }
  char* bytes = scratch(base64_decoded_max(text.size()));
  const auto size = base64_decode(text, bytes);
  if (!size)
    return fail(x, "expected bytes in base64, found \"" + shown(text) + "\"");
  x.store(rows_, text_ref{bytes, static_cast<std::uint32_t>(*size)});
  return true;
}

bool row_builder::store_json(row_slot& x, std::string_view json) {
  std::string canonical;
  if (auto read = jsonb::append_canonical(json, canonical); !read) {
    const auto& problem = read.error();
    return fail(
        x, shown(problem.hint.empty() ? problem.message : problem.message + ": " + problem.hint));
  }
  char* copy = scratch(canonical.size());
  std::memcpy(copy, canonical.data(), canonical.size());
  x.store(rows_, text_ref{copy, static_cast<std::uint32_t>(canonical.size())});
  return true;
}

bool row_builder::store_varchar(row_slot& x, std::string_view text) {
  const auto limit = static_cast<std::size_t>(x.definition.type.length);
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80 || ++characters <= limit)
      continue;
    // Spaces beyond the limit are cut off, as PostgreSQL's input does.
    if (text.find_first_not_of(' ', i) != std::string_view::npos)
      return fail(x, "value too long for type " + to_string(x.definition.type));
    text = text.substr(0, i);
    break;
  }
  x.store(rows_, text_ref{text});
  return true;
}

bool row_builder::store_string(row_slot& x, std::string_view text) {
  if (x.definition.type.length > 0
      && text.size() > static_cast<std::size_t>(x.definition.type.length))
    return store_varchar(x, text);
  x.store(rows_, text_ref{text});
  return true;
}

bool row_builder::store_text(row_slot& x, const char* text, std::size_t size) {
  switch (x.kind) {
  case type_kind::text:
    return store_string(x, {text, size});
  case type_kind::bigint:
  case type_kind::integer:
  case type_kind::smallint: {
    std::int64_t value = 0;
    if (fast::read_int(text, value) == text + size)
      return store_integer(x, value);
    return store_parsed(x, {text, size});
  }
  case type_kind::timestamp:
  case type_kind::timestamptz: {
    micros time = 0;
    if (size >= 19 && fast::read_timestamp(text, x.dates, time) == text + size) {
      x.store(rows_, time);
      return true;
    }
    return store_time(x, {text, size});
  }
  case type_kind::double_precision: {
    double value = 0;
    if (fast::read_double(text, value) == text + size) {
      x.store(rows_, value);
      return true;
    }
    return store_parsed(x, {text, size});
  }
  case type_kind::numeric: {
    auto done = parse_numeric({text, size}, x.target, rows_);
    return done || fail(x, shown(done.error().message));
  }
  case type_kind::bytea:
    return store_bytes(x, {text, size});
  case type_kind::jsonb:
    return store_json(x, {text, size});
  case type_kind::array: {
    auto parsed = parse_literal({text, size}, x.definition.type);
    if (!parsed)
      return fail(x, shown(parsed.error().message));
    x.arrays.push_back(materialize(*std::move(parsed)));
    return true;
  }
  default:
    return store_parsed(x, {text, size});
  }
}

bool row_builder::store_json_string(row_slot& x, std::string_view text) {
  switch (x.kind) {
  case type_kind::text:
    return store_string(x, text);
  case type_kind::timestamp:
  case type_kind::timestamptz:
    // Integers in quotes are no times: only a JSON number has the stream's unit.
    if (!is_integer_text(text))
      return store_text(x, text.data(), text.size());
    break;
  case type_kind::date:
  case type_kind::interval:
    return store_parsed(x, text);
  case type_kind::bytea:
    return store_bytes(x, text);
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    if (is_special_number(text))
      return store_text(x, text.data(), text.size());
    break;
  default:
    break;
  }
  return fail(x, "expected " + to_string(x.definition.type) + ", found the string \"" + shown(text)
                     + "\"");
}

bool row_builder::store_json_number(row_slot& x, std::string_view token) {
  const bool integer = is_integer_text(token);
  switch (x.kind) {
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
    if (integer)
      return store_text(x, token.data(), token.size());
    break;
  case type_kind::timestamp:
  case type_kind::timestamptz:
    if (integer)
      return store_time(x, token);
    break;
  case type_kind::numeric:
    return store_text(x, token.data(), token.size());
  default:
    if (is_float(x.kind))
      return store_text(x, token.data(), token.size());
    break;
  }
  return fail(x, "expected " + to_string(x.definition.type) + ", found the number " + shown(token));
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
