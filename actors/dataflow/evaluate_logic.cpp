// Evaluation of AND, OR, CASE and COALESCE: what is evaluated for which rows.

#include "actors/dataflow/evaluate_parts.hpp"

#include <algorithm>
#include <numeric>

namespace ebb::evaluation {

namespace {

column from_truth(const std::vector<std::uint8_t>& truths) {
  const auto rows = static_cast<std::uint32_t>(truths.size());
  auto result = make_column(sql_type{type_kind::boolean}, rows);
  auto* values = result.mutable_data<std::uint8_t>();
  std::uint8_t seen = 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    values[i] = static_cast<std::uint8_t>(truths[i] >> 1);
    seen = static_cast<std::uint8_t>(seen | truths[i]);
  }
  if ((seen & maybe) != 0) {
    auto* bits = ensure_validity(result);
    for (std::uint32_t i = 0; i < rows; ++i)
      if (truths[i] == maybe)
        clear_bit(bits, i);
  }
  return result;
}

// Puts together the rows of CASE and COALESCE: each row of the result is a row of one branch.
class branch_merger {
public:
  branch_merger(sql_type type, std::uint32_t rows) : type_(type), from_(rows, 0) {}

  // Rows `places` of the result are the rows of `value`, in order.
  void add(column value, const std::vector<std::uint32_t>& places) {
    value.type = type_;
    if (value.constant) {
      for (const auto place : places)
        from_[place] = stored_;
      value = single(std::move(value));
    } else {
      for (std::uint32_t i = 0; i < places.size(); ++i)
        from_[places[i]] = stored_ + i;
    }
    stored_ += value.rows;
    parts_.push_back(std::move(value));
  }

  [[nodiscard]] column take() {
    const auto rows = static_cast<std::uint32_t>(from_.size());
    if (parts_.empty())
      return make_null_column(type_, rows);
    std::vector<const column*> parts;
    parts.reserve(parts_.size());
    for (const auto& part : parts_)
      parts.push_back(&part);
    return gather(concatenate(parts), from_.data(), rows);
  }

private:
  sql_type type_;
  std::vector<std::uint32_t> from_;
  std::vector<column> parts_;
  std::uint32_t stored_ = 0;
};

} // namespace

void truth_of(const column& x, std::uint32_t rows, std::uint8_t* out) {
  const auto* values = x.data<std::uint8_t>();
  if (x.constant) {
    std::fill_n(out, rows, x.is_null(0) ? maybe : values[0] != 0 ? yes : no);
    return;
  }
  for (std::uint32_t i = 0; i < rows; ++i)
    out[i] = static_cast<std::uint8_t>(values[i] << 1);
  if (!x.validity)
    return;
  const auto* bits = x.validity.as<const std::uint8_t>();
  for (std::uint32_t first = 0; first < rows; first += 8)
    if (bits[first >> 3] != 0xff)
      for (auto i = first; i < std::min(first + 8, rows); ++i)
        if (!get_bit(bits, i))
          out[i] = maybe;
}

// AND and OR. An operand that may fail sees only the rows that the earlier ones left open, as
// PostgreSQL evaluates from left to right.
result<column> and_or(const expr& x, const batch& input, selection picked) {
  const bool conjunction = x.kind == expr_kind::and_;
  const std::uint8_t decided = conjunction ? no : yes;
  EBB_ASSIGN(const auto first, evaluate(*x.args.front(), input, picked));
  std::vector<std::uint8_t> truths(picked.count);
  truth_of(first, picked.count, truths.data());
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> rows;
  std::vector<std::uint8_t> other(picked.count);
  for (std::size_t k = 1; k < x.args.size(); ++k) {
    const auto& arg = *x.args[k];
    places.clear();
    if (arg.may_fail) {
      for (std::uint32_t i = 0; i < picked.count; ++i)
        if (truths[i] != decided)
          places.push_back(i);
      if (places.empty())
        break;
    }
    const bool partial = arg.may_fail && places.size() < picked.count;
    selection part = picked;
    if (partial) {
      rows.resize(places.size());
      std::transform(places.begin(), places.end(), rows.begin(),
                     [&](auto i) { return picked.row(i); });
      part = {rows.data(), static_cast<std::uint32_t>(rows.size())};
    }
    EBB_ASSIGN(const auto value, evaluate(arg, input, part));
    truth_of(value, part.count, other.data());
    const auto merge = [&](const auto& choose) {
      if (partial)
        for (std::uint32_t i = 0; i < part.count; ++i)
          truths[places[i]] = choose(truths[places[i]], other[i]);
      else
        for (std::uint32_t i = 0; i < part.count; ++i)
          truths[i] = choose(truths[i], other[i]);
    };
    if (conjunction)
      merge([](std::uint8_t a, std::uint8_t b) { return std::min(a, b); });
    else
      merge([](std::uint8_t a, std::uint8_t b) { return std::max(a, b); });
  }
  return from_truth(truths);
}

result<column> case_of(const expr& x, const batch& input, selection picked) {
  std::vector<std::uint32_t> open(picked.count);
  std::iota(open.begin(), open.end(), 0U);
  branch_merger merger{x.type, picked.count};
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> taken;
  std::vector<std::uint8_t> truths(picked.count);
  const auto select = [&](const std::vector<std::uint32_t>& places) {
    if (places.size() == picked.count)
      return picked;
    rows.resize(places.size());
    std::transform(places.begin(), places.end(), rows.begin(),
                   [&](auto i) { return picked.row(i); });
    return selection{rows.data(), static_cast<std::uint32_t>(rows.size())};
  };
  const std::size_t pairs = x.args.size() / 2;
  for (std::size_t k = 0; k < pairs && !open.empty(); ++k) {
    // A column is there for all rows: no need to gather the open ones.
    const bool whole = x.args[2 * k]->kind == expr_kind::column && picked.rows == nullptr;
    EBB_ASSIGN(const auto condition,
               evaluate(*x.args[2 * k], input, whole ? picked : select(open)));
    truth_of(condition, condition.rows, truths.data());
    taken.resize(open.size());
    std::size_t kept = 0;
    std::size_t left = 0;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const auto row = open[i];
      const bool take = truths[whole ? row : i] == yes;
      taken[left] = row;
      left += take ? 1 : 0;
      open[kept] = row;
      kept += take ? 0 : 1;
    }
    taken.resize(left);
    open.resize(kept);
    if (taken.empty())
      continue;
    EBB_ASSIGN(auto value, evaluate(*x.args[2 * k + 1], input, select(taken)));
    merger.add(std::move(value), taken);
  }
  if (!open.empty()) {
    if (x.args.size() % 2 == 1) {
      EBB_ASSIGN(auto value, evaluate(*x.args.back(), input, select(open)));
      merger.add(std::move(value), open);
    } else {
      merger.add(constant_of(make_null_column(x.type, 1), static_cast<std::uint32_t>(open.size())),
                 open);
    }
  }
  return merger.take();
}

result<column> coalesce(const expr& x, const batch& input, selection picked) {
  std::vector<std::uint32_t> open(picked.count);
  std::iota(open.begin(), open.end(), 0U);
  branch_merger merger{x.type, picked.count};
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> taken;
  std::vector<std::uint32_t> within;
  for (std::size_t k = 0; k < x.args.size() && !open.empty(); ++k) {
    rows.resize(open.size());
    std::transform(open.begin(), open.end(), rows.begin(), [&](auto i) { return picked.row(i); });
    const selection part{rows.data(), static_cast<std::uint32_t>(rows.size())};
    EBB_ASSIGN(auto value, evaluate(*x.args[k], input, part));
    if (k == 0 && !value.has_nulls()) {
      value.type = x.type;
      return value;
    }
    const bool last = k + 1 == x.args.size();
    taken.clear();
    within.clear();
    std::size_t kept = 0;
    for (std::uint32_t i = 0; i < part.count; ++i) {
      if (last || !value.is_null(i)) {
        taken.push_back(open[i]);
        within.push_back(i);
      } else {
        open[kept++] = open[i];
      }
    }
    open.resize(kept);
    if (!taken.empty())
      merger.add(gather(value, within.data(), static_cast<std::uint32_t>(within.size())), taken);
  }
  return merger.take();
}

} // namespace ebb::evaluation
