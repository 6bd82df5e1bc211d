"""What the documentation quotes from the apps: it has to be there, word for word."""

import re

from .apps import HERE

ROOT = HERE.parent.parent
PAGE = ROOT / "docs/gateway/assertion.md"
QUOTE = re.compile(r"^<!-- from (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def check():
    """How many are right, and which are not."""
    quotes = QUOTE.findall(PAGE.read_text())
    wrong = [f"{file} has no longer:\n{text}" for file, text in quotes if text not in (ROOT / file).read_text()]
    one_file = (HERE / "flask/counterfoil.py").read_text() == (HERE / "django/counterfoil.py").read_text()
    wrong += [] if one_file else ["flask/counterfoil.py and django/counterfoil.py are meant to be the same"]
    wrong += [] if len(quotes) > 4 else [f"{PAGE} quotes only {len(quotes)} times"]
    return len(quotes) + 2 - len(wrong), wrong
