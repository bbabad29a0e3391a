# SPDX-License-Identifier: MIT
"""The experiments: what each measures, and its bounds."""

import dataclasses
import typing

from . import counts, footprint, gateway, growth, latency, peers
from .bounds import Bound
from .flood import Flooded
from .material import ALGORITHMS
from .nginx import LARGE, TLSNginx
from .openssl import Speed
from .ours import Ours
from .streaming import Streamed


@dataclasses.dataclass(frozen=True)
class Experiment:
    """`measured` is the number of targets in each round, from which the remaining time is estimated."""

    name: str
    what: str
    measured: int
    run: typing.Callable


def routes(stage):
    ours = stage.ours
    trivial = "trivial"
    stage.compare(
        [
            stage.nginx.target(),
            ours.trivial(),
            ours.metadata(),
            ours.refused(),
            ours.guarded("RS256"),
            ours.guarded("ES256"),
        ],
        [
            Bound("trivial route, against nginx `return 200`", trivial, "nginx", 1.0),
            Bound("metadata document, against our trivial route", "metadata", trivial, 0.9),
            Bound("401, against our trivial route", "401", trivial, 0.85),
            Bound("guarded, repeated RS256 token, against our trivial route", "guarded RS256", trivial, 0.85),
            Bound("guarded, repeated ES256 token, against our trivial route", "guarded ES256", trivial, 0.85),
        ],
    )


def against_peers(stage):
    targets = [stage.ours.guarded("RS256"), stage.ours.guarded("ES256")]
    bounds = []
    hummingbird = stage.peer(peers.Hummingbird)
    if hummingbird:
        targets += [hummingbird.trivial(), hummingbird.guarded("RS256"), hummingbird.guarded("ES256")]
        bounds += [
            Bound(
                f"guarded, repeated {algorithm} token, against Hummingbird with JWTKit",
                f"guarded {algorithm}",
                f"Hummingbird {algorithm}",
                limit,
            )
            for algorithm, limit in (("RS256", 7.5), ("ES256", 11))
        ]
    apache = stage.peer(peers.Apache)
    if apache:
        targets += [apache.guarded("RS256"), apache.guarded("ES256")]
        bounds += [
            Bound(
                f"guarded, repeated {algorithm} token, against Apache mod_oauth2",
                f"guarded {algorithm}",
                f"Apache {algorithm}",
                7,
            )
            for algorithm in ("RS256", "ES256")
        ]
    stage.compare(targets, bounds)


def distinct(stage):
    stage.compare(
        [Speed(algorithm) for algorithm in ALGORITHMS]
        + [stage.ours.distinct(algorithm, "cold") for algorithm in ALGORITHMS],
        [
            Bound(
                "guarded, distinct ES256 tokens, against what OpenSSL's verification alone allows",
                "cold ES256",
                "OpenSSL ES256",
                0.8,
            )
        ],
    )


def remembered(stage):
    stage.compare([stage.ours.guarded("ES256")] + [stage.ours.distinct(algorithm, "warm") for algorithm in ALGORITHMS])


def introspection(stage):
    ours = Ours(stage, stage.material, stage.introspection.endpoint)
    stage.compare(
        [
            ours.trivial(),
            ours.guarded("ES256"),
            ours.introspected("cold"),
            ours.introspected("warm"),
        ],
        [
            Bound("introspection without a cache, against our trivial route", "introspection cold", "trivial", 0.25),
            Bound("introspection warm, against guarded with a JWT", "introspection warm", "guarded ES256", 0.95),
        ],
    )


def dpop(stage):
    speed = Speed("ES256")
    fastest = speed.measure(2)["requests_per_second"]

    def enough_proofs(seconds):
        # The machine may be faster then than it was during the measurement above.
        return int(1.6 * fastest * seconds) + 1000

    stage.compare(
        [speed, stage.ours.guarded("ES256"), stage.ours.dpop(enough_proofs)],
        [
            Bound(
                "DPoP, each proof new, against what OpenSSL's P-256 verification alone allows",
                "DPoP",
                "OpenSSL ES256",
                0.7,
            )
        ],
    )


def tls(stage):
    pair = stage.material.certificate()
    ours = Ours(stage, stage.material, tls=pair)
    nginx = TLSNginx(stage, *pair)
    stage.compare(
        [nginx.target(), ours.trivial("trivial TLS"), ours.guarded("ES256", "guarded ES256 TLS")],
        [Bound("trivial route over TLS 1.3, against nginx over TLS", "trivial TLS", "nginx TLS", 0.9)],
    )
    sessions = {tuple(stage.answers[name]["tls"]) for name in ("nginx TLS", "trivial TLS")}
    if len(sessions) > 1:
        stage.note(f"nginx and the example server negotiated different TLS parameters: {sessions}.")


def bodies(stage):
    large = LARGE.encode()
    upload = {
        "upload": large,
        "script": stage.write("upload.lua", 'wrk.method = "POST"\nwrk.body = string.rep("0123456789abcdef", 4096)\n'),
    }
    stage.compare(
        [
            stage.nginx.target("nginx 64 kB answer", "/large", body=large),
            stage.ours.target("64 kB answer", "/large", body=large),
            stage.nginx.target("nginx 64 kB upload", "/upload", **upload),
            stage.ours.target("64 kB upload", "/upload", **upload),
            stage.ours.target("64 kB echo", "/echo", body=large, **upload),
        ],
        [
            Bound("64 kB answer, against nginx serving the same", "64 kB answer", "nginx 64 kB answer", 0.9),
            Bound("64 kB upload, against nginx reading the same", "64 kB upload", "nginx 64 kB upload", 0.9),
        ],
    )


def connections(stage):
    """Twice as long as others, because wrk's measurement includes opening nine thousand connections."""

    def over(count, server=stage.ours.trivial, name="trivial"):
        return server(f"{name} {count} connections", connections=count, threads=min(2, count))

    stage.compare(
        [over(count) for count in (1, 64, 1000, 9000)]
        + [over(count, stage.nginx.target, "nginx") for count in (64, 9000)],
        [
            Bound(
                "9 000 connections, against 64 connections",
                "trivial 9000 connections",
                "trivial 64 connections",
                0.7,
            )
        ],
        seconds=2 * stage.options.seconds,
    )


def flood(stage):
    quiet = stage.ours.guarded("RS256", "guarded, quiet")
    flooded = Flooded(stage.ours.guarded("RS256", "guarded, flooded"), stage.ours.forged(threads=1))
    stage.compare(
        [quiet, flooded],
        [
            Bound(
                "guarded, cached token, while forged ES256 tokens arrive, against no load",
                "guarded, flooded",
                "guarded, quiet",
                0.5,
            )
        ],
    )


def streaming(stage):
    stage.compare([Streamed(stage.ours, 1000)])


EXPERIMENTS = [
    Experiment("routes", "trivial, metadata, 401 and guarded routes, compared with nginx", 6, routes),
    Experiment("peers", "guarded, compared with Hummingbird with JWTKit and Apache mod_oauth2", 7, against_peers),
    Experiment("distinct", "100 000 uncached tokens, compared with OpenSSL's verification alone", 6, distinct),
    Experiment("remembered", "100 000 cached tokens", 4, remembered),
    Experiment("introspection", "opaque tokens, introspected each time and cached", 4, introspection),
    Experiment("dpop", "a new DPoP proof in every request, compared with OpenSSL's verification alone", 3, dpop),
    Experiment("tls", "TLS 1.3 with persistent connections, compared with nginx", 3, tls),
    Experiment("bodies", "64 kB down and up, compared with nginx", 5, bodies),
    Experiment("connections", "1, 64, 1 000 and 9 000 connections, compared with nginx", 6, connections),
    Experiment("flood", "a cached token while forged ones arrive as fast as possible", 2, flood),
    Experiment("streaming", "answers in ten pieces, 10 ms apart, over 1 000 connections", 1, streaming),
    Experiment("latency", "the slowest per cent at half of the maximum rate, compared with nginx", 2, latency.run),
    Experiment("gateway", "a guarded route of the gateway, compared with nginx proxy_pass", 6, gateway.rates),
    Experiment("gateway-latency", "the median latency that gateway and nginx add", 3, gateway.delays),
    Experiment("gateway-slow", "the gateway during slow exchanges of others", 2, gateway.slow_peers),
    Experiment("gateway-streams", "memory of a thousand event streams through the gateway", 1, gateway.streams),
    Experiment("footprint", "start to listening, and resident memory", 2, footprint.run),
    Experiment("growth", "up to 10 000 resources and 1 000 000 tokens, as curves", 9, growth.run),
    Experiment("counts", "instructions (callgrind) and allocations of one request", 1, counts.run),
]
