// The reader of requests alone: what it takes, and what it must not.

#include "actors/gateway/request_reader.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace ebb;

namespace {

struct outcome {
  request_reader::step head = request_reader::step::more;
  request_reader::step body = request_reader::step::more;
  std::string text;
  int status = 0;
  std::size_t used = 0;
};

// Gives `text` in pieces of `piece` bytes.
outcome read(std::string_view text, std::size_t piece, std::uint64_t body_max = 1 << 20,
             const reader_limits& limits = {}) {
  request_reader reader(limits);
  outcome out;
  std::string have;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    have += text.substr(at, piece);
    for (;;) {
      const auto rest = std::string_view(have).substr(begin);
      std::size_t used = 0;
      if (out.head == request_reader::step::more) {
        out.head = reader.read_head(rest, used);
        begin += used;
        if (out.head == request_reader::step::bad)
          out.status = reader.problem().status;
        if (out.head != request_reader::step::done)
          break;
        continue;
      }
      if (out.head == request_reader::step::done && out.body == request_reader::step::more) {
        out.body = reader.read_body(rest, used, out.text, body_max);
        begin += used;
        if (out.body == request_reader::step::bad)
          out.status = reader.problem().status;
      }
      break;
    }
    if (out.status != 0)
      break;
  }
  out.used = begin;
  return out;
}

constexpr std::string_view first = "POST /a HTTP/1.1\r\nHost: x\r\n";

struct bad_case {
  const char* what;
  std::string text;
  int status;
};

std::vector<bad_case> bad_cases() {
  const std::string head(first);
  std::vector<bad_case> out{
      {"not HTTP", "hello\r\n\r\n", 400},
      {"no first line", "\r\n\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/3", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", head + "Host: y\r\n\r\n", 400},
      {"bare LF after the first line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
      {"two bare LF", "GET / HTTP/1.1\r\nHost: x\n\n", 400},
      {"bare CR", "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", 400},
      {"NUL in a value", head + std::string("A: b\0c\r\n\r\n", 10), 400},
      {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), 400},
      {"delete character", head + "A: \x7f\r\n\r\n", 400},
      {"folded field", head + "A: b\r\n c\r\n\r\n", 400},
      {"folded by a tab", head + "A: b\r\n\tc\r\n\r\n", 400},
      {"folded first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {"space before the colon", head + "Content-Length : 1\r\n\r\na", 400},
      {"no colon", head + "abc\r\n\r\n", 400},
      {"empty name", head + ": b\r\n\r\n", 400},
      {"space in a name", head + "A b: c\r\n\r\n", 400},
      {"negative length", head + "Content-Length: -1\r\n\r\n", 400},
      {"signed length", head + "Content-Length: +1\r\n\r\na", 400},
      {"hexadecimal length", head + "Content-Length: 0x1\r\n\r\na", 400},
      {"length with a space", head + "Content-Length: 1 1\r\n\r\na", 400},
      {"empty length", head + "Content-Length:\r\n\r\n", 400},
      {"length of 2^64", head + "Content-Length: 18446744073709551616\r\n\r\n", 400},
      {"length as a list", head + "Content-Length: 1, 1\r\n\r\na", 400},
      {"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400},
      {"two equal lengths", head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
      {"length and chunks", head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunks and length", head + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"length and another encoding", head + "Content-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\n",
       400},
      {"another encoding and length",
       head + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 400},
      {"encoding twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"encoding twice, other first",
       head + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"gzip, then chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"chunked, then gzip", head + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501},
      {"identity", head + "Transfer-Encoding: identity\r\n\r\n", 501},
      {"empty encoding", head + "Transfer-Encoding:\r\n\r\n", 501},
      {"quoted encoding", head + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
      {"vertical tab",
       head
           + "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n",
       400},
      {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"Expect another thing", head + "Expect: tea\r\n\r\n", 417},
      {"field after 100",
       head +
           [] {
             std::string many;
             for (int i = 0; i < 100; ++i)
               many += "A: b\r\n";
             return many;
           }()
           + "\r\n",
       431},
      {"long head", head + "A: " + std::string(40'000, 'b') + "\r\n\r\n", 431},
      {"long head without end", head + "A: " + std::string(40'000, 'b'), 431},
      {"long target", "GET /" + std::string(9'000, 'b') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"long target without end", "GET /" + std::string(9'000, 'b'), 414},
  };
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (const auto& [what, body] : std::vector<std::pair<const char*, std::string>>{
           {"chunk size that is none", "g\r\naaaa"},
           {"empty chunk size", "\r\n\r\n\r\n"},
           {"chunk of 2^64", "10000000000000000\r\n"},
           {"negative chunk", "-1\r\na\r\n"},
           {"chunk with 0x", "0x1\r\na\r\n0\r\n\r\n"},
           {"chunk with a space", " 1\r\na\r\n0\r\n\r\n"},
           {"chunk ended by LF", "1\na\r\n0\r\n\r\n"},
           {"chunk longer than it says", "1\r\nab\r\n0\r\n\r\n"},
           {"chunk shorter than it says", "3\r\na\r\n0\r\n\r\n"},
           {"trailer with a length", "0\r\nContent-Length: 3\r\n\r\n"},
           {"bare LF in an extension", "1;a\nb\r\na\r\n0\r\n\r\n"},
           {"endless chunk extension", "1;a=" + std::string(20'000, 'b')},
           {"endless trailer", "0\r\nA: " + std::string(20'000, 'b')}})
    out.push_back({what, chunked + body, 400});
  out.push_back({"chunk beyond the limit", chunked + "ffffffff\r\n", 413});
  out.push_back({"chunk of 2^64 - 1", chunked + "ffffffffffffffff\r\n", 413});
  std::string framing = chunked;
  for (int i = 0; i < 100; ++i)
    framing += "1;a=" + std::string(400, 'b') + "\r\na\r\n";
  out.push_back({"more framing than data", framing, 400});
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_reading)

BOOST_AUTO_TEST_CASE(refuses_what_two_servers_could_read_in_two_ways) {
  for (const auto& x : bad_cases())
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, x.text.size()}) {
      const auto got = read(x.text, piece);
      BOOST_TEST(got.status == x.status, x.what << ", in pieces of " << piece << ": " << got.status
                                                << " instead of " << x.status);
    }
}

BOOST_AUTO_TEST_CASE(reads_a_head_however_it_is_cut) {
  const std::string text = "\r\nPOST /a?b=c HTTP/1.1\r\nhOST: x:1\r\nAccept: a/b\r\nACCEPT: c/d\r\n"
                           "Authorization: Bearer t\r\nEbb-Producer: p\r\nebb-sequence:7\r\n"
                           "X-Other: \xC3\xA9\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, text.size()}) {
    request_reader reader({});
    std::string have;
    std::size_t used = 0;
    auto step = request_reader::step::more;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      BOOST_REQUIRE((step == request_reader::step::more));
      have += text.substr(at, piece);
      step = reader.read_head(have, used);
    }
    BOOST_REQUIRE((step == request_reader::step::done));
    const auto& head = reader.head();
    BOOST_TEST(used == text.size());
    BOOST_TEST(head.method == "POST");
    BOOST_TEST(head.target == "/a?b=c");
    BOOST_TEST(head.host == "x:1");
    BOOST_TEST(head.accept == "a/b,c/d");
    BOOST_TEST(head.authorization == "Bearer t");
    BOOST_TEST(head.content_type == "a/b");
    BOOST_TEST(head.content_length == 3U);
    BOOST_TEST(head.has_body());
    BOOST_TEST(head.keep_alive);
    BOOST_REQUIRE(head.parameters.size() == 2U);
    BOOST_TEST(head.parameters[1].first == "ebb-sequence");
    BOOST_TEST(head.parameters[1].second == "7");
  }
}

BOOST_AUTO_TEST_CASE(stops_where_the_body_ends) {
  const std::string next = "GET / HTTP/1.1\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    const auto length = std::string(first) + "Content-Length: 3\r\n\r\nabc";
    const auto by_length = read(length + next, piece);
    BOOST_TEST((by_length.body == request_reader::step::done));
    BOOST_TEST(by_length.text == "abc");
    BOOST_TEST(by_length.used == length.size());
    const auto chunks = std::string(first)
                        + "Transfer-Encoding: Chunked\r\n\r\n"
                          "2\r\nab\r\n001;x=\"y\"\r\nc\r\n000\r\nA: b\r\n\r\n";
    const auto by_chunks = read(chunks + next, piece);
    BOOST_TEST((by_chunks.body == request_reader::step::done));
    BOOST_TEST(by_chunks.text == "abc");
    BOOST_TEST(by_chunks.used == chunks.size());
    const auto none = std::string(first) + "Content-Length: 0\r\n\r\n";
    const auto without = read(none + next, piece);
    BOOST_TEST((without.body == request_reader::step::done));
    BOOST_TEST(without.used == none.size());
  }
}

BOOST_AUTO_TEST_CASE(keeps_the_limit_of_the_body_to_the_byte) {
  const auto length = std::string(first) + "Content-Length: 3\r\n\r\nabc";
  BOOST_TEST(read(length, 1000, 3).text == "abc");
  BOOST_TEST(read(length, 1000, 2).status == 413);
  const auto chunks = std::string(first)
                      + "Transfer-Encoding: chunked\r\n\r\n"
                        "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  BOOST_TEST(read(chunks, 1, 3).text == "abc");
  BOOST_TEST(read(chunks, 1, 2).status == 413);
}

BOOST_AUTO_TEST_CASE(takes_bodies_of_one_byte_chunks) {
  std::string chunks = std::string(first) + "Transfer-Encoding: chunked\r\n\r\n";
  constexpr std::size_t count = 20'000;
  for (std::size_t i = 0; i < count; ++i)
    chunks += "1\r\na\r\n";
  const auto got = read(chunks + "0\r\n\r\n", 4'096);
  BOOST_TEST((got.body == request_reader::step::done));
  BOOST_TEST(got.text.size() == count);
}

BOOST_AUTO_TEST_CASE(knows_when_a_connection_stays) {
  const auto stays = [](std::string_view text) {
    request_reader reader({});
    std::size_t used = 0;
    BOOST_REQUIRE((reader.read_head(text, used) == request_reader::step::done));
    return reader.head().keep_alive;
  };
  BOOST_TEST(stays("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  BOOST_TEST(!stays("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  BOOST_TEST(!stays("GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n"));
  BOOST_TEST(!stays("GET / HTTP/1.0\r\n\r\n"));
  BOOST_TEST(stays("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()
