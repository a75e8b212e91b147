#include "schemas/link_codec.hpp"
#include "tests/links/samples.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <set>

using namespace ebb;
using namespace ebb::links_test;

namespace {

buffer_ptr copy_of(const buffer_ptr& x, std::size_t size) {
  auto copy = buffer_ptr::make(std::max<std::size_t>(size, 1));
  std::memcpy(copy.as<char>(), x.as<char>(), size);
  return copy;
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_codec)

BOOST_AUTO_TEST_CASE(every_message_comes_back) {
  std::set<std::size_t> kinds;
  std::size_t number = 0;
  for (const auto& x : sample_messages()) {
    const auto bytes = encode(x);
    const auto back = decode_link_message(bytes, bytes.size());
    if (!back)
      BOOST_FAIL("message " << number << ": " << to_string(back.error()));
    BOOST_TEST(is_same(x, *back), "message " << number << " of kind " << x.index());
    kinds.insert(x.index());
    ++number;
  }
  BOOST_TEST(kinds.size() == std::variant_size_v<link_message>);
}

BOOST_AUTO_TEST_CASE(samples_hold_every_operation_and_value) {
  std::set<std::size_t> peers;
  for (const auto& x : sample_peer_messages())
    peers.insert(x.index());
  BOOST_TEST(peers.size() == std::variant_size_v<peer_message>);
  std::set<std::size_t> operations;
  for (const auto& x : sample_operations())
    operations.insert(x.index());
  BOOST_TEST(operations.size() == std::variant_size_v<call_operation>);
  std::set<std::size_t> values;
  for (const auto& x : sample_outcomes())
    if (x)
      values.insert(x->index());
  BOOST_TEST(values.size() == std::variant_size_v<call_value>);
}

BOOST_AUTO_TEST_CASE(differences_are_seen) {
  const auto all = sample_messages();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t k = 0; k < all.size(); ++k)
      BOOST_TEST(is_same(all[i], all[k]) == (i == k), i << " and " << k);
}

BOOST_AUTO_TEST_CASE(rows_outlive_the_message) {
  topic_append_call append;
  append.parts = {{sample_rows(100), {}}};
  auto bytes = encode(link_call{1, 1, "uid", 1, append});
  const auto size = bytes.size();
  auto copy = copy_of(bytes, size);
  auto back = decode_link_message(copy, size);
  BOOST_REQUIRE(static_cast<bool>(back));
  std::memset(copy.as<char>(), 0xEE, size);
  BOOST_TEST(is_same(link_message{link_call{1, 1, "uid", 1, append}}, *back));
}

BOOST_AUTO_TEST_CASE(cut_messages_are_refused) {
  for (const auto& x : sample_messages()) {
    const auto bytes = encode(x);
    if (bytes.size() > 4096)
      continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto back = decode_link_message(copy_of(bytes, size), size);
      BOOST_REQUIRE(!back);
      BOOST_TEST((back.error().code == ec::corrupt));
      BOOST_TEST(!back.error().hint.empty());
    }
    // Longer than it says.
    auto longer = buffer_ptr::make(bytes.size() + 8);
    std::memset(longer.as<char>(), 0, bytes.size() + 8);
    std::memcpy(longer.as<char>(), bytes.as<char>(), bytes.size());
    BOOST_TEST(!decode_link_message(longer, bytes.size() + 8));
  }
}

BOOST_AUTO_TEST_CASE(changed_bytes_give_a_message_or_an_error) {
  for (const auto& x : sample_messages()) {
    const auto bytes = encode(x);
    if (bytes.size() > 4096)
      continue;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      for (const unsigned bit : {0U, 3U, 7U}) {
        auto changed = copy_of(bytes, bytes.size());
        changed.as<unsigned char>()[i] ^= static_cast<unsigned char>(1U << bit);
        const auto back = decode_link_message(changed, bytes.size());
        if (!back)
          BOOST_TEST((back.error().code == ec::corrupt || back.error().code == ec::unsupported));
      }
  }
}

BOOST_AUTO_TEST_CASE(other_versions_are_told_apart) {
  const auto bytes = encode(heartbeat{1});
  auto changed = copy_of(bytes, bytes.size());
  // The segment table, the root pointer, then the version.
  const std::uint16_t version = link_protocol + 1;
  std::memcpy(changed.as<char>() + 16, &version, sizeof version);
  const auto back = decode_link_message(changed, bytes.size());
  BOOST_REQUIRE(!back);
  BOOST_TEST((back.error().code == ec::unsupported));
  BOOST_TEST(back.error().message
             == "the other side of the link speaks version 2 of its messages, this one 1");
  BOOST_TEST(!back.error().hint.empty());
}

BOOST_AUTO_TEST_CASE(unknown_kinds_are_told) {
  const auto bytes = encode(heartbeat{1});
  auto changed = copy_of(bytes, bytes.size());
  const std::uint16_t kind = 999;
  std::memcpy(changed.as<char>() + 18, &kind, sizeof kind);
  const auto back = decode_link_message(changed, bytes.size());
  BOOST_REQUIRE(!back);
  BOOST_TEST((back.error().code == ec::unsupported));
}

BOOST_AUTO_TEST_SUITE_END()
