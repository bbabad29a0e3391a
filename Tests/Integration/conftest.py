# SPDX-License-Identifier: MIT

import os

import pytest
from support import example_server
from support.example_server import ExampleServer
from support.glewlwyd import Glewlwyd
from support.processes import free_port
from support.toolkit import Toolkit


def pytest_collection_modifyitems(items):
    """Runs the tests that inspect the whole run last."""
    items.sort(key=lambda item: item.path.name == "test_secrecy.py")


@pytest.fixture(scope="session")
def binary():
    path = example_server.binary()
    assert os.access(path, os.X_OK), f"no example server at {path}: name it in EXAMPLE_SERVER"
    return path


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


@pytest.fixture
def base():
    """An origin for one test's resources; `serve` listens there."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def serve(binary, folder):
    """Starts example servers; each must exit with status 0 when it is stopped."""
    running = []

    def start(configuration, base=None):
        path = example_server.write(configuration, folder, f"config-{len(running)}.json")
        port = base.rsplit(":", 1)[1] if base else "0"
        server = ExampleServer(binary, ["--config", path, "--port", port], folder)
        running.append(server)
        return server

    yield start
    statuses = [server.stop() for server in running]
    assert statuses == [0] * len(running), [server.errors for server in running]


@pytest.fixture
def glewlwyd(folder):
    """Starts glewlwyd for a table of resources and their scopes."""
    running = []

    def start(resources, kind="ecdsa", short=False):
        server = Glewlwyd(f"{folder}/as-{len(running)}", resources, kind, short)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory):
    server = Toolkit(str(tmp_path_factory.mktemp("toolkit")))
    yield server
    server.stop()
