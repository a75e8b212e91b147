"""Bugs to plant: in `file`, `right` becomes `wrong`."""
import typing


class Bug(typing.NamedTuple):
    what: str
    file: str
    right: str
    wrong: str
    compiled: tuple = ()  # sources to compile where the file is a header


DATAFLOW = "actors/dataflow/"
FUNCTIONS = DATAFLOW + "functions/"
SQL = "actors/plan/sql/"

BUGS = [
    Bug("AND evaluates rows that are decided", DATAFLOW + "evaluate_logic.cpp",
        "if (truths[i] != decided)", "if (true)"),
    Bug("validity of the first argument is overwritten", DATAFLOW + "evaluate.cpp",
        "    if (!owned) {\n", "    if (false) {\n"),
    Bug("unknown condition of CASE counts as true", DATAFLOW + "evaluate_logic.cpp",
        "const bool take = truths[whole ? row : i] == yes;", "const bool take = truths[whole ? row : i] != no;"),
    Bug("AND of a constant true drops the others", DATAFLOW + "expr.cpp",
        "if (is_bool_literal(*arg, decides))\n      return make_bool_literal(decides);",
        "if (is_bool_literal(*arg, !decides))\n      return make_bool_literal(!decides);"),
    Bug("lowest integer divided by -1 wraps", FUNCTIONS + "arithmetic_integer.cpp",
        "const bool bad = b == 0 || (b == -1 && a == std::numeric_limits<R>::min());", "const bool bad = b == 0;"),
    Bug("NaN is not greater than infinity", FUNCTIONS + "comparison.hpp",
        "return (a < b) | ((a == a) & (b != b));", "return a < b;", (FUNCTIONS + "comparison_plain.cpp",)),
    Bug("doubles round halves away from zero", FUNCTIONS + "number_casts.cpp",
        "const From rounded = std::rint(x);", "const From rounded = std::round(x);"),
    Bug("scale of a NUMERIC quotient", DATAFLOW + "numeric_divide.cpp",
        "(from.digit <= by.digit ? 1 : 0)", "(from.digit < by.digit ? 1 : 0)"),
    Bug("rounding of NUMERIC drops halves", DATAFLOW + "numeric_small.hpp",
        "if (rest >= divisor - rest)", "if (rest > divisor - rest)", (FUNCTIONS + "math_rounding.cpp",)),
    Bug("century of a year that ends in 00", FUNCTIONS + "time_truncate.cpp",
        "return calendar::floor_div(year - 1, 100) * 100 + 1;", "return calendar::floor_div(year, 100) * 100 + 1;"),
    Bug("week begins on Sunday before 1970", FUNCTIONS + "time_truncate.cpp",
        "return days - calendar::floor_mod(days + 3, 7);", "return days - (days + 3) % 7;"),
    Bug("bins before the origin", FUNCTIONS + "time_truncate.cpp", "if (rest < 0 && (", "if (rest < -length && ("),
    Bug("31st plus a month runs over", FUNCTIONS + "time_arithmetic.cpp",
        "const auto day = std::min(date.day, calendar::days_in_month(year, month));",
        "const auto day = std::min(date.day, 28 + static_cast<int>(year % 4));"),
    Bug("fractions of months have 31 days", DATAFLOW + "interval_scale.hpp",
        "constexpr double days_per_month = 30;", "constexpr double days_per_month = 31;", (FUNCTIONS + "interval.cpp",)),
    Bug("justify_days leaves mixed signs", FUNCTIONS + "interval.cpp",
        "if (out.months > 0 && out.days < 0) {", "if (out.months > 1 && out.days < 0) {"),
    Bug("ISO week 53", DATAFLOW + "calendar.hpp", "const auto thursday = days - floor_mod(days + 3, 7) + 3;",
        "const auto thursday = days;", (FUNCTIONS + "time_extract.cpp",)),
    Bug("interval text loses the sign of a later part", DATAFLOW + "time_text.cpp",
        "if (negative && value > 0)", "if (negative && value > 99)"),
    Bug("position counts bytes", FUNCTIONS + "text_measures.cpp",
        "return at == std::string_view::npos ? 0 : utf8::length(in[i].substr(0, at)) + 1;",
        "return at == std::string_view::npos ? 0 : static_cast<std::uint32_t>(at) + 1;"),
    Bug("right with a negative count", FUNCTIONS + "text_slices.cpp",
        ": utf8::prefix(text[i], static_cast<std::size_t>(-n));", ": utf8::prefix(text[i], static_cast<std::size_t>(-n - 1));"),
    Bug("split_part from the end", FUNCTIONS + "text_slices.cpp", "n += fields + 1;", "n += fields;"),
    Bug("concat_ws joins empty texts without separator", FUNCTIONS + "text_concat.cpp",
        "      first = false;\n    }\n    out.commit(i, size);", "      first = parts[k][i].empty();\n    }\n    out.commit(i, size);"),
    Bug("initcap does not lower the rest", FUNCTIONS + "text_case.cpp",
        "inside ? unicode::to_lower(c) : unicode::to_upper(c)", "inside ? c : unicode::to_upper(c)"),
    Bug("_ of LIKE takes a byte", FUNCTIONS + "like_pattern.cpp",
        "return bytes_ ? at + 1 : at + utf8::width(text[at]);", "return at + 1;"),
    Bug("empty matches are not stepped over", FUNCTIONS + "regex_kernel.cpp",
        "return end < text.size() ? end + utf8::width(text[end]) : end + 1;", "return end + 1;"),
    Bug("array_to_string shows NULL as the separator", FUNCTIONS + "array_text.cpp",
        "scratch += text_arg(args[2])[i];", "scratch += separator[i];"),
    Bug("slices end one early", FUNCTIONS + "array_build.cpp",
        "const auto end = std::min<std::int64_t>(to[i], array.size(i));",
        "const auto end = std::min<std::int64_t>(to[i], array.size(i) - 1);"),
    Bug("common type ignores the preferred type", SQL + "coerce.cpp",
        "    if (!is_preferred(best) && can_coerce(best, next, cast_context::implicit)",
        "    if (can_coerce(best, next, cast_context::implicit)\n        && next.kind != type_kind::numeric"),
    Bug("BETWEEN SYMMETRIC does not swap", SQL + "bind_operator.cpp",
        "EBB_ASSIGN(auto swapped, inside(high, low));", "EBB_ASSIGN(auto swapped, inside(low, high));"),
    Bug("IN coerces columns, too", SQL + "bind_operator.cpp", "if (array_size < 2) {", "if (array_size < 1) {"),
    Bug("negative constants lose their sign", SQL + "parse.cpp",
        "  restore_negative_constants(statement, sql);\n", ""),
    Bug("a cast of ARRAY[...] ignores the modifier", SQL + "bind_literal.cpp",
        "EBB_ASSIGN(items[i], cast_to(items[i], to.element, at, cast_place));",
        "EBB_ASSIGN(items[i], cast_to(items[i], bare(to.element), at, cast_place));"),
    Bug("an untyped literal prefers no category", SQL + "overload.cpp",
        "          conflict = false;\n", "          conflict = true;\n"),
    Bug("NULLIF gives the second value", SQL + "bind_choice.cpp",
        "{std::move(equal), make_null_literal(type), std::move(value)},",
        "{std::move(equal), std::move(value), make_null_literal(type)},"),
]
