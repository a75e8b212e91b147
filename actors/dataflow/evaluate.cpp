// Evaluation of bound expressions. The selection is applied once, where a column enters the
// expression; above that every kernel runs over dense arrays.

#include "actors/dataflow/evaluate_parts.hpp"
#include "actors/dataflow/function.hpp"

#include <algorithm>

namespace ebb {

namespace evaluation {

column constant_of(column one_row, std::uint32_t rows) {
  one_row.constant = true;
  one_row.rows = rows;
  return one_row;
}

column single(column constant) {
  constant.constant = false;
  constant.rows = 1;
  return constant;
}

} // namespace evaluation

namespace {

using evaluation::constant_of;
using evaluation::single;

std::size_t bit_bytes(std::uint32_t rows) noexcept {
  return (static_cast<std::size_t>(rows) + 7) / 8;
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
    return evaluation::and_or(x, input, picked);
  case expr_kind::not_:
    return evaluate_not(x, input, picked);
  case expr_kind::case_:
    return evaluation::case_of(x, input, picked);
  case expr_kind::coalesce:
    return evaluation::coalesce(x, input, picked);
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
