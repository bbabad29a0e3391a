# SPDX-License-Identifier: MIT
"""The suite's command line."""

import argparse
import functools
import os
import resource
import signal
import sys

from . import report
from .bounds import is_held
from .experiments import EXPERIMENTS
from .material import Material
from .needs import WORK, Unavailable, Wrong, say
from .progress import Progress
from .stage import Stage


def parsed(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="list the experiments without measuring")
    parser.add_argument("--only", metavar="NAME,…", help="only these experiments")
    parser.add_argument("--quick", action="store_true", help="three rounds of one second, as a quick test")
    parser.add_argument("--pairs", type=int, help="number of rounds, each of which measures every target (default 9)")
    parser.add_argument("--seconds", type=int, help="seconds of one measurement (default 3)")
    parser.add_argument("--output", default=os.path.join(WORK, "results.json"), help="file for the numbers")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bound is missed")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="with --check: the fraction of a bound that suffices (default 1)"
    )
    arguments = parser.parse_args()
    arguments.pairs = arguments.pairs or (3 if arguments.quick else 9)
    arguments.seconds = arguments.seconds or (1 if arguments.quick else 3)
    if not (1 <= arguments.pairs <= 50 and 1 <= arguments.seconds <= 30 and 0 < arguments.slack <= 1):
        parser.error("1 to 50 pairs of 1 to 30 seconds, and a slack of more than 0, at most 1")
    names = arguments.only.split(",") if arguments.only else [one.name for one in EXPERIMENTS]
    unknown = set(names) - {one.name for one in EXPERIMENTS}
    if unknown:
        parser.error(f"no such experiment: {', '.join(sorted(unknown))}; --list names them")
    arguments.experiments = [one for one in EXPERIMENTS if one.name in names]
    return arguments


def open_files_enough():
    """Raises the limit of open files: nine thousand connections need as many descriptors in each program."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 20_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard) if hard > 0 else wanted, hard))


def measure(experiment, options, material, progress):
    """Returns the findings, and whether the measurement failed."""
    planned = progress.done + experiment.measured * options.pairs
    stage = Stage(experiment, options, material, progress)
    with stage:
        try:
            experiment.run(stage)
            failed = False
        except (Wrong, Unavailable) as error:
            stage.note(f"FAILED: {error}")
            failed = True
    progress.skip_to(planned)
    return stage.findings(), failed


def main(description):
    options = parsed(description)
    if options.list:
        for one in EXPERIMENTS:
            print(f"{one.name:<14} {one.what}")
        return 0
    os.makedirs(WORK, exist_ok=True)
    open_files_enough()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    material = functools.cache(Material)
    planned = sum(one.measured for one in options.experiments) * options.pairs
    progress = Progress(planned, options.seconds + 0.3)
    found, any_failed = {}, False
    for one in options.experiments:
        say(f"{one.name}: {one.what}")
        findings, failed = measure(one, options, material, progress)
        found[one.name] = findings
        any_failed |= failed
        report.show(one.name, one.what, findings)
        settings = {"pairs": options.pairs, "seconds": options.seconds}
        report.write(options.output, settings, found)
    return finish(found, any_failed, options)


def finish(found, any_failed, options):
    verdicts = [one for findings in found.values() for one in findings["verdicts"]]
    print("\nbounds of this run")
    report.print_verdicts(verdicts)
    missed = [one for one in verdicts if not is_held(one)]
    print(f"{len(verdicts) - len(missed)} met, {len(missed)} missed")
    too_far = [one for one in verdicts if not is_held(one, options.slack)]
    return int(any_failed or (options.check and bool(too_far)))
