"""Productions for arrays, which are results of functions and constructors."""
from grammar_types import ARRAYS


def productions(add):
    for array in ARRAYS:
        element = array[:-2]
        add("ARRAY", array, "ARRAY[{0}, {1}]", element, element)
        add("ARRAY", array, "ARRAY[{0}, NULL, {1}, {2}]", element, "'" + element, element)
        add("subscript", element, "({0})[{1}]", array, ["1", "2", "0", "-1", "i", "NULL"])
        add("slice", array, "({0})[{1}:{2}]", array, ["1", "2", "-1"], ["1", "2", "9"])
        add("array_length", "integer", "array_length({0}, {1})", array, ["1", "2", "0", "j"])
        add("cardinality", "integer", "cardinality({0})", array)
        add("array_upper", "integer", "array_upper({0}, 1)", array)
        add("array_lower", "integer", "array_lower({0}, 1)", array)
        add("array_ndims", "integer", "array_ndims({0})", array)
        add("array_append", array, "array_append({0}, {1})", array, element)
        add("array_prepend", array, "array_prepend({1}, {0})", array, element)
        add("array_cat", array, "array_cat({0}, {1})", array, array)
        add("array_remove", array, "array_remove({0}, {1})", array, element)
        add("array_replace", array, "array_replace({0}, {1}, {2})", array, element, element)
        add("array_position", "integer", "array_position({0}, {1})", array, element)
        add("array_to_string", "text", "array_to_string({0}, {1})", array, ["','", "''", "NULL", "' - '"])
        add("array_to_string", "text", "array_to_string({0}, ',', {1})", array, ["'*'", "NULL", "''"])
        add("array || element", array, "({0} || {1})", array, element)
        add("element || array", array, "({1} || {0})", array, element)
        add("array || array", array, "({0} || {1})", array, array)
        for op in ("=", "<>", "<", ">="):
            add(f"array {op}", "boolean", f"({{0}} {op} {{1}})", array, array)
        add("IS NULL", "boolean", "({0} IS NULL)", array)
        add("COALESCE", array, "coalesce({0}, {1})", array, array)
        add("CASE", array, "CASE WHEN {0} THEN {1} ELSE {2} END", "boolean", array, array)
        add("trim_array", array, "trim_array({0}, {1})", array, ["0", "1", "2", "-1"])
        add("= ANY", "boolean", "({0} = ANY ({1}))", element, array)
    add("array_positions", "integer[]", "array_positions({0}, {1})", "text[]", "text")
    add("string_to_array", "text[]", "string_to_array({0}, {1})", "text", ["','", "' '", "''", "NULL", "'a'"])
    add("string_to_array", "text[]", "string_to_array({0}, {1}, {2})", "text", ["','", "'a'"], ["''", "'bc'", "NULL"])
    add("ARRAY", "numeric[]", "ARRAY[{0}, {1}, 1.5]", "integer", "numeric")
