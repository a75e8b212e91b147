// A batch from outside: its form has been checked, what its values may be has not.

#include "actors/connectors/file_utf8.hpp"
#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/service/topics/message_parsers.hpp"

#include <algorithm>

namespace ebb {

namespace {

error bad(const field& at, std::uint32_t row, std::string message) {
  auto x = make_error(ec::bad_record, std::move(message),
                      "correct the row and send all of them again: none was kept");
  x.place.line = row + 1;
  x.place.field = at.name;
  return x;
}

std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// The first row whose value is there and does not pass; rows where all do.
template <class T, class Good>
std::uint32_t first_bad(const column& x, const Good& good) {
  const auto* values = x.data<T>();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    if (!x.is_null(i) && !good(values[i]))
      return i;
  return x.rows;
}

result<void> check_text(const column& x, const field& of) {
  const auto most = static_cast<std::uint64_t>(of.type.length);
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    if (x.is_null(i))
      continue;
    const auto text = x.text_of(i);
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
      return bad(of, i, "invalid byte sequence for encoding \"UTF8\"");
    if (most != 0 && text.size() > most && characters(text) > most)
      return bad(of, i, "value too long for type character varying(" + std::to_string(most) + ")");
  }
  return {};
}

// What is kept is the canonical text alone.
result<void> check_jsonb(const column& x, const field& of) {
  EBB_TRY(check_text(x, of));
  std::string canonical;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    if (x.is_null(i))
      continue;
    canonical.clear();
    if (auto read = jsonb::append_canonical(x.text_of(i), canonical); !read)
      return bad(of, i, read.error().message);
    if (canonical != x.text_of(i))
      return bad(of, i, "the value is not the canonical text of a jsonb");
  }
  return {};
}

result<void> check_numeric(const column& x, const field& of) {
  if (of.type.precision == 0)
    return {};
  int128 limit = 1;
  for (int i = 0; i < of.type.precision; ++i)
    limit *= 10;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    if (x.is_null(i))
      continue;
    const auto scale = x.scale_of(i);
    if (scale == numeric_tag::nan)
      continue;
    const auto value = x.data<int128>()[i];
    if (scale != of.type.scale || value >= limit || value <= -limit)
      return bad(of, i, "numeric field overflow");
  }
  return {};
}

result<void> check_times(const column& x, const field& of) {
  const auto i = first_bad<micros>(
      x, [](micros t) { return !calendar::is_finite(t) || calendar::in_range(t); });
  if (i != x.rows)
    return bad(of, i, "timestamp out of range");
  return {};
}

result<void> check_dates(const column& x, const field& of) {
  const auto i = first_bad<std::int32_t>(x, [](std::int32_t d) {
    return !calendar::is_finite_date(d) || (d >= calendar::min_date && d < calendar::end_date);
  });
  if (i != x.rows)
    return bad(of, i, "date out of range");
  return {};
}

result<void> check_values(const column& x, const field& of);

result<void> check_elements(const column& x, const field& of) {
  if (!x.child)
    return {};
  field element = of;
  element.type = of.type.element_type();
  auto good = check_values(*x.child, element);
  if (good)
    return good;
  // What was numbered is the element; the sender counts rows.
  const auto* offsets = x.data<std::uint32_t>();
  auto problem = std::move(good).error();
  const auto* behind = std::upper_bound(offsets, offsets + x.rows + 1, problem.place.line - 1);
  problem.place.line = static_cast<std::uint32_t>(behind - offsets);
  return problem;
}

result<void> check_values(const column& x, const field& of) {
  switch (x.type.kind) {
  case type_kind::boolean:
    if (const auto i = first_bad<std::uint8_t>(x, [](std::uint8_t v) { return v <= 1; });
        i != x.rows)
      return bad(of, i, "a boolean is 0 or 1");
    return {};
  case type_kind::text:
    return check_text(x, of);
  case type_kind::jsonb:
    return check_jsonb(x, of);
  case type_kind::numeric:
    return check_numeric(x, of);
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return check_times(x, of);
  case type_kind::date:
    return check_dates(x, of);
  case type_kind::array:
    return check_elements(x, of);
  default:
    return {};
  }
}

bool same_type(const sql_type& stored, const sql_type& wanted) {
  return stored.kind == wanted.kind && stored.element == wanted.element;
}

} // namespace

result<void> check_rows(const batch& rows, const schema& columns) {
  if (rows.columns.size() != columns.size())
    return make_error(ec::bad_record,
                      "the batch has " + std::to_string(rows.columns.size())
                          + " columns, the topic " + std::to_string(columns.size()),
                      "send the topic's columns in their order");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto& of = columns[c];
    const auto& x = rows.columns[c];
    if (!same_type(x.type, of.type))
      return make_error(ec::bad_record,
                        "column " + std::to_string(c + 1) + " is " + to_string(x.type) + ", but \""
                            + of.name + "\" of the topic is " + to_string(of.type),
                        "send the topic's columns in their order");
    if (of.not_null)
      for (std::uint32_t i = 0; x.has_nulls() && i < rows.rows; ++i)
        if (x.is_null(i))
          return bad(of, i,
                     "null value in column \"" + of.name + "\" violates not-null constraint");
    EBB_TRY(check_values(x, of));
  }
  if (rows.weights) {
    const auto* weights = rows.weights.as<const std::int32_t>();
    for (std::uint32_t i = 0; i < rows.rows; ++i)
      if (weights[i] != 1) {
        auto x = make_error(ec::bad_record, "a message is added: its weight is 1",
                            "leave the weights out");
        x.place.line = i + 1;
        return x;
      }
  }
  return {};
}

} // namespace ebb
