# SPDX-License-Identifier: MIT
"""The environment of an experiment: its servers, its measurements in turns, and their results."""

import functools

from . import figures, nginx, ours
from .needs import Unavailable, say
from .processes import Servers


class Stage(Servers):
    """The servers of one experiment and its findings."""

    def __init__(self, experiment, options, material, progress):
        self.experiment, self.options, self.progress = experiment, options, progress
        self._material = material
        self.targets, self.verdicts, self.notes, self.answers, self.extra = {}, [], [], {}, {}

    # The servers. Each starts on first access.

    @property
    def material(self):
        return self._material()

    @functools.cached_property
    def nginx(self):
        return nginx.Nginx(self)

    @functools.cached_property
    def introspection(self):
        return nginx.Introspection(self)

    @functools.cached_property
    def ours(self):
        return ours.Ours(self, self.material)

    def peer(self, make):
        """A peer, or None and a note if it is not available."""
        try:
            return make(self)
        except Unavailable as error:
            self.note(str(error))
            return None

    def note(self, sentence):
        self.notes.append(sentence)
        say(sentence)

    # Measuring.

    def compare(self, targets, bounds=(), seconds=None):
        """Measures all targets once in every round, in a rotating order, and judges the rounds' ratios.

        Other load on the machine affects all of them, and each ratio is taken within its round. One
        measurement takes `seconds`, or the options' seconds.
        """
        for target in targets:
            self.answers[target.name] = target.verify()
        for target in targets:
            target.warm_up(1)
        rounds = [self.round(number, targets, seconds or self.options.seconds) for number in range(self.options.pairs)]
        for target in targets:
            target.verify()
        for target in targets:
            self.targets[target.name] = summary([one[target.name] for one in rounds])
        names = {target.name for target in targets}
        self.verdicts += [bound.verdict(rounds) for bound in bounds if {bound.name, bound.other} <= names]
        self.extra.setdefault("rounds", []).append(rounds)
        return rounds

    def round(self, number, targets, seconds):
        shift = number % len(targets)
        order = targets[shift:] + targets[:shift]
        measured = {}
        for target in order if number % 2 == 0 else reversed(order):
            found = measured[target.name] = target.measure(seconds)
            self.progress.step(
                f"{self.experiment.name} {number + 1}/{self.options.pairs}:"
                f" {target.name} {found['requests_per_second']:,.0f}/s"
            )
        return measured

    def findings(self):
        return {
            "targets": self.targets,
            "verdicts": self.verdicts,
            "notes": self.notes,
            "answers": self.answers,
            **self.extra,
        }


def summary(measured):
    """Every figure's median, minimum and maximum over the rounds."""
    names = [name for name, value in measured[0].items() if isinstance(value, (int, float))]
    return {name: figures.spread([one[name] for one in measured]) for name in names}
