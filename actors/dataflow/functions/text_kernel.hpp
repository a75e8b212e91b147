/// Shared parts of text kernels: arguments as arrays, and results that share or own bytes.
#pragma once

#include "actors/dataflow/function.hpp"

#include <cstring>
#include <initializer_list>

namespace ebb {

/// Most bytes of a value that a function may blow up from short input (repeat, lpad, replace …).
inline constexpr std::size_t max_made_text = std::size_t{16} << 20;

/// A TEXT or BYTEA argument; constants have step 0.
class text_arg {
public:
  explicit text_arg(const column& x) : refs_(x.data<text_ref>()), step_(x.constant ? 0 : 1) {}

  [[nodiscard]] std::string_view operator[](std::uint32_t i) const noexcept {
    return refs_[i * step_].view();
  }

  /// Fetches the bytes of a later one of `rows` rows: they lie anywhere, one after the other would
  /// wait for memory.
  void fetch_ahead(std::uint32_t i, std::uint32_t rows) const noexcept {
    constexpr std::uint32_t distance = 12;
    if (step_ != 0 && i + distance < rows) {
      const auto& next = refs_[i + distance];
      __builtin_prefetch(next.data);
      __builtin_prefetch(next.data + next.size);
    }
  }

private:
  const text_ref* refs_;
  std::uint32_t step_;
};

/// An argument of fixed width; constants have step 0.
template <class T>
class value_arg {
public:
  explicit value_arg(const column& x) : values_(x.data<T>()), step_(x.constant ? 0 : 1) {}

  [[nodiscard]] T operator[](std::uint32_t i) const noexcept {
    return values_[i * step_];
  }

private:
  const T* values_;
  std::uint32_t step_;
};

/// True for rows that a strict kernel need not compute.
[[nodiscard]] inline bool skipped(const call_context& context, std::uint32_t i) noexcept {
  return context.valid != nullptr && !get_bit(context.valid, i);
}

[[nodiscard]] error row_error(std::uint32_t i, std::string message, std::string hint = {});
[[nodiscard]] error too_large(std::uint32_t i); ///< `requested length too large`

/// A TEXT or BYTEA result. Rows are empty until set; they may be set in any order. New bytes lie in
/// large shared buffers, shared bytes in the heaps of the arguments given to `share_heap`.
class text_output {
public:
  explicit text_output(const call_context& context)
      : column_(make_column(context.type, context.rows)), refs_(column_.mutable_data<text_ref>()),
        valid_(context.valid) {}

  /// Keeps the bytes of `source` alive, so that `share` may point at them.
  void share_heap(const column& source);

  void share(std::uint32_t i, std::string_view part) noexcept {
    refs_[i] = text_ref{part};
  }

  /// Room for `size` new bytes, valid until the next call; then `commit` what was written.
  [[nodiscard]] char* reserve(std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size || next_ == nullptr)
      grow(size);
    return next_;
  }

  void commit(std::uint32_t i, std::size_t size) noexcept {
    refs_[i] = text_ref{next_, static_cast<std::uint32_t>(size)};
    next_ += size;
  }

  void append(std::uint32_t i, std::string_view bytes) {
    char* to = reserve(bytes.size());
    if (!bytes.empty())
      std::memcpy(to, bytes.data(), bytes.size());
    commit(i, bytes.size());
  }

  void null(std::uint32_t i) {
    set_null(column_, i);
  }

  /// Rows that are NULL in an argument of a strict function are made empty.
  [[nodiscard]] column take() {
    for (std::uint32_t i = 0; valid_ != nullptr && i < column_.rows; ++i)
      if (!get_bit(valid_, i))
        refs_[i] = text_ref{};
    return std::move(column_);
  }

private:
  void grow(std::size_t size);

  column column_;
  text_ref* refs_;
  const std::uint8_t* valid_;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

/// Adds an overload; parameters are kinds without modifiers.
struct overload {
  const char* name;
  std::initializer_list<type_kind> params;
  type_kind returns;
  kernel run;
  bool may_fail = false;
  bool strict = true;
  bool variadic = false;
};

void add_overload(function_catalog& catalog, const overload& x);

// The parts of register_text, one a file.
void register_text_case(function_catalog& catalog);
void register_text_measures(function_catalog& catalog);
void register_text_slices(function_catalog& catalog);
void register_text_edits(function_catalog& catalog);
void register_text_concat(function_catalog& catalog);
void register_text_codes(function_catalog& catalog);
void register_text_format(function_catalog& catalog);
void register_text_bytes(function_catalog& catalog);

} // namespace ebb
