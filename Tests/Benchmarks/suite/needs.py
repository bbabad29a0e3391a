# SPDX-License-Identifier: MIT
"""Requirements of the suite: programs of the system, of Debian's packages, and of this package."""

import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BENCHMARKS = os.path.join(ROOT, "Tests", "Benchmarks")
WORK = os.path.join(ROOT, ".build-benchmarks")


class Unavailable(Exception):
    """A requirement that is not available here; the text says why."""


class Wrong(Exception):
    """A measurement of the wrong thing: a wrong answer, or a server that did not start."""


def say(sentence):
    print(sentence, file=sys.stderr, flush=True)


def apt(*words, **options):
    command = ["apt-get", *words]
    if os.geteuid() != 0 and words[0] != "download":
        command = ["sudo", "-n", *command]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def install(*packages):
    """Installs Debian packages permanently; only packages that start no service."""
    words = ["install", "-q", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        raise Unavailable(f"Please install {' '.join(packages)}.")
    say(f"installing {' '.join(packages)}")
    if apt(*words).returncode != 0 and (apt("update", "-q").returncode != 0 or apt(*words).returncode != 0):
        raise Unavailable(f"Please install {' '.join(packages)}.")


def tool(package, path):
    """The program, from the system or from an unpacked Debian package; installs and starts nothing."""
    found = shutil.which(os.path.basename(path)) or shutil.which(path)
    if found:
        return found
    folder = os.path.join(WORK, package)
    program = os.path.join(folder, path.lstrip("/"))
    if os.access(program, os.X_OK):
        return program
    if not shutil.which("apt-get"):
        raise Unavailable(f"Please install {package}.")
    say(f"fetching {package}")
    os.makedirs(folder, exist_ok=True)
    if apt("download", "-q", package, cwd=folder).returncode != 0:
        apt("update", "-q")
        if apt("download", "-q", package, cwd=folder).returncode != 0:
            raise Unavailable(f"Please install {package}.")
    archive = glob.glob(f"{folder}/{package}_*.deb")[0]
    absent = [name for name in libraries(archive) if not is_installed(name)]
    if absent:
        install(*absent)
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    return program


def libraries(archive):
    field = subprocess.run(["dpkg-deb", "-f", archive, "Depends"], check=True, capture_output=True, text=True).stdout
    names = [re.split(r"[ (|]", word.strip())[0] for word in field.split(",")]
    return [name for name in names if re.match(r"lib|zlib", name)]


def is_installed(package):
    return subprocess.run(["dpkg", "-s", package], capture_output=True).returncode == 0


def wrk():
    return tool("wrk", "/usr/bin/wrk")


def nginx():
    return tool("nginx", "/usr/sbin/nginx")


def h2load():
    return tool("nghttp2-client", "/usr/bin/h2load")


def swift_product(name, package=ROOT, scratch=None):
    """A program of a package, in its release build."""
    words = ["swift", "build", "-c", "release", "--package-path", package, "--product", name]
    if scratch:
        words += ["--scratch-path", scratch]
    say(f"swift build -c release --product {name}")
    built = subprocess.run([*words, "--quiet"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if built.returncode != 0:
        raise Unavailable(f"{name} could not be built: {(built.stdout + built.stderr).strip()[-500:]}")
    shown = subprocess.run([*words, "--show-bin-path"], check=True, capture_output=True, text=True)
    return os.path.join(shown.stdout.strip(), name)


def program(variable, name):
    """The program that an environment variable names, or this package's release build of it."""
    named = os.environ.get(variable)
    return os.path.abspath(named) if named else swift_product(name)
