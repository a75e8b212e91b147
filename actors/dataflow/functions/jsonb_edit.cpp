// JSONB with parts added, replaced or left out: || - #- and jsonb_set.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/jsonb_functions.hpp"
#include "actors/dataflow/jsonb.hpp"

#include <algorithm>
#include <charconv>

namespace ebb {

namespace {

using jsonb::value_type;

constexpr auto json = type_kind::jsonb;
constexpr auto text = type_kind::text;

/// JSON text of a container, one item after the other. What it gives is not canonical yet.
class container {
public:
  explicit container(bool object) : text_(1, object ? '{' : '['), object_(object) {}

  void element(std::string_view value) {
    separate();
    text_ += value;
  }

  /// `raw_key` as it is written between the quotes.
  void member(std::string_view raw_key, std::string_view value) {
    separate();
    text_.append("\"").append(raw_key).append("\":").append(value);
  }

  /// The item where `x` stands, as it is.
  void copy(const jsonb::items& x) {
    if (object_)
      member(x.raw_key(), x.value());
    else
      element(x.value());
  }

  void copy_all(std::string_view from) {
    for (jsonb::items x(from); x.next();)
      copy(x);
  }

  [[nodiscard]] std::string take() {
    text_.push_back(object_ ? '}' : ']');
    return std::move(text_);
  }

private:
  void separate() {
    if (text_.size() > 1)
      text_.push_back(',');
  }

  std::string text_;
  bool object_;
};

bool is_container(std::string_view value) noexcept {
  const auto type = jsonb::type_of(value);
  return type == value_type::array || type == value_type::object;
}

bool is_object(std::string_view value) noexcept {
  return jsonb::type_of(value) == value_type::object;
}

std::string quoted(std::string_view key) {
  std::string out;
  jsonb::append_string(key, out);
  return out;
}

std::string_view unquoted(std::string_view quoted) noexcept {
  return quoted.substr(1, quoted.size() - 2);
}

/// Of two objects one, in which the right one's members count; else an array: what is no array is
/// taken for one of itself.
std::string joined(std::string_view left, std::string_view right) {
  const bool objects = is_object(left) && is_object(right);
  container out(objects);
  for (const auto side : {left, right})
    if (objects || jsonb::type_of(side) == value_type::array)
      out.copy_all(side);
    else
      out.element(side);
  return out.take();
}

/// Without the members, or the elements that are texts, of these names.
std::string without_keys(std::string_view value, std::span<const std::string> quoted_keys) {
  const bool object = is_object(value);
  container out(object);
  for (jsonb::items x(value); x.next();) {
    bool kept = true;
    for (const auto& key : quoted_keys)
      kept = kept && (object ? x.raw_key() != unquoted(key) : x.value() != key);
    if (kept)
      out.copy(x);
  }
  return out.take();
}

std::string without_place(std::string_view array, std::int64_t place) {
  if (place < 0)
    place += jsonb::count(array);
  container out(false);
  std::int64_t at = 0;
  for (jsonb::items x(array); x.next(); ++at)
    if (at != place)
      out.copy(x);
  return out.take();
}

/// What happens where a path leads.
struct change {
  std::string_view value; ///< JSON text
  bool remove = false;    ///< instead of setting `value`
  bool create = false;    ///< sets it also where there is nothing yet
};

/// A value with the change made where the rest of the path leads. The depth is that of the value.
class path_edit {
public:
  path_edit(const column& steps, std::uint32_t first, std::uint32_t last, const change& what)
      : steps_(steps), first_(first), last_(last), what_(what) {}

  [[nodiscard]] result<std::string> at(std::string_view value, std::uint32_t step) const {
    if (steps_.is_null(step))
      return make_error(ec::evaluation, "path element at position " + position(step) + " is null");
    if (!is_container(value))
      return std::string(value);
    return is_object(value) ? in_object(value, step) : in_array(value, step);
  }

private:
  [[nodiscard]] std::string position(std::uint32_t step) const {
    return std::to_string(step - first_ + 1);
  }

  [[nodiscard]] bool ends(std::uint32_t step) const noexcept {
    return step + 1 == last_;
  }

  /// The item where the path leads on.
  [[nodiscard]] result<void> into(const jsonb::items& x, std::uint32_t step, bool object,
                                  container& out) const {
    if (ends(step) && what_.remove)
      return {};
    std::string made;
    if (!ends(step)) {
      EBB_ASSIGN(made, at(x.value(), step + 1));
    } else {
      made = what_.value;
    }
    if (object)
      out.member(x.raw_key(), made);
    else
      out.element(made);
    return {};
  }

  [[nodiscard]] result<std::string> in_object(std::string_view value, std::uint32_t step) const {
    const auto key = quoted(steps_.text_of(step));
    container out(true);
    bool found = false;
    for (jsonb::items x(value); x.next();) {
      if (x.raw_key() != unquoted(key)) {
        out.copy(x);
        continue;
      }
      found = true;
      EBB_TRY(into(x, step, true, out));
    }
    if (!found && ends(step) && what_.create)
      out.member(unquoted(key), what_.value);
    return out.take();
  }

  [[nodiscard]] result<std::string> in_array(std::string_view value, std::uint32_t step) const {
    const std::int64_t size = jsonb::count(value);
    EBB_ASSIGN(const auto written, place_of(step));
    // Before the first where it counts from too far behind, behind the last where it is too large.
    const auto place = written < 0 ? std::max<std::int64_t>(-1, written + size)
                                   : std::min<std::int64_t>(written, size);
    const bool adds = ends(step) && what_.create;
    container out(false);
    if (adds && place < 0)
      out.element(what_.value);
    std::int64_t i = 0;
    for (jsonb::items x(value); x.next(); ++i)
      if (i == place)
        EBB_TRY(into(x, step, false, out));
      else
        out.copy(x);
    if (adds && place == size)
      out.element(what_.value);
    return out.take();
  }

  [[nodiscard]] result<std::int32_t> place_of(std::uint32_t step) const {
    const auto written = steps_.text_of(step);
    const auto digits = written.substr(written.starts_with('+') ? 1 : 0);
    std::int32_t place = 0;
    const auto [rest, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), place);
    if (problem != std::errc{} || rest != digits.data() + digits.size())
      return make_error(ec::evaluation, "path element at position " + position(step)
                                            + " is not an integer: \"" + std::string(written)
                                            + '"');
    return place;
  }

  const column& steps_;
  std::uint32_t first_;
  std::uint32_t last_;
  change what_;
};

/// Calls `edit(i)` for the rows that count; its JSON text is made canonical.
template <class Edit>
result<column> edited(const call_context& context, const Edit& edit) {
  text_output out(context);
  std::string canonical;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    result<std::string> made = edit(i);
    canonical.clear();
    auto done = made ? jsonb::append_canonical(*made, canonical) : std::move(made).error();
    if (!done)
      return row_error(i, std::move(done).error().message);
    out.append(i, canonical);
  }
  return out.take();
}

error refused(const char* what) {
  return make_error(ec::evaluation, what);
}

result<column> join(const call_context& context, std::span<const column> args) {
  const text_arg left(args[0]);
  const text_arg right(args[1]);
  return edited(context,
                [&](std::uint32_t i) -> result<std::string> { return joined(left[i], right[i]); });
}

result<column> remove_key(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const text_arg key(args[1]);
  return edited(context, [&](std::uint32_t i) -> result<std::string> {
    if (!is_container(value[i]))
      return refused("cannot delete from scalar");
    const auto name = quoted(key[i]);
    return without_keys(value[i], {&name, 1});
  });
}

result<column> remove_keys(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const array_arg keys(args[1]);
  std::vector<std::string> names;
  return edited(context, [&](std::uint32_t i) -> result<std::string> {
    if (!is_container(value[i]))
      return refused("cannot delete from scalar");
    names.clear();
    for (auto k = keys.first(i); k < keys.last(i); ++k)
      if (!keys.elements().is_null(k))
        names.push_back(quoted(keys.elements().text_of(k)));
    return without_keys(value[i], names);
  });
}

result<column> remove_place(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const value_arg<std::int32_t> place(args[1]);
  return edited(context, [&](std::uint32_t i) -> result<std::string> {
    if (!is_container(value[i]))
      return refused("cannot delete from scalar");
    if (is_object(value[i]))
      return refused("cannot delete from object using integer index");
    return without_place(value[i], place[i]);
  });
}

result<column> remove_path(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const array_arg path(args[1]);
  return edited(context, [&](std::uint32_t i) -> result<std::string> {
    if (!is_container(value[i]))
      return refused("cannot delete path in scalar");
    if (path.size(i) == 0 || jsonb::count(value[i]) == 0)
      return std::string(value[i]);
    change what;
    what.remove = true;
    return path_edit(path.elements(), path.first(i), path.last(i), what)
        .at(value[i], path.first(i));
  });
}

result<column> set_path(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const array_arg path(args[1]);
  const text_arg to(args[2]);
  return edited(context, [&](std::uint32_t i) -> result<std::string> {
    if (!is_container(value[i]))
      return refused("cannot set path in scalar");
    change what;
    what.value = to[i];
    what.create = args.size() < 4 || args[3].data<std::uint8_t>()[args[3].at(i)] != 0;
    if (path.size(i) == 0 || (jsonb::count(value[i]) == 0 && !what.create))
      return std::string(value[i]);
    return path_edit(path.elements(), path.first(i), path.last(i), what)
        .at(value[i], path.first(i));
  });
}

void add(function_catalog& catalog, const char* name, std::vector<sql_type> params, kernel run) {
  scalar_function f;
  f.name = name;
  f.params = std::move(params);
  f.returns = sql_type{json};
  f.run = run;
  f.may_fail = true;
  catalog.add(std::move(f));
}

} // namespace

void register_jsonb_edit(function_catalog& catalog) {
  const sql_type value{json};
  const auto texts = sql_type{text}.array_of();
  add(catalog, "||", {value, value}, join);
  add(catalog, "-", {value, sql_type{text}}, remove_key);
  add(catalog, "-", {value, sql_type{type_kind::integer}}, remove_place);
  add(catalog, "-", {value, texts}, remove_keys);
  add(catalog, "#-", {value, texts}, remove_path);
  add(catalog, "jsonb_set", {value, texts, value}, set_path);
  add(catalog, "jsonb_set", {value, texts, value, sql_type{type_kind::boolean}}, set_path);
}

} // namespace ebb
