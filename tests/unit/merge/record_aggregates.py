#!/usr/bin/env python3
"""Records what a PostgreSQL server answers for every aggregate, and what each of several shards
holding a part of the rows would deliver as its partial. The unit test merges the partials and
compares with the whole.

    record_aggregates.py [psql arguments] > aggregates.txt
"""
import random
import subprocess
import sys

NULL = "\\N"
random.seed(20)


def ask(sql):
    run = subprocess.run(["psql", "-XAtq", "-F", "|", "-P", f"null={NULL}", "-v", "ON_ERROR_STOP=1", *sys.argv[1:]],
                         input="SET extra_float_digits = 1; SET lc_monetary = 'C';\n" + sql,
                         capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


def values_of(rows):
    return ", ".join("(" + ", ".join("NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in row) + ")"
                     for row in rows)


def record(kind, result, inputs, whole, parts, types, rows, collation="-"):
    """inputs: the types of a partial's columns; parts: their expressions; rows: tuples of text."""
    columns = [f"c{i}" for i in range(len(types))]
    for shards in (1, 3):
        placed = [(str(random.randrange(shards)), *row) for row in rows]
        casts = ", ".join(f"{c}::{t} AS {c}" for c, t in zip(columns, types))
        source = "(SELECT s, " + casts + " FROM (VALUES " + values_of(
            placed or [("0", *[None] * len(types))]) + f") v(s, {', '.join(columns)})" + (
            "" if placed else " WHERE false") + ") t"
        final = ask(f"SELECT {whole} FROM {source};")
        print("case", kind, result, ",".join(inputs), collation)
        for shard in range(shards):
            print("row", *ask(f"SELECT {parts} FROM {source} WHERE s = '{shard}';"))
        print("final", *final)


def numbers(pick, count=30, nulls=True):
    return [(None if nulls and random.random() < 0.1 else pick(),) for _ in range(count)]


INTEGERS = [numbers(lambda: str(random.randrange(-1000, 1000))),
            numbers(lambda: str(random.randrange(-2**31, 2**31))), [("7",)], [(None,)], []]
LARGE = [numbers(lambda: str(random.randrange(-2**63, 2**63))), numbers(lambda: str(2**62)), []]
NUMERICS = [numbers(lambda: f"{random.uniform(-1e6, 1e6):.{random.randrange(9)}f}"),
            numbers(lambda: str(random.randrange(10**30)) + "." + str(random.randrange(10**20)).zfill(20)),
            [("1.0",), ("1.00",), ("2",)], [("0.000",), ("0.0",)], [("1.5",)], [(None,)], [],
            [("1",), ("NaN",), ("3",)], [("Infinity",), ("1",)], [("Infinity",), ("-Infinity",), ("1",)],
            [("-Infinity",), ("2.5",)], [("1e-16",), ("1e-17",), ("1e20",)], [("0.3333333333333333",)] * 7]
FLOATS = [numbers(lambda: repr(random.uniform(-100, 100))), numbers(lambda: repr(random.gauss(1e8, 1))),
          [("1.5",)] * 6, [("2",)], [(None,)], [], [("1",), ("NaN",), ("2",)], [("Infinity",), ("1",), ("2",)],
          [("Infinity",), ("-Infinity",)], [("Infinity",)], [("NaN",)], [("-0",)], [("-0",), ("0",)]]


def pair(pick):
    return [tuple(None if random.random() < 0.05 else v for v in pick()) for _ in range(30)]


def line():
    x = random.uniform(0, 10)
    return repr(3 * x + random.gauss(0, 1)), repr(x)


PAIRS = [pair(line), [(repr(float(i)), "2") for i in range(5)], [("2", repr(float(i))) for i in range(5)],
         [("2", "2")] * 4, [("1", "2")], [(None, "1"), ("1", None)], [], [("1", "2"), ("NaN", "3"), ("2", "4")],
         [("Infinity", "1"), ("2", "3"), ("5", "6")], [("1", "Infinity"), ("2", "3"), ("5", "6")],
         [("1", "NaN")], [("NaN", "1")], [("Infinity", "1")]]

for data in INTEGERS:
    record("count", "int8", ["int8"], "count(c0)", "count(c0)", ["int4"], data)
    record("sum", "int8", ["int8"], "sum(c0)", "sum(c0)", ["int4"], data)
    record("avg", "numeric", ["int8", "int8"], "avg(c0)", "sum(c0), count(c0)", ["int4"], data)
    for kind in ("min", "max", "bit_and", "bit_or", "bit_xor"):
        record(kind, "int4", ["int4"], f"{kind}(c0)", f"{kind}(c0)", ["int4"], data)
    for kind in ("var_pop", "var_samp", "stddev_pop", "stddev_samp"):
        record(kind, "numeric", ["int8", "numeric", "numeric"], f"{kind}(c0)",
               "count(c0), sum(c0::numeric), sum(c0::numeric * c0::numeric)", ["int4"], data)
for data in LARGE:
    record("sum", "numeric", ["numeric"], "sum(c0)", "sum(c0)", ["int8"], data)
    record("avg", "numeric", ["numeric", "int8"], "avg(c0)", "sum(c0), count(c0)", ["int8"], data)
for data in NUMERICS:
    record("sum", "numeric", ["numeric"], "sum(c0)", "sum(c0)", ["numeric"], data)
    record("avg", "numeric", ["numeric", "int8"], "avg(c0)", "sum(c0), count(c0)", ["numeric"], data)
    for kind in ("var_pop", "var_samp", "stddev_pop", "stddev_samp"):
        record(kind, "numeric", ["int8", "numeric", "numeric"], f"{kind}(c0)",
               "count(c0), sum(c0), sum(c0 * c0)", ["numeric"], data)
for kind in ("min", "max"):
    for data in NUMERICS:
        if len(data) != 2:  # of 0.000 and 0.0 either will do
            record(kind, "numeric", ["numeric"], f"{kind}(c0)", f"{kind}(c0)", ["numeric"], data)
for data in FLOATS:
    record("sum", "float8", ["float8"], "sum(c0)", "sum(c0)", ["float8"], data)
    record("sum", "float4", ["float4"], "sum(c0)", "sum(c0)", ["float4"], data)
    record("avg", "float8", ["float8", "int8"], "avg(c0)", "sum(c0), count(c0)", ["float8"], data)
    for kind in ("var_pop", "var_samp", "stddev_pop", "stddev_samp"):
        record(kind, "float8", ["int8", "float8", "float8"], f"{kind}(c0)",
               "count(c0), sum(c0), regr_sxx(c0, c0)", ["float8"], data)
    if not any(v and v[0] in ("0", "-0") for v in data):
        for kind in ("min", "max"):
            record(kind, "float8", ["float8"], f"{kind}(c0)", f"{kind}(c0)", ["float8"], data)
for data in PAIRS:
    for kind in ("covar_pop", "covar_samp", "corr", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
                 "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy"):
        record(kind, "int8" if kind == "regr_count" else "float8", ["int8"] + ["float8"] * 5, f"{kind}(c0, c1)",
               "regr_count(c0, c1), sum(c1) FILTER (WHERE c0 IS NOT NULL), sum(c0) FILTER (WHERE c1 IS NOT NULL), "
               "regr_sxx(c0, c1), regr_syy(c0, c1), regr_sxy(c0, c1)", ["float8", "float8"], data)
# Types that we take in binary only are recorded in binary.
SPANS = [[("1 day",), ("2 mons 03:04:05",), ("-1 year 5 days",), (None,), ("00:00:01.5",)], [("1 mon",)], []]
for data in SPANS:
    record("sum", "interval", ["interval"], "sum(c0)", "interval_send(sum(c0))", ["interval"], data)
    record("avg", "interval", ["interval", "int8"], "avg(c0)", "interval_send(sum(c0)), count(c0)", ["interval"], data)
    for kind in ("min", "max"):
        record(kind, "interval", ["interval"], f"{kind}(c0)", f"interval_send({kind}(c0))", ["interval"], data)
TRUTHS = [[("t",), ("f",), (None,)], [("t",), ("t",)], [("f",)], [(None,)], []]
for data in TRUTHS:
    for kind in ("bool_and", "bool_or"):
        record(kind, "bool", ["bool"], f"{kind}(c0)", f"{kind}(c0)", ["bool"], data)
WORDS = [[("apple",), ("Banana",), ("äpfel",), ("zebra",), ("Zoo",), ("banana",), ("a b",), ("a-b",), ("",), (None,)]]
for data in WORDS:
    for kind in ("min", "max"):
        record(kind, "text", ["text"], f'{kind}(c0 COLLATE "C")', f'{kind}(c0 COLLATE "C")', ["text"], data, "C")
        record(kind, "text", ["text"], f'{kind}(c0 COLLATE "en-x-icu")', f'{kind}(c0 COLLATE "en-x-icu")', ["text"],
               data, "en")
DAYS = [[("2024-02-29",), ("1999-12-31",), (None,), ("infinity",)], []]
for data in DAYS:
    for kind in ("min", "max"):
        record(kind, "date", ["date"], f"date_send({kind}(c0))", f"date_send({kind}(c0))", ["date"], data)


def distinct(kind, result, type_name, rows):
    """Each shard delivers its distinct values, a row each."""
    for shards in (1, 3):
        placed = [(str(random.randrange(shards)), *row) for row in rows]
        source = f"(SELECT s, c0::{type_name} FROM (VALUES {values_of(placed)}) v(s, c0)) t"
        final = ask(f"SELECT {kind}(DISTINCT c0) FROM {source};")
        print("case", kind + "_distinct", result, type_name, "-")
        for value in ask(f"SELECT DISTINCT s, c0 FROM {source};"):
            print("row", value.split("|", 1)[1])
        print("final", *final)


REPEATED = numbers(lambda: random.choice(["1", "2", "3", "-4"]))
DECIMALS = numbers(lambda: random.choice(["1.0", "1.00", "2.5", "2.50", "-7"]))
for sum_type, type_name, data in (("int8", "int4", REPEATED), ("numeric", "int8", REPEATED),
                                  ("float8", "float8", REPEATED), ("int8", "int4", [(None,)])):
    distinct("count", "int8", type_name, data)
    distinct("sum", sum_type, type_name, data)
    distinct("avg", "float8" if type_name == "float8" else "numeric", type_name, data)
distinct("count", "int8", "numeric", DECIMALS)
distinct("count", "int8", "text", [("a",), ("a",), ("A",), (None,), ("",)])
