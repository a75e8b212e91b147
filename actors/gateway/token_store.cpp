#include "actors/gateway/token_store.hpp"

#include "schemas/label.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view prefix = "ebb_";
constexpr std::size_t id_digits = 8;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t text_size = prefix.size() + id_digits + 1 + 2 * secret_bytes;
constexpr int file_version = 1;

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

bool is_hexadecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string hash_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hexadecimal(digest.data(), digest.size());
}

result<std::string> random_text(std::size_t bytes) {
  std::array<unsigned char, secret_bytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(bytes)) != 1)
    return make_error(ec::internal, "the system gives no random bytes");
  return hexadecimal(random.data(), bytes);
}

std::optional<access_role> role_of(std::string_view text) {
  for (const auto role : {access_role::viewer, access_role::operator_, access_role::submitter})
    if (text == to_string(role))
      return role;
  return std::nullopt;
}

error corrupt(const char* what) {
  return make_error(ec::corrupt, std::string("the file of tokens is damaged: ") + what,
                    "restore it from a backup, or remove it and make new tokens: ebb auth init");
}

} // namespace

const char* to_string(access_role role) noexcept {
  switch (role) {
  case access_role::viewer:
    return "viewer";
  case access_role::operator_:
    return "operator";
  case access_role::submitter:
    return "submitter";
  }
  return "";
}

result<token_store::created> token_store::create(const token_wish& wish, micros now) {
  if (wish.expires <= now)
    return make_error(ec::invalid_argument, "the token would have expired already",
                      "give a time in the future");
  for (const auto& topic : wish.topics)
    if (!is_label(topic))
      return make_error(ec::invalid_argument, "no topic can be named " + topic,
                        "a name has 1 to 63 lower-case letters, digits and hyphens");
  created out;
  do {
    EBB_ASSIGN(out.record.id, random_text(id_digits / 2));
  } while (std::any_of(records_.begin(), records_.end(),
                       [&](const auto& x) { return x.id == out.record.id; }));
  EBB_ASSIGN(const auto secret, random_text(secret_bytes));
  out.text = std::string(prefix) + out.record.id + '_' + secret;
  out.record.hash = hash_of(out.text);
  out.record.role = wish.role;
  out.record.topics = wish.topics;
  out.record.created = now;
  out.record.expires = wish.expires;
  records_.push_back(out.record);
  return out;
}

result<void> token_store::revoke(std::string_view id) {
  const auto gone = std::erase_if(records_, [&](const auto& x) { return x.id == id; });
  if (gone == 0)
    return make_error(ec::not_found, "there is no token " + std::string(id),
                      "ebb auth token list shows their ids");
  return {};
}

token_store::checked token_store::check(std::string_view text, micros now) const {
  if (text.size() != text_size || !text.starts_with(prefix))
    return {};
  const auto id = text.substr(prefix.size(), id_digits);
  // Compared with something in any case, so that time does not tell which ids there are.
  static const token_record nobody{
      .id = {}, .hash = std::string(2 * SHA256_DIGEST_LENGTH, '-'), .topics = {}};
  const token_record* record = &nobody;
  for (const auto& x : records_)
    if (x.id == id)
      record = &x;
  const auto hash = hash_of(text);
  if (CRYPTO_memcmp(hash.data(), record->hash.data(), hash.size()) != 0)
    return {};
  if (record->expires <= now)
    return {verdict::expired, nullptr};
  return {verdict::good, record};
}

bool token_store::used(std::string_view id, micros now) {
  constexpr micros minute = 60 * micros_per_second;
  for (auto& x : records_)
    if (x.id == id && now - x.last_used >= minute) {
      x.last_used = now;
      return true;
    }
  return false;
}

std::string token_store::to_text() const {
  json tokens = json::array();
  for (const auto& x : records_) {
    json token{{"id", x.id},
               {"hash", x.hash},
               {"role", to_string(x.role)},
               {"topics", x.topics},
               {"created", x.created}};
    if (x.expires != max_time)
      token["expires"] = x.expires;
    tokens.push_back(std::move(token));
  }
  return json{{"version", file_version}, {"tokens", std::move(tokens)}}.dump(2) + '\n';
}

result<token_store> token_store::parse(std::string_view text) {
  token_store out;
  // A file that people may have edited: its types are not certain.
  try {
    const auto whole = json::parse(text);
    if (whole.at("version").get<int>() != file_version)
      return make_error(ec::unsupported, "the file of tokens is of another version of ebb",
                        "use the version of ebb that wrote it, or a newer one");
    for (const auto& x : whole.at("tokens")) {
      token_record record;
      record.id = x.at("id").get<std::string>();
      record.hash = x.at("hash").get<std::string>();
      const auto role = role_of(x.at("role").get<std::string>());
      if (record.id.size() != id_digits || !is_hexadecimal(record.id) || !role
          || record.hash.size() != 2 * SHA256_DIGEST_LENGTH || !is_hexadecimal(record.hash))
        return corrupt("an id, hash or role is none");
      record.role = *role;
      record.topics = x.at("topics").get<std::vector<std::string>>();
      record.created = x.at("created").get<micros>();
      record.expires = x.value("expires", max_time);
      out.records_.push_back(std::move(record));
    }
  } catch (const json::exception& problem) {
    return corrupt(problem.what());
  }
  return out;
}

} // namespace ebb
