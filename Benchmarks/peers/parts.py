"""A benchmark of several parts in one run: what was measured, what is missing, where it is written."""

import os
import platform
import subprocess
import sys
import time

from peers import common


class Parts:
    """Runs the parts that are wanted, each a method of its name in a folder of its own."""

    NAMES = ()

    def __init__(self, options):
        self.options, self.quick = options, options.quick
        self.figures, self.missing = {}, []

    def wants(self, name):
        return not self.options.only or name in self.options.only

    def part(self, name):
        if not self.wants(name):
            return
        begin = time.monotonic()
        print(f"  {name} …", end="", flush=True, file=sys.stderr)
        try:
            with common.folder(self.options.scratch) as place:
                self.figures.update(getattr(self, name)(place))
            print(f" {time.monotonic() - begin:.0f} s", file=sys.stderr)
        except (common.Missing, OSError, subprocess.SubprocessError, KeyError, ValueError) as why:
            self.missing.append(f"{name}: {why}")
            print(f" FAILED: {why}", file=sys.stderr)

    def run(self):
        begin = time.monotonic()
        self.figures["load_before"] = round(os.getloadavg()[0], 1)
        os.makedirs(self.options.scratch, exist_ok=True)
        for name in self.NAMES:
            self.part(name)
        self.figures |= {
            "quick": self.quick, "run_seconds": round(time.monotonic() - begin),
            "load_after": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}"}


def write_between(path, what, tables, figures, quick_flag):
    """Puts tables between the markers `<!-- what: begin -->` and `<!-- what: end -->` of a page."""
    begin, end = f"<!-- {what}: begin -->", f"<!-- {what}: end -->"
    with open(path) as file:
        text = file.read()
    if begin not in text or end not in text:
        raise common.Missing(f"{path} has no markers for the {what}")
    kind = f"`{quick_flag}`" if figures["quick"] else "the whole run"
    note = (f"{kind}, {figures['run_seconds']} s, {figures['machine']}; load average "
            f"{figures['load_before']} before and {figures['load_after']} after.")
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    with open(path, "w") as file:
        file.write(f"{before}{begin}\n{tables}\n\n{note}\n{end}{after}")
