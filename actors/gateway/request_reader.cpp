#include "actors/gateway/request_reader.hpp"

#include "actors/gateway/parameters.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace ebb {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

// boost::string_view to the standard's.
template <class View>
std::string_view plain(View text) {
  return {text.data(), text.size()};
}

constexpr std::string_view not_http = "request-malformed";

} // namespace

// Beast calls back with views of what it is given; nothing is copied but the body.
class request_reader::parser final : public http::basic_parser<true> {
public:
  explicit parser(request_head& head) : head_(head) {
    // Both limits are checked elsewhere. (No limit at all would be none that any length keeps.)
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  std::string* body = nullptr;
  std::uint64_t body_max = 0;
  bool body_too_large = false;
  const char* twice = nullptr;   ///< a field that may come once
  const char* refused = nullptr; ///< what is wrong with a field
  int version = 11;
  bool has_length = false;
  bool has_encoding = false;
  std::string_view encoding;
  std::string_view length;
  std::string_view expect;
  bool has_host = false;

private:
  void on_request_impl(http::verb /*known*/, boost::beast::string_view method,
                       boost::beast::string_view target, int parsed, error_code& problem) override {
    head_.method = plain(method);
    head_.target = plain(target);
    version = parsed;
    problem = {};
  }

  void on_response_impl(int /*code*/, boost::beast::string_view /*reason*/, int /*parsed*/,
                        error_code& problem) override {
    problem = http::error::bad_version;
  }

  void on_field_impl(http::field known, boost::beast::string_view name,
                     boost::beast::string_view value, error_code& problem) override {
    problem = {};
    // Fields after a chunked body; they mean nothing here.
    if (in_body_)
      return;
    switch (known) {
    case http::field::host:
      has_host = true;
      return once(head_.host, value, seen_[0], "Host");
    case http::field::authorization:
      return once(head_.authorization, value, seen_[1], "Authorization");
    case http::field::content_type:
      return once(head_.content_type, value, seen_[2], "Content-Type");
    case http::field::content_encoding:
      return once(head_.content_encoding, value, seen_[3], "Content-Encoding");
    case http::field::content_length:
      has_length = true;
      return once(length, value, seen_[4], "Content-Length");
    case http::field::transfer_encoding:
      has_encoding = true;
      return once(encoding, value, seen_[5], "Transfer-Encoding");
    case http::field::expect:
      return once(expect, value, seen_[6], "Expect");
    case http::field::origin:
      return once(head_.origin, value, seen_[7], "Origin");
    case http::field::accept:
      head_.accept += head_.accept.empty() ? "" : ",";
      head_.accept += plain(value);
      return;
    default:
      break;
    }
    const auto text = plain(name);
    if (same_name(text, "traceparent"))
      return once(head_.traceparent, value, seen_[8], "traceparent");
    constexpr std::string_view own = "ebb-";
    if (same_name(text.substr(0, own.size()), own) || same_name(text, "idempotency-key")
        || same_name(text, "last-event-id"))
      head_.parameters.emplace_back(text, plain(value));
  }

  void on_header_impl(error_code& problem) override {
    problem = {};
    in_body_ = true;
    head_.keep_alive = keep_alive();
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         error_code& problem) override {
    problem = {};
  }

  std::size_t on_body_impl(boost::beast::string_view bytes, error_code& problem) override {
    return take(bytes, problem);
  }

  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view /*extensions*/,
                            error_code& problem) override {
    problem = {};
    if (size > body_max || body->size() + size > body_max)
      over(problem);
  }

  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, boost::beast::string_view bytes,
                                 error_code& problem) override {
    return take(bytes, problem);
  }

  void on_finish_impl(error_code& problem) override {
    problem = {};
  }

  std::size_t take(boost::beast::string_view bytes, error_code& problem) {
    problem = {};
    if (body->size() + bytes.size() > body_max) {
      over(problem);
      return 0;
    }
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void over(error_code& problem) {
    body_too_large = true;
    problem = http::error::body_limit;
  }

  void once(std::string_view& to, boost::beast::string_view value, bool& seen, const char* name) {
    if (seen && twice == nullptr)
      twice = name;
    seen = true;
    to = plain(value);
  }

  request_head& head_;
  bool in_body_ = false;
  bool seen_[9] = {};
};

request_reader::request_reader(const reader_limits& limits) : limits_(limits) {}

request_reader::~request_reader() = default;

request_reader::step request_reader::fail(int status, std::string type, std::string detail,
                                          std::string hint) {
  problem_ = make_problem(status, std::move(type), std::move(detail), {}, std::move(hint));
  return step::bad;
}

// Where the head ends, and whether its lines are what every reader takes them for.
request_reader::step request_reader::scan(std::string_view bytes) {
  if (begin_ == 0 && bytes.starts_with("\r\n"))
    begin_ = scanned_ = line_begin_ = 2;
  for (; scanned_ < bytes.size(); ++scanned_) {
    if (scanned_ - begin_ >= limits_.header_bytes)
      return fail(431, "header-too-large",
                  "the head of the request has more than " + std::to_string(limits_.header_bytes)
                      + " bytes");
    const auto c = static_cast<unsigned char>(bytes[scanned_]);
    const auto before = scanned_ > begin_ ? bytes[scanned_ - 1] : '\0';
    if (before == '\r' && c != '\n')
      return fail(400, std::string(not_http), "a carriage return without line feed in the head");
    if (c == '\n') {
      if (before != '\r')
        return fail(400, std::string(not_http), "a line feed without carriage return in the head",
                    "end each line with both");
      const bool empty = scanned_ - 1 == line_begin_;
      line_begin_ = scanned_ + 1;
      if (empty) {
        ++scanned_;
        complete_ = true;
        return lines_ == 0 ? fail(400, std::string(not_http), "the request has no first line")
                           : step::done;
      }
      // The first line and the fields.
      if (++lines_ > limits_.header_fields + 1)
        return fail(431, "header-too-large",
                    "the request has more than " + std::to_string(limits_.header_fields)
                        + " header fields");
      continue;
    }
    if ((c == ' ' || c == '\t') && scanned_ == line_begin_)
      return fail(400, std::string(not_http), "a header field is continued on a second line",
                  "write each field on one line");
    if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
      return fail(400, std::string(not_http), "a control character in the head of the request");
    // Told apart from other long heads, since what to do is another thing.
    if (lines_ == 0 && scanned_ - begin_ > limits_.target_bytes + 32)
      return fail(414, "target-too-long",
                  "path and query have more than " + std::to_string(limits_.target_bytes)
                      + " bytes");
  }
  return step::more;
}

request_reader::step request_reader::read_head(std::string_view bytes, std::size_t& used) {
  used = 0;
  if (const auto found = scan(bytes); found != step::done)
    return found;
  parser_ = std::make_unique<parser>(head_);
  error_code problem;
  const auto text = bytes.substr(begin_, scanned_ - begin_);
  // Beast takes the first line and the fields in one call or in two.
  std::size_t parsed = 0;
  while (!parser_->is_header_done() && !problem) {
    const auto more = parser_->put(
        boost::asio::const_buffer(text.data() + parsed, text.size() - parsed), problem);
    parsed += more;
    if (more == 0 && !problem)
      break;
  }
  if (problem == http::error::bad_version)
    return fail(505, "version-unsupported", "the request is not HTTP/1.1", "send HTTP/1.1");
  if (problem == http::error::bad_content_length || problem == http::error::bad_transfer_encoding)
    return fail(400, "framing-malformed",
                "Content-Length or Transfer-Encoding is malformed, or both are there",
                "give one Content-Length of decimal digits, or Transfer-Encoding: chunked");
  if (problem || !parser_->is_header_done() || parsed != text.size())
    return fail(400, std::string(not_http), "the head of the request is not HTTP");
  used = scanned_;
  return check_head();
}

request_reader::step request_reader::check_head() {
  const auto& p = *parser_;
  constexpr int version_1_0 = 10;
  constexpr int version_1_1 = 11;
  if (p.version != version_1_0 && p.version != version_1_1)
    return fail(505, "version-unsupported", "the request is not HTTP/1.1", "send HTTP/1.1");
  head_.http_1_0 = p.version == version_1_0;
  if (p.twice != nullptr)
    return fail(400, "header-twice", std::string(p.twice) + " is given twice", "give it once");
  if (head_.target.size() > limits_.target_bytes)
    return fail(414, "target-too-long",
                "path and query have more than " + std::to_string(limits_.target_bytes) + " bytes");
  if (!p.has_host && !head_.http_1_0)
    return fail(400, "host-missing", "the request has no Host", "give the header Host");
  if (p.has_encoding) {
    if (p.has_length || head_.http_1_0)
      return fail(400, "framing-malformed",
                  "Transfer-Encoding in a request of HTTP/1.0 or beside Content-Length");
    if (!same_name(p.encoding, "chunked"))
      return fail(501, "encoding-unsupported", "Transfer-Encoding is not chunked",
                  "send the body as it is, with Content-Length or chunked");
    head_.chunked = true;
  }
  if (p.has_length) {
    const auto digits =
        std::all_of(p.length.begin(), p.length.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || p.length.empty())
      return fail(400, "framing-malformed", "Content-Length is not a number",
                  "give it once, in decimal digits");
    head_.content_length = parser_->content_length().value_or(0);
  }
  if (!p.expect.empty()) {
    if (!same_name(p.expect, "100-continue"))
      return fail(417, "expectation-failed", "Expect is not 100-continue");
    head_.expects_continue = !head_.http_1_0;
  }
  return step::done;
}

request_reader::step request_reader::read_body(std::string_view bytes, std::size_t& used,
                                               std::string& to, std::uint64_t bytes_max) {
  used = 0;
  parser_->body = &to;
  parser_->body_max = bytes_max;
  parser_->eager(true);
  const auto before = to.size();
  error_code problem;
  // No chunked body ends in fewer bytes than its last chunk has; Beast must not be asked about
  // fewer (it asserts that an unfinished last chunk, seen again, has that many).
  constexpr std::size_t last_chunk_size = 5;
  const bool enough = bytes.size() >= (head_.chunked ? last_chunk_size : 1);
  if (!parser_->is_done() && enough)
    used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), problem);
  raw_body_bytes_ += used;
  body_bytes_ += to.size() - before;
  if (parser_->body_too_large)
    return fail(413, "body-too-large",
                "the body has more than " + std::to_string(bytes_max) + " bytes",
                "split it into several requests");
  if (problem && problem != http::error::need_more)
    return fail(400, "framing-malformed", "the chunks of the body are malformed");
  if (parser_->is_done())
    return step::done;
  // A line between chunks, or fields after them.
  constexpr std::size_t line_max = 8 << 10;
  // Chunks of one byte take six.
  constexpr std::uint64_t overhead_factor = 8;
  constexpr std::uint64_t overhead_free = 16 << 10;
  if (bytes.size() - used > line_max
      || raw_body_bytes_ - body_bytes_ > overhead_free + overhead_factor * body_bytes_)
    return fail(400, "framing-malformed", "the chunks of the body hold more framing than data");
  return step::more;
}

} // namespace ebb
