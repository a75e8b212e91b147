/// Tokens that clients show as `Authorization: Bearer`, and the file that they lie in.
#pragma once

#include "actors/gateway/caller.hpp"
#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// What is kept of a token. Its secret is not: 256 random bits, of which only the SHA-256 is here.
struct token_record {
  std::string id;   ///< eight hexadecimal digits, part of the token's text; names it to people
  std::string hash; ///< of the token's text, hexadecimal
  access_role role = access_role::viewer;
  std::vector<std::string> topics; ///< it may use no others; empty = all
  micros created = 0;
  micros expires = max_time; ///< from then on it is refused
  micros last_used = 0;      ///< 0 = never; noted at most once a minute

  bool operator==(const token_record&) const = default;
};

/// What a new token may do.
struct token_wish {
  access_role role = access_role::viewer;
  std::vector<std::string> topics;
  micros expires = max_time;
};

/// Pure but for create(), which asks the system for random bytes. Not thread-safe.
class token_store {
public:
  struct created {
    std::string text; ///< `ebb_ID_SECRET`; shown once, kept nowhere
    token_record record;
  };

  /// ec::invalid_argument where it would have expired already, or names what is no topic.
  [[nodiscard]] result<created> create(const token_wish& wish, micros now);

  /// ec::not_found.
  [[nodiscard]] result<void> revoke(std::string_view id);

  enum class verdict { good, unknown, expired };

  struct checked {
    verdict what = verdict::unknown;
    const token_record* record = nullptr; ///< of a good one; until the next change
  };

  /// Takes as long for a wrong secret as for the right one, whatever the length that they share,
  /// and for an id that there is not.
  [[nodiscard]] checked check(std::string_view text, micros now) const;

  /// The token was used; whether that is worth noting (a minute since the last).
  bool used(std::string_view id, micros now);

  [[nodiscard]] const std::vector<token_record>& all() const noexcept {
    return records_;
  }

  /// JSON. ec::corrupt where it is not what to_text writes.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static result<token_store> parse(std::string_view text);

private:
  std::vector<token_record> records_;
};

/// FOLDER/auth/tokens.json, readable by its owner alone. Where it exists, every request needs a
/// token, also when none is left in it. Times of use are in a file of their own beside it, so that
/// the server never writes what people change.
class token_file {
public:
  explicit token_file(std::string folder) : folder_(std::move(folder)) {}

  /// Nothing where there is no file. With times of use.
  [[nodiscard]] result<std::optional<token_store>> load() const;

  /// Replaces the file, durably and as a whole.
  [[nodiscard]] result<void> save(const token_store& tokens) const;

  /// Not durable: what is lost with the power is only when tokens were last used.
  [[nodiscard]] result<void> save_uses(const token_store& tokens) const;

  /// Another value means that the file may have changed. Cheap.
  [[nodiscard]] std::string version() const;

  [[nodiscard]] std::string path() const;

private:
  std::string folder_;
};

} // namespace ebb
