# SPDX-License-Identifier: MIT
"""Medians and their confidence intervals."""

import math
import statistics


def interval(values):
    """The order statistics that contain the median with at least 95 per cent, and their confidence.

    Distribution-free: the count of values below the median is binomial. With fewer than six values no
    interval reaches 95 per cent, and the result is their range.
    """
    ordered, count = sorted(values), len(values)
    best = (ordered[0], ordered[-1], 1 - 2 * 0.5**count)
    for index in range(1, count // 2):
        tail = sum(math.comb(count, below) for below in range(index + 1)) * 0.5**count
        if 1 - 2 * tail < 0.95:
            break
        best = (ordered[index], ordered[count - 1 - index], 1 - 2 * tail)
    return best


def spread(values):
    """The median, minimum and maximum of the measured values."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def paired(numerators, denominators):
    """The median of the ratios within each round, with its interval."""
    values = [mine / theirs for mine, theirs in zip(numerators, denominators) if theirs]
    low, high, confidence = interval(values)
    return {"median": statistics.median(values), "low": low, "high": high, "confidence": confidence}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
