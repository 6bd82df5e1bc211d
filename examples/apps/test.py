#!/usr/bin/env python3
"""Runs every app here through one table of assertions. `test.py [APP…]`; `test.py --mutants` tries the table itself."""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    from harness import mutants, quotes, real
    from harness.apps import APPS, Missing
    from harness.trial import Trial
except ModuleNotFoundError as missing:
    sys.exit(f"{missing}: run this with the Python of the environment that README.md tells how to make")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(app.name for app in APPS)} [default: all]")
    arguments.add_argument("--mutants", action="store_true", help="weaken each verifier in turn: the table must notice")
    arguments.add_argument("--gateway", metavar="BIN", help="with assertions of this `counterfoil` instead of our own")
    arguments.add_argument("--old", action="store_true", help="with --gateway: use them a minute later, when none is good")
    chosen = arguments.parse_args()
    unknown = set(chosen.apps) - {app.name for app in APPS}
    if unknown:
        arguments.error(f"there is no app {' or '.join(sorted(unknown))}")
    apps = [app for app in APPS if not chosen.apps or app.name in chosen.apps]
    if chosen.mutants:
        sys.exit(mutants.run(apps))
    began = time.monotonic()
    results = real.run(apps, chosen.gateway, chosen.old) if chosen.gateway else by_the_table(apps)
    sys.exit(told(results, began))


def by_the_table(apps):
    with ThreadPoolExecutor(len(apps)) as pool:
        yield from ((app.name, *result) for app, result in zip(apps, pool.map(attempt, apps)))
    yield "quotes", *quotes.check()


def told(results, began):
    """The exit status."""
    passed, failed = 0, 0
    for name, count, failures in results:
        print(f"{name:10} {count:4} passed, {len(failures)} failed", *failures, sep="\n           ", flush=True)
        passed, failed = passed + count, failed + len(failures)
    # As cargo says it, so that whoever counts tests counts these.
    verdict = "FAILED" if failed else "ok"
    took = time.monotonic() - began
    print(f"\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; finished in {took:.2f}s")
    return 1 if failed else 0


def attempt(app):
    with tempfile.TemporaryDirectory(prefix="counterfoil-apps-") as scratch:
        try:
            trial = Trial(app, Path(scratch)).run()
        except Missing as missing:
            return 0, [str(missing)]
        return trial.passed, trial.failed


if __name__ == "__main__":
    main()
