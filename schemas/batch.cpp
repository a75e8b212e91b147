#include "schemas/batch.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

template <class T>
buffer_ptr pick_values(const buffer_ptr& source, const std::uint32_t* picks, std::uint32_t count) {
  if (!source)
    return {};
  buffer_ptr result = buffer_ptr::of<T>(std::max<std::size_t>(1, count));
  const T* from = source.as<const T>();
  T* to = result.as<T>();
  for (std::uint32_t i = 0; i < count; ++i)
    to[i] = from[picks[i]];
  return result;
}

template <class T>
buffer_ptr join(const std::vector<batch_ptr>& parts, buffer_ptr batch::*member, std::uint32_t rows,
                T absent) {
  if (std::none_of(parts.begin(), parts.end(), [&](const auto& x) { return bool((*x).*member); }))
    return {};
  buffer_ptr result = buffer_ptr::of<T>(std::max<std::size_t>(1, rows));
  T* to = result.as<T>();
  for (const auto& part : parts) {
    if ((*part).*member)
      std::copy_n(((*part).*member).template as<const T>(), part->rows, to);
    else
      std::fill_n(to, part->rows, absent);
    to += part->rows;
  }
  return result;
}

} // namespace

std::size_t byte_size(const column& x) noexcept {
  std::size_t bytes = static_cast<std::size_t>(x.rows) * value_width(x.type.kind);
  if (holds_text(x.type.kind)) {
    const auto* refs = x.data<text_ref>();
    for (std::uint32_t i = 0; i < x.rows; ++i)
      bytes += refs[i].size;
  }
  if (x.validity)
    bytes += x.rows / 8;
  if (x.scales)
    bytes += x.rows * sizeof(std::int16_t);
  if (x.child)
    bytes += byte_size(*x.child);
  return bytes;
}

std::size_t byte_size(const batch& x) noexcept {
  std::size_t bytes = 0;
  for (const auto& c : x.columns)
    bytes += byte_size(c);
  return bytes + (x.weights ? x.rows * sizeof(std::int32_t) : 0)
         + (x.watermarks ? x.rows * sizeof(micros) : 0)
         + (x.hashes ? x.rows * sizeof(std::uint64_t) : 0);
}

batch gather(const batch& source, const std::uint32_t* picks, std::uint32_t count) {
  batch result;
  result.rows = count;
  result.columns.reserve(source.columns.size());
  for (const auto& c : source.columns)
    result.columns.push_back(gather(c, picks, count));
  result.weights = pick_values<std::int32_t>(source.weights, picks, count);
  result.watermarks = pick_values<micros>(source.watermarks, picks, count);
  result.hashes = pick_values<std::uint64_t>(source.hashes, picks, count);
  result.partition = source.partition;
  if (source.origin.source) {
    result.origin.source = source.origin.source;
    result.origin.first = source.origin.first;
    if (source.origin.rows) {
      result.origin.rows = pick_values<std::uint32_t>(source.origin.rows, picks, count);
    } else {
      result.origin.rows = buffer_ptr::of<std::uint32_t>(std::max<std::size_t>(1, count));
      std::copy_n(picks, count, result.origin.rows.as<std::uint32_t>());
    }
  }
  return result;
}

batch concatenate(const std::vector<batch_ptr>& parts) {
  EBB_ASSERT(!parts.empty());
  batch result;
  for (const auto& part : parts)
    result.rows += part->rows;
  const auto width = parts.front()->columns.size();
  for (std::size_t k = 0; k < width; ++k) {
    std::vector<const column*> columns;
    columns.reserve(parts.size());
    for (const auto& part : parts)
      columns.push_back(&part->columns[k]);
    result.columns.push_back(concatenate(columns));
  }
  result.weights = join<std::int32_t>(parts, &batch::weights, result.rows, 1);
  result.watermarks = join<micros>(parts, &batch::watermarks, result.rows, min_time);
  if (std::all_of(parts.begin(), parts.end(), [](const auto& x) { return bool(x->hashes); }))
    result.hashes = join<std::uint64_t>(parts, &batch::hashes, result.rows, 0);
  result.partition = parts.front()->partition;
  return result;
}

std::string origin_text(const batch& x, std::uint32_t i) {
  if (!x.origin.source)
    return {};
  const auto distance = x.origin.rows ? x.origin.rows.as<const std::uint32_t>()[i] : i;
  return *x.origin.source + ", record " + std::to_string(x.origin.first + distance);
}

} // namespace ebb
