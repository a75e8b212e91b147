/// Helpers of the file connectors' tests: schemas from short text, parsers fed in pieces, batches
/// as lines of text.
#pragma once

#include "actors/connectors/file_parser.hpp"
#include "actors/dataflow/value_text.hpp"
#include "schemas/batch.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::test {

inline field column_of(std::string name, type_kind kind, bool not_null = false) {
  return field{std::move(name), sql_type{kind}, not_null};
}

/// `a|NULL|'text'` a row; text is quoted so that '' differs from NULL. Before rows that have
/// weights stands `+` or `-`.
inline void append_rows(const batch& x, std::vector<std::string>& out) {
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    std::string line;
    for (const auto& c : x.columns) {
      if (!line.empty())
        line += '|';
      if (c.is_null(i))
        line += "NULL";
      else if (c.type.kind == type_kind::text)
        line += "'" + std::string(c.text_of(i)) + "'";
      else
        append_value_text(c, i, line);
    }
    if (x.weights)
      line.insert(0, x.weights.as<const std::int32_t>()[i] > 0 ? "+" : "-");
    out.push_back(std::move(line));
  }
}

/// What a parser made of some text.
struct parsed {
  std::vector<std::string> rows;
  std::vector<std::string> origins;
  std::vector<std::string> quarantined; ///< `number: error [raw]`
  std::string error;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;

  bool operator==(const parsed&) const = default;
};

/// Gives the sizes of the pieces, one after the other.
using splitter = std::function<std::size_t()>;

inline parsed run_parser(record_parser& parser, std::string_view text, const splitter& next_size,
                         std::uint32_t rows = 4096) {
  parsed out;
  std::size_t at = 0;
  bool ended = false;
  for (;;) {
    batch_ptr made;
    auto state = parser.next(rows, made);
    for (auto& x : parser.take_bad())
      out.quarantined.push_back(std::to_string(x.number) + ": " + x.error + " [" + x.raw + "]");
    if (!state) {
      out.error = to_string(state.error());
      break;
    }
    if (*state == record_parser::state::batch) {
      append_rows(*made, out.rows);
      for (std::uint32_t i = 0; i < made->rows; ++i)
        out.origins.push_back(origin_text(*made, i));
    } else if (*state == record_parser::state::end) {
      break;
    } else if (at == text.size()) {
      if (ended)
        throw std::runtime_error("the parser starves after the end of input");
      parser.end_input();
      ended = true;
    } else {
      const auto size = std::min(next_size(), text.size() - at);
      auto chunk = make_chunk(size);
      std::memcpy(chunk.begin, text.data() + at, size);
      chunk.end += size;
      // What lies around a chunk must not matter: here it is the worst it can be.
      std::memset(chunk.end, '"', chunk_padding);
      at += size;
      parser.feed(chunk);
    }
  }
  out.good = parser.good_records();
  out.bad = parser.bad_records();
  return out;
}

/// Rows of which some are ahead of a clock: 2024-01-01 00:00:00, :02 (1 second too far where the
/// clock allows :01), NULL, infinity, :02, :01. `read` reads them with a latest time and a policy;
/// `places` are those of the rows at :02.
inline void check_rows_ahead(const std::function<parsed(micros, bad_record_policy)>& read,
                             const std::array<std::string, 2>& places) {
  constexpr micros second_1 = 1'704'067'201'000'000;
  const auto skipped = read(second_1, bad_record_policy::skip);
  BOOST_TEST(skipped.error == "");
  BOOST_TEST(skipped.rows
                 == (std::vector<std::string>{"2024-01-01 00:00:00|1", "NULL|3", "infinity|4",
                                              "2024-01-01 00:00:01|6"}),
             boost::test_tools::per_element());
  BOOST_TEST(skipped.bad == 2U);
  BOOST_TEST(read(second_1 + 1'000'000, bad_record_policy::skip).rows.size() == 6U);
  BOOST_TEST(read(max_time, bad_record_policy::fail).rows.size() == 6U);
  const auto kept = read(second_1, bad_record_policy::quarantine);
  BOOST_REQUIRE(kept.quarantined.size() == 2U);
  for (std::size_t i = 0; i < places.size(); ++i)
    BOOST_TEST(kept.quarantined[i].find(places[i]) != std::string::npos, kept.quarantined[i]);
  const auto failed = read(second_1, bad_record_policy::fail);
  BOOST_TEST(failed.rows.size() == 1U);
  BOOST_TEST(failed.error.find("event time 2024-01-01T00:00:02 is further ahead of the clock than "
                               "maxAhead allows")
                 != std::string::npos,
             failed.error);
}

} // namespace ebb::test
