/// Topics, sources and sinks of the tests of topic connectors.
#pragma once

#include "actors/connectors/topic_sink.hpp"
#include "actors/connectors/topic_source.hpp"
#include "tests/connectors/files_io_support.hpp"
#include "tests/support/local_topics.hpp"
#include "tests/support/rows.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace ebb::test {

inline const schema click_columns = {column_of("account", type_kind::bigint),
                                     column_of("page", type_kind::text)};

/// Accounts from `first` on, each with its page; no page for accounts that 10 divides.
inline batch_ptr clicks(std::int64_t first, std::uint32_t count) {
  auto x = std::make_shared<batch>();
  x->rows = count;
  std::vector<std::int64_t> accounts;
  text_builder pages{sql_type{type_kind::text}, count};
  for (std::uint32_t i = 0; i < count; ++i) {
    accounts.push_back(first + i);
    if (accounts.back() % 10 == 0)
      pages.append_null();
    else
      pages.append("page " + std::to_string(first + i));
  }
  x->columns = {bigints(accounts), pages.take()};
  return x;
}

inline source_definition topic_source_named(const char* topic, schema columns = click_columns) {
  source_definition x;
  x.name = "s";
  x.columns = std::move(columns);
  x.connector = topic_source{topic};
  x.place.field = "spec.sources[0]";
  return x;
}

/// BIGINTs of a column of all batches.
inline std::vector<std::int64_t> all_values(const std::vector<batch_ptr>& batches,
                                            std::size_t column = 0) {
  std::vector<std::int64_t> all;
  for (const auto& x : batches) {
    const auto some = values_of(*x, column);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

inline std::vector<std::int64_t> sorted(std::vector<std::int64_t> x) {
  std::sort(x.begin(), x.end());
  return x;
}

/// `first`, `first + 1`, … `count` of them.
inline std::vector<std::int64_t> counting(std::int64_t first, std::size_t count) {
  std::vector<std::int64_t> x(count);
  std::iota(x.begin(), x.end(), first);
  return x;
}

template <class T>
T require(result<T> x) {
  BOOST_REQUIRE_MESSAGE(x, (x ? "" : to_string(x.error())));
  if constexpr (!std::is_void_v<T>)
    return *std::move(x);
}

} // namespace ebb::test
