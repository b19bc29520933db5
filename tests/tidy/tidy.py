#!/usr/bin/env python3
"""The house rules that a compiler does not check. Usage: tests/tidy/tidy.py BUILD_DIR

Prints one line per breach (file:line: what), then `N passed, N failed` (N = rules). There is no
exception list: when a rule hurts, mend the house or change the rule here, in the open.
"""
import concurrent.futures
import os
import re
import subprocess
import sys

FUNCTION_MAX = 70
FILE_MAX = 800
LINE_MAX = 100
C_ROOTS = ("codec", "signaling", "server", "bench", "tests")

# A folder may include itself, what it names, and nothing else of ours.
CODEC = ["codec/base", "codec/wire", "codec/media", "codec/av"]
CLASS = ["signaling/schema", "signaling/class", "signaling/activity", "signaling/journal"]
LAYERS = {
    "codec/base": [],
    "codec/sys": ["codec/base"],
    "codec/wire": ["codec/base"],
    "codec/media": ["codec/base", "codec/wire"],
    "codec/av": ["codec/base", "codec/media"],
    "signaling/schema": CODEC[:3],
    "signaling/journal": CODEC[:3] + CLASS,
    "signaling/activity": CODEC[:3] + CLASS,
    "signaling/class": CODEC[:3] + CLASS,
    "signaling/people": CODEC[:3] + ["signaling/schema"],
    "signaling/attendance": CODEC[:3] + ["signaling/schema", "signaling/journal"],
    "signaling/store": ["codec/base", "codec/sys"] + CLASS,
    "signaling/door": ["codec/base", "codec/sys", "signaling/schema", "signaling/class"],
    "signaling/lms": ["codec/base", "codec/sys", "signaling/schema", "signaling/door"],
    "server/proto": CODEC[:3],
    "server/sfu": CODEC[:3] + ["server/proto"],
    "server/crypto": CODEC[:3] + ["server/proto"],
    "server/io": CODEC[:3] + ["codec/sys", "server/proto"],
    "server/record": CODEC + ["codec/sys", "server/proto", "server/sfu", "server/io"],
    "server/paper": ["codec/base"],
    "server/mail": ["codec/base", "signaling/people"],
    "bench/load": CODEC + ["codec/sys", "server/proto", "server/crypto", "server/io"],
    "server/app": CODEC + ["bench/load", "codec/sys", "server/proto", "server/sfu",
                           "server/crypto", "server/io", "server/record", "signaling/door",
                            "server/paper", "server/mail", "signaling/store", "signaling/attendance",
                            "signaling/people", "signaling/lms"] + CLASS,
}
PURE = ["codec/base", "codec/wire", "codec/media", "signaling/schema", "signaling/class",
        "signaling/activity", "signaling/attendance", "signaling/people", "signaling/journal", "server/proto",
        "server/sfu"]
HEAP = {"malloc", "calloc", "realloc", "free", "strdup", "aligned_alloc", "posix_memalign"}
IMPURE = HEAP | set("""
    clock_gettime gettimeofday time nanosleep usleep sleep clock_nanosleep
    socket bind listen accept accept4 connect send sendto sendmsg sendmmsg recv recvfrom recvmsg
    recvmmsg poll select epoll_wait epoll_ctl epoll_create1 eventfd timerfd_create
    open openat close read write pread pwrite fopen fclose fread fwrite fprintf printf puts fputs
    putchar perror __printf_chk __fprintf_chk __vfprintf_chk stderr stdout stdin
    getrandom getentropy rand random drand48 getenv setenv exit fork execve
""".split())
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SQL_BUILT = re.compile(r"sqlite3_(v?mprintf|v?snprintf)\s*\(|sqlite3_exec\s*\([^,]+,(?!\s*[\"A-Z])")

breaches = {}


def breach(rule, where, what):
    breaches.setdefault(rule, []).append(f"{where}: {what}")


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                         capture_output=True, text=True).stdout.split("\n")
    return [f for f in out if f and os.path.exists(f)]


def is_c(path):
    return path.endswith((".c", ".h")) and path.startswith(C_ROOTS)


def folder_of(path):
    return "/".join(path.split("/")[:2])


def check_sizes(path, lines):
    if len(lines) > FILE_MAX:
        breach("sizes", path, f"{len(lines)} lines, {FILE_MAX} allowed")
    start = None
    for n, line in enumerate(lines, 1):
        if len(line) > LINE_MAX:
            breach("sizes", f"{path}:{n}", f"{len(line)} columns, {LINE_MAX} allowed")
        if line == "{":
            start = n
        elif line.startswith("}") and start:
            length = n - start + 2  # with the line of its name
            if length > FUNCTION_MAX and lines[start - 2].rstrip().endswith(")"):
                breach("sizes", f"{path}:{start}",
                       f"function of {length} lines, {FUNCTION_MAX} allowed")
            start = None


def check_includes(path, lines):
    here = folder_of(path)
    for n, line in enumerate(lines, 1):
        m = re.match(r'#include "([^"]+)"', line)
        if not m:
            continue
        target = folder_of(m.group(1))
        if target not in LAYERS and not m.group(1).startswith(("bench/", "tests/", "gen/")):
            breach("layers", f"{path}:{n}", f"include not written from the root: {m.group(1)}")
        if here not in LAYERS or target == here or m.group(1).endswith(".def"):
            continue
        if target not in LAYERS[here]:
            breach("layers", f"{path}:{n}", f"{here} may not include {target}")
        if (here == "server/app" and not os.path.basename(path).startswith("bridge")
                and target == "signaling/class" and any('"server/sfu/' in x for x in lines)):
            breach("layers", f"{path}:{n}", "only bridge*.c knows both signaling and sfu")


def check_words(path, lines):
    for n, line in enumerate(lines, 1):
        if LEFTOVER.search(line):
            breach("leftovers", f"{path}:{n}", line.strip()[:80])
        if SQL_BUILT.search(line):
            breach("sql", f"{path}:{n}", "SQL must be a literal with bound values (S30)")


def check_purity(build):
    for folder in PURE:
        archive = f"{build}/lib/{folder.replace('/', '_')}.a"
        if not os.path.exists(archive):
            continue
        out = subprocess.run(["nm", "-u", archive], capture_output=True, text=True, check=True)
        member = "?"
        for line in out.stdout.split("\n"):
            if line.endswith(".o:"):
                member = line[:-1]
            symbol = line.strip().removeprefix("U ").split("@")[0]
            allowed_heap = folder == "codec/base" and member == "mem.o"
            if symbol.startswith("pthread_") or (
                    symbol in IMPURE and not (symbol in HEAP and allowed_heap)):
                breach("purity", f"{folder}/{member}", f"uses {symbol}")


def header_alone(path):
    # The name comes from a wrapper, so that #pragma once is not in a main file.
    r = subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra",
                        "-fsyntax-only", "-xc", "-"], input=f'#include "{path}"\n',
                       capture_output=True, text=True)
    return path, r.returncode, r.stderr.split("\n")[0]


def check_headers(paths):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, code, why in pool.map(header_alone, [p for p in paths if p.endswith(".h")]):
            if code:
                breach("headers", path, f"does not compile alone: {why}")


def check_format(paths):
    r = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], capture_output=True,
                       text=True)
    for line in r.stderr.split("\n"):
        if "error:" in line:
            breach("format", *line.split(": error: ", 1))


# A machine of several files is tested through its face; its inner headers need no test of their own.
FACES = {"server/sfu": "server/sfu/sfu.h", "signaling/class": "signaling/class/classroom.h"}


def check_tested(paths):
    texts = "\n".join(open(p, encoding="utf-8").read() for p in paths if p.startswith("tests/"))
    for p in paths:
        module = p[:-2] + ".c" if p.endswith(".h") else ""
        face = FACES.get(folder_of(p), p)
        if module in paths and folder_of(p) in PURE and p not in texts and face not in texts:
            breach("tested", p, "no test includes it")


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
    paths = [p for p in tracked() if is_c(p)]
    for path in paths:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        check_sizes(path, lines)
        check_includes(path, lines)
        check_words(path, lines)
    check_purity(build)
    check_headers(paths)
    check_format(paths)
    check_tested(paths)
    rules = ["sizes", "layers", "leftovers", "sql", "purity", "headers", "format", "tested"]
    for rule in rules:
        for line in breaches.get(rule, []):
            print(f"{rule}: {line}")
        print(f"{'FAIL' if rule in breaches else 'ok'} tidy {rule}")
    print(f"{len(rules) - len(breaches)} passed, {len(breaches)} failed")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
