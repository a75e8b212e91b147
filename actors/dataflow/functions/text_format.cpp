// Quoting for SQL and format().

#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>

namespace ebb {

namespace {

/// Keywords of PostgreSQL 15 that are not free as identifiers, sorted.
// clang-format off
constexpr auto reserved = std::to_array<std::string_view>({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character",
    "check", "coalesce", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "dec", "decimal", "default", "deferrable", "desc",
    "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float",
    "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having",
    "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into",
    "is", "isnull", "join", "lateral", "leading", "least", "left", "like", "limit", "localtime",
    "localtimestamp", "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null",
    "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps",
    "overlay", "placing", "position", "precision", "primary", "real", "references", "returning",
    "right", "row", "select", "session_user", "setof", "similar", "smallint", "some", "substring",
    "symmetric", "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat",
    "trim", "true", "union", "unique", "user", "using", "values", "varchar", "variadic", "verbose",
    "when", "where", "window", "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists",
    "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable"});

// clang-format on

bool is_plain_identifier(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  }) && !std::binary_search(reserved.begin(), reserved.end(), name);
}

void append_identifier(std::string_view name, std::string& out) {
  if (is_plain_identifier(name)) {
    out += name;
    return;
  }
  out += '"';
  for (const char c : name) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

void append_quoted(std::string_view text, std::string& out) {
  if (text.find('\\') != std::string_view::npos)
    out += 'E';
  out += '\'';
  for (const char c : text) {
    if (c == '\'' || c == '\\')
      out += c;
    out += c;
  }
  out += '\'';
}

using appender = void (*)(std::string_view, std::string&);

template <appender Append>
result<column> quoted(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    scratch.clear();
    Append(text[i], scratch);
    out.append(i, scratch);
  }
  return out.take();
}

result<column> quote_nullable(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    scratch.clear();
    if (args[0].is_null(i))
      scratch = "NULL";
    else
      append_quoted(text[i], scratch);
    out.append(i, scratch);
  }
  return out.take();
}

/// One `%…` of a format text.
struct directive {
  std::size_t argument = 0; ///< 0 = the next one
  bool left = false;
  std::size_t width = 0;
  std::optional<std::size_t> width_argument; ///< the width is this argument; 0 = the next one
  char kind = 's';
};

/// Reads format texts: `%[n$][-][width|*|*n$]s|I|L`.
class format_reader {
public:
  format_reader(std::string_view text, std::uint32_t row) : text_(text), row_(row) {}

  [[nodiscard]] bool at_end() const noexcept {
    return at_ == text_.size();
  }

  [[nodiscard]] std::string_view literal() {
    const auto stop = std::min(text_.find('%', at_), text_.size());
    const auto part = text_.substr(at_, stop - at_);
    at_ = stop;
    return part;
  }

  /// At `%`; nothing for `%%`.
  result<std::optional<directive>> next() {
    ++at_;
    if (at_end())
      return unterminated();
    if (text_[at_] == '%') {
      ++at_;
      return std::optional<directive>{};
    }
    directive x;
    const auto start = at_;
    EBB_ASSIGN(const auto number, read_number());
    if (at_ > start && !at_end() && text_[at_] == '$') {
      if (number == 0)
        return argument_0();
      x.argument = number;
      ++at_;
    } else {
      at_ = start;
    }
    while (!at_end() && text_[at_] == '-') {
      x.left = true;
      ++at_;
    }
    if (!at_end() && text_[at_] == '*') {
      EBB_ASSIGN(x.width_argument, read_width_argument());
    } else {
      EBB_ASSIGN(x.width, read_number());
    }
    if (at_end())
      return unterminated();
    x.kind = text_[at_];
    if (x.kind != 's' && x.kind != 'I' && x.kind != 'L')
      return row_error(row_,
                       "unrecognized format() type specifier \""
                           + std::string(text_.substr(at_, utf8::width(x.kind))) + '"',
                       "for a single \"%\" use \"%%\"");
    ++at_;
    return std::optional<directive>{x};
  }

private:
  result<std::size_t> read_number() {
    std::size_t value = 0;
    for (; !at_end() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<std::size_t>(text_[at_] - '0');
      if (value > 0x7fffffff)
        return row_error(row_, "number is out of range");
    }
    return value;
  }

  /// At `*`.
  result<std::size_t> read_width_argument() {
    const auto start = ++at_;
    EBB_ASSIGN(const auto number, read_number());
    if (at_ == start)
      return number;
    if (at_end())
      return unterminated();
    if (text_[at_] != '$')
      return row_error(row_, "width argument position must be ended by \"$\"");
    if (number == 0)
      return argument_0();
    ++at_;
    return number;
  }

  error argument_0() const {
    return row_error(row_, "format specifies argument 0, but arguments are numbered from 1");
  }

  error unterminated() const {
    return row_error(row_, "unterminated format() type specifier", "for a single \"%\" use \"%%\"");
  }

  std::string_view text_;
  std::uint32_t row_;
  std::size_t at_ = 0;
};

result<void> append_argument(const directive& x, std::span<const column> args, std::size_t place,
                             std::uint32_t i, std::string& out) {
  std::string value;
  const bool null = args[place].is_null(i);
  if (null && x.kind == 'I')
    return row_error(i, "null values cannot be formatted as an SQL identifier");
  if (null) {
    value = x.kind == 'L' ? "NULL" : "";
  } else {
    const auto text = text_arg(args[place])[i];
    if (x.kind == 's')
      value = text;
    else if (x.kind == 'I')
      append_identifier(text, value);
    else
      append_quoted(text, value);
  }
  const auto length = utf8::length(value);
  if (x.width > max_made_text)
    return too_large(i);
  const std::string fill(x.width > length ? x.width - length : 0, ' ');
  out += x.left ? value + fill : fill + value;
  return {};
}

/// A width that an argument gives: none of NULL, and to the left where it is negative.
result<void> take_width(const column& from, std::uint32_t i, directive& x) {
  if (from.is_null(i))
    return {};
  auto read = parse_literal(from.text_of(i), sql_type{type_kind::integer});
  if (!read)
    return row_error(i, std::move(read).error().message);
  const std::int64_t width = read->data<std::int32_t>()[0];
  if (width == std::numeric_limits<std::int32_t>::min())
    return row_error(i, "number is out of range");
  x.left = x.left || width < 0;
  x.width = static_cast<std::size_t>(width < 0 ? -width : width);
  return {};
}

result<column> format(const call_context& context, std::span<const column> args) {
  const text_arg formats(args[0]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i)) {
      out.null(i);
      continue;
    }
    scratch.clear();
    format_reader reader(formats[i], i);
    std::size_t last = 0;
    while (true) {
      scratch += reader.literal();
      if (reader.at_end())
        break;
      EBB_ASSIGN(auto x, reader.next());
      if (!x) {
        scratch += '%';
        continue;
      }
      if (x->width_argument) {
        last = *x->width_argument == 0 ? last + 1 : *x->width_argument;
        if (last >= args.size())
          return row_error(i, "too few arguments for format()");
        EBB_TRY(take_width(args[last], i, *x));
      }
      last = x->argument == 0 ? last + 1 : x->argument;
      if (last >= args.size())
        return row_error(i, "too few arguments for format()");
      EBB_TRY(append_argument(*x, args, last, i, scratch));
      if (scratch.size() > max_made_text)
        return too_large(i);
    }
    out.append(i, scratch);
  }
  return out.take();
}

} // namespace

void register_text_format(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  add_overload(catalog, {"quote_literal", {text}, text, quoted<append_quoted>});
  add_overload(catalog, {"quote_ident", {text}, text, quoted<append_identifier>});
  overload nullable{"quote_nullable", {text}, text, quote_nullable};
  nullable.strict = false;
  add_overload(catalog, nullable);
  overload plain{"format", {text}, text, format, true};
  plain.strict = false;
  add_overload(catalog, plain);
  overload formatted{"format", {text, text}, text, format, true};
  formatted.strict = false;
  formatted.variadic = true;
  add_overload(catalog, formatted);
}

} // namespace ebb
