"""The latencies of a benchmark as a picture: milliseconds over the share of orders, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ordermesh.cli.latency import percentile_ms

WIDTH, HEIGHT, MARGIN = 720, 420, 60
SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)


def latency_svg(seconds_sorted: Sequence[float], title: str) -> str:
    """An SVG: across, the share of orders by its nines; up, the latency, logarithmic."""
    points = [(_across(share), percentile_ms(seconds_sorted, share) or 0.001) for share in _shares(len(seconds_sorted))]
    low = math.floor(math.log10(min(value for _, value in points)))
    high = math.ceil(math.log10(max(value for _, value in points)) + 1e-9)
    high = max(high, low + 1)

    def up(value: float) -> float:
        return HEIGHT - MARGIN - (math.log10(value) - low) / (high - low) * (HEIGHT - 2 * MARGIN)

    line = " ".join(f"{across:.1f},{up(value):.1f}" for across, value in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"',
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="15">{title}</text>',
    ]
    for power in range(low, high + 1):
        y = up(10.0**power)
        parts.append(f'<line x1="{MARGIN}" y1="{y:.1f}" x2="{WIDTH - MARGIN}" y2="{y:.1f}" stroke="#ccc"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
    for share in SHARES:
        x = _across(share)
        parts.append(f'<line x1="{x:.1f}" y1="{MARGIN}" x2="{x:.1f}" y2="{HEIGHT - MARGIN}" stroke="#eee"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{share * 100:g} %</text>')
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>\n"])


def _across(share: float) -> float:
    nines = -math.log10(1 - share) if share < 1 else 4.0
    return MARGIN + min(nines, 4.0) / 4.0 * (WIDTH - 2 * MARGIN)


def _shares(count: int) -> list[float]:
    return [1 - 10 ** (-step / 25) for step in range(101) if 10 ** (step / 25) <= max(count, 2)]
