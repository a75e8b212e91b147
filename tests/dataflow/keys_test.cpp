#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <map>
#include <random>

using ebb::column;
using ebb::key_index;
using ebb::sql_type;
using ebb::type_kind;
using ebb::value_builder;

namespace {

template <class T>
column fixed(type_kind kind, const std::vector<T>& values) {
  value_builder x(sql_type{kind});
  for (const auto& v : values)
    x.append(v);
  return x.take();
}

column bigints(const std::vector<std::int64_t>& values) {
  return fixed(type_kind::bigint, values);
}

column texts(const std::vector<std::string>& values) {
  value_builder x(sql_type{type_kind::text});
  for (const auto& v : values)
    x.append_text(v);
  return x.take();
}

column numerics(const std::vector<std::string>& values) {
  auto x = ebb::make_numeric_column(sql_type{type_kind::numeric},
                                    static_cast<std::uint32_t>(values.size()));
  for (std::uint32_t i = 0; i < values.size(); ++i)
    BOOST_REQUIRE(bool(ebb::parse_numeric(values[i], x, i)));
  return x;
}

std::string encoded(const column& x, std::uint32_t i) {
  std::string bytes;
  ebb::encode_key_value(x, i, bytes);
  return bytes;
}

std::vector<std::uint64_t> hashes_of(const std::vector<const column*>& keys, std::uint32_t rows) {
  std::vector<std::uint64_t> hashes(rows);
  ebb::hash_keys(keys, rows, hashes.data());
  return hashes;
}

/// Each value's encoding must sort strictly before the next one's and decode to itself.
void check_ascending(const column& x) {
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    const auto bytes = encoded(x, i);
    if (i + 1 < x.rows)
      BOOST_TEST((bytes < encoded(x, i + 1)), "value " << i << " of " << to_string(x.type));
    std::string_view rest = bytes;
    auto back = ebb::decode_key_value(rest, x.type);
    BOOST_REQUIRE(bool(back));
    BOOST_TEST(rest.empty());
    BOOST_TEST((encoded(*back, 0) == bytes));
    const auto mine = gather(x, &i, 1);
    BOOST_TEST(hashes_of({&mine}, 1)[0] == hashes_of({&*back}, 1)[0]);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      std::string_view damaged = std::string_view(bytes).substr(0, cut);
      BOOST_TEST(!ebb::decode_key_value(damaged, x.type));
    }
  }
}

std::vector<std::uint32_t> resolve(key_index& index, const std::vector<const column*>& keys,
                                   std::uint32_t rows) {
  const auto hashes = hashes_of(keys, rows);
  std::vector<std::uint32_t> slots(rows);
  index.resolve(keys, hashes.data(), nullptr, rows, slots.data());
  return slots;
}

} // namespace

BOOST_AUTO_TEST_SUITE(key_encoding)

BOOST_AUTO_TEST_CASE(order_of_bytes_is_order_of_values) {
  constexpr auto inf = std::numeric_limits<double>::infinity();
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  check_ascending(fixed<std::uint8_t>(type_kind::boolean, {0, 1}));
  check_ascending(fixed<std::int16_t>(type_kind::smallint, {INT16_MIN, -1, 0, 1, INT16_MAX}));
  check_ascending(fixed<std::int32_t>(type_kind::date, {INT32_MIN, -256, 0, 255, INT32_MAX}));
  check_ascending(bigints({INT64_MIN, -257, -1, 0, 1, 256, INT64_MAX}));
  check_ascending(fixed<double>(type_kind::double_precision,
                                {-inf, -1e300, -1.5, -5e-324, 0.0, 5e-324, 2.5, 1e300, inf, nan}));
  check_ascending(fixed<float>(type_kind::real, {-1e30F, -1.0F, 0.0F, 1.0F, 1e30F}));
  check_ascending(texts({"", std::string("\0", 1), std::string("\0a", 2), "\1", "a",
                         std::string("a\0", 2), std::string("a\0b", 3), "a\1", "aa", "b", "é"}));
  check_ascending(
      numerics({"-Infinity", "-1e50", "-100.5", "-100", "-0.001", "0", "1e-20", "0.5", "1", "1.01",
                "12", "123456789012345678901234567890", "1e60", "Infinity", "NaN"}));
  check_ascending(
      fixed<ebb::interval_value>(type_kind::interval, {{INT64_MIN, INT32_MIN, INT32_MIN},
                                                       {-1, 0, 0},
                                                       {0, 0, 0},
                                                       {1, 0, 0},
                                                       {0, 1, 0},
                                                       {0, 0, 1},
                                                       {0, 31, 0},
                                                       {INT64_MAX, INT32_MAX, INT32_MAX}}));
  value_builder arrays(sql_type{type_kind::array, type_kind::bigint});
  const auto element = [&](std::int64_t v) { arrays.elements().append(v); };
  arrays.end_array();
  element(1);
  arrays.end_array();
  element(1);
  element(2);
  arrays.end_array();
  element(1);
  arrays.elements().append_null(); // NULL elements sort last
  arrays.end_array();
  element(2);
  arrays.end_array();
  check_ascending(arrays.take());
}

BOOST_AUTO_TEST_CASE(equal_values_have_equal_bytes_and_hashes) {
  const auto same = [](const column& x) {
    std::vector<std::uint64_t> h(x.rows);
    const column* key = &x;
    ebb::hash_keys({&key, 1}, x.rows, h.data());
    for (std::uint32_t i = 1; i < x.rows; ++i) {
      BOOST_TEST((encoded(x, i) == encoded(x, 0)), to_string(x.type) << " value " << i);
      BOOST_TEST(h[i] == h[0], to_string(x.type) << " value " << i);
    }
  };
  same(numerics({"1", "1.0", "1.00000000000000000000000000000000000000000000000000"}));
  same(numerics({"0", "0.000", "-0.0"}));
  same(numerics({"12345678901234567890123456789012345678",
                 "12345678901234567890123456789012345678.0000000000000000000000"}));
  same(numerics({"-1e60", "-1000000000000000000000000000000000000000000000000000000000000.00"}));
  same(numerics({"NaN", "nan"}));
  same(fixed<double>(type_kind::double_precision, {0.0, -0.0}));
  same(fixed<double>(type_kind::double_precision,
                     {std::numeric_limits<double>::quiet_NaN(), -std::nan("7")}));
  same(fixed<float>(type_kind::real, {0.0F, -0.0F}));
  same(fixed<ebb::interval_value>(
      type_kind::interval, {{0, 0, 1}, {0, 30, 0}, {30 * ebb::micros_per_day, 0, 0}, {0, -30, 2}}));
}

BOOST_AUTO_TEST_CASE(null_sorts_first_and_differs_from_every_value) {
  auto x = bigints({INT64_MIN, 0});
  ebb::set_null(x, 1);
  BOOST_TEST((encoded(x, 1) < encoded(x, 0)));
  const auto zero = bigints({0, 0});
  BOOST_TEST(hashes_of({&x}, 2)[1] != hashes_of({&zero}, 2)[1]);
  std::string_view bytes("\0", 1);
  const auto back = ebb::decode_key_value(bytes, x.type);
  BOOST_REQUIRE(bool(back));
  BOOST_TEST(back->is_null(0));
}

BOOST_AUTO_TEST_CASE(hashes_are_stable) {
  // Key groups of stored state depend on these numbers: they may never change.
  const auto numbers = bigints({0, 1, -1, 1'000'000'007});
  const auto words = texts({"", "a", "ebb", "a longer text that is more than sixteen bytes"});
  const auto a = hashes_of({&numbers}, 4);
  const auto b = hashes_of({&words}, 4);
  const auto c = hashes_of({&numbers, &words}, 4);
  std::uint64_t sum = 0;
  for (const auto* list : {&a, &b, &c})
    for (const auto h : *list)
      sum = sum * 31 + h;
  BOOST_TEST(sum == 15036226580477351374U);
}

BOOST_AUTO_TEST_CASE(hashes_spread_over_key_groups) {
  std::vector<std::int64_t> values(128'000);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int64_t>(i) * 1000;
  const auto x = bigints(values);
  std::vector<int> groups(128);
  for (const auto h : hashes_of({&x}, x.rows))
    ++groups[ebb::key_group_of(h, 128)];
  for (const auto count : groups)
    BOOST_TEST((count > 800 && count < 1200)); // 1000 ± 6 sigma
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(key_index_tables)

BOOST_AUTO_TEST_CASE(equal_keys_share_a_slot_and_others_do_not) {
  key_index index({sql_type{type_kind::bigint}, sql_type{type_kind::double_precision}}, 16);
  auto a = bigints({1, 1, 2, 1, 0, 1});
  auto b = fixed<double>(type_kind::double_precision, {-0.0, 0.0, 0.0, 5.0, 0.0, 0.0});
  ebb::set_null(a, 4);
  ebb::set_null(b, 5);
  const auto slots = resolve(index, {&a, &b}, 6);
  BOOST_TEST(slots[0] == slots[1]);
  BOOST_TEST(index.live() == 5U);
  const auto keys = index.key_column(1, slots);
  BOOST_TEST(std::signbit(keys.data<double>()[0])); // as first seen
  BOOST_TEST(index.key_column(0, slots).is_null(4));
  BOOST_TEST(keys.is_null(5));
  BOOST_TEST(!keys.is_null(4));
}

BOOST_AUTO_TEST_CASE(no_key_columns_make_one_slot) {
  key_index index({}, 128);
  const auto slots = resolve(index, {}, 3);
  BOOST_TEST((slots == std::vector<std::uint32_t>{0, 0, 0}));
  BOOST_TEST((resolve(index, {}, 2) == std::vector<std::uint32_t>{0, 0}));
  BOOST_TEST(index.live() == 1U);
}

BOOST_AUTO_TEST_CASE(values_come_back_as_first_seen) {
  key_index index({sql_type{type_kind::numeric}, sql_type{type_kind::text}}, 8);
  const auto a = numerics({"1.00", "1", "7e40"});
  const auto b = texts({"x", "x", std::string("y\0z", 3)});
  const auto slots = resolve(index, {&a, &b}, 3);
  BOOST_TEST(slots[0] == slots[1]);
  std::string text;
  const auto back = index.key_column(0, slots);
  ebb::append_numeric(back, 1, text);
  text += ' ';
  ebb::append_numeric(back, 2, text);
  BOOST_TEST(text == "1.00 70000000000000000000000000000000000000000");
  BOOST_TEST((index.key_column(1, slots).text_of(2) == std::string_view("y\0z", 3)));
  std::string key;
  index.encode(slots[2], key);
  const auto again = index.resolve_encoded(key);
  BOOST_REQUIRE(bool(again));
  BOOST_TEST(*again == slots[2]);
}

BOOST_AUTO_TEST_CASE(behaves_as_a_map_under_random_use) {
  const auto run = [](bool wide, unsigned seed) {
    BOOST_TEST_CONTEXT("seed " << seed << (wide ? " bytes" : " words")) {
      std::mt19937 random(seed);
      key_index index({sql_type{wide ? type_kind::text : type_kind::bigint}}, 32);
      std::map<std::int64_t, std::uint32_t> model;
      for (int round = 0; round < 60; ++round) {
        const auto span = round < 30 ? 20'000 : 500;
        std::vector<std::int64_t> values(1 + random() % 3000);
        std::vector<std::string> names;
        for (auto& v : values) {
          v = random() % span;
          names.push_back("key number " + std::to_string(v));
        }
        const auto x = wide ? texts(names) : bigints(values);
        std::vector<std::uint32_t> picks;
        for (std::uint32_t i = 0; i < values.size(); ++i)
          if (random() % 4 != 0)
            picks.push_back(i);
        const auto hashes = hashes_of({&x}, x.rows);
        const column* key = &x;
        std::vector<std::uint32_t> slots(picks.size());
        std::vector<std::uint32_t> found(picks.size());
        index.find({&key, 1}, hashes.data(), picks.data(), static_cast<std::uint32_t>(picks.size()),
                   found.data());
        index.resolve({&key, 1}, hashes.data(), picks.data(),
                      static_cast<std::uint32_t>(picks.size()), slots.data());
        for (std::size_t i = 0; i < picks.size(); ++i) {
          const auto known = model.find(values[picks[i]]);
          const auto before = known == model.end() ? key_index::no_slot : known->second;
          if (found[i] != key_index::no_slot)
            BOOST_REQUIRE(found[i] == before);
          if (before != key_index::no_slot)
            BOOST_REQUIRE(slots[i] == before);
          model[values[picks[i]]] = slots[i];
        }
        BOOST_REQUIRE(index.live() == model.size());
        for (auto it = model.begin(); it != model.end();) {
          if (random() % 3 == 0) {
            index.erase(it->second);
            it = model.erase(it);
          } else {
            ++it;
          }
        }
        BOOST_REQUIRE(index.live() == model.size());
        std::vector<std::uint32_t> all;
        for (std::uint16_t g = 0; g < 32; ++g) {
          const auto first = all.size();
          index.slots_of_group(g, all);
          for (auto i = first; i < all.size(); ++i)
            BOOST_REQUIRE(ebb::key_group_of(index.hash_of(all[i]), 32) == g);
        }
        BOOST_REQUIRE(all.size() == model.size());
      }
      BOOST_TEST(index.slot_count() <= 20'000U + 500U); // erased slots are reused
    }
  };
  for (const auto seed : {1U, 2U, 3U}) {
    run(false, seed);
    run(true, seed);
  }
}

BOOST_AUTO_TEST_CASE(resolve_from_equals_resolve) {
  for (const auto kind : {type_kind::bigint, type_kind::text}) {
    key_index from({sql_type{kind}}, 16);
    key_index into({sql_type{kind}}, 16);
    std::vector<std::int64_t> values;
    std::vector<std::string> names;
    for (int i = 0; i < 5000; ++i) {
      values.push_back(i * 7);
      names.push_back(std::to_string(i * 7));
    }
    const auto x = kind == type_kind::text ? texts(names) : bigints(values);
    const auto theirs = resolve(from, {&x}, x.rows);
    std::vector<std::uint32_t> some;
    for (std::uint32_t i = 0; i < theirs.size(); i += 2)
      some.push_back(theirs[i]);
    std::vector<std::uint32_t> ours(some.size());
    into.resolve_from(from, some, ours.data());
    BOOST_TEST(into.live() == some.size());
    const auto again = resolve(into, {&x}, x.rows);
    for (std::size_t i = 0; i < some.size(); ++i)
      BOOST_REQUIRE(again[2 * i] == ours[i]);
    BOOST_TEST(into.live() == x.rows);
  }
}

BOOST_AUTO_TEST_CASE(changes_are_numbered) {
  key_index index({sql_type{type_kind::bigint}}, 4);
  const auto x = bigints({1, 2, 3});
  const auto slots = resolve(index, {&x}, 3);
  const auto mark = index.mark();
  for (const auto s : slots)
    BOOST_TEST(index.changed_at(s) <= mark);
  const auto y = bigints({2});
  static_cast<void>(resolve(index, {&y}, 1));
  BOOST_TEST(index.changed_at(slots[0]) <= mark);
  BOOST_TEST(index.changed_at(slots[1]) > mark);
}

BOOST_AUTO_TEST_CASE(frozen_slots_are_named_before_they_change_or_in_their_turn) {
  std::mt19937 random(17);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  for (const bool text : {false, true}) {
    key_index index({sql_type{text ? type_kind::text : type_kind::bigint}}, 4);
    const auto touch = [&](std::uint32_t count) {
      std::vector<std::int64_t> numbers;
      std::vector<std::string> names;
      for (std::uint32_t i = 0; i < count; ++i) {
        numbers.push_back(static_cast<std::int64_t>(random() % 400));
        names.push_back(std::to_string(numbers.back()));
      }
      const auto x = text ? texts(names) : bigints(numbers);
      return resolve(index, {&x}, x.rows);
    };
    std::vector<std::uint32_t> marks;
    for (int epoch = 0; epoch < 200; ++epoch) {
      static_cast<void>(touch(below(60)));
      marks.push_back(index.mark());
      const auto back = random() % 4;
      const bool plain = back == 0 && marks.size() > 1;
      const auto since = plain                           ? marks[marks.size() - 2]
                         : back == 1 && marks.size() > 3 ? marks[marks.size() - 4]
                                                         : 0;
      std::map<std::uint32_t, int> expected; // slot, times named
      for (std::uint32_t slot = 0; slot < index.slot_count(); ++slot)
        if (index.changed_at(slot) > since && index.changed_at(slot) <= marks.back())
          expected[slot] = 0;
      index.freeze(since);
      bool more = true;
      const auto name = [&](std::vector<std::uint32_t>& slots, bool before_change) {
        for (const auto slot : slots) {
          BOOST_REQUIRE(expected.count(slot) == 1);
          ++expected[slot];
          BOOST_REQUIRE((index.changed_at(slot) > marks.back()) == before_change);
        }
        slots.clear();
      };
      for (int turn = 0; more && (turn < 30 || random() % 8 != 0); ++turn) {
        static_cast<void>(touch(below(20)));
        name(index.preserved(), true);
        std::vector<std::uint32_t> some;
        more = index.take_frozen(1 + below(25), some);
        name(some, false);
      }
      if (more)
        continue; // given up
      for (const auto& [slot, times] : expected)
        BOOST_REQUIRE_EQUAL(times, 1);
      index.unfreeze();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
