// What a connection reads: the first byte says in which pieces it comes, then requests, one after
// the other. However it is cut, the same requests are read; each of them Boost.Beast's own parser
// reads in the same way, to the same byte; what is admitted holds what the table of routes
// promises, and says who sends, or nobody.

#include "actors/gateway/admission.hpp"
#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/response_text.hpp"
#include "actors/gateway/service_routes.hpp"
#include "actors/plan/printable.hpp"
#include "actors/service/topics/sender_headers.hpp"
#include "tests/fuzz/support.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace ebb; // NOLINT
namespace http = boost::beast::http;

constexpr std::uint64_t body_max = 4'096;

struct read_request {
  std::string method;
  std::string target;
  std::string body;
  int status = 0; ///< of the problem that ended it; 0 = read
  std::size_t end = 0;

  bool operator==(const read_request&) const = default;
};

const route_table& routes() {
  static const auto out = service_routes();
  return out;
}

const token_store& tokens() {
  // The hash is of `ebb_00000000_` and 64 zeros.
  static const auto out = token_store::parse(
      R"({"version":1,"tokens":[{"id":"00000000","hash":"d3f4a7f4c22e4ba3e3a07e1f9a4a8a8a64a4e9d9d8a3f4a7c22e4ba3e3a07e1f","role":"viewer","topics":["a"],"created":0}]})");
  return *out;
}

bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    if (length == 0 || static_cast<unsigned char>(text[i]) < 0x20)
      return false;
    i += length;
  }
  return true;
}

// Who sends: producer and number, or a key, or nobody.
void check_sender(const http_request& request) {
  topic_append to;
  if (const auto wrong = read_sender(request, to)) {
    EBB_FUZZ_CHECK(wrong->status == 400 && wrong->field.starts_with("header.")
                       && !wrong->detail.empty() && !wrong->hint.empty(),
                   wrong->detail);
    EBB_FUZZ_CHECK(!to.producer && to.idempotency_key.empty(), wrong->detail);
    return;
  }
  EBB_FUZZ_CHECK(!to.producer || to.idempotency_key.empty(), to.idempotency_key);
  EBB_FUZZ_CHECK(to.idempotency_key.size() <= idempotency_key_max, to.idempotency_key);
  EBB_FUZZ_CHECK(to.producer.has_value() == (request.header_value("Ebb-Sequence") != nullptr), "");
  if (!to.producer)
    return;
  const auto& x = *to.producer;
  EBB_FUZZ_CHECK(!x.producer.empty() && x.producer.size() <= producer_name_max, x.producer);
  constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
  EBB_FUZZ_CHECK(x.epoch <= most && x.first_sequence <= most, x.producer);
}

void check_admission(const request_head& head) {
  for (const auto* known : {static_cast<const token_store*>(nullptr), &tokens()}) {
    const auto got = admit(head, {&routes(), known, 1});
    const int ways =
        (got.request != nullptr ? 1 : 0) + (got.problem ? 1 : 0) + (got.allow.empty() ? 0 : 1);
    EBB_FUZZ_CHECK(ways == 1, head.target);
    if (got.problem) {
      const auto& x = *got.problem;
      EBB_FUZZ_CHECK(reason_phrase(x.status) != "Unknown" && !x.detail.empty() && x.status >= 400,
                     x.detail);
      const auto text = to_json(x);
      EBB_FUZZ_CHECK(nlohmann::json::accept(text), text);
      const auto answer =
          response_head({x.status, "a/b", text, {{"Allow", x.allow}, {"X", x.field}}},
                        body_framing::length, true, false, "d");
      EBB_FUZZ_CHECK(answer.find("\r\n\r\n") == answer.size() - 4, answer);
    }
    if (got.request == nullptr)
      continue;
    const auto& to = *got.request->to;
    EBB_FUZZ_CHECK(got.request->path.size() == to.path.size(), head.target);
    EBB_FUZZ_CHECK(!head.has_body() || got.body_max != 0, head.target);
    for (const auto* list : {&got.request->path, &got.request->query, &got.request->headers})
      for (const auto& x : *list) {
        EBB_FUZZ_CHECK(list == &got.request->headers || is_text(x.text), x.text);
        if (x.of->kind == parameter_kind::integer)
          EBB_FUZZ_CHECK(x.number >= x.of->least && x.number <= x.of->most, x.text);
      }
    if (to.call == api_call::append_messages)
      check_sender(*got.request);
    // Without a token only what is open.
    EBB_FUZZ_CHECK(known == nullptr || to.access == route_access::open, head.target);
  }
}

// As a connection does; each head is checked once, where `check` is.
std::vector<read_request> read_all(std::string_view text, std::size_t piece, bool check) {
  std::vector<read_request> out;
  std::string have;
  std::size_t begin = 0;
  std::unique_ptr<request_reader> reader;
  bool in_body = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto more = std::min(piece, text.size() - at);
    have.append(text, at, more);
    at += more;
    for (;;) {
      const auto rest = std::string_view(have).substr(begin);
      if (!reader) {
        if (rest.empty())
          break;
        reader = std::make_unique<request_reader>(reader_limits{2'048, 20, 512});
        out.emplace_back();
        in_body = false;
      }
      auto& x = out.back();
      std::size_t used = 0;
      auto step = request_reader::step::more;
      if (!in_body) {
        step = reader->read_head(rest, used);
        if (step == request_reader::step::done) {
          x.method = reader->head().method;
          x.target = reader->head().target;
          if (check)
            check_admission(reader->head());
          in_body = true;
          begin += used;
          continue;
        }
      } else {
        step = reader->read_body(rest, used, x.body, body_max);
      }
      EBB_FUZZ_CHECK(used <= rest.size(), rest);
      begin += used;
      if (step == request_reader::step::bad) {
        x.status = reader->problem().status;
        // How much of a bad body was kept depends on how it came.
        x.body.clear();
        return out;
      }
      if (step == request_reader::step::more)
        break;
      EBB_FUZZ_CHECK(x.body.size() <= body_max, x.body);
      x.end = begin;
      reader.reset();
    }
  }
  // Not complete: told apart from what is.
  if (reader)
    out.pop_back();
  return out;
}

// A few bytes at the end that are bad may be seen as such, or wait for more.
bool same(const std::vector<read_request>& a, const std::vector<read_request>& b) {
  if (a.size() > b.size())
    return same(b, a);
  return std::equal(a.begin(), a.end(), b.begin())
         && (b.size() == a.size() || (b.size() == a.size() + 1 && b.back().status != 0));
}

// The bytes of one request, by a parser that knows nothing of ours.
void check_second_parser(std::string_view bytes, const read_request& x) {
  if (bytes.starts_with("\r\n"))
    bytes.remove_prefix(2);
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(body_max);
  boost::beast::error_code problem;
  std::size_t used = 0;
  while (!parser.is_done() && !problem && used < bytes.size()) {
    const auto more =
        parser.put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), problem);
    used += more;
    if (more == 0)
      break;
  }
  EBB_FUZZ_CHECK(parser.is_done() && used == bytes.size(), bytes);
  const auto& got = parser.get();
  EBB_FUZZ_CHECK(
      std::string_view(got.method_string().data(), got.method_string().size()) == x.method, bytes);
  EBB_FUZZ_CHECK(std::string_view(got.target().data(), got.target().size()) == x.target, bytes);
  EBB_FUZZ_CHECK(got.body() == x.body, bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const std::size_t piece = 1 + in.below(64);
  const auto text = in.rest();
  const auto whole = read_all(text, std::max<std::size_t>(text.size(), 1), true);
  const auto cut = read_all(text, piece, false);
  EBB_FUZZ_CHECK(same(whole, cut), text);
  std::size_t begin = 0;
  for (const auto& x : whole) {
    if (x.status != 0)
      break;
    check_second_parser(text.substr(begin, x.end - begin), x);
    begin = x.end;
  }
  return 0;
}
