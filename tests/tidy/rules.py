#!/usr/bin/env python3
"""Every rule S1 to S39 has its row in tests/README.md, and every test named there exists and says the
rule: a file below tests/ and, in quotes, words of the line it prints; the same for the rows of
bench/features.md (features.py); what differs by source is data. Prints ok/FAIL and a sum."""
import glob
import os
import re
import sys

import features

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROW = re.compile(r"^\| (S\d+) \| [^|]+ \| (.+) \|$", re.M)
TEST = re.compile(r"`([\w/.]+)` \"([^\"]+)\"")


def wrong(rule, cell, read):
    """What a row says that is not so."""
    tests = TEST.findall(cell)
    if not tests and not cell.startswith("none "):
        return ["names no test and does not say why"]
    found = []
    for path, words in tests:
        text = read(path)
        at = text.find(words)
        # "S5 {text} is denied": the rule may stand before words that vary.
        line = text[text.rfind("\n", 0, at) + 1:at + len(words)] if at >= 0 else ""
        if not line:
            found.append(f"{path} has no \"{words}\"")
        elif not re.search(rf"\b{rule}(?![0-9])", line, re.I) and \
                not re.search(rf"\b{rule.lower()}[_-]", line):
            found.append(f"{path} \"{words}\" does not say {rule}")
    return found


def asks_source(texts=None):
    """Files of the forwarding unit that decide by which source they have: that is policy.c's. near.c
    names those that send most, as a hint to memory."""
    if texts is None:
        texts = {}
        for path in glob.glob(os.path.join(os.path.dirname(TESTS), "server", "sfu", "*.[ch]")):
            with open(path, encoding="utf-8") as f:
                texts[os.path.basename(path)] = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    return sorted(name for name, text in texts.items() if name not in ("policy.c", "near.c")
                  and re.search(r"\bSOURCE_(MIC|CAMERA|SCREEN|SOUND)\b", text))


def main():
    def read(path):
        try:
            with open(os.path.join(TESTS, path), encoding="utf-8") as f:
                return f.read()
        except OSError:
            return ""

    rows = dict(ROW.findall(read("README.md")))
    failed = 0
    for rule in (f"S{n}" for n in range(1, 40)):
        problems = wrong(rule, rows[rule], read) if rule in rows else ["has no row"]
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} {rule} {'; '.join(problems)}".rstrip())
    # A check that says yes to everything would be none.
    bites = wrong("S1", '`README.md` "no such words"', lambda _: "") and \
        wrong("S2", '`x` "S1 words"', lambda _: "S1 words") and wrong("S3", "later", read)
    failed += not bites
    print(f"{'ok  ' if bites else 'FAIL'} what is missing or misnamed is told")
    count, problems = features.main()
    failed += bool(problems)
    print(f"{'FAIL' if problems else 'ok  '} {count} rows of bench/features.md name tests that exist")
    for problem in problems:
        print(f"     {problem}")
    asked = asks_source()
    failed += bool(asked) or not asks_source({"x.c": "if (s == SOURCE_SCREEN)"})
    print(f"{'FAIL' if asked else 'ok  '} what differs by source is a row of server/sfu/policy.c {'; '.join(asked)}".rstrip())
    print(f"{42 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
