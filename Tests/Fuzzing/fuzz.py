"""Runs libFuzzer over the parsers, one after the other, and prints what came of it.

    fuzz.py --program PATH [--seconds N] [--only NAME,NAME] [--work FOLDER] [--keep]

Each run starts from the inputs of Tests/Fuzzing/Corpus and from what earlier runs have put into the
work folder. --keep merges the latter: those that reach something new are copied into the corpus, the
smallest first, up to 60 of at most 2 KiB for a parser. Exit code 1 when an input crashes.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "Corpus"
MOST_INPUTS, LONGEST = 60, 2048
# An input that takes a second is a hang, and nothing that a parser keeps is larger than this.
LIMITS = ["-timeout=1", "-rss_limit_mb=256", f"-max_len={LONGEST}"]


def run(options, name: str, arguments: list[str]) -> subprocess.CompletedProcess:
    environment = dict(os.environ, FUZZ_CASE=name, SWIFT_BACKTRACE="enable=no")
    return subprocess.run([options.program, *LIMITS, *arguments], env=environment, text=True,
                          errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def number(pattern: str, text: str, which: int = -1) -> int:
    found = re.findall(pattern, text)
    return int(found[which]) if found else 0


def fuzz(options, name: str) -> dict:
    """One parser for so many seconds."""
    kept, work, found = CORPUS / name, options.work / name, options.work / "found" / name
    for folder in (kept, work, found):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    told = run(options, name, [f"-max_total_time={options.seconds}", "-print_final_stats=1",
                               f"-artifact_prefix={found}/", str(work), str(kept)])
    (options.work / f"{name}.log").write_text(told.stdout)
    crashes = sorted(set(found.iterdir()) - before)
    if told.returncode and not crashes:
        sys.exit(f"{name}: libFuzzer ended with {told.returncode}\n{told.stdout[-2000:]}")
    covered = r"cov: (\d+)"
    return {"name": name, "runs": number(r"number_of_executed_units: (\d+)", told.stdout),
            "rate": number(r"average_exec_per_sec: +(\d+)", told.stdout),
            "new": number(covered, told.stdout) - number(r"INITED cov: (\d+)", told.stdout),
            "memory": number(r"peak_rss_mb: +(\d+)", told.stdout), "crashes": crashes,
            "why": re.findall(r"Fatal error: (.*)|ERROR: libFuzzer: (.*)", told.stdout)}


def keep(options, name: str) -> int:
    """Copies what reaches something new into the corpus."""
    kept, merged = CORPUS / name, options.work / "merged" / name
    merged.mkdir(parents=True, exist_ok=True)
    for old in merged.iterdir():
        old.unlink()
    # The inputs that stand there come first, so that only what they do not reach is new.
    run(options, name, ["-merge=1", str(merged), str(kept)])
    known = {path.read_bytes() for path in kept.iterdir()}
    run(options, name, ["-merge=1", str(merged), str(options.work / name)])
    new = sorted((path for path in merged.iterdir() if path.read_bytes() not in known),
                 key=lambda path: (path.stat().st_size, path.name))
    room = MOST_INPUTS - len(known)
    for path in new[:max(0, room)]:
        (kept / f"found-{path.name[:12]}").write_bytes(path.read_bytes())
    return min(len(new), max(0, room))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seconds", type=int, help="for each parser; by default 60 for all")
    parser.add_argument("--only", default="")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(".build/fuzz-work"))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    names = subprocess.run([options.program], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    wanted = [name for name in options.only.split(",") if name]
    if set(wanted) - set(names):
        sys.exit(f"there is no {sorted(set(wanted) - set(names))}; there are {', '.join(names)}")
    names = wanted or names
    options.seconds = options.seconds or max(1, 60 // len(names))
    form = "{:<20} {:>12} {:>8} {:>13} {:>7} {:>8}"
    print(form.format("parser", "runs", "runs/s", "new coverage", "MB", "crashes"), flush=True)
    results = []
    for name in names:
        result = fuzz(options, name)
        results.append(result)
        print(form.format(name, f"{result['runs']:,}", f"{result['rate']:,}", result["new"],
                          result["memory"], len(result["crashes"])), flush=True)
    if options.keep:
        for name in names:
            print(f"{name}: {keep(options, name)} inputs are new in the corpus")
    failed = [result for result in results if result["crashes"]]
    for result in failed:
        why = next((a or b for a, b in result["why"]), "")
        print(f"\n{result['name']}: {why}")
        for path in result["crashes"]:
            print(f"    {path}\n    again: FUZZ_CASE={result['name']} SWIFT_BACKTRACE=enable=no "
                  f"{os.path.relpath(options.program)} {path}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
