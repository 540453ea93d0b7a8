"""How the rate of pushes changes while a store grows to 5,000,000 records with random ids: a table, and a curve as SVG."""
from pathlib import Path

from pushes import thousands
from sides import ExpressSide, HubSide, PostgresSide, rss_kib

ROOT = Path(__file__).resolve().parents[1]
CURVE = ROOT / "docs/growth.svg"
STEPS = 20
COLOURS = {"hub": "#0b6e4f", "Express": "#b5541c", "PostgreSQL": "#33608c"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 64, 110, 24, 44


def measure(kind, total, say):
    """[(records stored, records per second, p99 in ms)], one for each step."""
    side = kind()
    points = []
    try:
        for step in range(1, STEPS + 1):
            row = side.load("push", 100, 8, 3600, count=total * step // STEPS - side.next)
            points.append((side.next, row["records_per_s"], row["p99_ms"]))
        say(f"      {side.name:>10}: " + ", ".join(f"{rate / 1000:.0f}" for _, rate, _ in points) +
            f" thousand records/s; p99 at most {max(p99 for _, _, p99 in points):.0f} ms")
        if kind is not HubSide:
            return points, 0, 0
        resident = rss_kib(side.pid, "VmHWM")
        return points, resident, side.restart_seconds()
    finally:
        side.stop()


def draw(curves, total):
    """An SVG with one line for each side: records stored to the right, records per second upwards."""
    top_rate = max(rate for points in curves.values() for _, rate, _ in points)
    unit = 10 ** (len(str(int(top_rate))) - 1)
    top = (int(top_rate / unit) + 1) * unit

    def place(stored, rate):
        return (LEFT + (WIDTH - LEFT - RIGHT) * stored / total, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / top)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12" role="img" aria-label="Records per second while a store grows">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for tick in range(6):
        x, _ = place(total * tick / 5, 0)
        _, y = place(0, top * tick / 5)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{top * tick / 5000:.0f} k</text>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                     f'{total * tick / 5e6:g} M</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">records stored</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 8}">records per second, push 100 x 8, random ids</text>')
    for name, points in curves.items():
        line = " ".join("{:.1f},{:.1f}".format(*place(stored, rate)) for stored, rate, _ in points)
        x, y = place(points[-1][0], points[-1][1])
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{COLOURS[name]}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def bench_growth(require, say, quick):
    total = 400_000 if quick else 5_000_000
    say(f"\n## growth: push 100 x 8 with random ids until {thousands(total)} are stored")
    curves = {}
    for kind in (HubSide, ExpressSide, PostgresSide):
        curves[kind.name], resident, restart = measure(kind, total, say)
        if kind is HubSide:
            rates = [rate for _, rate, _ in curves["hub"]]
            say(f"      the last quarter of the way at {sum(rates[-5:]) / max(1, sum(rates[:5])):.2f} of the rate of the "
                f"first; at most {resident >> 10} MiB resident")
            require(restart <= 2, f"restart with {thousands(total)} records: {restart:.2f} s (at most 2)")
    if not quick:
        CURVE.write_text(draw(curves, total))
        say(f"      drawn in {CURVE.relative_to(ROOT)}")
