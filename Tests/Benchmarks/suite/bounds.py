# SPDX-License-Identifier: MIT
"""The bounds of the measurements, and whether they are met."""

import dataclasses

from . import figures


@dataclasses.dataclass(frozen=True)
class Bound:
    """The ratio of two targets measured in turns, which must reach `limit`, or with `at_most` stay below it.
    """

    what: str
    name: str
    other: str
    limit: float
    at_most: bool = False
    metric: str = "requests_per_second"

    def verdict(self, rounds):
        ratio = figures.paired(*([one[name][self.metric] for one in rounds] for name in (self.name, self.other)))
        return verdict(self.what, self.limit, self.at_most, ratio, "")


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """A figure that must stay below `limit`, measured several times."""

    what: str
    limit: float
    unit: str

    def verdict(self, values):
        low, high, confidence = figures.interval(values)
        median = figures.spread(values)["median"]
        return verdict(
            self.what,
            self.limit,
            True,
            {"median": median, "low": low, "high": high, "confidence": confidence},
            self.unit,
        )


def verdict(what, limit, at_most, measured, unit):
    return {"what": what, "limit": limit, "at_most": at_most, "unit": unit, **measured}


def is_held(verdict, slack=1.0):
    """Whether the median meets the limit, relaxed by the slack (0.8: by a quarter)."""
    if verdict["at_most"]:
        return verdict["median"] <= verdict["limit"] / slack
    return verdict["median"] >= verdict["limit"] * slack
