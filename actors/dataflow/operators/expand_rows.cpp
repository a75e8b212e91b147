#include "actors/dataflow/operators/expand_rows.hpp"

#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/key_words.hpp"
#include "actors/dataflow/operators/pass_time.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace ebb {

namespace {

constexpr std::uint32_t no_element = UINT32_MAX;
/// Arguments are computed for so many rows at a time: what arrays they make is not all held at
/// once.
constexpr std::uint32_t slice_rows = 1024;

class expand_rows final : public stream_operator {
public:
  expand_rows(const expand_rows_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)),
        elements_(spec_.series ? std::size_t{1} : spec_.args.size()) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (item != nullptr && item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      rows_ = item->rows->rows == 0 ? nullptr : item->rows;
      row_ = slice_first_ = slice_end_ = 0;
    } else if (item != nullptr) {
      pass_time(*item, out);
    }
    if (!rows_)
      return false;
    if (row_ == slice_end_)
      EBB_TRY(start_slice());
    EBB_TRY(fill(std::clamp<std::uint32_t>(budget.rows, 1, 4096)));
    emit(budget, out);
    if (row_ == rows_->rows)
      rows_ = nullptr;
    return rows_ != nullptr;
  }

  operator_counters counters() const override {
    return counters_;
  }

private:
  // Arguments of the next rows. A row that fails does so after the rows before it have gone on.
  result<void> start_slice() {
    slice_first_ = row_;
    slice_end_ = std::min(rows_->rows, row_ + slice_rows);
    while (true) {
      std::vector<std::uint32_t> picks(slice_end_ - slice_first_);
      std::iota(picks.begin(), picks.end(), slice_first_);
      const selection picked{picks.data(), static_cast<std::uint32_t>(picks.size())};
      args_.clear();
      std::optional<error> problem;
      for (const auto& x : spec_.args) {
        auto value = evaluate(*x, *rows_, picked);
        if (!value) {
          problem = std::move(value).error();
          break;
        }
        args_.push_back(*std::move(value));
      }
      if (!problem)
        break;
      const auto failed = problem->row.value_or(slice_first_);
      if (failed == slice_first_)
        return name_row(*std::move(problem), *rows_, context_.name);
      slice_end_ = failed;
    }
    begin_row();
    return {};
  }

  // Where the present row is in what was computed.
  [[nodiscard]] std::uint32_t place() const noexcept {
    return row_ - slice_first_;
  }

  void begin_row() noexcept {
    made_ = 0;
    started_ = false;
  }

  /// Rows of the slice, at most `room`.
  result<void> fill(std::uint32_t room) {
    picks_.clear();
    numbers_.clear();
    values_.clear();
    for (auto& x : elements_)
      x.clear();
    while (row_ < slice_end_ && picks_.size() < room) {
      if (spec_.series) {
        if (auto made = fill_series(room); !made) {
          auto problem = std::move(made).error();
          problem.row = row_;
          return name_row(std::move(problem), *rows_, context_.name);
        }
      } else {
        fill_elements(room);
      }
    }
    return {};
  }

  void add_empty() {
    picks_.push_back(row_);
    numbers_.push_back(0);
    if (spec_.series)
      values_.push_back(0);
    else
      for (auto& x : elements_)
        x.push_back(no_element);
  }

  void end_row() {
    if (made_ == 0 && spec_.keeps_empty)
      add_empty();
    ++row_;
    begin_row();
  }

  void fill_elements(std::uint32_t room) {
    std::uint32_t most = 0;
    firsts_.clear();
    sizes_.clear();
    for (const auto& x : args_) {
      const auto at = x.at(place());
      const auto* offsets = x.data<std::uint32_t>();
      const auto size = x.is_null(place()) ? 0 : offsets[at + 1] - offsets[at];
      firsts_.push_back(size == 0 ? 0 : offsets[at]);
      sizes_.push_back(size);
      most = std::max(most, size);
    }
    for (; made_ < most && picks_.size() < room; ++made_) {
      picks_.push_back(row_);
      numbers_.push_back(made_ + 1);
      for (std::size_t a = 0; a < elements_.size(); ++a)
        elements_[a].push_back(made_ < sizes_[a] ? firsts_[a] + static_cast<std::uint32_t>(made_)
                                                 : no_element);
    }
    if (made_ >= most)
      end_row();
  }

  [[nodiscard]] std::int64_t integer(std::size_t arg) const noexcept {
    const auto& x = args_[arg];
    const auto at = x.at(place());
    return x.type.kind == type_kind::integer ? x.data<std::int32_t>()[at]
                                             : x.data<std::int64_t>()[at];
  }

  [[nodiscard]] bool by_interval() const noexcept {
    return spec_.args[2]->type.kind == type_kind::interval;
  }

  [[nodiscard]] const interval_value& interval() const noexcept {
    return args_[2].data<interval_value>()[args_[2].at(place())];
  }

  result<void> fill_series(std::uint32_t room) {
    if (std::any_of(args_.begin(), args_.end(),
                    [&](const auto& x) { return x.is_null(place()); })) {
      end_row();
      return {};
    }
    const auto sign = by_interval() ? comparable(interval()) : int128{integer(2)};
    if (sign == 0)
      return make_error(ec::evaluation, "step size cannot equal zero");
    const auto to = integer(1);
    if (!started_) {
      value_ = integer(0);
      started_ = true;
      ended_ = false;
      if (by_interval() && (value_ == min_time || value_ == max_time))
        return make_error(ec::evaluation, "timestamp out of range",
                          "a series begins with a finite time");
    }
    while (!ended_ && (sign > 0 ? value_ <= to : value_ >= to)) {
      if (picks_.size() >= room)
        return {};
      picks_.push_back(row_);
      numbers_.push_back(static_cast<std::int64_t>(++made_));
      values_.push_back(value_);
      EBB_TRY(advance());
    }
    end_row();
    return {};
  }

  result<void> advance() {
    if (!by_interval()) {
      ended_ = __builtin_add_overflow(value_, integer(2), &value_)
               || (spec_.args[0]->type.kind == type_kind::integer
                   && value_ != static_cast<std::int32_t>(value_));
      return {};
    }
    if (const auto problem = time_kernel::add_interval(value_, interval(), value_);
        problem != time_kernel::ok)
      return make_error(ec::evaluation, problem);
    return {};
  }

  [[nodiscard]] column series_column(std::uint32_t count) const {
    const auto& type = spec_.args[0]->type;
    auto made = make_column(type, count);
    if (type.kind == type_kind::integer)
      std::transform(values_.begin(), values_.end(), made.mutable_data<std::int32_t>(),
                     [](std::int64_t x) { return static_cast<std::int32_t>(x); });
    else
      std::copy(values_.begin(), values_.end(), made.mutable_data<std::int64_t>());
    return made;
  }

  [[nodiscard]] column element_column(std::size_t a) const {
    const auto& from = *args_[a].child;
    const auto count = static_cast<std::uint32_t>(elements_[a].size());
    if (from.rows == 0)
      return make_null_column(spec_.args[a]->type.element_type(), count);
    auto picks = elements_[a];
    std::replace(picks.begin(), picks.end(), no_element, 0U);
    auto made = materialize(gather(from, picks.data(), count));
    made.type = spec_.args[a]->type.element_type();
    for (std::uint32_t i = 0; i < count; ++i)
      if (elements_[a][i] == no_element)
        set_null(made, i);
    return made;
  }

  void emit(step_budget& budget, output& out) {
    const auto count = static_cast<std::uint32_t>(picks_.size());
    budget.rows -= std::min(budget.rows, std::max(1U, count));
    if (count == 0)
      return;
    auto made = std::make_shared<batch>(gather(*rows_, picks_.data(), count));
    if (spec_.series)
      made->columns.push_back(series_column(count));
    else
      for (std::size_t a = 0; a < elements_.size(); ++a)
        made->columns.push_back(element_column(a));
    if (spec_.ordinality) {
      auto numbers = make_column(sql_type{type_kind::bigint}, count);
      std::copy(numbers_.begin(), numbers_.end(), numbers.mutable_data<std::int64_t>());
      made->columns.push_back(std::move(numbers));
    }
    // A row that was kept without elements has number 0.
    const auto width = rows_->columns.size();
    for (std::uint32_t i = 0; i < count; ++i)
      if (numbers_[i] == 0)
        for (auto k = width; k < made->columns.size(); ++k)
          set_null(made->columns[k], i);
    counters_.rows_out += count;
    out.emit(std::move(made));
  }

  expand_rows_spec spec_;
  operator_context context_;
  operator_counters counters_;
  batch_ptr rows_; ///< being expanded
  std::uint32_t row_ = 0;
  std::uint32_t slice_first_ = 0;
  std::uint32_t slice_end_ = 0;
  std::vector<column> args_; ///< of the slice
  // Of the present row:
  std::uint64_t made_ = 0; ///< rows so far
  bool started_ = false;   ///< a series
  bool ended_ = false;     ///< its next value would be out of range
  std::int64_t value_ = 0;
  std::vector<std::uint32_t> firsts_;
  std::vector<std::uint32_t> sizes_;
  // What comes out next:
  std::vector<std::uint32_t> picks_;
  std::vector<std::int64_t> numbers_;
  std::vector<std::int64_t> values_;
  std::vector<std::vector<std::uint32_t>> elements_; ///< by array
};

} // namespace

std::unique_ptr<stream_operator> make_expand_rows(const expand_rows_spec& spec,
                                                  operator_context context) {
  return std::make_unique<expand_rows>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const expand_rows_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto types = inputs[0];
  if (spec.series)
    types.push_back(spec.args[0]->type);
  else
    for (const auto& x : spec.args)
      types.push_back(x->type.element_type());
  if (spec.ordinality)
    types.push_back(sql_type{type_kind::bigint});
  return types;
}

} // namespace ebb
