"""Compares what each suite observed on one server with what it observed through the proxy, step by step."""
import argparse
import difflib
import re
import sys

PAGE_END = "<!-- end generated -->"


def read_transcript(path):
    """The driver and its version, and the lines of each step, in order."""
    driver, steps, lines = None, {}, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file.read().splitlines():
            if line.startswith("driver: ") and driver is None:
                driver = line[len("driver: "):]
            elif line.startswith("== "):
                if line[3:] in steps:
                    raise SystemExit("%s has two steps called %s" % (path, line[3:]))
                lines = steps.setdefault(line[3:], [])
            else:
                if lines is None:
                    lines = steps.setdefault("before the first step", [])
                lines.append(line)
    return driver, steps


def read_pending(path):
    """(suite.way, step) → why it still differs."""
    pending = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            match = re.fullmatch(r"(\S+): (.+?) \((.+)\)", line)
            if match is None:
                raise SystemExit("%s:%d: not SUITE.WAY: STEP (REASON)" % (path, number))
            pending[match[1], match[2]] = match[3]
    return pending


def show_difference(run, step, single, proxied):
    print("\n%s, step `%s`: one server (-), through the proxy (+)" % (run, step))
    lines = list(difflib.unified_diff(single, proxied, lineterm="", n=0))[2:]
    # One that ended early says why; what it therefore did not observe is no news.
    ended = [line for line in lines if line.startswith("+!!")]
    shown = [line for line in lines if not line.startswith("@@")][:10] if not ended else ended
    for line in shown:
        print("  " + line[:600])
    if len(lines) > len(shown):
        print("  … (%d lines differ)" % len([line for line in lines if not line.startswith("@@")]))


def forget(path, passing):
    """Takes what passes off the list."""
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    gone = ["%s: %s (" % one for one in passing]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line for line in lines if not line.startswith(tuple(gone)))


def judge_way(run, single, proxied, pending, passing):
    """What the table says of one suite, run in one way, and whether that is as it should be."""
    good, waiting = True, []
    for step in {**single, **proxied}:
        same = single.get(step) == proxied.get(step)
        if (run, step) in pending:
            if same:
                passing.append((run, step))
            else:
                waiting.append(step)
        elif not same:
            show_difference(run, step, single.get(step, ["(no such step)"]), proxied.get(step, ["(no such step)"]))
            good = False
    for name, step in pending:
        if name == run and step not in single:
            print("\nthe list of what is pending names a step that is none: %s: %s" % (name, step))
            good = False
    if not good:
        return "differs", good
    return "equal, except: " + ", ".join(waiting) if waiting else "equal", good


def judge(suite, ways, seen, pending, passing):
    """One row of the table, and whether all is as it should be."""
    driver, single = read_transcript("%s/%s.single" % (seen, suite))
    good = driver is not None and bool(single)
    if not good:
        print("\n%s observed nothing" % suite)
    for step, lines in single.items():
        broken = [line for line in lines if line.startswith("!!")]
        if broken:
            print("\n%s is broken on one server, step `%s`: %s" % (suite, step, broken[0]))
            good = False
    results = []
    for way in ways:
        run = "%s.%s" % (suite, way)
        result, fine = judge_way(run, single, read_transcript("%s/%s" % (seen, run))[1], pending, passing)
        results.append(result)
        good = good and fine
    checks = sum(len(lines) for lines in single.values())
    return (driver or suite, str(checks), ", ".join(single), *results), good


def write_page(path, name, heads, rows):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    mark = "<!-- generated: %s -->" % name
    begin = text.index(mark) + len(mark)
    end = text.index(PAGE_END, begin)
    table = ["| " + " | ".join(line) + " |" for line in [heads, *rows]]
    table.insert(1, "|---" * len(heads) + "|")
    text = text[:begin] + "\n\n" + "\n".join(table) + "\n\n" + text[end:]
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pending", required=True)
    arguments.add_argument("--seen", required=True)
    arguments.add_argument("--update", action="store_true")
    arguments.add_argument("--page")
    arguments.add_argument("--table")
    arguments.add_argument("--way", action="append", required=True, metavar="WAY=TITLE")
    arguments.add_argument("suites", nargs="+")
    arguments = arguments.parse_args()
    ways = dict(way.split("=", 1) for way in arguments.way)
    pending = read_pending(arguments.pending)
    rows, passing, good = [], [], True
    for suite in arguments.suites:
        row, fine = judge(suite, ways, arguments.seen, pending, passing)
        seconds = open("%s/%s.time" % (arguments.seen, suite)).read().split()[1]
        rows.append((row, seconds))
        good = good and fine
    if passing and arguments.update:
        forget(arguments.pending, passing)
    for run, step in passing:
        print("\n%s, step `%s` passes now: %s %s" %
              (run, step, "taken off" if arguments.update else "take it off", arguments.pending))
        good = good and arguments.update
    print("\n%-40s %6s %5s  %s" % ("driver", "checks", "s", " | ".join(ways.values())))
    for (driver, checks, _, *results), seconds in rows:
        print("%-40s %6s %5s  %s" % (driver, checks, seconds, " | ".join(results)))
    if arguments.page and good:
        write_page(arguments.page, arguments.table, ["driver", "checks", "what was run", *ways.values()], [row for row, _ in rows])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
