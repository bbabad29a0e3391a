# SPDX-License-Identifier: MIT
"""The cost of one request, independent of the machine's load: instructions by callgrind, and allocator calls.

The server runs with one event loop, and one connection sends requests without pipelining: once a number of
requests and once twice as many, so that the difference excludes the start. Callgrind measures the program and
its libraries, not the kernel.
"""

import os
import re
import shutil
import socket
import struct
import subprocess

from . import needs
from .ours import Ours
from .status_lists import StatusList

REQUESTS = 8000
FUNCTION = re.compile(r"^ *([\d,]+) \([ \d.]+%\)  (\S.*)$")


def run(stage):
    stage.status_list = StatusList(stage.material)
    counted = {}
    for name, choose in CHOICES.items():
        counted[name] = allocations(stage, choose)
        needs.say(f"{name}: {counted[name]['allocations']:.1f} allocations")
    valgrind = stage.peer(lambda _: needs.tool("valgrind", "/usr/bin/valgrind"))
    for name, choose in CHOICES.items() if valgrind else ():
        try:
            counted[name] |= instructions(stage, valgrind, choose)
        except needs.Wrong as error:
            stage.note(f"callgrind: {error}")
            break
        needs.say(f"{name}: {counted[name]['instructions']:,.0f} instructions")
    stage.status_list.stop()
    stage.progress.step("counts")
    stage.extra["counts"] = counted


CHOICES = {
    "trivial": lambda ours: ours.trivial(),
    "metadata": lambda ours: ours.metadata(),
    "401": lambda ours: ours.refused(),
    "guarded RS256": lambda ours: ours.guarded("RS256"),
    "guarded ES256": lambda ours: ours.guarded("ES256"),
    "guarded ES256 by a status list": lambda ours: ours.withdrawable(),
    "guarded ES256 of that length": lambda ours: ours.withdrawable("sta7us"),
    "introspection warm": lambda ours: ours.introspected("warm"),
    "introspection cold": lambda ours: ours.introspected("cold"),
}


def ask(target, count):
    """Sends this many requests over one connection, each after the answer to the previous one."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in target.all_fields().items())
    request = f"GET {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\n{fields}\r\n".encode()
    with socket.create_connection(("127.0.0.1", target.port), timeout=60) as client:
        length = None
        for _ in range(count):
            client.sendall(request)
            answer = client.recv(65536)
            if length is None:
                length = whole(answer)
            while len(answer) < length:
                answer += client.recv(65536)
            if not answer.startswith(f"HTTP/1.1 {target.status} ".encode()):
                raise needs.Wrong(f"{target.name} answered {answer[:60]!r}.")


def whole(answer):
    """The length of the answer, head and body; all answers are alike."""
    head = answer.index(b"\r\n\r\n") + 4
    return head + int(re.search(rb"(?i)content-length: *(\d+)", answer[:head]).group(1))


def library(name):
    """The library to preload, compiled if it is missing."""
    source, built = os.path.join(needs.BENCHMARKS, "suite", f"{name}.c"), os.path.join(needs.WORK, f"{name}.so")
    if not os.path.exists(built) or os.path.getmtime(built) < os.path.getmtime(source):
        subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", built, source], check=True)
    return built


# Allocations.


def allocations(stage, choose):
    path = stage.path("allocations")
    environment = {"LD_PRELOAD": library("allocations"), "ALLOCATIONS": path}
    ours = Ours(
        stage,
        stage.material,
        stage.introspection.endpoint,
        loops=1,
        status_list=stage.status_list,
        environment=environment,
    )
    target = choose(ours)
    ask(target, REQUESTS)
    counts = [read(path)]
    for times in (1, 2):
        ask(target, times * REQUESTS)
        counts.append(read(path))
    stage.stop(ours.process)
    calls, sizes = zip(*counts)
    # The difference between twice and once as many excludes the cost of the connection.
    return {
        "allocations": (calls[2] - 2 * calls[1] + calls[0]) / REQUESTS,
        "allocated_bytes": (sizes[2] - 2 * sizes[1] + sizes[0]) / REQUESTS,
    }


def read(path):
    with open(path, "rb") as file:
        return struct.unpack("QQ", file.read(16))


# Instructions.


def instructions(stage, valgrind, choose):
    once, twice = (under_callgrind(stage, valgrind, choose, times * REQUESTS) for times in (1, 2))
    costs = {name: (cost - once.get(name, 0)) / REQUESTS for name, cost in twice.items()}
    total = costs.pop("total")
    top = sorted(costs.items(), key=lambda item: -item[1])[:15]
    names = demangled([name for name, _ in top])
    return {
        "instructions": total,
        "top": [{"function": name, "instructions": cost} for name, (_, cost) in zip(names, top)],
    }


def under_callgrind(stage, valgrind, choose, count):
    output = stage.path("callgrind.out")
    before = [valgrind, "--tool=callgrind", f"--callgrind-out-file={output}"]
    environment = {"LD_PRELOAD": library("sigsuspend")}
    ours = Ours(
        stage,
        stage.material,
        stage.introspection.endpoint,
        loops=1,
        status_list=stage.status_list,
        before=before,
        name="callgrind",
        environment=environment,
    )
    ask(choose(ours), count)
    stage.stop(ours.process)
    annotate = os.path.join(os.path.dirname(valgrind), "callgrind_annotate")
    shown = subprocess.run([annotate, "--threshold=100", "--auto=no", output], capture_output=True, text=True)
    if shown.returncode != 0:
        raise needs.Wrong(f"callgrind_annotate printed {shown.stderr[-300:]}")
    return functions(shown.stdout)


def demangled(names):
    """Demangles Swift names, if the tool is installed."""
    tool = shutil.which("swift-demangle")
    if not tool:
        return names
    text = subprocess.run([tool, "--simplified"], input="\n".join(names), capture_output=True, text=True).stdout
    return text.splitlines()


def functions(text):
    """The instructions of each function itself, and their sum."""
    costs = {}
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            cost, place = int(found.group(1).replace(",", "")), found.group(2)
            if place.startswith("PROGRAM TOTALS"):
                costs["total"] = cost
            else:
                name = readable(place)
                costs[name] = costs.get(name, 0) + cost
    if "total" not in costs:
        raise needs.Wrong("callgrind_annotate showed no total.")
    return costs


def readable(place):
    """A function without its file and library, and without the marker of a cycle or of recursion."""
    name = re.sub(r" \[[^\]]*\]$", "", place)
    name = name.split(":", 1)[1] if ":" in name else name
    return re.sub(r"'\d+$", "", name)
