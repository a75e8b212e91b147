/// Typed access to the nodes of a manifest: every wrong type, range, key or word becomes an error
/// with its place, what was expected and what to write instead.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/plan/manifest_rules.hpp"
#include "actors/plan/manifest_yaml.hpp"

#include <initializer_list>
#include <span>
#include <utility>

namespace ebb::manifest {

/// A node and the dotted path that leads to it.
struct located {
  const yaml_node* node = nullptr; ///< null where the field is not given
  std::string path;

  explicit operator bool() const noexcept {
    return node != nullptr;
  }
};

/// How a text that holds SQL stands in the file.
struct sql_place {
  error_place start; ///< of the text's first character
  bool is_block = false;
  std::uint32_t indent = 0;
};

class reader {
public:
  /// `rules`, where given, gets what is asked of each field.
  reader(const yaml_source& source, std::vector<error>& warnings,
         std::vector<field_rule>* rules = nullptr)
      : source_(source), warnings_(warnings), rules_(rules) {}

  [[nodiscard]] error fail(const located& at, std::string message, std::string hint = {},
                           ec code = ec::invalid_argument) const;
  void warn(const located& at, std::string message, std::string hint = {}) const;
  [[nodiscard]] error_place place(const located& at) const;

  /// `at` must be a map (nothing counts as an empty one where `or_nothing`) with only these keys.
  [[nodiscard]] result<void> keys(const located& at, std::span<const std::string_view> known,
                                  bool or_nothing = false) const;

  [[nodiscard]] result<void> keys(const located& at, std::initializer_list<std::string_view> known,
                                  bool or_nothing = false) const {
    return keys(at, std::span<const std::string_view>(known.begin(), known.size()), or_nothing);
  }

  /// The field of a map; its `node` is null when it is not there.
  [[nodiscard]] static located field(const located& at, std::string_view key);
  /// The field, or an error that it is missing; `example` says what to write.
  [[nodiscard]] result<located> required(const located& at, std::string_view key,
                                         std::string_view example) const;
  /// The items of a list; none when the field is not given.
  [[nodiscard]] result<std::vector<located>> items(const located& at, std::string_view what,
                                                   std::size_t limit) const;

  [[nodiscard]] result<std::string> text(const located& at, std::string_view what) const;
  [[nodiscard]] result<bool> boolean(const located& at) const;
  [[nodiscard]] result<std::uint64_t> integer(const located& at, std::uint64_t low,
                                              std::uint64_t high) const;
  [[nodiscard]] result<micros> duration(const located& at, micros low = 0) const;
  /// Nothing where it is `word`.
  [[nodiscard]] result<std::optional<micros>> duration_or(const located& at, std::string_view word,
                                                          micros low = 0) const;
  [[nodiscard]] result<std::uint64_t> size(const located& at) const;

  /// One of the words; the index of the one that it is.
  [[nodiscard]] result<std::size_t> word(const located& at,
                                         std::initializer_list<std::string_view> words) const;

  /// An object of names and texts; nothing is checked where the field is not given.
  [[nodiscard]] result<void> texts(const located& at) const;
  /// An object of names and amounts as Kubernetes writes them: `500m`, `1.5`, `64Mi`.
  [[nodiscard]] result<void> quantities(const located& at) const;
  /// An object that others read.
  [[nodiscard]] result<void> object(const located& at) const;
  /// Exactly one of the keys may be given: for `rules` alone, the caller checks it.
  void note_choice(const located& at, std::span<const std::string_view> keys) const;

  /// RFC 1123 label: lower-case letters, digits and `-`, at most 63.
  [[nodiscard]] result<std::string> label(const located& at) const;
  /// Name that SQL can use: a letter or `_`, then letters, digits and `_`, at most 63.
  [[nodiscard]] result<std::string> identifier(const located& at) const;

  /// `expected x, found y`.
  [[nodiscard]] error mismatch(const located& at, std::string_view expected,
                               std::string hint = {}) const;
  /// Where the SQL of a text node begins. May replace `sql` by the same text with its line breaks
  /// kept (a folded block), so that places stay right.
  [[nodiscard]] sql_place place_of_sql(const located& at, std::string& sql) const;
  /// An error of the SQL front end whose place counts from the text's start, put into the file.
  [[nodiscard]] error place_sql_error(error problem, const sql_place& place) const;

private:
  [[nodiscard]] result<std::string> plain_text(const located& at, std::string_view what) const;
  void note(const located& at, field_kind kind, std::span<const std::string_view> words = {},
            std::uint64_t low = 0, std::uint64_t high = 0) const;

  const yaml_source& source_;
  std::vector<error>& warnings_;
  std::vector<field_rule>* rules_;
};

/// The hint `did you mean x?`, or what else there is.
[[nodiscard]] std::string nearest_hint(std::string_view word,
                                       std::span<const std::string_view> known);

} // namespace ebb::manifest
