"""Plots as small SVG files, drawn by hand: bars in groups, and lines; readable on a light page and on a dark one."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 780, 270, 90
BAR, GAP, TOP = 13, 12, 44
COLOURS = ("#2f6fde", "#d9822b", "#8f5fd0", "#3a9d5d")
_STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; } .title { font-weight: 600; font-size: 14px; } .light { fill: #57606a; }
line { stroke: #8c959f; stroke-width: 1; } .grid { stroke-opacity: 0.25; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .light { fill: #9da7b3; } }
</style>"""


class _Axis:
    """Where a value stands: logarithmic, or from zero; its ends are powers of ten, or what is a little more than the most."""

    def __init__(self, values: Sequence[float], logarithmic: bool) -> None:
        most = max(values, default=0) or 1.0
        self.logarithmic = logarithmic
        if logarithmic:
            least = min((value for value in values if value > 0), default=most / 10)
            self.high = 10.0 ** math.ceil(math.log10(most))
            self.low = min(max(10.0 ** math.floor(math.log10(least)), self.high / 1e5), self.high / 10)
            powers = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
            self.ticks = [10.0**power for power in powers]
        else:
            step = 10.0 ** math.floor(math.log10(most))
            step = next(one for one in (step / 5, step / 2, step, step * 2) if most / one <= 6)
            self.low, self.high = 0.0, step * math.ceil(most / step)
            self.ticks = [step * number for number in range(round(self.high / step) + 1)]

    def length(self, value: float) -> float:
        """How long a bar is."""
        if self.logarithmic:
            part = math.log10(value / self.low) / math.log10(self.high / self.low) if value > self.low else 0.0
        else:
            part = max(value, 0.0) / self.high
        return part * (WIDTH - LEFT - RIGHT)


def bars(
    title: str,
    rows: Mapping[str, Sequence[float]],
    series: Sequence[str],
    shown: str = "{:,.0f}",
    most: float = 0,
    logarithmic: bool = False,
) -> str:
    """Horizontal bars, one group for each row; `most` is where a bar is cut, and its figure says so.

    `rows` maps a label to one value for each of the series; what is too small for the axis has no bar, only its figure.
    """
    axis = _Axis([value for row in rows.values() for value in row], logarithmic)
    top = TOP + (20 if len(series) > 1 else 0)
    height = top + sum(len(row) * BAR + GAP for row in rows.values()) + 28
    parts = [_head(title, height), *(_legend(series) if len(series) > 1 else [])]
    for tick in axis.ticks:
        x = LEFT + axis.length(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{height - 24}"/>')
        parts.append(f'<text class="light" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{_short(tick)}</text>')
    y = float(top)
    for label, row in rows.items():
        parts.append(f'<text x="{LEFT - 10}" y="{y + len(row) * BAR / 2 + 4:.1f}" text-anchor="end">{escape(label)}</text>')
        for number, value in enumerate(row):
            length = axis.length(value)
            told = f"> {shown.format(most)}" if most and value >= most else shown.format(value)
            place = f'x="{LEFT}" y="{y:.1f}" width="{length:.1f}" height="{BAR - 2}" rx="2"'
            parts.append(f'<rect {place} fill="{COLOURS[number % 4]}"/>')
            parts.append(f'<text class="light" x="{LEFT + length + 5:.1f}" y="{y + BAR - 3:.1f}">{escape(told)}</text>')
            y += BAR
        y += GAP
    return "\n".join([*parts, "</svg>"]) + "\n"


def lines(title: str, ticks: Sequence[float], rows: Mapping[str, Sequence[float]], shown: str = "{:,.2f}") -> str:
    """Lines from zero upwards over a logarithmic axis of `ticks`, each point with its figure."""
    height, bottom, right = 260, 220, WIDTH - RIGHT
    high = max(value for row in rows.values() for value in row) * 1.25 or 1.0
    first, last = math.log10(ticks[0]), math.log10(ticks[-1])
    across = [70 + (math.log10(tick) - first) / ((last - first) or 1) * (right - 70) for tick in ticks]
    parts = [_head(title, height), *_legend(list(rows)), f'<line x1="50" y1="{bottom}" x2="{WIDTH - 30}" y2="{bottom}"/>']
    for x, tick in zip(across, ticks, strict=True):
        parts.append(f'<text class="light" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{tick:,.0f}</text>')
    for number, row in enumerate(rows.values()):
        points = [(x, bottom - value / high * (bottom - 70)) for x, value in zip(across, row, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[number]}" stroke-width="2"/>')
        for (x, y), value in zip(points, row, strict=True):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[number]}"/>')
            parts.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{shown.format(value)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _head(title: str, height: float) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">\n{_STYLE}'
    return f'{opened}\n<text class="title" x="10" y="22">{escape(title)}</text>'


def _legend(series: Sequence[str]) -> list[str]:
    parts, x = [], 10
    for number, name in enumerate(series):
        parts.append(f'<rect x="{x}" y="34" width="11" height="11" rx="2" fill="{COLOURS[number]}"/>')
        parts.append(f'<text x="{x + 16}" y="44">{escape(name)}</text>')
        x += 36 + 7 * len(name)
    return parts


def _short(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"
