"""A run as a picture, in SVG: acknowledged orders a second, their latencies, and the faults under them. PURE."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from ordermesh.testing.chaos.faults import DECKS, Happened
from ordermesh.testing.chaos.statistics import Call

WIDTH, LEFT, RIGHT = 1200, 70, 20
RATE_TOP, RATE_HEIGHT = 50, 180
LATENCY_TOP, LATENCY_HEIGHT = 270, 180
FAULTS_TOP, LANE_HEIGHT, ROW_HEIGHT = 480, 64, 14
ROWS_PER_LANE = 4
LATENCY_MS = (1.0, 100_000.0)
COLOURS = {"engine": "#d1495b", "nats": "#edae49", "cassandra": "#30638e", "links": "#66a182"}
"""By lane."""


def picture(calls: Sequence[Call], faults: Sequence[Happened], begin: float, end: float, title: str) -> str:
    """The SVG of what happened between two moments."""
    frame = _Frame(begin, end)
    height = FAULTS_TOP + len(DECKS) * LANE_HEIGHT + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"',
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">{escape(title)}</text>',
        *frame.time_axis(height),
        *_shades(frame, faults),
        *_rates(frame, calls),
        *_latencies(frame, calls),
        *_lanes(frame, faults),
    ]
    return "\n".join([*parts, "</svg>\n"])


class _Frame:
    """Where a moment is on the picture."""

    def __init__(self, begin: float, end: float) -> None:
        self.begin = begin
        self.seconds = max(end - begin, 1.0)

    def across(self, moment: float) -> float:
        share = min(1.0, max(0.0, (moment - self.begin) / self.seconds))
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def time_axis(self, height: float) -> Iterator[str]:
        """A line each minute, or each ten."""
        step = 60 if self.seconds <= 1800 else 600
        for second in range(0, int(self.seconds) + 1, step):
            x = self.across(self.begin + second)
            yield f'<line x1="{x:.1f}" y1="{RATE_TOP}" x2="{x:.1f}" y2="{height - 24}" stroke="#ddd"/>'
            yield f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{second // 60} min</text>'


def _lane_of(kind: str) -> str:
    return next(name for name, deck in DECKS.items() if kind in deck)


def _shades(frame: _Frame, faults: Sequence[Happened]) -> Iterator[str]:
    for fault in faults:
        x, to = frame.across(fault.begin), frame.across(fault.end)
        colour = COLOURS[_lane_of(fault.kind)]
        bottom = LATENCY_TOP + LATENCY_HEIGHT
        yield (
            f'<rect x="{x:.1f}" y="{RATE_TOP}" width="{max(1.0, to - x):.1f}" height="{bottom - RATE_TOP}"'
            f' fill="{colour}" opacity="0.08"/>'
        )


def _by_second(frame: _Frame, calls: Sequence[Call]) -> dict[int, list[float]]:
    """Latencies of the orders that were acknowledged in each second."""
    found: dict[int, list[float]] = {second: [] for second in range(int(frame.seconds))}
    for call in calls:
        second = int(call.begin + call.seconds - frame.begin)
        if second in found:
            found[second].append(call.seconds)
    return found


def _rates(frame: _Frame, calls: Sequence[Call]) -> Iterator[str]:
    counts = [len(latencies) for latencies in _by_second(frame, calls).values()]
    top = max([*counts, 1])
    points = [
        (frame.across(frame.begin + second + 0.5), RATE_TOP + RATE_HEIGHT * (1 - count / top))
        for second, count in enumerate(counts)
    ]
    for value in (0, top // 2, top):
        y = RATE_TOP + RATE_HEIGHT * (1 - value / top)
        yield _level(y, str(value))
    yield f'<text x="{LEFT}" y="{RATE_TOP - 8}">orders acknowledged, each second</text>'
    yield _line(points, "#1f6feb")


def _latencies(frame: _Frame, calls: Sequence[Call]) -> Iterator[str]:
    low, high = (math.log10(value) for value in LATENCY_MS)

    def up(milliseconds: float) -> float:
        share = (math.log10(max(milliseconds, LATENCY_MS[0])) - low) / (high - low)
        return LATENCY_TOP + LATENCY_HEIGHT * (1 - min(1.0, share))

    for power in range(round(low), round(high) + 1):
        yield _level(up(10.0**power), f"{10.0**power:g} ms")
    yield f'<text x="{LEFT}" y="{LATENCY_TOP - 8}">until acknowledged: median (blue), slowest (red)</text>'
    seconds = [(second, sorted(found)) for second, found in _by_second(frame, calls).items() if found]
    for colour, pick in (("#1f6feb", 0.5), ("#d1242f", 1.0)):
        points = [
            (frame.across(frame.begin + second + 0.5), up(found[int((len(found) - 1) * pick)] * 1000))
            for second, found in seconds
        ]
        yield _line(points, colour)


def _lanes(frame: _Frame, faults: Sequence[Happened]) -> Iterator[str]:
    """A bar for each fault, with its name beside it."""
    rows = dict.fromkeys(DECKS, 0)
    for number, name in enumerate(DECKS):
        y = FAULTS_TOP + number * LANE_HEIGHT
        yield f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{name}</text>'
    for fault in sorted(faults, key=lambda one: one.begin):
        name = _lane_of(fault.kind)
        row, rows[name] = rows[name] % ROWS_PER_LANE, rows[name] + 1
        y = FAULTS_TOP + list(DECKS).index(name) * LANE_HEIGHT + row * ROW_HEIGHT
        x, to = frame.across(fault.begin), frame.across(fault.end)
        told = f"{fault.kind} {fault.way} {fault.target}".replace("  ", " ")
        yield (
            f'<rect x="{x:.1f}" y="{y}" width="{max(2.0, to - x):.1f}" height="11" fill="{COLOURS[name]}">'
            f"<title>{escape(told)}, {fault.end - fault.begin:.1f} s</title></rect>"
        )
        if frame.seconds <= 600:
            label = fault.kind.removeprefix(f"{name}-")
            yield f'<text x="{to + 2:.1f}" y="{y + 9}" font-size="8">{escape(label)}</text>'


def _level(y: float, text: str) -> str:
    return (
        f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#eee"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
