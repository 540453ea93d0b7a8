"""Change notices to 1,000 WebSockets, beside Express 5 + ws: what one costs, and what the hub still writes meanwhile."""
import json
import resource
import statistics
import subprocess
from pathlib import Path

from pushes import QUICK, Scale, spread
from sides import BUILD, ExpressSide, HubSide, cpu_seconds, words_of

SUBSCRIBERS = 1000
PACE = 20  # pushes a second, so that each is told by itself
STORED = 10_000
WRITER_THREAD = "writer"


def thread_seconds(pid, name):
    """Processor time of the threads with that name; 0 if there is none."""
    nanoseconds = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def run_live(side, **options):
    """One run of live_load. Adds the processor time of the server and of its writer while it lasted."""
    command = [str(BUILD / "live_load"), "--port", str(side.port), "--token", side.key, "--first", str(side.next)]
    with subprocess.Popen(command + words_of(options), stdout=subprocess.PIPE, text=True) as load:
        load.stdout.readline()
        cpu, writer = cpu_seconds(side.pid), thread_seconds(side.pid, WRITER_THREAD)
        row = json.loads(load.stdout.readline())
        row["cpu_s"] = cpu_seconds(side.pid) - cpu
        row["writer_s"] = thread_seconds(side.pid, WRITER_THREAD) - writer
    side.next = row["next"]
    return row


def bench_live(require, say, quick):
    scale = QUICK if quick else Scale()
    say(f"\n## live: {SUBSCRIBERS} WebSockets that watch one space, beside Express 5 + ws")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sides = [HubSide(), ExpressSide()]
    try:
        rows = {(side.name, kind): [] for side in sides for kind in ("paced", "alone", "full")}
        for side in sides:
            side.fill(STORED)
        for _ in range(scale.rounds):
            for side in sides:
                seconds = scale.seconds
                rows[side.name, "paced"].append(run_live(side, subscribers=SUBSCRIBERS, pace=PACE, seconds=seconds))
                rows[side.name, "alone"].append(run_live(side, subscribers=0, pace=PACE, seconds=seconds))
                rows[side.name, "full"].append(run_live(side, subscribers=SUBSCRIBERS, pushers=64, seconds=seconds))
        judge_live(require, say, rows)
    finally:
        for side in sides:
            side.stop()


def judge_live(require, say, rows):
    cost = {side: [row["cpu_s"] / max(1, row["notices"]) * 1e6 for row in rows[side, "paced"]]
            for side in ("hub", "Express")}
    for side, of_side in cost.items():
        paced = rows[side, "paced"]
        say(f"      {side:>10}: {spread(of_side, 2)} us CPU a notice, a notice arrives after "
            f"{statistics.median(row['notice_p50_ms'] for row in paced):.1f} ms, p99 "
            f"{max(row['notice_p99_ms'] for row in paced):.1f} ms; "
            f"{sum(row['notices'] for row in paced)} notices of {sum(row['pushes'] for row in paced)} pushes")
    shares = [mine / its for mine, its in zip(cost["hub"], cost["Express"])]
    require(statistics.median(shares) <= 0.65, f"CPU a notice: {spread(shares, 2)} of Express (at most 0.65)")

    with_all, alone = ([row["writer_s"] / max(1, row["pushes"]) * 1e3 for row in rows["hub", kind]]
                       for kind in ("paced", "alone"))
    require(statistics.median(with_all) - statistics.median(alone) <= 0.1,
            f"writer a commit: {spread(with_all, 3)} ms, without subscribers {spread(alone, 3)} ms "
            f"(at most 0.1 ms more)")

    rates = {side: [row["pushes_per_s"] for row in rows[side, "full"]] for side in ("hub", "Express")}
    ratios = [mine / max(1, its) for mine, its in zip(rates["hub"], rates["Express"])]
    for side, of_side in rates.items():
        say(f"      {side:>10}: push 1 x 64 meanwhile {spread(of_side)} records/s, p99 "
            f"{max(row['push_p99_ms'] for row in rows[side, 'full']):.1f} ms")
    require(statistics.median(ratios) >= 40, f"push 1 x 64 under {SUBSCRIBERS} subscribers: {spread(ratios, 1)}x of "
                                             f"Express (at least 40x)")
