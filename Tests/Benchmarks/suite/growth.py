# SPDX-License-Identifier: MIT
"""Curves over the number of resources: the start, its memory, a request, a reload under load; and, in the
library, over the number of known tokens, of keys and of issuers.

Each size is ten times the one before, so that a square shows as a factor of a hundred. The file has ten routes
for each resource.
"""

import json
import os
import re
import signal
import subprocess
import time

from . import figures, needs, ours
from .bounds import Bound, Ceiling
from .material import AUDIENCE, ISSUER
from .nginx import TEXT
from .target import Target

SIZES = (10, 100, 1000, 10_000)
MOST = SIZES[-1]
ROUTES = 10
KIBIBYTE = 1024
# What differs besides the number of resources: authorities, and issuers that each resource trusts.
SHAPES = {"one authority": (1, 1), "100 authorities": (100, 1), "64 issuers": (1, 64)}
RATE = 2000


def configuration(material, count, authorities=1, issuers=1):
    """A file of so many resources; tokens of the first issuer are for all of them."""
    names = [ISSUER] + [f"https://as-{number}.example.com" for number in range(1, issuers)]
    servers = [{"issuer": name, "jwks": material.key_set} for name in names]
    return {
        "authorization_servers": servers,
        "resources": [resource(number, authorities, names) for number in range(count)],
    }


def resource(number, authorities, issuers):
    host = f"api-{number % authorities}.example.com" if authorities > 1 else "bench.example.com"
    path = f"/service-{number}"
    return {
        "metadata": {
            "resource": f"https://{host}{path}",
            "authorization_servers": issuers,
            "scopes_supported": ["read", "write"],
            "bearer_methods_supported": ["header"],
        },
        "tokens": {"audiences": [AUDIENCE]},
        "routes": [
            {"path": f"{path}/items-{item}/{{id}}", "scopes": ["read"], "respond": {"text": TEXT}}
            for item in range(ROUTES)
        ],
    }


def run(stage):
    paths = {}
    for shape, (authorities, issuers) in SHAPES.items():
        for count in SIZES:
            settings = configuration(stage.material, count, authorities, issuers)
            paths[shape, count] = stage.write(f"{shape}-{count}.json".replace(" ", "-"), json.dumps(settings))
    one = stage.write("one.json", json.dumps(configuration(stage.material, 1)))
    for shape in SHAPES:
        starts(stage, shape, {1: one} | {count: paths[shape, count] for count in SIZES})
    requests(stage, one, paths)
    reload_under_load(stage, paths["one authority", MOST])
    library(stage)


def starts(stage, shape, paths):
    """The seconds from start to listening, those of --check, and the memory that each resource adds."""
    rounds = min(stage.options.pairs, 5)
    took, checked, resident = {}, {}, {}
    for count, path in paths.items():
        took[count], checked[count], resident[count] = [], [], []
        for _ in range(rounds):
            process, _, seconds = ours.start(stage, ["--config", path, "--port", "0"], seconds=60)
            time.sleep(0.3)
            took[count].append(seconds)
            resident[count].append(process.resident_bytes)
            stage.stop(process)
            begun = time.monotonic()
            subprocess.run([ours.program(), "--check", path], check=True, capture_output=True)
            checked[count].append(time.monotonic() - begun)
        stage.progress.step(f"growth: {shape}, {count}: {min(took[count]):.3f} s")
    base = min(resident[1])
    each = [(bytes - base) / MOST / KIBIBYTE for bytes in resident[MOST]]
    most, before = SIZES[-1], SIZES[-2]
    stage.targets[f"growth, {shape}"] = {
        f"{name}_{count}": figures.spread(values)
        for name, curve in (("start_seconds", took), ("check_seconds", checked), ("resident_bytes", resident))
        for count, values in curve.items()
    }
    factor = [min(took[most]) / min(took[before])]
    stage.verdicts += [
        Ceiling(f"start, {MOST} resources, {shape}", 2, "s").verdict(took[MOST]),
        Ceiling(f"--check, {MOST} resources, {shape}", 2, "s").verdict(checked[MOST]),
        Ceiling(f"start, ten times {before} resources, {shape}, against {before}", 15, "").verdict(factor),
        Ceiling(f"resident memory of each of {MOST} resources, {shape}", 8, "KiB").verdict(each),
    ]


def requests(stage, one, paths):
    """A request for the first, a middle and the last resource, against a server with one resource."""

    def target(name, path, number):
        process, port, _ = ours.start(stage, ["--config", path, "--port", "0"], name=name, seconds=60)
        fields = {"Authorization": f"Bearer {stage.material.token('ES256')}"}
        return Target(
            name, process, port, f"/service-{number}/items-3/x", body=TEXT.encode(), fields=fields, connections=16
        )

    targets = [target("guarded, 1 resource", one, 0)]
    for count in SIZES:
        targets.append(target(f"guarded, {count} resources", paths["one authority", count], count * 2 // 3))
    stage.compare(
        targets,
        [
            Bound(
                f"guarded, {count} resources, server time, against one resource",
                f"guarded, {count} resources",
                "guarded, 1 resource",
                1.1,
                at_most=True,
                metric="server_microseconds",
            )
            for count in SIZES
        ],
    )
    for one_target in targets:
        stage.stop(one_target.server)


def reload_under_load(stage, path):
    """The slowest request at a steady rate while the file is reloaded, again and again."""
    process, port, _ = ours.start(stage, ["--config", path, "--port", "0"], name="reloaded", seconds=60)
    fields = {"Authorization": f"Bearer {stage.material.token('ES256')}"}
    target = Target(
        "reload", process, port, f"/service-{MOST // 2}/items-3/x", body=TEXT.encode(), fields=fields, connections=16
    )
    target.verify()
    slowest, calm = [], []
    for _ in range(min(stage.options.pairs, 5)):
        calm.append(slowest_answer(stage, target, None))
        slowest.append(slowest_answer(stage, target, process))
        stage.progress.step(f"growth: reload, slowest {slowest[-1]:.1f} ms, without {calm[-1]:.1f} ms")
    stage.targets["growth, reload"] = {
        "slowest_ms": figures.spread(slowest),
        "slowest_without_reload_ms": figures.spread(calm),
    }
    stage.verdicts.append(
        Ceiling(f"slowest request while {MOST} resources are reloaded", 50, "ms").verdict(slowest)
    )
    stage.stop(process)


def slowest_answer(stage, target, reloaded):
    """The slowest answer of eight seconds, in milliseconds; with a process, it reloads meanwhile."""
    log = stage.path("h2load-growth.log")
    seconds = 8
    authorization = f"Authorization: {target.fields['Authorization']}"
    words = [needs.h2load(), "--h1", "-c4", "-t1", f"-D{seconds}", f"--rps={RATE / 4}", f"--log-file={log}"]
    load = subprocess.Popen(
        [*words, "-H", authorization, target.url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        time.sleep(0.5)
        if reloaded:
            done = "reload: the file is in use"
            before = stage.log_text(reloaded).count(done)
            reloaded.popen.send_signal(signal.SIGHUP)
            end = time.monotonic() + 20
            while stage.log_text(reloaded).count(done) == before:
                if time.monotonic() > end:
                    raise needs.Wrong(f"The reload did not end: {stage.log(reloaded)}")
                time.sleep(0.05)
            if load.poll() is not None:
                raise needs.Wrong("The load ended before the reload.")
        load.wait(seconds + 20)
    finally:
        load.kill()
        load.wait()
    times = []
    with open(log, encoding="ascii") as file:
        for line in file:
            _, status, microseconds = line.split()
            if status != "200":
                raise needs.Wrong(f"h2load met the status {status}.")
            times.append(int(microseconds) / 1000)
    os.remove(log)
    return max(times)


def library(stage):
    """The curves of the library, from the program GateCost."""
    program = needs.program("GATE_COST", "GateCost")
    done = subprocess.run([program, "--growth"], check=True, capture_output=True, text=True)
    rows = re.findall(r"^(\w+) (\d+) ([\d.]+)$", done.stdout, re.MULTILINE)
    measured = {(name, int(size)): float(value) for name, size, value in rows}
    stage.targets["growth, library"] = {
        f"{name}_{size}": figures.spread([value]) for (name, size), value in measured.items()
    }

    def bound(what, name, size, limit, unit):
        stage.verdicts.append(Ceiling(what, limit, unit).verdict([measured[name, size]]))

    def compared(what, name, size, base, limit):
        stage.verdicts.append(Ceiling(what, limit, "").verdict([measured[name, size] / measured[name, base]]))

    bound("longest pause of an admission while 10 000 resources are replaced", "replace_pause_ms", 10_000, 50, "ms")
    bound("longest insertion of a token, up to 1 000 000", "insert_pause_ms", 1_000_000, 50, "ms")
    compared("look-up among 1 000 000 tokens, against 10 000", "lookup_ns", 1_000_000, 10_000, 10)
    compared("verification with one of 200 keys, against 2", "verify_ns", 200, 2, 1.1)
    compared("verification for one of 64 issuers, against 1", "issuer_ns", 64, 1, 1.1)
