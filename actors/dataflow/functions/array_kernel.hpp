/// Shared parts of array kernels: arguments as ranges of elements, and results built from elements
/// of other columns. Arrays have one dimension and start at subscript 1.
#pragma once

#include "actors/dataflow/functions/text_kernel.hpp"

#include <array>
#include <memory>
#include <vector>

namespace ebb {

/// Every type an array may have elements of.
inline constexpr std::array element_kinds = {
    type_kind::boolean,  type_kind::smallint,  type_kind::integer,
    type_kind::bigint,   type_kind::real,      type_kind::double_precision,
    type_kind::numeric,  type_kind::text,      type_kind::bytea,
    type_kind::date,     type_kind::timestamp, type_kind::timestamptz,
    type_kind::interval, type_kind::jsonb,
};

/// An array argument; row i has the elements first(i) … last(i) - 1 of `elements()`.
class array_arg {
public:
  explicit array_arg(const column& x)
      : offsets_(x.data<std::uint32_t>()), step_(x.constant ? 0 : 1), child_(x.child) {}

  [[nodiscard]] std::uint32_t first(std::uint32_t i) const noexcept {
    return offsets_[i * step_];
  }

  [[nodiscard]] std::uint32_t last(std::uint32_t i) const noexcept {
    return offsets_[i * step_ + 1];
  }

  [[nodiscard]] std::uint32_t size(std::uint32_t i) const noexcept {
    return last(i) - first(i);
  }

  [[nodiscard]] const column& elements() const noexcept {
    return *child_;
  }

private:
  const std::uint32_t* offsets_;
  std::uint32_t step_;
  std::shared_ptr<const column> child_;
};

/// An array result whose elements come from other columns. Rows are ended in order.
class array_output {
public:
  explicit array_output(const call_context& context);

  /// Makes the rows of `elements` available; its row k has the number `result + k`. A constant has
  /// one row.
  [[nodiscard]] std::uint32_t add_source(const column& elements);

  void append(std::uint32_t element) {
    picks_.push_back(element);
  }

  /// Appends all elements of a new source.
  void append(const std::shared_ptr<const column>& elements);

  void end_row(std::uint32_t i) {
    offsets_[i + 1] = static_cast<std::uint32_t>(picks_.size());
  }

  void null_row(std::uint32_t i) {
    end_row(i);
    set_null(column_, i);
  }

  [[nodiscard]] column take();

private:
  column column_;
  std::uint32_t* offsets_;
  std::vector<column> sources_;
  std::uint32_t stored_ = 0;
  std::vector<std::uint32_t> picks_;
};

/// A TEXT[] result whose elements share bytes of the sources given to `share_heap`, or are
/// literals. Rows are ended in order.
class text_array_output {
public:
  explicit text_array_output(const call_context& context);

  void share_heap(const column& source);

  void append(std::string_view element) {
    elements_.push_back(text_ref{element});
  }

  void append_null() {
    nulls_.push_back(static_cast<std::uint32_t>(elements_.size()));
    elements_.push_back(text_ref{});
  }

  void end_row(std::uint32_t i) {
    offsets_[i + 1] = static_cast<std::uint32_t>(elements_.size());
  }

  void null_row(std::uint32_t i) {
    end_row(i);
    set_null(column_, i);
  }

  [[nodiscard]] column take();

private:
  column column_;
  std::uint32_t* offsets_;
  std::vector<text_ref> elements_;
  std::vector<std::uint32_t> nulls_;
  std::vector<buffer_ptr> heap_;
};

/// Row i of `a` and row k of `b`, of one kind and not NULL, are equal by SQL's `=`.
[[nodiscard]] bool equal_values(const column& a, std::uint32_t i, const column& b, std::uint32_t k);

// The parts of register_array, one a file.
void register_array_build(function_catalog& catalog);
void register_array_search(function_catalog& catalog);
void register_array_comparisons(function_catalog& catalog);
void register_array_text(function_catalog& catalog);
/// Casts between array types whose elements have a cast; call when those are registered.
void register_array_casts(function_catalog& catalog);

} // namespace ebb
