#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_rows.hpp"
#include "actors/connectors/file_values.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <string>

namespace ebb {
namespace {

// The fast readers may look past the text.
struct padded {
  explicit padded(std::string_view text) {
    std::memset(bytes, '7', sizeof bytes);
    std::memcpy(bytes, text.data(), text.size());
    bytes[text.size()] = ',';
  }

  char bytes[128];
};

std::string int_of(std::string_view text) {
  const padded x(text);
  std::int64_t value = 0;
  const char* end = fast::read_int(x.bytes, value);
  if (end == nullptr)
    return "none";
  return std::to_string(value) + (end == x.bytes + text.size() ? "" : "…");
}

std::string time_of(std::string_view text) {
  const padded x(text);
  fast::date_cache cache;
  micros value = 0;
  const char* end = fast::read_timestamp(x.bytes, cache, value);
  if (end == nullptr)
    return "none";
  return std::to_string(value) + (end == x.bytes + text.size() ? "" : "…");
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_values)

BOOST_AUTO_TEST_CASE(reads_integers) {
  BOOST_TEST(int_of("0") == "0");
  BOOST_TEST(int_of("-0") == "0");
  BOOST_TEST(int_of("7") == "7");
  BOOST_TEST(int_of("-42") == "-42");
  BOOST_TEST(int_of("12345678") == "12345678");
  BOOST_TEST(int_of("123456789") == "123456789");
  BOOST_TEST(int_of("1234567890123456") == "1234567890123456");
  BOOST_TEST(int_of("999999999999999999") == "999999999999999999");
  BOOST_TEST(int_of("-999999999999999999") == "-999999999999999999");
  BOOST_TEST(int_of("1234567890123456789") == "none");
  BOOST_TEST(int_of("") == "none");
  BOOST_TEST(int_of("-") == "none");
  BOOST_TEST(int_of("x1") == "none");
  BOOST_TEST(int_of("12:4") == "12…");
  BOOST_TEST(int_of("1\xFF") == "1…");
  BOOST_TEST(int_of("1/2") == "1…");
  std::int64_t value = 1;
  for (int digits = 1; digits <= 18; ++digits, value = value * 10 + digits % 10)
    BOOST_TEST(int_of(std::to_string(value)) == std::to_string(value));
}

BOOST_AUTO_TEST_CASE(reads_doubles_exactly) {
  for (const char* text : {"0", "1", "-1", "0.1", "12.5", "3.14159265358979", "99999999999999.9",
                           "0.00000000000001", "123456789012345", "-0.7"}) {
    const padded x(text);
    double value = 0;
    const char* end = fast::read_double(x.bytes, value);
    BOOST_TEST((end == x.bytes + std::strlen(text)), text);
    BOOST_TEST(value == std::stod(text));
  }
  for (const char* text : {"", "-", ".5", "1.", "1234567890123456", "0.1234567890123456"}) {
    const padded x(text);
    double value = 0;
    BOOST_TEST((fast::read_double(x.bytes, value) == nullptr), text);
  }
}

BOOST_AUTO_TEST_CASE(reads_timestamps) {
  BOOST_TEST(time_of("1970-01-01T00:00:00") == "0");
  BOOST_TEST(time_of("1970-01-01 00:00:00.000001") == "1");
  BOOST_TEST(time_of("1969-12-31 23:59:59") == "-1000000");
  BOOST_TEST(time_of("2015-07-15T00:00:00.123") == "1436918400123000");
  BOOST_TEST(time_of("2000-02-29T23:59:59") == "951868799000000");
  BOOST_TEST(time_of("1900-02-28T00:00:00") == "-2203977600000000");
  BOOST_TEST(time_of("0001-01-01T00:00:00") == "-62135596800000000");
  BOOST_TEST(time_of("9999-12-31T23:59:59") == "253402300799000000");
  BOOST_TEST(time_of("2013-01-01T05:00:00Z") == "1357016400000000…");
  for (const char* text :
       {"1900-02-29T00:00:00", "2013-02-29T00:00:00", "2013-04-31T00:00:00", "2013-00-01T00:00:00",
        "2013-13-01T00:00:00", "2013-01-00T00:00:00", "0000-01-01T00:00:00", "2013-01-01T24:00:00",
        "2013-01-01T00:60:00", "2013-01-01T00:00:60", "2013-01-01x00:00:00", "2013/01/01T00:00:00",
        "2013-01-01T00-00-00", "2013-1-01T00:00:00", "2013-01-01T00:00:00.", "20a3-01-01T00:00:00",
        "2013-01-01T00:00:0\xB0", "2013-01-01T00:00:00.1234567"})
    BOOST_TEST(time_of(text) == "none", text);
}

BOOST_AUTO_TEST_CASE(codes_base64) {
  const auto round = [](std::string_view bytes) {
    std::string text(base64_encoded_size(bytes.size()), ' ');
    BOOST_TEST((base64_encode(bytes, text.data()) == text.data() + text.size()));
    std::string back(base64_decoded_max(text.size()), ' ');
    const auto size = base64_decode(text, back.data());
    BOOST_TEST((size && std::string_view(back.data(), *size) == bytes));
    return text;
  };
  BOOST_TEST(round("") == "");
  BOOST_TEST(round("f") == "Zg==");
  BOOST_TEST(round("fo") == "Zm8=");
  BOOST_TEST(round("foo") == "Zm9v");
  BOOST_TEST(round("foob") == "Zm9vYg==");
  BOOST_TEST(round(std::string_view("\x00\xFF\xFE", 3)) == "AP/+");
  for (const char* text : {"Z", "Zg=", "Zh==", "Zm9=", "Zm 9", "=Zg=", "Z===", "Zg==Zg=="}) {
    std::string back(64, ' ');
    BOOST_TEST(!base64_decode(text, back.data()), text);
  }
}

BOOST_AUTO_TEST_CASE(shows_raw_text_safely) {
  BOOST_TEST(shown("plain") == "plain");
  BOOST_TEST(shown("a\nb\tc\x01") == "a\\nb\\tc\\x01");
  BOOST_TEST(shown("é\xFF\xC3") == "é\uFFFD\uFFFD");
  BOOST_TEST(shown(std::string(300, 'x')) == std::string(100, 'x') + "…");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
