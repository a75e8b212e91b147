"""Productions for text, patterns, regular expressions and bytes."""
from grammar_types import Either
from grammar_patterns import flags, like_escaped, like_pattern, regex, replacement, similar_pattern


def productions(add):
    texts(add)
    patterns(add)
    regexes(add)
    byteas(add)


def texts(add):
    for name in ("lower", "upper", "initcap", "reverse", "md5", "trim", "ltrim", "rtrim", "btrim",
                 "quote_literal", "quote_ident", "quote_nullable"):
        add(name, "text", f"{name}({{0}})", "text")
    for name in ("length", "char_length", "character_length", "octet_length", "bit_length", "ascii"):
        add(name, "integer", f"{name}({{0}})", "text")
    for name in ("ltrim", "rtrim", "btrim"):
        add(f"{name} of", "text", f"{name}({{0}}, {{1}})", "text", "text")
    for where in ("leading", "trailing", "both", ""):
        add("trim from", "text", f"trim({where} {{1}} from {{0}})", "text", ["'a '", "'abcx'", "'é '", "''", "x"])
    add("substring from for", "text", "substring({0} from {1} for {2})", "text", "#small", "#small")
    add("substring from", "text", "substring({0} from {1})", "text", "#small")
    add("substring for", "text", "substring({0} for {1})", "text", "#small")
    add("substring", "text", "substring({0}, {1}, {2})", "text", "#small", "#small")
    add("substr", "text", "substr({0}, {1}, {2})", "text", "#small", "#small")
    add("substr", "text", "substr({0}, {1})", "text", "#small")
    for name in ("left", "right"):
        add(name, "text", f"{name}({{0}}, {{1}})", "text", "#small")
    for name in ("lpad", "rpad"):
        add(name, "text", f"{name}({{0}}, {{1}}, {{2}})", "text", "#small", "text")
        add(name, "text", f"{name}({{0}}, {{1}})", "text", ["0", "5", "12", "-1", "id"])
    add("repeat", "text", "repeat({0}, {1})", "text", "#small")
    add("position", "integer", "position({0} in {1})", "text", "text")
    add("position", "integer", "position({0} in {1})", ["''", "'a'", "'b c'", "'é'"], "text")
    add("strpos", "integer", "strpos({0}, {1})", "text", "text")
    add("replace", "text", "replace({0}, {1}, {2})", "text", "text", "text")
    add("replace", "text", "replace({0}, {1}, '<>')", "text", ["'a'", "'bc'", "'é'", "''"])
    add("translate", "text", "translate({0}, {1}, {2})", "text", ["'abc'", "'aéb'", "''", "'aa'"], ["'xé'", "''", "'1234'"])
    add("split_part", "text", "split_part({0}, {2}, {1})", "text", "#small", ["','", "' '", "'a'", "''", "'bc'"])
    add("starts_with", "boolean", "starts_with({0}, {1})", "text", "text")
    add("^@", "boolean", "({0} ^@ {1})", "text", ["'a'", "''", "'A'", "x"])
    add("||", "text", "({0} || {1})", "text", "text")
    for t in ("integer", "numeric", "double precision", "boolean", "date", "timestamp", "interval"):
        add("|| with any", "text", "({0} || {1})", "text", t)
        add("|| with any", "text", "({1} || {0})", "text", t)
    add("concat", "text", "concat({0}, {1}, {2})", "text", "integer", "boolean")
    add("concat", "text", "concat({0}, NULL, {1}, {2})", "numeric", "date", "double precision")
    add("concat_ws", "text", "concat_ws({0}, {1}, {2}, {3})", ["'-'", "''", "NULL", "x"], "text", "integer", "text")
    add("overlay", "text", "overlay({0} placing {1} from {2} for {3})", "text", "text", "#position", "#small")
    add("overlay", "text", "overlay({0} placing {1} from {2})", "text", "text", "#position")
    add("chr", "text", "chr(64 + abs({0}))", "#small")
    add("chr", "text", "chr({0})", "smallint")
    add("format", "text", "format({1}, {0}, {2})", "text",
        Either(["'%s-%s'", "'%2$s %1$s'", "'%-8s|%5s'", "'%L %I'", "'%%%s'", "'%s'", "'%1$L'"], ["'%3$s'", "'%x'", "'%'"]), "integer")


def patterns(add):
    for op in ("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"):
        for _ in range(4):
            add(op, "boolean", f"({{0}} {op} {{1}})", "text", like_pattern)
        add(op, "boolean", f"({{0}} {op} {{1}})", "text", "text")
    for _ in range(3):
        add("LIKE ESCAPE", "boolean", "({0} LIKE {1})", "text", like_escaped)
        add("NOT LIKE ESCAPE", "boolean", "({0} NOT ILIKE {1})", "text", like_escaped)
    for _ in range(4):
        add("SIMILAR TO", "boolean", "({0} SIMILAR TO {1})", "text", similar_pattern)
    add("NOT SIMILAR TO", "boolean", "({0} NOT SIMILAR TO {1})", "text", similar_pattern)
    add("SIMILAR TO ESCAPE", "boolean", "({0} SIMILAR TO {1} ESCAPE '#')", "text", similar_pattern)


def regexes(add):
    for op in ("~", "~*", "!~", "!~*"):
        for _ in range(4):
            add(op, "boolean", f"({{0}} {op} {{1}})", "text", regex)
    for _ in range(4):
        add("regexp_match subscript", "text", "(regexp_match({0}, {1}))[{2}]", "text", regex, ["1", "1", "1", "2", "0", "NULL"])
        add("regexp_match", "text[]", "regexp_match({0}, {1})", "text", regex)
        add("regexp_replace", "text", "regexp_replace({0}, {1}, {2})", "text", regex, replacement)
        add("regexp_replace flags", "text", "regexp_replace({0}, {1}, {2}, {3})", "text", regex, replacement, flags)
        add("substring regex", "text", "substring({0} from {1})", "text", regex)
        add("regexp_count", "integer", "regexp_count({0}, {1})", "text", regex)
        add("regexp_like", "boolean", "regexp_like({0}, {1})", "text", regex)
        add("regexp_instr", "integer", "regexp_instr({0}, {1})", "text", regex)
        add("regexp_substr", "text", "regexp_substr({0}, {1})", "text", regex)
        add("regexp_split_to_array", "text[]", "regexp_split_to_array({0}, {1})", "text", regex)
    add("regexp_match flags", "text[]", "regexp_match({0}, {1}, {2})", "text", regex, ["'i'", "'n'", "'c'", "'s'", "'q'"])
    add("regexp_like", "boolean", "regexp_like({0}, {1}, {2})", "text", regex, ["'i'", "'n'", "'c'", "''"])
    add("regexp_count", "integer", "regexp_count({0}, {1}, {2}, 'i')", "text", regex, ["1", "2", "5", "0"])
    add("regexp_replace n", "text", "regexp_replace({0}, {1}, {2}, {3}, {4})", "text", regex, replacement,
        ["1", "2", "4"], ["0", "1", "2"])
    add("regexp_instr", "integer", "regexp_instr({0}, {1}, {2}, {3}, {4})", "text", regex, ["1", "2"], ["1", "2"], ["0", "1"])
    add("regexp_substr", "text", "regexp_substr({0}, {1}, {2}, {3}, '', {4})", "text", regex, ["1", "2"], ["1", "2"], ["0", "1"])
    add("~", "boolean", "({0} ~ {1})", "text", "text")


def byteas(add):
    add("bytea ||", "bytea", "({0} || {1})", "bytea", "bytea")
    for name in ("length", "octet_length", "bit_length"):
        add(f"{name} of bytea", "integer", f"{name}({{0}})", "bytea")
    for name in ("md5", ):
        add(f"{name} of bytea", "text", f"{name}({{0}})", "bytea")
    for name in ("sha224", "sha256", "sha384", "sha512"):
        add(name, "bytea", f"{name}({{0}})", "bytea")
    for form in ("hex", "base64", "escape"):
        add(f"encode {form}", "text", f"encode({{0}}, '{form}')", "bytea")
        add(f"decode {form}", "bytea", f"decode(encode({{0}}, '{form}'), '{form}')", "bytea")
        add(f"decode {form}", "bytea", f"decode({{0}}, '{form}')", "text")
    add("encode", "text", "encode({0}, {1})", "bytea", Either(["'HEX'", "'Base64'"], ["'abc'", "''"]))
    add("substring of bytea", "bytea", "substring({0} from {1} for {2})", "bytea", "#small", "#small")
    add("substr of bytea", "bytea", "substr({0}, {1})", "bytea", "#small")
    add("overlay of bytea", "bytea", "overlay({0} placing {1} from {2})", "bytea", "bytea", "#position")
    add("position of bytea", "integer", "position({0} in {1})", "bytea", "bytea")
    for name in ("trim", "btrim", "ltrim", "rtrim"):
        add(f"{name} of bytea", "bytea", f"{name}({{0}}, {{1}})", "bytea", "bytea")
    add("get_byte", "integer", "get_byte({0}, {1})", "bytea", "#small")
    add("set_byte", "bytea", "set_byte({0}, {1}, 65)", "bytea", "#small")
    add("get_bit", "integer", "get_bit({0}, {1})", "bytea", "#small")
    add("set_bit", "bytea", "set_bit({0}, {1}, {2})", "bytea", "#small", ["0", "1"])
    add("bit_count", "bigint", "bit_count({0})", "bytea")
    add("LIKE of bytea", "boolean", "({0} LIKE {1})", "bytea", ["'\\x6125'::bytea", "'%a%'::bytea", "'_b%'::bytea"])
    # Its result has the collation C, which would change lower() and the like around it.
    add("convert_from", "text of C", "convert_from({0}, 'UTF8')", "bytea")
    add("convert_to", "bytea", "convert_to({0}, 'UTF8')", "text")
