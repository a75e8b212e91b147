// Digests and encodings: md5, sha…, encode, decode, convert_from, convert_to.

#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "actors/dataflow/value_text.hpp"

#include <array>
#include <memory>
#include <openssl/evp.h>
#include <string>

namespace ebb {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

char* put_hex(char* to, const unsigned char* bytes, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    *to++ = hex_digits[bytes[i] >> 4];
    *to++ = hex_digits[bytes[i] & 15];
  }
  return to;
}

struct digest_deleter {
  void operator()(EVP_MD_CTX* x) const noexcept {
    EVP_MD_CTX_free(x);
  }

  void operator()(EVP_MD* x) const noexcept {
    EVP_MD_free(x);
  }
};

using digest_context = std::unique_ptr<EVP_MD_CTX, digest_deleter>;

/// The algorithm, looked up once per process and name; null where the library forbids it.
template <const char* Name>
const EVP_MD* algorithm() {
  static const std::unique_ptr<EVP_MD, digest_deleter> found{EVP_MD_fetch(nullptr, Name, nullptr)};
  return found.get();
}

constexpr char md5_name[] = "MD5";
constexpr char sha224_name[] = "SHA224";
constexpr char sha256_name[] = "SHA256";
constexpr char sha384_name[] = "SHA384";
constexpr char sha512_name[] = "SHA512";

/// Digest of every row, as bytes or as hex digits.
template <const char* Name, bool Hex>
result<column> digest(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  text_output out(context);
  const digest_context state{EVP_MD_CTX_new()};
  const EVP_MD* kind = algorithm<Name>();
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    unsigned int size = 0;
    if (kind == nullptr || state == nullptr || EVP_DigestInit_ex(state.get(), kind, nullptr) != 1
        || EVP_DigestUpdate(state.get(), bytes[i].data(), bytes[i].size()) != 1
        || EVP_DigestFinal_ex(state.get(), sum.data(), &size) != 1)
      return row_error(i, std::string("could not compute ") + Name + " hash");
    if constexpr (Hex) {
      put_hex(out.reserve(std::size_t{2} * size), sum.data(), size);
      out.commit(i, std::size_t{2} * size);
    } else {
      out.append(i, {reinterpret_cast<const char*>(sum.data()), size});
    }
  }
  return out.take();
}

constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// PostgreSQL breaks lines after 76 characters (MIME), but not behind the `=` of the last ones.
void encode_base64(std::string_view bytes, std::string& out) {
  std::size_t line = 0;
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    if (line == 76) {
      out += '\n';
      line = 0;
    }
    const unsigned word = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    out += base64_digits[word >> 18];
    out += base64_digits[(word >> 12) & 63];
    out += i + 1 < bytes.size() ? base64_digits[(word >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? base64_digits[word & 63] : '=';
    line += 4;
  }
  if (line == 76 && bytes.size() % 3 == 0)
    out += '\n';
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

result<void> decode_base64(std::string_view text, std::string& out) {
  unsigned word = 0;
  int position = 0;
  int padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_blank(c))
      continue;
    unsigned value = 0;
    if (c == '=') {
      if (padding == 0) {
        if (position == 2)
          padding = 1;
        else if (position == 3)
          padding = 2;
        else
          return make_error(ec::evaluation, "unexpected \"=\" while decoding base64 sequence");
      }
    } else if (const char* found = std::char_traits<char>::find(base64_digits, 64, c)) {
      value = static_cast<unsigned>(found - base64_digits);
    } else {
      return make_error(ec::evaluation, "invalid symbol \""
                                            + std::string(text.substr(i, utf8::width(c)))
                                            + "\" found while decoding base64 sequence");
    }
    word = (word << 6) | value;
    if (++position == 4) {
      out += static_cast<char>(static_cast<unsigned char>((word >> 16) & 255));
      if (padding == 0 || padding > 1)
        out += static_cast<char>(static_cast<unsigned char>((word >> 8) & 255));
      if (padding == 0 || padding > 2)
        out += static_cast<char>(static_cast<unsigned char>(word & 255));
      word = 0;
      position = 0;
    }
  }
  if (position != 0)
    return make_error(ec::evaluation, "invalid base64 end sequence",
                      "input data is missing padding, is truncated, or is otherwise corrupted");
  return {};
}

void encode_hex(std::string_view bytes, std::string& out) {
  out.resize(bytes.size() * 2);
  put_hex(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

void encode_escape(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b == 0 || b >= 0x80) {
      out += '\\';
      out += static_cast<char>('0' + (b >> 6));
      out += static_cast<char>('0' + ((b >> 3) & 7));
      out += static_cast<char>('0' + (b & 7));
    } else {
      if (c == '\\')
        out += '\\';
      out += c;
    }
  }
}

/// `decode(x, 'hex')` and `'escape'` take what BYTEA's input takes, without the `\x`.
result<void> decode_hex(std::string_view text, std::string& out) {
  return parse_bytea("\\x" + std::string(text), out);
}

result<void> decode_escape(std::string_view text, std::string& out) {
  std::string guarded(text);
  // A leading `\x` is no hex form here; as escape form it is an error.
  if (text.starts_with("\\x"))
    return make_error(ec::evaluation, "invalid input syntax for type bytea");
  return parse_bytea(guarded, out);
}

error unknown_encoding(std::uint32_t i, std::string_view name) {
  return row_error(i, "unrecognized encoding: \"" + std::string(name) + '"',
                   "use hex, base64 or escape");
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c | 0x20);
  return lower;
}

result<column> encode(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const text_arg format(args[1]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    scratch.clear();
    const auto name = lower_ascii(format[i]);
    if (name == "hex")
      encode_hex(bytes[i], scratch);
    else if (name == "base64")
      encode_base64(bytes[i], scratch);
    else if (name == "escape")
      encode_escape(bytes[i], scratch);
    else
      return unknown_encoding(i, format[i]);
    out.append(i, scratch);
  }
  return out.take();
}

result<column> decode(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg format(args[1]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    scratch.clear();
    const auto name = lower_ascii(format[i]);
    if (name != "hex" && name != "base64" && name != "escape")
      return unknown_encoding(i, format[i]);
    auto decoded = name == "hex"      ? decode_hex(text[i], scratch)
                   : name == "base64" ? decode_base64(text[i], scratch)
                                      : decode_escape(text[i], scratch);
    if (!decoded) {
      decoded.error().row = i;
      return std::move(decoded).error();
    }
    out.append(i, scratch);
  }
  return out.take();
}

bool is_utf8_name(std::string_view name) {
  const auto lower = lower_ascii(name);
  return lower == "utf8" || lower == "utf-8" || lower == "unicode";
}

/// PostgreSQL shows the bytes that the broken character should have.
error broken_utf8(std::uint32_t i, std::string_view bytes) {
  std::string message = "invalid byte sequence for encoding \"UTF8\":";
  const auto lead = static_cast<unsigned char>(bytes.front());
  const std::size_t size = lead < 0xc0 || lead >= 0xf8 ? 1 : utf8::width(bytes.front());
  for (const char byte : bytes.substr(0, size)) {
    char digits[2];
    put_hex(digits, reinterpret_cast<const unsigned char*>(&byte), 1);
    message += " 0x";
    message.append(digits, 2);
  }
  return row_error(i, std::move(message));
}

error unsupported_encoding(std::string_view name) {
  return make_error(ec::unsupported, "encoding \"" + std::string(name) + "\" is not supported",
                    "use 'UTF8'");
}

/// UTF-8 only. From bytes the text is checked; to bytes nothing changes.
template <bool Check>
result<column> convert(const call_context& context, std::span<const column> args) {
  const text_arg bytes(args[0]);
  const text_arg encoding(args[1]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    if (!is_utf8_name(encoding[i])) {
      auto problem = unsupported_encoding(encoding[i]);
      problem.row = i;
      return problem;
    }
    if (Check) {
      const auto sound = utf8::valid_prefix(bytes[i]);
      if (sound != bytes[i].size())
        return broken_utf8(i, bytes[i].substr(sound));
    }
    out.share(i, bytes[i]);
  }
  return out.take();
}

/// A constant encoding is known before the first row.
result<std::shared_ptr<const bound_call>> check_encoding(std::span<const expr_ptr> args) {
  const auto& name = *args[1];
  if (name.kind == expr_kind::literal && !name.value.is_null(0)
      && !is_utf8_name(name.value.text_of(0)))
    return unsupported_encoding(name.value.text_of(0));
  return std::shared_ptr<const bound_call>{};
}

void add_conversion(function_catalog& catalog, const char* name, type_kind from, type_kind to,
                    kernel run) {
  scalar_function function;
  function.name = name;
  function.params = {sql_type{from}, sql_type{type_kind::text}};
  function.returns = sql_type{to};
  function.run = run;
  function.may_fail = true;
  function.bind = check_encoding;
  catalog.add(std::move(function));
}

} // namespace

void register_text_codes(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  add_overload(catalog, {"md5", {text}, text, digest<md5_name, true>});
  add_overload(catalog, {"md5", {bytea}, text, digest<md5_name, true>});
  add_overload(catalog, {"sha224", {bytea}, bytea, digest<sha224_name, false>});
  add_overload(catalog, {"sha256", {bytea}, bytea, digest<sha256_name, false>});
  add_overload(catalog, {"sha384", {bytea}, bytea, digest<sha384_name, false>});
  add_overload(catalog, {"sha512", {bytea}, bytea, digest<sha512_name, false>});
  add_overload(catalog, {"encode", {bytea, text}, text, encode, true});
  add_overload(catalog, {"decode", {text, text}, bytea, decode, true});
  add_conversion(catalog, "convert_from", bytea, text, convert<true>);
  add_conversion(catalog, "convert_to", text, bytea, convert<false>);
}

} // namespace ebb
