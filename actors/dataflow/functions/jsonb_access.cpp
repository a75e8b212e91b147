// Reading JSONB: parts by name and place, what a value is, what it contains.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/jsonb_functions.hpp"
#include "actors/dataflow/jsonb.hpp"

#include <charconv>
#include <optional>

namespace ebb {

namespace {

using part = std::optional<std::string_view>;
using jsonb::value_type;

constexpr auto json = type_kind::jsonb;
constexpr auto text = type_kind::text;

std::string raw_key(std::string_view key) {
  std::string quoted;
  jsonb::append_string(key, quoted);
  return quoted.substr(1, quoted.size() - 2);
}

/// A result of parts of `source`, as JSONB (shared bytes) or as text.
class part_output {
public:
  part_output(const call_context& context, const column& source)
      : out_(context), as_text_(context.type.kind == text) {
    out_.share_heap(source);
  }

  void put(std::uint32_t i, const part& value) {
    if (!value) {
      out_.null(i);
    } else if (!as_text_) {
      out_.share(i, *value);
    } else {
      scratch_.clear();
      if (jsonb::append_text(*value, scratch_))
        out_.append(i, scratch_);
      else
        out_.null(i);
    }
  }

  [[nodiscard]] column take() {
    return out_.take();
  }

private:
  text_output out_;
  bool as_text_;
  std::string scratch_;
};

result<column> by_key(const call_context& context, std::span<const column> args) {
  const text_arg whole(args[0]);
  const text_arg key(args[1]);
  part_output out(context, args[0]);
  std::string raw;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    if (i == 0 || !args[1].constant || raw.empty())
      raw = raw_key(key[i]);
    out.put(i, jsonb::member(whole[i], raw));
  }
  return out.take();
}

// A scalar is taken for an array of one.
result<column> by_place(const call_context& context, std::span<const column> args) {
  const text_arg whole(args[0]);
  const value_arg<std::int32_t> place(args[1]);
  part_output out(context, args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto type = jsonb::type_of(whole[i]);
    if (type == value_type::array || type == value_type::object)
      out.put(i, jsonb::element(whole[i], place[i]));
    else
      out.put(i, place[i] == 0 || place[i] == -1 ? part{whole[i]} : part{});
  }
  return out.take();
}

std::optional<std::int64_t> index_of(std::string_view step) {
  std::size_t space = 0;
  while (space < step.size()
         && (step[space] == ' ' || (step[space] >= '\t' && step[space] <= '\r')))
    ++space;
  step.remove_prefix(space);
  if (!step.empty() && step.front() == '+')
    step.remove_prefix(1);
  std::int32_t value = 0;
  const auto [end, problem] = std::from_chars(step.data(), step.data() + step.size(), value);
  if (problem != std::errc{} || end != step.data() + step.size())
    return std::nullopt;
  return value;
}

part step_into(const part& value, std::string_view step) {
  if (!value)
    return value;
  if (jsonb::type_of(*value) == value_type::object)
    return jsonb::member(*value, raw_key(step));
  const auto place = index_of(step);
  return place ? jsonb::element(*value, *place) : part{};
}

result<column> by_path(const call_context& context, std::span<const column> args) {
  const text_arg whole(args[0]);
  const array_arg path(args[1]);
  part_output out(context, args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    part found = whole[i];
    for (auto k = path.first(i); k < path.last(i) && found; ++k)
      found = path.elements().is_null(k) ? part{} : step_into(found, path.elements().text_of(k));
    out.put(i, found);
  }
  return out.take();
}

result<column> by_steps(const call_context& context, std::span<const column> args) {
  const text_arg whole(args[0]);
  part_output out(context, args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    part found = whole[i];
    for (std::size_t k = 1; k < args.size() && found; ++k)
      found = step_into(found, args[k].text_of(i));
    out.put(i, found);
  }
  return out.take();
}

result<column> type_name(const call_context& context, std::span<const column> args) {
  static constexpr const char* names[] = {"null", "string", "number", "boolean", "array", "object"};
  const text_arg value(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    if (!skipped(context, i))
      out.share(i, names[static_cast<int>(jsonb::type_of(value[i]))]);
  return out.take();
}

result<column> array_length(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  column out = make_column(context.type, context.rows);
  auto* lengths = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    lengths[i] = 0;
    if (skipped(context, i))
      continue;
    const auto type = jsonb::type_of(value[i]);
    if (type == value_type::object)
      return row_error(i, "cannot get array length of a non-array");
    if (type != value_type::array)
      return row_error(i, "cannot get array length of a scalar");
    lengths[i] = static_cast<std::int32_t>(jsonb::count(value[i]));
  }
  return out;
}

template <class Test>
result<column> test_rows(const call_context& context, const Test& test) {
  column out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    to[i] = !skipped(context, i) && test(i) ? 1 : 0;
  return out;
}

result<column> contains(const call_context& context, std::span<const column> args) {
  const text_arg whole(args[0]);
  const text_arg inner(args[1]);
  return test_rows(context, [&](std::uint32_t i) { return jsonb::contains(whole[i], inner[i]); });
}

result<column> contained(const call_context& context, std::span<const column> args) {
  const text_arg inner(args[0]);
  const text_arg whole(args[1]);
  return test_rows(context, [&](std::uint32_t i) { return jsonb::contains(whole[i], inner[i]); });
}

// The text is a key of the object, an element of the array, or the string itself.
bool exists(std::string_view value, std::string_view wanted) {
  const auto raw = raw_key(wanted);
  const auto type = jsonb::type_of(value);
  if (type == value_type::object)
    return jsonb::member(value, raw).has_value();
  const auto quoted = '"' + raw + '"';
  if (type == value_type::string)
    return value == quoted;
  for (jsonb::items x(value); x.next();)
    if (x.value() == quoted)
      return true;
  return false;
}

result<column> has_key(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const text_arg key(args[1]);
  return test_rows(context, [&](std::uint32_t i) { return exists(value[i], key[i]); });
}

template <bool All>
result<column> has_keys(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const array_arg keys(args[1]);
  return test_rows(context, [&](std::uint32_t i) {
    for (auto k = keys.first(i); k < keys.last(i); ++k)
      if (!keys.elements().is_null(k) && exists(value[i], keys.elements().text_of(k)) != All)
        return !All;
    return All;
  });
}

/// Elements, or keys, of each row as an array of JSONB or TEXT.
enum class expansion : std::uint8_t { elements, texts, keys };

result<void> check_container(std::uint32_t i, std::string_view value, expansion what) {
  const auto type = jsonb::type_of(value);
  if (what == expansion::keys) {
    if (type != value_type::object)
      return row_error(i, type == value_type::array ? "cannot call jsonb_object_keys on an array"
                                                    : "cannot call jsonb_object_keys on a scalar");
    return {};
  }
  if (type != value_type::array)
    return row_error(i, type == value_type::object ? "cannot extract elements from an object"
                                                   : "cannot extract elements from a scalar");
  return {};
}

template <expansion What>
result<column> expand(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  column out = make_column(context.type, context.rows);
  auto* offsets = out.mutable_data<std::uint32_t>();
  offsets[0] = 0;
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i)
    if (!skipped(context, i)) {
      EBB_TRY(check_container(i, value[i], What));
      total += jsonb::count(value[i]);
    }
  text_builder elements(context.type.element_type(), std::max(1U, total));
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!skipped(context, i))
      for (jsonb::items x(value[i]); x.next();) {
        scratch.clear();
        bool there = true;
        if constexpr (What == expansion::elements)
          scratch = x.value();
        else if constexpr (What == expansion::texts)
          there = jsonb::append_text(x.value(), scratch);
        else
          jsonb::append_unescaped(x.raw_key(), scratch);
        if (there)
          elements.append(scratch);
        else
          elements.append_null();
      }
    offsets[i + 1] = elements.rows();
  }
  out.child = std::make_shared<column>(elements.take());
  return out;
}

void add_expansion(function_catalog& catalog, const char* name, type_kind element, kernel run) {
  scalar_function f;
  f.name = name;
  f.params = {sql_type{json}};
  f.returns = sql_type{element}.array_of();
  f.run = run;
  f.may_fail = true;
  catalog.add(std::move(f));
}

void add_with_array(function_catalog& catalog, const char* name, type_kind returns, kernel run) {
  scalar_function f;
  f.name = name;
  f.params = {sql_type{json}, sql_type{text}.array_of()};
  f.returns = sql_type{returns};
  f.run = run;
  catalog.add(std::move(f));
}

} // namespace

void register_jsonb_access(function_catalog& catalog) {
  constexpr auto boolean = type_kind::boolean;
  constexpr auto integer = type_kind::integer;
  add_overload(catalog, {"->", {json, text}, json, by_key});
  add_overload(catalog, {"->", {json, integer}, json, by_place});
  add_overload(catalog, {"->>", {json, text}, text, by_key});
  add_overload(catalog, {"->>", {json, integer}, text, by_place});
  add_with_array(catalog, "#>", json, by_path);
  add_with_array(catalog, "#>>", text, by_path);
  add_overload(catalog, {"jsonb_extract_path", {json, text}, json, by_steps, false, true, true});
  add_overload(catalog,
               {"jsonb_extract_path_text", {json, text}, text, by_steps, false, true, true});
  add_overload(catalog, {"@>", {json, json}, boolean, contains});
  add_overload(catalog, {"<@", {json, json}, boolean, contained});
  add_overload(catalog, {"?", {json, text}, boolean, has_key});
  add_with_array(catalog, "?|", boolean, has_keys<false>);
  add_with_array(catalog, "?&", boolean, has_keys<true>);
  add_overload(catalog, {"jsonb_typeof", {json}, text, type_name});
  add_overload(catalog, {"jsonb_array_length", {json}, integer, array_length, true});
  add_expansion(catalog, "jsonb_elements", json, expand<expansion::elements>);
  add_expansion(catalog, "jsonb_elements_text", text, expand<expansion::texts>);
  add_expansion(catalog, "jsonb_keys", text, expand<expansion::keys>);
}

} // namespace ebb
