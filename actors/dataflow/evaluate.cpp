// Evaluation of bound expressions. The selection is applied once, where a column enters the
// expression; above that every kernel runs over dense arrays.

#include "actors/dataflow/expr.hpp"
#include "actors/dataflow/function.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

std::size_t bit_bytes(std::uint32_t rows) noexcept {
  return (static_cast<std::size_t>(rows) + 7) / 8;
}

column constant_of(column one_row, std::uint32_t rows) {
  one_row.constant = true;
  one_row.rows = rows;
  return one_row;
}

// A one-row plain column from a constant one, for kernels, which never see only constants.
column single(column constant) {
  constant.constant = false;
  constant.rows = 1;
  return constant;
}

void and_bits(std::uint8_t* into, const std::uint8_t* other, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i)
    into[i] = static_cast<std::uint8_t>(into[i] & other[i]);
}

// AND of the validity of the arguments that are not constant; null = all valid.
buffer_ptr combined_validity(std::span<const column> args, std::uint32_t rows) {
  buffer_ptr combined;
  bool owned = false;
  for (const auto& arg : args) {
    if (arg.constant || !arg.validity)
      continue;
    if (!combined) {
      combined = arg.validity;
      continue;
    }
    if (!owned) {
      auto copy = buffer_ptr::make(bit_bytes(rows));
      std::memcpy(copy.as<std::byte>(), combined.as<const std::byte>(), bit_bytes(rows));
      combined = copy;
      owned = true;
    }
    and_bits(combined.as<std::uint8_t>(), arg.validity.as<const std::uint8_t>(), bit_bytes(rows));
  }
  return combined;
}

error at_row(error problem, selection picked) {
  problem.row = picked.row(problem.row.value_or(0));
  return problem;
}

// The call with its first argument computed, unless `args` is empty; then the others are.
result<column> evaluate_rest(const expr& x, std::vector<column> args, const batch& input,
                             selection picked) {
  args.reserve(x.args.size());
  for (auto i = args.size(); i < x.args.size(); ++i) {
    EBB_ASSIGN(auto value, evaluate(*x.args[i], input, picked));
    args.push_back(std::move(value));
  }
  const bool all_constant =
      std::all_of(args.begin(), args.end(), [](const auto& arg) { return arg.constant; });
  const auto& function = *x.function;
  if (function.strict)
    for (const auto& arg : args)
      if (arg.constant && arg.is_null(0))
        return constant_of(make_null_column(x.type, 1), picked.count);
  if (all_constant) {
    for (auto& arg : args)
      arg = single(std::move(arg));
    auto value = function.run({x.type, 1, x.bound.get(), nullptr}, args);
    if (!value)
      return at_row(std::move(value).error(), picked);
    value->type = x.type;
    return constant_of(*std::move(value), picked.count);
  }
  buffer_ptr valid;
  if (function.strict)
    valid = combined_validity(args, picked.count);
  auto value = function.run(
      {x.type, picked.count, x.bound.get(), valid ? valid.as<const std::uint8_t>() : nullptr},
      args);
  if (!value)
    return at_row(std::move(value).error(), picked);
  value->type = x.type;
  if (valid) {
    if (value->constant)
      *value = materialize(*std::move(value));
    if (!value->validity) {
      value->validity = valid;
    } else {
      auto both = buffer_ptr::make(bit_bytes(picked.count));
      std::memcpy(both.as<std::byte>(), value->validity.as<const std::byte>(),
                  bit_bytes(picked.count));
      and_bits(both.as<std::uint8_t>(), valid.as<const std::uint8_t>(), bit_bytes(picked.count));
      value->validity = both;
    }
  }
  return value;
}

// Calls that are the first argument of a call: chains such as a + b + c may be long, so they are
// evaluated from the innermost out without recursion.
result<column> evaluate_call(const expr& x, const batch& input, selection picked) {
  const auto inner = [](const expr& call) {
    return !call.args.empty() && call.args.front()->kind == expr_kind::call;
  };
  if (!inner(x))
    return evaluate_rest(x, {}, input, picked);
  std::vector<const expr*> chain{&x};
  while (inner(*chain.back()))
    chain.push_back(chain.back()->args.front().get());
  EBB_ASSIGN(auto value, evaluate_rest(*chain.back(), {}, input, picked));
  for (auto i = chain.size() - 1; i-- > 0;) {
    std::vector<column> args;
    args.push_back(std::move(value));
    EBB_ASSIGN(value, evaluate_rest(*chain[i], std::move(args), input, picked));
  }
  return value;
}

// Three-valued truth of each row, in an order that makes AND the minimum and OR the maximum.
enum truth : std::uint8_t { no = 0, maybe = 1, yes = 2 };

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

// AND and OR. An operand that may fail sees only the rows that the earlier ones left open, as
// PostgreSQL evaluates from left to right.
result<column> evaluate_and_or(const expr& x, const batch& input, selection picked) {
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

result<column> evaluate_case(const expr& x, const batch& input, selection picked) {
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

result<column> evaluate_coalesce(const expr& x, const batch& input, selection picked) {
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

result<column> evaluate_null_test(const expr& x, const batch& input, selection picked) {
  EBB_ASSIGN(const auto value, evaluate(*x.args.front(), input, picked));
  const bool wanted = x.kind == expr_kind::is_null;
  auto out = make_column(sql_type{type_kind::boolean}, value.constant ? 1 : picked.count);
  auto* flags = out.mutable_data<std::uint8_t>();
  if (value.constant) {
    flags[0] = value.is_null(0) == wanted ? 1 : 0;
    return constant_of(std::move(out), picked.count);
  }
  if (!value.has_nulls()) {
    std::memset(flags, wanted ? 0 : 1, picked.count);
    return out;
  }
  for (std::uint32_t i = 0; i < picked.count; ++i)
    flags[i] = value.is_null(i) == wanted ? 1 : 0;
  return out;
}

result<column> evaluate_not(const expr& x, const batch& input, selection picked) {
  EBB_ASSIGN(const auto value, evaluate(*x.args.front(), input, picked));
  const auto stored = value.constant ? 1 : picked.count;
  auto out = make_column(sql_type{type_kind::boolean}, stored);
  auto* flags = out.mutable_data<std::uint8_t>();
  const auto* from = value.data<std::uint8_t>();
  for (std::uint32_t i = 0; i < stored; ++i)
    flags[i] = from[i] == 0 ? 1 : 0;
  out.validity = value.validity;
  out.constant = value.constant;
  out.rows = picked.count;
  return out;
}

// Writes the rows of `picked` where the BOOLEAN column is true.
std::uint32_t true_rows(const column& flags, selection picked, std::uint32_t* out) {
  std::uint32_t count = 0;
  if (flags.constant) {
    if (flags.is_null(0) || flags.data<std::uint8_t>()[0] == 0)
      return 0;
    for (std::uint32_t i = 0; i < picked.count; ++i)
      out[i] = picked.row(i);
    return picked.count;
  }
  const auto* values = flags.data<std::uint8_t>();
  if (flags.validity) {
    const auto* bits = flags.validity.as<const std::uint8_t>();
    for (std::uint32_t i = 0; i < picked.count; ++i) {
      out[count] = picked.row(i);
      count += static_cast<std::uint32_t>(values[i] != 0 && get_bit(bits, i));
    }
  } else if (picked.rows == nullptr) {
    for (std::uint32_t i = 0; i < picked.count; ++i) {
      out[count] = i;
      count += values[i];
    }
  } else {
    for (std::uint32_t i = 0; i < picked.count; ++i) {
      out[count] = picked.rows[i];
      count += values[i];
    }
  }
  return count;
}

} // namespace

result<column> evaluate(const expr& x, const batch& input, selection picked) {
  if (picked.count == 0) {
    auto none = make_null_column(x.type, 0);
    none.validity = buffer_ptr{};
    return none;
  }
  switch (x.kind) {
  case expr_kind::column: {
    const auto& source = input.columns[x.index];
    if (picked.rows == nullptr)
      return picked.count == input.rows ? source : slice(source, 0, picked.count);
    return gather(source, picked.rows, picked.count);
  }
  case expr_kind::literal:
    return constant_of(x.value, picked.count);
  case expr_kind::call:
    return evaluate_call(x, input, picked);
  case expr_kind::and_:
  case expr_kind::or_:
    return evaluate_and_or(x, input, picked);
  case expr_kind::not_:
    return evaluate_not(x, input, picked);
  case expr_kind::case_:
    return evaluate_case(x, input, picked);
  case expr_kind::coalesce:
    return evaluate_coalesce(x, input, picked);
  case expr_kind::is_null:
  case expr_kind::is_not_null:
    return evaluate_null_test(x, input, picked);
  }
  EBB_UNREACHABLE("expression kind");
}

result<std::uint32_t> filter_rows(const expr& predicate, const batch& input, selection picked,
                                  std::uint32_t* out) {
  if (picked.count == 0)
    return 0U;
  // A conjunction whose later parts cannot fail narrows the selection part by part.
  if (predicate.kind == expr_kind::and_
      && std::none_of(predicate.args.begin() + 1, predicate.args.end(),
                      [](const auto& arg) { return arg->may_fail; })) {
    selection open = picked;
    for (const auto& arg : predicate.args) {
      EBB_ASSIGN(const auto count, filter_rows(*arg, input, open, out));
      open = {out, count};
      if (count == 0)
        return 0U;
    }
    return open.count;
  }
  EBB_ASSIGN(const auto flags, evaluate(predicate, input, picked));
  return true_rows(flags, picked, out);
}

} // namespace ebb
