#include "actors/dataflow/functions/array_kernel.hpp"

#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <cmath>

namespace ebb {

namespace {

template <class T>
bool same(const column& a, std::uint32_t i, const column& b, std::uint32_t k) noexcept {
  return a.data<T>()[a.at(i)] == b.data<T>()[b.at(k)];
}

/// NaN equals NaN, as PostgreSQL sorts it.
template <class T>
bool same_floating(const column& a, std::uint32_t i, const column& b, std::uint32_t k) noexcept {
  const T x = a.data<T>()[a.at(i)];
  const T y = b.data<T>()[b.at(k)];
  return x == y || (std::isnan(x) && std::isnan(y));
}

/// Length with months of 30 days and days of 24 hours.
int128 interval_length(const interval_value& x) noexcept {
  const int128 days = int128{x.months} * 30 + x.days;
  return days * micros_per_day + x.micros;
}

} // namespace

bool equal_values(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  switch (a.type.kind) {
  case type_kind::boolean:
    return same<std::uint8_t>(a, i, b, k);
  case type_kind::smallint:
    return same<std::int16_t>(a, i, b, k);
  case type_kind::integer:
  case type_kind::date:
    return same<std::int32_t>(a, i, b, k);
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return same<std::int64_t>(a, i, b, k);
  case type_kind::real:
    return same_floating<float>(a, i, b, k);
  case type_kind::double_precision:
    return same_floating<double>(a, i, b, k);
  case type_kind::numeric:
    return compare_numeric(a, i, b, k) == 0;
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::unknown:
    return a.text_of(i) == b.text_of(k);
  case type_kind::jsonb:
    return jsonb::compare(a.text_of(i), b.text_of(k)) == 0;
  case type_kind::interval:
    return interval_length(a.data<interval_value>()[a.at(i)])
           == interval_length(b.data<interval_value>()[b.at(k)]);
  case type_kind::array:
    break;
  }
  EBB_UNREACHABLE("array of arrays");
}

array_output::array_output(const call_context& context)
    : column_(make_column(context.type, context.rows)),
      offsets_(column_.mutable_data<std::uint32_t>()) {
  offsets_[0] = 0;
}

std::uint32_t array_output::add_source(const column& elements) {
  column source = elements;
  if (source.constant) {
    source.constant = false;
    source.rows = 1;
  }
  const auto base = stored_;
  stored_ += source.rows;
  sources_.push_back(std::move(source));
  return base;
}

void array_output::append(const std::shared_ptr<const column>& elements) {
  const auto base = add_source(*elements);
  for (std::uint32_t k = 0; k < elements->rows; ++k)
    picks_.push_back(base + k);
}

column array_output::take() {
  if (sources_.empty()) {
    column_.child = std::make_shared<column>(make_column(column_.type.element_type(), 0));
  } else {
    std::vector<const column*> parts;
    parts.reserve(sources_.size());
    for (const auto& source : sources_)
      parts.push_back(&source);
    column_.child = std::make_shared<column>(
        gather(concatenate(parts), picks_.data(), static_cast<std::uint32_t>(picks_.size())));
  }
  return std::move(column_);
}

text_array_output::text_array_output(const call_context& context)
    : column_(make_column(context.type, context.rows)),
      offsets_(column_.mutable_data<std::uint32_t>()) {
  offsets_[0] = 0;
}

void text_array_output::share_heap(const column& source) {
  for (const auto& owner : source.heap)
    if (std::find(heap_.begin(), heap_.end(), owner) == heap_.end())
      heap_.push_back(owner);
}

column text_array_output::take() {
  column elements =
      make_column(sql_type{type_kind::text}, static_cast<std::uint32_t>(elements_.size()));
  std::copy(elements_.begin(), elements_.end(), elements.mutable_data<text_ref>());
  for (const auto k : nulls_)
    set_null(elements, k);
  elements.heap = std::move(heap_);
  column_.child = std::make_shared<column>(std::move(elements));
  return std::move(column_);
}

} // namespace ebb
