#include "actors/dataflow/operators/block_writer.hpp"
#include "actors/dataflow/operators/changing_rows.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <random>
#include <set>
#include <string>

using namespace ebb; // NOLINT

namespace {

std::string bytes_of(const column& x, std::uint32_t i) {
  std::string text;
  append_value(x, i, text);
  return text;
}

/// Entries as a chain of deltas leaves them. `save` keeps what it was given, or not.
class entry_chain final : public state_sink {
public:
  using place = test::state_entry_place;

  void select_group(std::uint16_t key_group) override {
    group_ = key_group;
  }

  void put(std::uint16_t state, std::string_view key, std::string_view value) override {
    BOOST_REQUIRE(puts_.emplace(place{group_, state, std::string(key)}, value).second);
  }

  void erase(std::uint16_t state, std::string_view key) override {
    BOOST_REQUIRE(puts_.empty());
    BOOST_REQUIRE_EQUAL(entries.count({group_, state, std::string(key)}), 1U);
    erased_.emplace_back(group_, state, std::string(key));
  }

  void erase_prefix(std::uint16_t state, std::string_view prefix) override {
    BOOST_REQUIRE(puts_.empty());
    for (const auto& [at, value] : entries)
      if (std::get<0>(at) == group_ && std::get<1>(at) == state
          && std::get<2>(at).starts_with(prefix))
        erased_.push_back(at);
  }

  void settle(bool keep) {
    for (const auto& x : erased_)
      if (keep)
        entries.erase(x);
    if (keep)
      for (auto& [at, value] : puts_)
        entries.insert_or_assign(at, std::move(value));
    erased_.clear();
    puts_.clear();
  }

  std::map<place, std::string> entries;

private:
  std::uint16_t group_ = 0;
  std::vector<place> erased_;
  std::map<place, std::string> puts_;
};

const std::vector<sql_type> row_types{sql_type{type_kind::bigint}, sql_type{type_kind::text}};

batch rows_from(std::int64_t first, std::uint32_t count, std::int64_t keys) {
  batch x;
  x.rows = count;
  auto numbers = make_column(row_types[0], count);
  text_builder texts(row_types[1], count);
  for (std::uint32_t i = 0; i < count; ++i) {
    numbers.mutable_data<std::int64_t>()[i] = (first + i) % keys;
    texts.append(std::to_string(first + i));
  }
  x.columns = {numbers, texts.take()};
  return x;
}

/// Texts of the rows that are there.
std::set<std::string> texts_of(const row_store& rows, const std::vector<std::uint32_t>& numbers) {
  std::set<std::string> result;
  for (const auto row : numbers)
    BOOST_REQUIRE(result.emplace(rows.stored(1, row).text_of(row_store::place_of(row))).second);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(row_blocks)

BOOST_AUTO_TEST_CASE(packs_give_rows_back) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::uint32_t rows : {0U, 1U, 3U, 70U, 300U}) {
    std::vector<column> columns;
    const auto built = [&](sql_type type, const auto& add) {
      value_builder x(type, rows);
      for (std::uint32_t i = 0; i < rows; ++i)
        add(x, i);
      columns.push_back(x.take());
    };
    built({type_kind::bigint}, [](auto& x, auto i) { x.template append<std::int64_t>(i); });
    built({type_kind::bigint}, [](auto& x, auto) { x.template append<std::int64_t>(-7); });
    built({type_kind::bigint},
          [&](auto& x, auto i) { x.template append<std::int64_t>(i % 2 == 0 ? least : most); });
    built({type_kind::timestamp}, [&](auto& x, auto i) {
      i % 3 == 1 ? x.append_null() : x.template append<std::int64_t>(i * 1'000'000);
    });
    built({type_kind::smallint}, [](auto& x, auto i) {
      x.template append<std::int16_t>(static_cast<std::int16_t>(i * 321));
    });
    built({type_kind::integer},
          [](auto& x, auto i) { i != 0 ? x.append_null() : x.template append<std::int32_t>(5); });
    built({type_kind::boolean}, [](auto& x, auto i) { x.template append<std::uint8_t>(i % 2); });
    built({type_kind::double_precision}, [](auto& x, auto i) {
      i == 2 ? x.append_null() : x.template append<double>(i == 1 ? -0.0 : i / 3.0);
    });
    built({type_kind::interval}, [](auto& x, auto i) {
      x.template append<interval_value>({.micros = i, .days = 1, .months = -2});
    });
    built({type_kind::text}, [](auto& x, auto i) {
      i % 5 == 4 ? x.append_null() : x.append_text(std::string(i % 40, 'x'));
    });
    built({type_kind::text}, [](auto& x, auto) { x.append_text(""); });
    built({type_kind::numeric}, [](auto& x, auto i) { x.append_numeric(i * 100, 2); });
    built({type_kind::numeric}, [](auto& x, auto i) {
      i % 4 == 0 ? x.append_null()
                 : x.append_numeric(int128{1} << 90, static_cast<std::int16_t>(i % 3));
    });
    built({type_kind::numeric}, [](auto& x, auto) { x.append_numeric(0, numeric_tag::nan); });
    std::vector<std::uint64_t> sequences;
    for (std::uint32_t i = 0; i < rows; ++i)
      sequences.push_back((std::uint64_t{1} << 40) + i * i);
    // The middle of the columns, as a block has a part of what was read at once.
    const auto first = rows / 3;
    const auto count = rows - first;
    pack_bytes bytes;
    begin_pack(std::span(sequences).subspan(first), columns.size(), bytes);
    for (const auto& x : columns)
      append_pack_column(x, first, count, bytes);
    bytes.append("rest");
    auto rest = bytes.view();
    const auto pack = take_pack(rest);
    BOOST_REQUIRE(bool(pack));
    BOOST_TEST(rest == "rest");
    BOOST_REQUIRE(pack->rows.columns.size() == columns.size());
    BOOST_REQUIRE(pack->rows.rows == count);
    for (std::uint32_t i = 0; i < count; ++i) {
      BOOST_REQUIRE(pack->sequences[i] == sequences[first + i]);
      for (std::size_t k = 0; k < columns.size(); ++k)
        BOOST_REQUIRE(bytes_of(pack->rows.columns[k], i) == bytes_of(columns[k], first + i));
    }
    // No shorter piece of it is a pack.
    for (std::size_t size = 0; size + 4 < bytes.size(); size += 1 + size / 16) {
      auto part = bytes.view().substr(0, size);
      BOOST_REQUIRE(!take_pack(part));
    }
  }
}

// What is there stays where more room is made, however the sizes fall.
BOOST_AUTO_TEST_CASE(bytes_of_an_entry_are_those_that_were_appended) {
  for (const std::size_t step : {1U, 7U, 255U, 256U, 257U, 5000U}) {
    pack_bytes bytes;
    BOOST_TEST(bytes.view().empty());
    std::string expected;
    for (int round = 0; round < 2; ++round) {
      for (std::size_t size = 0; size < 20 * step; size += step) {
        const std::string some(size, static_cast<char>('a' + size % 26));
        bytes.append(some);
        expected += some;
        bytes.append_raw(static_cast<std::uint16_t>(0x4241));
        expected += "AB";
        std::memset(bytes.more(step), '.', step);
        expected.append(step, '.');
      }
      BOOST_REQUIRE(bytes.view() == expected);
      bytes.clear();
      expected.clear();
    }
  }
}

// Equal values of neighbouring numbers take no bytes: a row of three small columns some.
BOOST_AUTO_TEST_CASE(packs_are_small) {
  const auto x = rows_from(1'000'000'000'000, 1000, std::numeric_limits<std::int64_t>::max());
  std::vector<std::uint64_t> sequences(1000, 5);
  pack_bytes bytes;
  begin_pack(sequences, 1, bytes);
  append_pack_column(x.columns[0], 0, 1000, bytes);
  BOOST_TEST(bytes.size() < 2100U);
}

// Rows come and go, saves are kept, thrown away or broken off, and everything starts anew from what
// is kept: then exactly the rows of the last kept save are there.
BOOST_AUTO_TEST_CASE(rows_that_come_and_go_are_restored) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    constexpr std::uint16_t key_groups = 4;
    const auto make = [key_groups] {
      return std::make_unique<changing_rows>(row_types, std::vector<std::uint32_t>{0}, true, 1,
                                             key_groups);
    };
    auto kept = make();
    entry_chain chain;
    std::vector<std::uint32_t> living;
    std::set<std::string> saved;
    change_mark mark = 0;
    change_mark base = 0;
    std::int64_t next = 0;
    std::size_t blocks_most = 0;
    std::vector<std::uint32_t> from;
    std::vector<std::uint32_t> to;
    for (int step = 0; step < 60; ++step) {
      const auto change = [&] {
        if (kept->wants_move()) {
          BOOST_REQUIRE(bool(kept->move_oldest(from, to)));
          for (std::size_t i = 0; i < from.size(); ++i)
            *std::find(living.begin(), living.end(), from[i]) = to[i];
          kept->drop_moved();
        }
        const auto count = 1 + static_cast<std::uint32_t>(random() % (seed % 3 == 0 ? 3000 : 40));
        const auto x = rows_from(next, count, 9);
        next += count;
        std::vector<std::uint32_t> numbers(count);
        BOOST_REQUIRE(bool(kept->append(x, nullptr, count, numbers.data())));
        living.insert(living.end(), numbers.begin(), numbers.end());
        std::shuffle(living.begin(), living.end(), random);
        const auto going = random() % 3 == 0 ? living.size() * 9 / 10 : random() % living.size();
        const std::vector<std::uint32_t> gone(living.end() - static_cast<std::ptrdiff_t>(going),
                                              living.end());
        kept->remove(gone);
        living.resize(living.size() - going);
      };
      change();
      if (random() % 3 == 0)
        continue;
      kept->mark();
      ++mark;
      const bool whole = base == 0;
      if (mark - base >= 10)
        break;
      kept->begin_save(whole ? 0 : base);
      const auto at_cut = texts_of(kept->rows(), living);
      bool all = false;
      bool given_up = false;
      for (bool erased = false; !all && !given_up;) {
        std::uint32_t left = 1 + static_cast<std::uint32_t>(random() % 300);
        erased = erased || kept->erase_slice(left, chain);
        all = erased && kept->save_slice(left, chain);
        if (random() % 4 == 0)
          change();
        given_up = random() % 200 == 0;
      }
      const bool keep = all && random() % 4 != 0;
      chain.settle(keep);
      if (keep) {
        base = mark;
        saved = at_cut;
        blocks_most = std::max(blocks_most, chain.entries.size());
      }
      if (base == 0 || random() % 6 != 0)
        continue;
      kept = make();
      living.clear();
      for (const auto& [at, value] : chain.entries)
        BOOST_REQUIRE(
            bool(kept->load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value, living)));
      BOOST_REQUIRE(texts_of(kept->rows(), living) == saved);
      kept->mark();
      mark = base = 1;
    }
    BOOST_TEST(blocks_most > 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
