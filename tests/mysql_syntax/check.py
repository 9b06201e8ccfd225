#!/usr/bin/env python3
"""check.py PRINTER STATEMENTS: every statement and its printed form on a throw-away MariaDB.

Both must be prepared, or both fail with the same error. Of what EXPLAIN EXTENDED understands, the
server's own reading (operators, names of columns) must be the same, parentheses of set operations
aside.
"""
import os, pwd, re, subprocess, sys, tempfile, time

TABLE = ("(id int primary key, a int default 3, b int, c varchar(50), d datetime, e decimal(10,2),"
         " j text, g text, key i (a), fulltext (c), fulltext (c, g))")
SCHEMA = ["create database test character set utf8mb4", "use test",
          *(f"create table {name} {TABLE}" for name in "tuw"),
          "create table p (id int, a int) partition by hash (id) (partition p0, partition p1)",
          "create table `select` (`from` int)", "create sequence s", "create view v as select a from t"]


def start(folder):
    subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={folder}/data",
                    "--auth-root-authentication-method=normal", f"--user={pwd.getpwuid(os.geteuid()).pw_name}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = subprocess.Popen(["mariadbd", "--no-defaults", f"--datadir={folder}/data", "--skip-networking",
                               f"--socket={folder}/s", f"--user={pwd.getpwuid(os.geteuid()).pw_name}",
                               "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        if os.path.exists(f"{folder}/s"):
            return server
        time.sleep(0.1)
    server.terminate()
    raise SystemExit("MariaDB does not start")


def run(folder, lines):
    """Errors by line number, output of the lines."""
    done = subprocess.run(["mariadb", "--no-defaults", "-uroot", f"--socket={folder}/s", "--force", "-N", "-B", "-r"],
                          input="\n".join(lines).encode(), capture_output=True)
    errors = {int(line): int(code) for code, line in
              re.findall(r"ERROR (\d+) \(\w+\) at line (\d+)", done.stderr.decode(errors="replace"))}
    return errors, done.stdout.decode(errors="replace")


def prepare(text):
    return f"set @q = _utf8mb4 x'{text.encode().hex()}'; prepare q from @q; execute q;"


def main():
    printed = subprocess.run([sys.argv[1]], input=open(sys.argv[2], "rb").read(), capture_output=True, check=True)
    texts = printed.stdout.decode().split("\0")[:-1]
    with tempfile.TemporaryDirectory() as folder:
        server = start(folder)
        try:
            run(folder, [line + ";" for line in SCHEMA])
            prepares = ["use test;"] + [prepare(text).replace(" execute q;", "") for text in texts]
            errors, _ = run(folder, prepares)
            reads = ["use test;"]
            for number, text in enumerate(texts):
                query = re.match(r"[\s(]*(select|with|values)\b", texts[number | 1], re.I) and "?" not in text
                explain = prepare("explain extended " + text.rstrip(";")) + " show warnings;" if query else ""
                reads.append(f"{explain} select '#{number}';")
            _, notes = run(folder, reads)
        finally:
            server.terminate()
            server.wait()
    note = {}
    rest = 0
    for mark in re.finditer(r"^#(\d+)$", notes, re.M):
        found = re.findall(r"^Note\t1003\t(.*)", notes[rest:mark.start()], re.M | re.S)
        note[int(mark.group(1))] = re.sub(r"[()]", "", found[0]) if found else None
        rest = mark.end()
    failed = accepted = understood = 0
    for number in range(0, len(texts), 2):
        own, again = errors.get(number + 2, 0), errors.get(number + 3, 0)
        accepted += own == 0
        understood += note.get(number) is not None
        same = own == again and note.get(number) == note.get(number + 1)
        if not same:
            failed += 1
            print(f"{own} {again}\n  {texts[number]}\n  {texts[number + 1]}\n"
                  f"  {note.get(number)}\n  {note.get(number + 1)}")
    print(f"{len(texts) // 2} statements, {accepted} prepared, {understood} explained, {failed} differ")
    return 1 if failed or accepted < 700 or understood < 450 else 0


sys.exit(main())
