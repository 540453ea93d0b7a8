"""The HTTP figures: what is written and read over /v1, beside Express 5 + better-sqlite3, and beside PostgreSQL without
HTTP. The sides run in turns; a ratio is the median of the rounds, with the smallest and the largest behind it.
"""
import statistics
import time
from dataclasses import dataclass, field

from sides import ExpressSide, HubSide, Largest, PostgresSide, rss_kib

P99_MS = 40


@dataclass
class Scale:
    """How long and how large: the published figures, or a short form that shows a trend."""
    rounds: int = 3
    seconds: float = 4
    small: int = 10_000
    large: int = 1_000_000
    sustained_s: float = 60


QUICK = Scale(seconds=1.5, large=200_000, sustained_s=10)


@dataclass
class Cell:
    """One kind of load. `floors`: at least so many times the rate of the side of that name."""
    mode: str
    batch: int
    connections: int
    floors: dict = field(default_factory=dict)
    p99_ms: float = 0  # at most; 0: no bound
    cpu_share: float = 0  # at most 1/so much of Express's processor time a record; 0: no bound
    bytes_max: float = 0  # written a record, over all rounds; 0: no bound


def thousands(count):
    return f"{count // 1_000_000} M" if count >= 1_000_000 else f"{count // 1000} k"


def spread(values, digits=0):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def details(rows):
    return (f"p50 {statistics.median(row['p50_ms'] for row in rows):.1f}, p99 {max(row['p99_ms'] for row in rows):.1f}, "
            f"max {max(row['max_ms'] for row in rows):.1f} ms; a record: "
            f"{statistics.median(row['cpu_us'] for row in rows):.1f} us CPU, "
            f"{statistics.median(row['bytes'] for row in rows) / 1000:.1f} kB written")


def judge(require, say, name, cell, rows):
    """Prints a cell: `rows` has each side's runs, in the order of the rounds."""
    say(f"      {name}")
    for side, runs in rows.items():
        say(f"        {side:>10}: {spread([run['records_per_s'] for run in runs])} records/s, {details(runs)}")
    ours = rows["hub"]
    for side, runs in rows.items():
        if side == "hub":
            continue
        ratios = [mine["records_per_s"] / max(1, its["records_per_s"]) for mine, its in zip(ours, runs)]
        floor = cell.floors.get(side)
        text = f"{name}: {spread(ratios, 2)}x of {side}"
        if floor:
            require(statistics.median(ratios) >= floor, f"{text} (at least {floor}x)")
        else:
            say(f"      {text}")
    if cell.p99_ms:
        worst = max(run["p99_ms"] for run in ours)
        require(worst <= cell.p99_ms, f"{name}: p99 {worst:.1f} ms (at most {cell.p99_ms})")
    if cell.cpu_share:
        shares = [its["cpu_us"] / mine["cpu_us"] for mine, its in zip(ours, rows["Express"])]
        require(statistics.median(shares) >= cell.cpu_share,
                f"{name}: server CPU a record 1/{statistics.median(shares):.1f} of Express (at most 1/{cell.cpu_share})")
    if cell.bytes_max:
        mean = statistics.fmean(run["bytes"] for run in ours)
        require(mean <= cell.bytes_max, f"{name}: {mean:.0f} bytes written a record (at most {cell.bytes_max})")
    return statistics.median(run["records_per_s"] for run in ours)


def name_of(cell, stored, ids):
    return f"{cell.mode} {cell.batch} x {cell.connections} at {thousands(stored)}, {ids} ids"


def at_small(require, say, scale, ids, cells, kinds):
    """Each round on new stores, because they grow quickly. Returns the hub's rate in the first cell."""
    rows = [{kind.name: [] for kind in kinds} for _ in cells]
    for _ in range(scale.rounds):
        for kind in kinds:
            side = kind(ids)
            try:
                side.fill(scale.small)
                for cell, of_cell in zip(cells, rows):
                    of_cell[kind.name].append(side.load(cell.mode, cell.batch, cell.connections, scale.seconds))
            finally:
                side.stop()
    return [judge(require, say, name_of(cell, scale.small, ids), cell, of_cell)
            for cell, of_cell in zip(cells, rows)][0]


def at_large(require, say, scale, cells, sides):
    rates = {}
    for cell in cells:
        rows = {side.name: [] for side in sides if cell.mode != "changes" or side.name != "PostgreSQL"}
        for _ in range(scale.rounds):
            for side in sides:
                if side.name in rows:
                    rows[side.name].append(side.load(cell.mode, cell.batch, cell.connections, scale.seconds,
                                                     records=scale.large))
        rates[cell.mode] = judge(require, say, name_of(cell, scale.large, "random"), cell, rows)
    return rates


def sustained(require, say, scale, hub, express):
    """One long run, with all checkpoints that fall into it. The push makes the store several times as large, and a
    record of a larger store costs more bytes, so it has no bound here.
    """
    for mode, bytes_max, floor in (("push", None, None), ("update", 4500, 2.5)):
        name = f"{mode} 100 x 8 for {scale.sustained_s:.0f} s at {thousands(scale.large)}"
        with Largest(lambda: hub.log_file.stat().st_size) as log, Largest(lambda: rss_kib(hub.pid)) as resident:
            row = hub.load(mode, seconds=scale.sustained_s, records=scale.large)
        say(f"      {name}: {row['records_per_s']} records/s, {details([row])}; largest log {log.value >> 20} MiB, "
            f"largest memory {resident.value >> 10} MiB; {hub.next / 1e6:.1f} M stored at the end")
        require(row["p99_ms"] <= P99_MS, f"{name}: p99 {row['p99_ms']:.1f} ms (at most {P99_MS})")
        if bytes_max:
            require(row["bytes"] <= bytes_max,
                    f"{name}: {row['bytes']:.0f} bytes written a record (at most {bytes_max})")
        require(resident.value <= 110 << 10, f"{name}: {resident.value >> 10} MiB resident (at most 110)")
        if floor:
            its = express.load(mode, seconds=scale.sustained_s, records=scale.large)
            ratio = row["records_per_s"] / max(1, its["records_per_s"])
            say(f"           Express: {its['records_per_s']} records/s, {details([its])}")
            require(ratio >= floor, f"{name}: {ratio:.2f}x of Express (at least {floor}x)")


def bench_http(require, say, quick):
    scale = QUICK if quick else Scale()
    say(f"\n## http: records over /v1, 300 bytes each; {scale.rounds} rounds of {scale.seconds} s in turns")
    first = Cell("push", 100, 8, {"Express": 4}, P99_MS)
    singles = [Cell("push", 1, 64, {"Express": 18}, P99_MS), Cell("push", 1, 1, {"Express": 1.8}, P99_MS)]
    small_rate = at_small(require, say, scale, "random", [first], [HubSide, ExpressSide, PostgresSide])
    at_small(require, say, scale, "random", singles, [HubSide, ExpressSide])
    at_small(require, say, scale, "ordered", [Cell("push", 100, 8, {"Express": 2.5}, P99_MS)], [HubSide, ExpressSide])

    hub, express, postgres = sides = HubSide(), ExpressSide(), PostgresSide()
    try:
        for side in sides:
            began = time.perf_counter()
            side.fill(scale.large)
            say(f"      {side.name}: {thousands(scale.large)} stored in {time.perf_counter() - began:.0f} s")
        rates = at_large(require, say, scale, [
            Cell("changes", 500, 8, {"Express": 6}, cpu_share=10),
            Cell("changes", 10, 64, {"Express": 14}, cpu_share=8),
            Cell("noop", 100, 8, {"Express": 1}, P99_MS),
            Cell("push", 100, 8, {"Express": 4, "PostgreSQL": 1}, P99_MS, bytes_max=1500),
            Cell("update", 100, 8, {"Express": 4}, P99_MS),
        ], sides)
        require(rates["push"] >= 0.67 * small_rate,
                f"push 100 x 8 at {thousands(scale.large)}: {rates['push'] / small_rate:.2f} of that at "
                f"{thousands(scale.small)} (at least 0.67)")
        postgres.stop()
        sides = hub, express
        sustained(require, say, scale, hub, express)
        seconds = hub.restart_seconds()
        require(seconds <= 1, f"restart with {hub.next / 1e6:.1f} M records: {seconds:.2f} s (at most 1)")
    finally:
        for side in sides:
            side.stop()
