"""Random patterns of LIKE, SIMILAR TO and regular expressions, as SQL literals."""
import re

from grammar_types import Either
from values import WORDS, quoted

PIECES = ["a", "b", "c", "A", "é", "abc", "foo", " ", ",", "1", "x", "ß", "日"]


def like_pattern(rnd):
    parts = rnd.choices(PIECES + ["%", "%", "%", "_", "_", "\\%", "\\_", "\\\\"], k=rnd.randint(0, 4))
    return quoted("".join(parts))


def escaped_by(rnd, escape):
    parts = rnd.choices(PIECES + ["%", "%", "_", escape + "%", escape + "_", escape * 2], k=rnd.randint(0, 4))
    return f"{quoted(''.join(parts))} ESCAPE {quoted(escape)}"


like_escaped = Either(lambda rnd: escaped_by(rnd, rnd.choice(["#", "!", "", "\\", "a", "é"])),
                      lambda rnd: escaped_by(rnd, rnd.choice(["##", "éa"])))


def similar_pattern(rnd):
    parts = []
    for _ in range(rnd.randint(1, 3)):
        parts.append(rnd.choice(PIECES + ["%", "%", "_", "(a|b)", "[a-c]", "[^a]", "b+", "a*", "c?", "(ab){2}",
                                          "a{1,2}", ".", "\\%", "[[:digit:]]", "x{2,}", "$", "^"]))
    return quoted("".join(parts))


def atom(rnd, depth):
    dice = rnd.random()
    if dice < 0.4:
        return rnd.choice(PIECES)
    if dice < 0.75 or depth == 0:
        return rnd.choice([".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "[abc]", "[^abc]", "[a-z]", "[A-Z0-9]",
                           "[[:alpha:]]", "[[:digit:]]", "[[:space:]_]", "[[:upper:]]", "[^[:alnum:]]",
                           "\\.", "\\m", "\\M", "\\y", "\\A", "\\Z", "^", "$", "[é-ü]", "\\x41", "\\u00e9",
                           "[]a]", "[a\\]]", "\\\\"])
    inner = alternation(rnd, depth - 1)
    return rnd.choice(["({})", "({})", "(?:{})"]).format(inner)


def alternation(rnd, depth):
    return "|".join("".join(piece(rnd, depth) for _ in range(rnd.randint(1, 2)))
                    for _ in range(rnd.choice([1, 1, 2])))


def piece(rnd, depth):
    quantifiers = ["", "", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}"]
    quantifier = rnd.choice(quantifiers) if rnd.random() < 0.98 else rnd.choice(["*?", "+?", "??", "{1,2}?"])
    inner = atom(rnd, depth)
    # A blank is nothing with the flag `x`.
    if inner in ("^", "$", " ") or inner.startswith("\\") and inner[1] in "mMyAZ":
        quantifier = ""
    return inner + quantifier


def broken_regex(rnd):
    return quoted(rnd.choice(["(", "[a", "a**", "*", "a{2", "\\", "a{3,1}", "[[:foo:]]", "[z-a]", ")", "{1}", "a{300}",
                              "(?<!a", "[[.foo.]]", "\\x", "(*)", "a|*", "^*"]))


def likely_regex(rnd):
    """Matches a part of a word that the table has often."""
    word = rnd.choice(WORDS[1:])
    at = rnd.randrange(len(word))
    parts = []
    for c in word[at:at + rnd.randint(1, 4)]:
        general = "\\w" if c.isalpha() else "\\d" if c.isdigit() else "\\s" if c.isspace() else "[^a-z]"
        parts.append(rnd.choice([re.escape(c), re.escape(c), re.escape(c) + "+", ".", general, general + "*", f"[{c}x]"
                                 if c.isalnum() else "[[:punct:][:space:]]"]))
    group = rnd.random()
    if group < 0.5:
        cut = rnd.randint(0, len(parts) - 1)
        parts.insert(cut, "(")
        parts.insert(rnd.randint(cut + 2, len(parts)), ")")
    return quoted("".join(parts))


def some_regex(rnd):
    if rnd.random() < 0.5:
        return likely_regex(rnd)
    if rnd.random() < 0.06:
        return quoted(rnd.choice(["", "(?i)ABC", "(?n)^a.c$", "(a)\\1", "a(?=b)", "(?<!a)b", "***=a.b", "()", "(|a)",
                                  "a||b", "[[=a=]]", "[[.a.]]", "***:a", "(?x)a b # c", "a\\Z", "\\Aa"]))
    pattern = "".join(piece(rnd, 2) for _ in range(rnd.randint(1, 3)))
    if rnd.random() < 0.15:
        pattern = "^" + pattern
    if rnd.random() < 0.15:
        pattern += "$"
    return quoted(pattern)


def replacement(rnd):
    return quoted(rnd.choice(["", "-", "<\\&>", "[\\1]", "\\2\\1", "\\\\", "é", "$1", "\\9", "\\"]))


regex = Either(some_regex, broken_regex)
flags = Either(["'g'", "'g'", "'i'", "'gi'", "'n'", "'gn'", "''", "'c'", "'gc'", "'q'", "'gq'", "'x'"], ["'z'", "'G'", "' '"])
