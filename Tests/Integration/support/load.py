# SPDX-License-Identifier: MIT
"""A few clients that send requests over persistent connections, and record every fault."""

import http.client
import threading
import time


class Load:
    """Threads that request one path until they are stopped.

    `answers` counts whole answers, `problems` describes anything else. With `reconnecting`, a client replaces
    a connection that the server announced to close; a refused connection ends its thread without a problem;
    and a request on a connection that the server closed for being idle counts as `unanswered`: no byte of an
    answer arrived, so it may be sent again.
    """

    def __init__(self, base, path, threads=4, fields=None, reconnecting=False, expected=(200,)):
        self.host, self.port = base.split("//")[1].rsplit(":", 1)
        self.path, self.fields = path, fields or {}
        self.reconnecting, self.expected = reconnecting, expected
        self.answers, self.unanswered, self.connections, self.problems, self.bodies = 0, 0, 0, [], set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, count, seconds=10):
        goal = self.answers + count
        end = time.monotonic() + seconds
        while self.answers < goal and not self.problems:
            assert time.monotonic() < end, f"{self.answers} answers, not {goal}"
            time.sleep(0.01)

    def stop(self, seconds=10):
        self._ended.set()
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), "a client hangs"

    def wait_until_refused(self, seconds=15):
        """Waits until the server has refused every thread."""
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), "a client hangs"

    def _note(self, problem):
        with self._lock:
            self.problems.append(problem)

    def _ask(self):
        while not self._ended.is_set():
            connection = http.client.HTTPConnection(self.host, int(self.port), timeout=10)
            try:
                connection.connect()
            except ConnectionError as error:
                if not self.reconnecting:
                    self._note(repr(error))
                return
            with self._lock:
                self.connections += 1
            if not self._ask_on(connection):
                return

    def _ask_on(self, connection):
        """Whether to open another connection."""
        try:
            while not self._ended.is_set():
                try:
                    connection.request("GET", self.path, headers=self.fields)
                    response = connection.getresponse()
                except (ConnectionError, http.client.RemoteDisconnected) as error:
                    if not self.reconnecting:
                        self._note(repr(error))
                        return False
                    with self._lock:
                        self.unanswered += 1
                    return True
                body = response.read()
                if response.status not in self.expected:
                    self._note(f"{response.status} {body[:200]!r}")
                with self._lock:
                    self.answers += 1
                    self.bodies.add(body)
                if response.will_close:
                    return self.reconnecting
            return False
        except (OSError, http.client.HTTPException) as error:
            self._note(repr(error))
            return False
        finally:
            connection.close()
