#include "actors/dataflow/operators/settled_rows.hpp"

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <cstring>

namespace ebb {

namespace {

constexpr std::size_t head_bytes = sizeof(std::int64_t) + sizeof(std::uint32_t);
constexpr char value_tag = 1; ///< of the byte form: not NULL

} // namespace

row_equality::row_equality(std::vector<sql_type> types)
    : types_(std::move(types)), exact_(key_index(types_, 1).exact()) {}

std::string row_equality::canonical(std::string_view row) const {
  std::string result;
  for (const auto& type : types_) {
    value_builder value(type, 1);
    const auto read = value.append_encoded(row);
    EBB_ASSERT(read); // we have written it, or checked it when it was loaded
    encode_key_value(value.take(), 0, result);
  }
  return result;
}

settled_rows::place settled_rows::at(std::size_t start) const noexcept {
  place result;
  std::uint32_t length = 0;
  std::memcpy(&result.weight, bytes_.data() + start, sizeof result.weight);
  std::memcpy(&length, bytes_.data() + start + sizeof result.weight, sizeof length);
  result.row = std::string_view(bytes_).substr(start + head_bytes, length);
  result.end = start + head_bytes + length;
  return result;
}

void settled_rows::append(std::string_view row, std::int64_t weight) {
  const auto length = static_cast<std::uint32_t>(row.size());
  bytes_.append(reinterpret_cast<const char*>(&weight), sizeof weight);
  bytes_.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes_ += row;
}

void settled_rows::add(std::string_view row, std::int64_t weight, const row_equality& equal) {
  for (std::size_t start = 0; start < bytes_.size();) {
    const auto x = at(start);
    if (!equal(x.row, row)) {
      start = x.end;
      continue;
    }
    const auto sum = x.weight + weight;
    if (weight < 0 && sum != 0) {
      std::memcpy(bytes_.data() + start, &sum, sizeof sum);
      return;
    }
    bytes_.erase(start, x.end - start);
    if (sum != 0)
      append(row, sum);
    return;
  }
  append(row, weight);
}

std::string_view settled_rows::newest() const noexcept {
  std::string_view result;
  for (std::size_t start = 0; start < bytes_.size();) {
    const auto x = at(start);
    if (x.weight > 0)
      result = x.row;
    start = x.end;
  }
  return result;
}

void settled_rows::save(std::string& out) const {
  for (std::size_t start = 0; start < bytes_.size();) {
    const auto x = at(start);
    out += value_tag;
    out.append(reinterpret_cast<const char*>(&x.weight), sizeof x.weight);
    out += x.row;
    start = x.end;
  }
}

bool settled_rows::take_weight(std::string_view& value, std::int64_t& weight) noexcept {
  if (value.size() < 1 + sizeof weight || value.front() != value_tag)
    return false;
  std::memcpy(&weight, value.data() + 1, sizeof weight);
  value.remove_prefix(1 + sizeof weight);
  return weight != 0;
}

} // namespace ebb
