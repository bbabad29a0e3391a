# SPDX-License-Identifier: MIT
"""The findings, as a table and as JSON."""

import datetime
import json
import os
import platform
import subprocess

from . import needs
from .bounds import is_held

COLUMNS = [
    ("requests_per_second", "requests/s", "{:,.0f}"),
    ("p50_ms", "p50 ms", "{:.2f}"),
    ("p99_ms", "p99 ms", "{:.2f}"),
    ("server_microseconds", "server µs", "{:.1f}"),
    ("flood_per_second", "flood/s", "{:,.0f}"),
    ("of_possible", "of possible", "{:.2f}"),
]


def machine():
    words = ["git", "-C", needs.ROOT, "describe", "--always", "--dirty"]
    commit = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    return {
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.release(),
    }


def print_targets(findings):
    """Each target's median, and the minimum and maximum of the rate."""
    rows = {name: row for name, row in findings["targets"].items() if "requests_per_second" in row}
    if not rows:
        return
    shown = [column for column in COLUMNS if any(column[0] in row for row in rows.values())]
    wide = max(len(name) for name in rows)
    print(" " * wide + "".join(f"{title:>12}" for _, title, _ in shown) + "   least to most")
    for name, row in rows.items():
        cells = "".join(f"{(form.format(row[key]['median']) if key in row else ''):>12}" for key, _, form in shown)
        rate = row["requests_per_second"]
        print(f"{name:<{wide}}{cells}   {rate['least']:,.0f} to {rate['most']:,.0f}")


def print_footprint(findings):
    for name, row in findings["targets"].get("footprint", {}).items():
        print(f"{name}: {row['median']:.1f} ({row['least']:.1f} to {row['most']:.1f})")


def print_growth(findings):
    """Each curve on one line: its values over the sizes."""
    for title, row in findings["targets"].items():
        if not title.startswith("growth"):
            continue
        curves = {}
        for key, value in row.items():
            name, _, size = key.rpartition("_")
            if size.isdigit():
                curves.setdefault(name, []).append(f"{size}: {value['median']:.4g}")
            else:
                curves.setdefault(key, []).append(f"{value['median']:.4g}")
        for name, values in curves.items():
            print(f"{title}: {name}  {'  '.join(values)}")


def print_counts(findings):
    for name, row in findings.get("counts", {}).items():
        instructions = f"{row['instructions']:,.0f} instructions, " if "instructions" in row else ""
        print(f"{name}: {instructions}{row['allocations']:.1f} allocations of {row['allocated_bytes']:,.0f} bytes")
        for one in row.get("top", [])[:10]:
            print(f"  {one['instructions']:>8,.0f}  {one['function'][:120]}")


def print_verdicts(verdicts):
    """Prints the table of the bounds; returns whether all are met."""
    if not verdicts:
        return
    wide = max(len(one["what"]) for one in verdicts)
    for one in verdicts:
        sign = "<=" if one["at_most"] else ">="
        unit = f" {one['unit']}" if one["unit"] else ""
        word = "met" if is_held(one) else "MISSED"
        print(
            f"{one['what']:<{wide}}  {one['median']:>7.3f} {sign} {one['limit']}{unit}  {word:<6}"
            f"  ({one['low']:.3f} to {one['high']:.3f}, {one['confidence']:.1%})"
        )


def show(name, what, findings):
    print(f"\n{name}: {what}")
    print_targets(findings)
    print_footprint(findings)
    print_growth(findings)
    print_counts(findings)
    print_verdicts(findings["verdicts"])
    for note in findings["notes"]:
        print(f"note: {note}")
    print(end="", flush=True)


def write(path, options, experiments):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "options": options, "experiments": experiments}, file, indent=2)
