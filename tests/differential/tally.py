"""Counts what was compared, and says what differs."""
import collections


class Stopped(Exception):
    """A difference was found and one is enough."""


class Tally:
    """Of the expressions or of the queries; `uses` counts what those with a value are made of."""

    def __init__(self, what, show, stop=False):
        self.what = what
        self.stop = stop
        self.uses = collections.Counter()
        self.types = collections.Counter()
        self.asked = self.passed = self.failed = self.refused = self.empty = 0
        self.errors = self.invalid = self.early = self.skipped = 0
        self.show = show
        self.reasons = collections.Counter()

    def fail(self, sql, what):
        self.failed += 1
        if self.failed <= self.show:
            print(f"DIFFERENT {sql}\n  {what}", flush=True)
        if self.stop:
            raise Stopped

    def refuse(self, sql, problem):
        self.refused += 1
        reason = problem.said
        if self.reasons[reason] == 0 and len(self.reasons) <= self.show:
            print(f"REFUSED {sql}\n  {reason}", flush=True)
        self.reasons[reason] += 1

    def skip(self, sql, why):
        """Nothing to compare with."""
        self.skipped += 1
        if self.skipped <= self.show:
            print(f"SKIPPED {sql}\n  {why.strip()}", flush=True)

    def share(self, count):
        return 100 * count / max(1, self.asked)
