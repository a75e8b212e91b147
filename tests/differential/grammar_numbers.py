"""Productions for arithmetic and functions of numbers."""
from grammar_types import FLOATS, INTS, NUMBERS, arithmetic_type


def productions(add):
    for a in NUMBERS:
        for b in NUMBERS:
            for op in "+-*/":
                add(op, arithmetic_type(a, b), f"({{0}} {op} {{1}})", a, b)
        add("+ unknown", a, "({0} + {1})", a, "'" + a)
        add("* unknown", a, "({1} * {0})", a, "'" + a)
        add("unary -", a, "(- {0})", a)
        add("unary +", a, "(+ {0})", a)
        add("abs", a, "abs({0})", a)
        add("@", a, "(@ {0})", a)
    exact = INTS + ["numeric"]
    for a in exact:
        for b in exact:
            add("%", arithmetic_type(a, b), "({0} % {1})", a, b)
            add("mod", arithmetic_type(a, b), "mod({0}, {1})", a, b)
    for a in INTS:
        for b in INTS:
            for op in "&|#":
                add(op, arithmetic_type(a, b), f"({{0}} {op} {{1}})", a, b)
        add("~ bits", a, "(~ {0})", a)
        add("<<", a, "({0} << {1})", a, "#small")
        add(">>", a, "({0} >> {1})", a, "#small")
    for a in exact[1:]:
        add("gcd", a, "gcd({0}, {1})", a, a)
        add("lcm", a, "lcm({0}, {1})", a, a)
    for t in ("numeric", "double precision"):
        for name in ("floor", "ceil", "ceiling", "round", "trunc", "sign"):
            add(name, t, f"{name}({{0}})", t)
        for name in ("sqrt", "exp", "ln", "log", "log10"):
            add(name, t, f"{name}({{0}})", t, inexact=t != "numeric")
            add(name, t, f"{name}(abs({{0}}))", t, inexact=t != "numeric")
        for name in ("power", "pow"):
            add(name, t, f"{name}({{0}}, {{1}})", t, t, inexact=t != "numeric")
            add(name, t, f"{name}({{0}}, {{1}})", t, "#small", inexact=t != "numeric")
        add("^", t, "({0} ^ {1})", t, "#small", inexact=t != "numeric")
    for a, name in (("integer", "floor"), ("real", "round"), ("bigint", "sqrt"), ("integer", "ceil"),
                    ("smallint", "sign"), ("real", "trunc")):
        add(name, "double precision", f"{name}({{0}})", a, inexact=name == "sqrt")
    for name in ("round", "trunc"):
        add(f"{name} to", "numeric", f"{name}({{0}}, {{1}})", "numeric", "#small")
        add(f"{name} to", "numeric", f"{name}({{0}}, -2)", "integer")
    add("log of base", "numeric", "log({0}, {1})", "numeric", "numeric")
    add("div", "numeric", "div({0}, {1})", "numeric", "numeric")
    add("scale", "integer", "scale({0})", "numeric")
    add("min_scale", "integer", "min_scale({0})", "numeric")
    add("trim_scale", "numeric", "trim_scale({0})", "numeric")
    add("factorial", "numeric", "factorial(abs({0}))", "#small")
    for name in ("cbrt", "sin", "cos", "tan", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh",
                 "asinh", "acosh", "atanh", "degrees", "radians"):
        add(name, "double precision", f"{name}({{0}})", "double precision", inexact=True)
    add("atan2", "double precision", "atan2({0}, {1})", "double precision", "double precision",
        inexact=True)
    add("|/", "double precision", "(|/ {0})", "double precision", inexact=True)
    add("||/", "double precision", "(||/ {0})", "double precision", inexact=True)
    add("pi", "double precision", "({0} * pi())", "double precision")
    for t in FLOATS:
        add("/ zero", t, "({0} / {1})", t, ["0", "'-0'::float8", "'Infinity'::real", "1e-40"])
    add("to_hex", "text", "to_hex({0})", "integer")
    add("to_hex", "text", "to_hex({0})", "bigint")
    add("precedence", "integer", "({0} + {1} * {2} - {0})", "integer", "integer", "integer")
    add("precedence", "numeric", "(- {0} ^ {1})", "numeric", ["0", "1", "2", "3", "-1"])
    add("precedence", "boolean", "({0} + 1 > {1} AND NOT {2} OR {0} = 3)", "integer", "integer",
        "boolean")
