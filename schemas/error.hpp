/// Errors as values: what went wrong, where, and what to do about it.
///
/// `error` and `result<T>` are used by every layer. They carry a place (file, line, column, field)
/// and a hint, since most of ebb's errors are read by a person.
#pragma once

#include "schemas/assert.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace ebb {

/// Kinds of failure. A kind says how the caller reacts, not where it happened.
enum class ec : std::uint8_t {
  invalid_argument, ///< the input (manifest, SQL, option) is wrong; nothing was started
  unsupported,      ///< understood, but ebb does not do it (yet)
  not_found,        ///< a named thing does not exist
  conflict,         ///< the thing exists or was changed by another
  bad_record,       ///< one record of a source cannot be read
  evaluation,       ///< an expression failed on a row (overflow, division by zero, bad cast)
  io,               ///< a file, device or connection failed
  resource,         ///< a limit of memory, disk or configuration was reached
  corrupt,          ///< stored bytes are damaged
  cancelled,        ///< stopped on request
  internal,         ///< a bug of ebb
};

[[nodiscard]] const char* to_string(ec code) noexcept;

/// Where an error lies in something a person wrote. Line and column count from 1; 0 = unknown.
struct error_place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string field; ///< dotted path (`spec.sources[0].file.path`) or column name; may be empty

  bool operator==(const error_place&) const = default;
};

/// A failure. A value type; cheap to move.
struct error {
  ec code = ec::internal;
  std::string
      message; ///< one sentence, lower case, no full stop; PostgreSQL's text where it has one
  error_place place;
  std::string hint;    ///< what to do; may be empty
  std::string excerpt; ///< the line of source text with a caret below; may be empty
  /// Row of the batch being evaluated, for errors of expressions; the operator turns it into the
  /// row's source and offset before the error leaves.
  std::optional<std::uint32_t> row;

  bool operator==(const error&) const = default;
};

[[nodiscard]] error make_error(ec code, std::string message, std::string hint = {});

/// `file:line:column: field: message` and the hint and excerpt on lines of their own.
[[nodiscard]] std::string to_string(const error& x);

/// A value or an error. `result<void>` is a plain success or an error.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}

  result(ebb::error problem) : state_(std::in_place_index<1>, std::move(problem)) {}

  explicit operator bool() const noexcept {
    return state_.index() == 0;
  }

  T& operator*() & {
    EBB_ASSERT(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }

  const T& operator*() const& {
    EBB_ASSERT(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }

  T&& operator*() && {
    EBB_ASSERT(state_.index() == 0);
    return std::move(*std::get_if<0>(&state_));
  }

  T* operator->() {
    return &**this;
  }

  const T* operator->() const {
    return &**this;
  }

  ebb::error& error() & {
    EBB_ASSERT(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

  const ebb::error& error() const& {
    EBB_ASSERT(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

  ebb::error&& error() && {
    EBB_ASSERT(state_.index() == 1);
    return std::move(*std::get_if<1>(&state_));
  }

private:
  std::variant<T, ebb::error> state_;
};

template <>
class [[nodiscard]] result<void> {
public:
  // Not defaulted: `return {}` would clear the whole object first, on paths that run per value.
  result() noexcept {}

  result(ebb::error problem) : error_(std::move(problem)) {}

  explicit operator bool() const noexcept {
    return !error_.has_value();
  }

  ebb::error& error() & {
    return *error_;
  }

  const ebb::error& error() const& {
    return *error_;
  }

  ebb::error&& error() && {
    return std::move(*error_);
  }

private:
  std::optional<ebb::error> error_;
};

/// Returns the error of `expression` from the enclosing function, if there is one.
#define EBB_TRY(expression)                                                                        \
  do {                                                                                             \
    if (auto ebb_try_result = (expression); !ebb_try_result)                                       \
      return std::move(ebb_try_result).error();                                                    \
  } while (false)

#define EBB_DETAIL_CONCAT_(a, b) a##b
#define EBB_DETAIL_CONCAT(a, b) EBB_DETAIL_CONCAT_(a, b)

/// `EBB_ASSIGN(auto x, f())`: x is the value of f(), or the enclosing function returns f's error.
#define EBB_ASSIGN(declaration, expression)                                                        \
  auto EBB_DETAIL_CONCAT(ebb_assign_, __LINE__) = (expression);                                    \
  if (!EBB_DETAIL_CONCAT(ebb_assign_, __LINE__))                                                   \
    return std::move(EBB_DETAIL_CONCAT(ebb_assign_, __LINE__)).error();                            \
  declaration = *std::move(EBB_DETAIL_CONCAT(ebb_assign_, __LINE__))

} // namespace ebb
