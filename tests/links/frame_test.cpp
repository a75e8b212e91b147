#include "actors/links/frame_reader.hpp"
#include "schemas/link_codec.hpp"
#include "tests/links/samples.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <string>

using namespace ebb;
using namespace ebb::links_test;

namespace {

std::string frame_of(const link_message& x) {
  const auto body = encode(x);
  const auto head = frame_head(static_cast<std::uint32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(head.data()), head.size())
         + std::string(body.as<char>(), body.size());
}

std::string head_of(std::uint32_t length) {
  const auto head = frame_head(length);
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

std::span<const std::byte> bytes_of(const std::string& x) {
  return std::as_bytes(std::span(x));
}

// As a connection reads: into the room where there is some.
result<void> read_all(frame_reader& reader, std::span<const std::byte> bytes,
                      std::vector<link_message>& to) {
  while (!bytes.empty()) {
    std::size_t taken = 0;
    if (const auto room = reader.room(); !room.empty()) {
      taken = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), taken);
      reader.filled(taken);
    } else {
      EBB_ASSIGN(taken, reader.feed(bytes));
    }
    bytes = bytes.subspan(taken);
    if (!reader.complete())
      continue;
    const auto frame = reader.take();
    EBB_ASSIGN(auto message, decode_link_message(frame.bytes, frame.size));
    to.push_back(std::move(message));
  }
  return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(links_frames)

BOOST_AUTO_TEST_CASE(the_head_is_little_endian) {
  BOOST_TEST(head_of(0x01020304) == std::string("\x04\x03\x02\x01"));
}

BOOST_AUTO_TEST_CASE(messages_come_however_they_are_cut) {
  std::string bytes;
  const auto messages = sample_messages();
  for (const auto& x : messages)
    bytes += frame_of(x);
  for (const std::size_t step : {1U, 3U, 7U, 4096U, 65'536U, 1U << 30}) {
    frame_reader reader;
    std::vector<link_message> got;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      const auto piece = bytes_of(bytes).subspan(at, std::min(step, bytes.size() - at));
      const auto read = read_all(reader, piece, got);
      if (!read)
        BOOST_FAIL(to_string(read.error()));
    }
    BOOST_REQUIRE(got.size() == messages.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      BOOST_TEST(is_same(messages[i], got[i]));
  }
}

BOOST_AUTO_TEST_CASE(every_cut_of_two_messages) {
  const link_message first = worker_hello{"1", 2, "three", 4, {{"uid", 1, 2}}};
  const link_message second = topic_moved{"topic"};
  const auto bytes = frame_of(first) + frame_of(second);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    frame_reader reader;
    std::vector<link_message> got;
    BOOST_REQUIRE(static_cast<bool>(read_all(reader, bytes_of(bytes).first(cut), got)));
    BOOST_TEST(got.size() == (cut == bytes.size() ? 2U : cut >= frame_of(first).size() ? 1U : 0U));
    BOOST_REQUIRE(static_cast<bool>(read_all(reader, bytes_of(bytes).subspan(cut), got)));
    BOOST_REQUIRE(got.size() == 2U);
    BOOST_TEST(is_same(first, got[0]));
    BOOST_TEST(is_same(second, got[1]));
  }
}

BOOST_AUTO_TEST_CASE(wrong_lengths_are_refused_before_memory_is_taken) {
  for (const std::uint32_t length :
       {0U, 1U, 7U, 12U, static_cast<std::uint32_t>(link_message_max) + 8, UINT32_MAX}) {
    frame_reader reader;
    const auto bytes = head_of(length);
    const auto taken = reader.feed(bytes_of(bytes));
    BOOST_REQUIRE(!taken);
    BOOST_TEST((taken.error().code == ec::corrupt));
    BOOST_TEST(taken.error().message.find(std::to_string(length)) != std::string::npos);
    BOOST_TEST(!taken.error().hint.empty());
    BOOST_TEST(!reader.complete());
  }
  frame_reader reader;
  const auto bytes = head_of(link_message_max);
  BOOST_TEST(static_cast<bool>(reader.feed(bytes_of(bytes))));
  BOOST_TEST(reader.room().size() == link_message_max);
}

BOOST_AUTO_TEST_CASE(nothing_is_taken_behind_a_frame) {
  const auto one = frame_of(heartbeat{1});
  const auto bytes = one + one;
  frame_reader reader;
  const auto taken = reader.feed(bytes_of(bytes));
  BOOST_REQUIRE(static_cast<bool>(taken));
  BOOST_TEST(*taken == one.size());
  BOOST_TEST(reader.complete());
}

BOOST_AUTO_TEST_SUITE_END()
