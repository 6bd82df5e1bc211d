#!/usr/bin/env python3
"""Runs every app here through one table of assertions. `test.py [APP…]`; `test.py --mutants` tries the table itself."""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    from harness import mutants, quotes
    from harness.apps import APPS, Missing
    from harness.trial import Trial
except ModuleNotFoundError as missing:
    sys.exit(f"{missing}: run this with the Python of the environment that README.md tells how to make")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(app.name for app in APPS)} [default: all]")
    arguments.add_argument("--mutants", action="store_true", help="weaken each verifier in turn: the table must notice")
    chosen = arguments.parse_args()
    unknown = set(chosen.apps) - {app.name for app in APPS}
    if unknown:
        arguments.error(f"there is no app {' or '.join(sorted(unknown))}")
    apps = [app for app in APPS if not chosen.apps or app.name in chosen.apps]
    sys.exit(mutants.run(apps) if chosen.mutants else run(apps))


def run(apps):
    began, passed, failed = time.monotonic(), 0, 0
    with ThreadPoolExecutor(len(apps)) as pool:
        for app, (count, failures) in zip(apps, pool.map(attempt, apps)):
            tell(app.name, count, failures)
            passed, failed = passed + count, failed + len(failures)
    count, failures = quotes.check()
    tell("quotes", count, failures)
    passed, failed = passed + count, failed + len(failures)
    # As cargo says it, so that whoever counts tests counts these.
    verdict = "FAILED" if failed else "ok"
    took = time.monotonic() - began
    print(f"\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; finished in {took:.2f}s")
    return 1 if failed else 0


def tell(name, passed, failures):
    print(f"{name:10} {passed:4} passed, {len(failures)} failed", *failures, sep="\n           ", flush=True)


def attempt(app):
    with tempfile.TemporaryDirectory(prefix="counterfoil-apps-") as scratch:
        try:
            trial = Trial(app, Path(scratch)).run()
        except Missing as missing:
            return 0, [str(missing)]
        return trial.passed, trial.failed


if __name__ == "__main__":
    main()
