#include "actors/gateway/message_receipt.hpp"

#include "schemas/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace ebb {

namespace {

// Written for every message: by hand. Names and tokens have no characters to escape.
void put_name(std::string& out, std::string_view text) {
  EBB_ASSERT(std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
  }));
  out += '"';
  out += text;
  out += '"';
}

} // namespace

const char* to_string(ack_level level) noexcept {
  switch (level) {
  case ack_level::logged:
    return "logged";
  case ack_level::checkpointed:
    return "checkpointed";
  case ack_level::committed:
    return "committed";
  }
  return "";
}

ack_level ack_level_of(const std::string& text) noexcept {
  return text == "committed"      ? ack_level::committed
         : text == "checkpointed" ? ack_level::checkpointed
                                  : ack_level::logged;
}

std::string to_json(const message_receipt& x) {
  std::string out = R"({"topic":)";
  put_name(out, x.topic);
  // What most requests want to know, without a list.
  if (x.ranges.size() == 1)
    fmt::format_to(std::back_inserter(out), R"(,"partition":{},"first":{},"last":{})",
                   x.ranges.front().partition, x.ranges.front().first, x.ranges.front().last);
  out += R"(,"partitions":[)";
  for (const auto& range : x.ranges)
    fmt::format_to(std::back_inserter(out), R"({}{{"partition":{},"first":{},"last":{}}})",
                   &range == x.ranges.data() ? "" : ",", range.partition, range.first, range.last);
  out += R"(],"ack":)";
  put_name(out, to_string(x.ack));
  if (x.duplicate)
    out += R"(,"duplicate":true)";
  out += R"(,"token":)";
  put_name(out, x.token);
  out += '}';
  return out;
}

} // namespace ebb
