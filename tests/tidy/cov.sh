#!/bin/bash
# `make cov`: which lines the unit tests, the corpus replays and the simulated SFU reach, by file,
# least first.
# The pages with every line are in build/cov/html.
set -eu
cd "$(dirname "$0")/../.."
raw=build/cov/raw
rm -rf "$raw" && mkdir -p "$raw"
programs=()
reach() { # PROGRAM ARGUMENT...
    local name=${1##*/}
    LLVM_PROFILE_FILE="$raw/$name.profraw" "$@" >"$raw/$name.log" 2>&1 || {
        echo "$1 failed: see $raw/$name.log" >&2
        exit 1
    }
    programs+=(-object "$1")
}
for program in build/cov/tests/*_test; do reach "$program"; done
for source in tests/fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    reach "build/cov/fuzz/$name" "tests/fuzz/corpus/$name"
done
reach build/cov/sim/sfu_sim --seeds 5
llvm-profdata merge -sparse -o build/cov/all.profdata "$raw"/*.profraw
report() { llvm-cov "$@" -instr-profile build/cov/all.profdata "${programs[@]:1}" codec signaling server; }
report show -format html -output-dir build/cov/html >/dev/null
report export -summary-only | python3 -c '
import json, os, sys
data = json.load(sys.stdin)["data"][0]
rows = [(f["summary"]["lines"]["percent"], os.path.relpath(f["filename"])) for f in data["files"]]
for percent, name in sorted(rows):
    print(f"{percent:6.1f} %  {name}")
print("{percent:6.1f} %  {covered} of {count} lines".format(**data["totals"]["lines"]))'
