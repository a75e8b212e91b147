#include "actors/connectors/topic_partitions.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::uint32_t partition_of(std::uint64_t hash, std::uint32_t partitions) noexcept {
  return static_cast<std::uint32_t>(((hash >> 32) * partitions) >> 32);
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_but_for_case(const std::string& a, const std::string& b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

} // namespace

std::vector<std::uint32_t> partitions_by_key(const column& key, std::uint32_t partitions) {
  EBB_ASSERT(partitions != 0);
  if (partitions == 1)
    return {0};
  std::vector<std::uint64_t> hashes(key.rows);
  const column* const keys[] = {&key};
  hash_keys(keys, key.rows, hashes.data());
  std::vector<std::uint32_t> chosen(key.rows);
  for (std::uint32_t i = 0; i < key.rows; ++i)
    chosen[i] = partition_of(hashes[i], partitions);
  if (key.has_nulls())
    for (std::uint32_t i = 0; i < key.rows; ++i)
      if (key.is_null(i))
        chosen[i] = 0;
  return chosen;
}

std::uint32_t partition_of_sender(std::string_view name, std::uint32_t partitions) {
  EBB_ASSERT(partitions != 0);
  text_builder text(sql_type{type_kind::text}, 1);
  text.append(name);
  return partitions_by_key(text.take(), partitions).front();
}

int column_named(const schema& columns, const std::string& name) {
  const auto number_of = [&](auto&& matches) {
    const auto found = std::find_if(columns.begin(), columns.end(), matches);
    return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
  };
  const int exact = number_of([&](const field& x) { return x.name == name; });
  return exact >= 0 ? exact
                    : number_of([&](const field& x) { return same_but_for_case(x.name, name); });
}

} // namespace ebb
