# SPDX-License-Identifier: MIT
"""The examples that teach: each transcript is replayed, command by command.

    EXAMPLES_RECORD=1 pytest … test_examples.py      writes the output into the transcripts instead
"""

import difflib
import os
import signal

import pytest
from support import nginx, store
from support.guarded import Client
from support.transcripts import EXAMPLES, Command, Replay, parse, written

NAMES = sorted(name for name in os.listdir(EXAMPLES) if os.path.exists(os.path.join(EXAMPLES, name, "transcript.txt")))
RECORDS = os.environ.get("EXAMPLES_RECORD") == "1"


@pytest.fixture
def replay(binary, folder):
    running = Replay(os.path.dirname(os.path.realpath(binary)), folder)
    yield running
    running.stop()


def test_an_unmodified_client_of_mcp_steps_up(replay, folder):
    """The `mcp` package's client registers, gets the scope of the first challenge, and for the other tool that of
    the second.
    """
    replay.run(Command("swift run mcp-server &"))
    client = Client(folder, replay.moved("http://127.0.0.1:8080/mcp"))
    try:
        assert client.tools() == ["delete_notes", "list_notes"]
        assert client.call("list_notes") == "Buy milk"
        assert all("notes%3Adelete" not in exchange["line"] for exchange in client.traffic())
        assert client.call("delete_notes") == "The notes are deleted"
        refused, asked, *_, last = client.traffic()
        assert (refused["status"], last["status"]) == (403, 200)
        assert "scope=notes%3Aread+notes%3Adelete" in asked["line"]
    finally:
        client.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_an_example_in_order(replay, number):
    replay.run(Command("swift run scoped-routes &"))
    replay.program.send_signal(number)
    assert replay.program.wait(15) == 0


def test_there_are_eight_examples():
    assert [name.partition("-")[0] for name in NAMES] == list("12345678")


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_is_what_happens(replay, name):
    if "Nginx" in name and not nginx.PROGRAM:
        pytest.skip("nginx is not installed")
    if "Machines" in name and not (store.PROGRAM and store.CLIENT):
        pytest.skip("neither valkey nor redis is installed")
    path = os.path.join(EXAMPLES, name, "transcript.txt")
    with open(path, encoding="utf-8") as file:
        expected = file.read()
    items = parse(expected)
    commands = [item for item in items if isinstance(item, Command)]
    bundle = os.path.join(replay.binaries, "portcullisPackageTests.xctest")
    if any("swift test" in command.text for command in commands) and not os.path.exists(bundle):
        pytest.skip("the Swift tests are not built beside the example server")
    outputs = [replay.run(command) for command in commands]
    pasted = {line for command in commands for line in command.lines}
    for command, output in zip(commands, outputs, strict=True):
        if command.started:
            printed = {line.lstrip() for line in output if not line.startswith("#")}
            assert printed <= {line.lstrip() for line in pasted}, "the example prints what the transcript does not run"
    found = written(items, outputs)
    if RECORDS:
        with open(path, "w", encoding="utf-8") as file:
            file.write(found)
        return
    difference = difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "found", lineterm="")
    assert found == expected, "\n".join([*difference, getattr(replay, "log", "") if replay.program else ""])
