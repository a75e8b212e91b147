#include "actors/service/topics/receipt_token.hpp"

#include "storage/segment_trailer.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace ebb {

namespace {

constexpr char token_version = 1;
constexpr std::size_t check_bytes = 6;
constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void put_number(std::string& out, std::uint64_t x) {
  while (x >= 0x80) {
    out += static_cast<char>(x | 0x80);
    x >>= 7;
  }
  out += static_cast<char>(x);
}

void put_text(std::string& out, std::string_view x) {
  put_number(out, x.size());
  out += x;
}

std::string check_of(std::string_view bytes) {
  const auto hash = hash_bytes(bytes).low;
  std::string out;
  for (std::size_t i = 0; i < check_bytes; ++i)
    out += static_cast<char>(hash >> (8 * i));
  return out;
}

std::string to_base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6)
      out += digits[held >> (bits - 6) & 63U];
  }
  if (bits != 0)
    out += digits[held << (6 - bits) & 63U];
  return out;
}

constexpr auto digit_values = [] {
  std::array<std::int8_t, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i)
    out[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  return out;
}();

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = digit_values[static_cast<unsigned char>(c)];
    if (value < 0)
      return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits);
    }
  }
  // One spelling only: no digit too many, and nothing in the bits that are left.
  if (bits >= 6 || (held & ((1U << bits) - 1)) != 0)
    return std::nullopt;
  return out;
}

class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t x = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty())
        break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      x |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80)
        return x;
    }
    good_ = false;
    return 0;
  }

  std::string text() {
    const auto size = number();
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    std::string out{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return out;
  }

  [[nodiscard]] bool ended() const noexcept {
    return good_ && rest_.empty();
  }

  [[nodiscard]] bool good() const noexcept {
    return good_;
  }

private:
  std::string_view rest_;
  bool good_ = true;
};

} // namespace

std::string encode_token(const ack_question& x) {
  std::string bytes;
  bytes += token_version;
  bytes += static_cast<char>(x.level);
  put_text(bytes, x.uid);
  put_text(bytes, x.stream);
  put_number(bytes, x.ranges.size());
  std::uint32_t partition = 0;
  for (const auto& range : x.ranges) {
    put_number(bytes, range.partition - partition); // they rise
    partition = range.partition;
    put_number(bytes, range.first);
    put_number(bytes, range.last - range.first);
  }
  bytes += check_of(bytes);
  auto token = to_base64url(bytes);
  if (token.size() > receipt_token_max)
    token.clear();
  return token;
}

result<ack_question> decode_receipt_token(std::string_view token) {
  const auto none = make_error(ec::not_found, "there is no receipt with this token",
                               "use the token of a receipt as it was given");
  const auto bytes = from_base64url(token);
  if (!bytes || bytes->size() < check_bytes + 2 || bytes->front() != token_version)
    return none;
  const auto body = std::string_view(*bytes).substr(0, bytes->size() - check_bytes);
  if (check_of(body) != std::string_view(*bytes).substr(body.size()))
    return none;
  ack_question x;
  const auto level = static_cast<unsigned char>(body[1]);
  if (level > static_cast<unsigned char>(ack_level::committed))
    return none;
  x.level = static_cast<ack_level>(level);
  byte_reader next(body.substr(2));
  x.uid = next.text();
  x.stream = next.text();
  const auto count = next.number();
  std::uint64_t partition = 0;
  for (std::uint64_t i = 0; i < count && next.good(); ++i) {
    partition += next.number();
    const auto first = next.number();
    x.ranges.push_back({static_cast<std::uint32_t>(partition), first, first + next.number()});
  }
  if (!next.ended())
    return none;
  return x;
}

} // namespace ebb
