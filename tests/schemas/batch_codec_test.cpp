#include "schemas/batch_codec.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace ebb {

namespace {

constexpr std::uint32_t rows = 5;

column texts() {
  text_builder builder{sql_type{type_kind::text}, rows};
  builder.append("one");
  builder.append("");
  builder.append_null();
  builder.append("zwölf");
  builder.append(std::string(1000, 'x'));
  return builder.take();
}

column numbers() {
  auto x = make_column(sql_type{type_kind::numeric}, rows);
  for (std::uint32_t i = 0; i < rows; ++i)
    x.mutable_data<int128>()[i] = static_cast<int128>(i) << 70;
  x.scale = 3;
  set_null(x, 4);
  return x;
}

column arrays() {
  column x = make_column(sql_type{type_kind::integer}.array_of(), rows);
  const std::uint32_t offsets[rows + 1] = {0, 2, 2, 3, 3, 4};
  std::memcpy(x.mutable_data<std::uint32_t>(), offsets, sizeof offsets);
  auto child = make_column(sql_type{type_kind::integer}, 4);
  for (int i = 0; i < 4; ++i)
    child.mutable_data<std::int32_t>()[i] = -i;
  set_null(child, 1);
  x.child = std::make_shared<column>(std::move(child));
  return x;
}

batch sample() {
  batch x;
  x.rows = rows;
  x.columns = {texts(), numbers(), arrays()};
  auto flags = make_column(sql_type{type_kind::boolean}, rows);
  std::fill_n(flags.mutable_data<std::uint8_t>(), rows, std::uint8_t{1});
  x.columns.push_back(std::move(flags));
  x.watermarks = buffer_ptr::of<micros>(rows);
  std::fill_n(x.watermarks.as<micros>(), rows, micros{42});
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(batch_codec)

BOOST_AUTO_TEST_CASE(what_is_encoded_is_viewed_again) {
  const auto original = sample();
  const auto message = encode_batch(original);
  const auto viewed = view_batch(message, message.size());
  BOOST_REQUIRE(viewed);
  BOOST_TEST(viewed->rows == rows);
  BOOST_REQUIRE(viewed->columns.size() == original.columns.size());
  const auto& words = viewed->columns[0];
  BOOST_TEST(words.text_of(0) == "one");
  BOOST_TEST(words.text_of(1) == "");
  BOOST_TEST(!words.is_null(1));
  BOOST_TEST(words.is_null(2));
  BOOST_TEST(words.text_of(4).size() == 1000U);
  BOOST_CHECK(viewed->columns[1].data<int128>()[3] == (int128{3} << 70));
  BOOST_TEST(viewed->columns[1].scale == 3);
  BOOST_TEST(viewed->columns[1].is_null(4));
  BOOST_TEST(viewed->columns[2].data<std::uint32_t>()[3] == 3U);
  BOOST_TEST(viewed->columns[2].child->data<std::int32_t>()[3] == -3);
  BOOST_TEST(viewed->columns[2].child->is_null(1));
  BOOST_TEST(viewed->watermarks.as<const micros>()[4] == 42);
  BOOST_TEST(!viewed->weights);
}

BOOST_AUTO_TEST_CASE(fixed_width_values_are_not_copied) {
  const auto message = encode_batch(sample());
  const auto viewed = view_batch(message, message.size());
  BOOST_REQUIRE(viewed);
  const auto* start = message.as<const std::byte>();
  const auto* values = viewed->columns[3].data<std::byte>();
  BOOST_TEST((values >= start && values < start + message.size()));
}

BOOST_AUTO_TEST_CASE(an_empty_batch_survives) {
  const auto message = encode_batch(batch{});
  const auto viewed = view_batch(message, message.size());
  BOOST_REQUIRE(viewed);
  BOOST_TEST(viewed->rows == 0U);
}

BOOST_AUTO_TEST_CASE(values_under_null_come_back_empty) {
  batch x;
  x.rows = rows;
  x.columns = {texts()};
  set_null(x.columns[0], 4);
  const auto message = encode_batch(x);
  const auto viewed = view_batch(message, message.size());
  BOOST_REQUIRE(viewed);
  BOOST_TEST(viewed->columns[0].is_null(4));
  BOOST_TEST(viewed->columns[0].text_of(4).empty());
}

// Bytes of a NUMERIC that 128 bits do not hold: sign, scale, magnitude.
batch big_number(const std::string& bytes) {
  batch x;
  x.rows = 1;
  auto big = make_column(sql_type{type_kind::numeric}, 1);
  big.scales = buffer_ptr::of<std::int16_t>(1);
  *big.scales.as<std::int16_t>() = numeric_tag::big;
  auto memory = buffer_ptr::make(bytes.size());
  std::memcpy(memory.as<char>(), bytes.data(), bytes.size());
  new (big.mutable_data<text_ref>()) text_ref(std::string_view(memory.as<char>(), bytes.size()));
  big.heap.push_back(memory);
  x.columns.push_back(std::move(big));
  return x;
}

BOOST_AUTO_TEST_CASE(no_address_enters_a_message) {
  const auto bytes = std::string("\1\2\0", 3) + std::string(17, 'm');
  const auto one = big_number(bytes);
  const auto two = big_number(bytes);
  const auto message = encode_batch(one);
  const auto other = encode_batch(two);
  BOOST_TEST_REQUIRE(message.size() == other.size());
  BOOST_TEST(std::memcmp(message.as<char>(), other.as<char>(), message.size()) == 0);
  const auto viewed = view_batch(message, message.size());
  BOOST_REQUIRE(viewed);
  BOOST_TEST(viewed->columns[0].text_of(0) == bytes);
}

BOOST_AUTO_TEST_CASE(malformed_big_numbers_are_refused) {
  const auto takes = [](const std::string& bytes) {
    const auto message = encode_batch(big_number(bytes));
    return static_cast<bool>(view_batch(message, message.size()));
  };
  const std::string zeros(15, '\0');
  BOOST_TEST(takes(std::string(3, '\0') + zeros + '\x80'));
  BOOST_TEST(!takes(std::string(3, '\0') + zeros + '\x7f')); // fits 127 bits
  BOOST_TEST(!takes(std::string(3, '\0') + zeros + "1" + '\0'));
  BOOST_TEST(!takes(std::string("\2\0\0", 3) + zeros + "12"));
  BOOST_TEST(!takes(std::string("\0\0\x40", 3) + zeros + "12")); // scale 16384
  BOOST_TEST(takes(std::string("\0\xff\x3f", 3) + zeros + "12"));
  BOOST_TEST(!takes("\1"));
  BOOST_TEST(!takes(std::string(3, '\0') + std::string(70'000, 'x')));
}

// Each damaged message gives an error or a batch whose every value can be read.
BOOST_AUTO_TEST_CASE(damage_never_leads_outside) {
  const auto message = encode_batch(sample());
  std::mt19937_64 random{7};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto copy = buffer_ptr::make(message.size());
    std::memcpy(copy.as<std::byte>(), message.as<const std::byte>(), message.size());
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      copy.as<std::uint8_t>()[random() % message.size()] = static_cast<std::uint8_t>(random());
    const auto size = random() % 8 == 0 ? random() % message.size() / 8 * 8 : message.size();
    const auto viewed = view_batch(copy, size);
    if (!viewed) {
      ++refused;
      continue;
    }
    std::size_t bytes = 0;
    for (const auto& x : viewed->columns)
      for (std::uint32_t i = 0; i < x.rows; ++i)
        bytes += x.is_null(i) ? 1 : 0;
    BOOST_TEST_REQUIRE(byte_size(*viewed) + bytes > 0U);
  }
  BOOST_TEST(refused > 1000);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
