"""Draws a report as bars on a logarithmic scale, one group for each row that was compared with something."""

from __future__ import annotations

from math import floor, log10
from typing import Any
from xml.sax.saxutils import escape

from bench.report import shown

WIDTH, LEFT, RIGHT = 960, 300, 90
BAR, GAP, HEAD = 15, 16, 40
COLORS = {"ours": "#1e5aa8", "limit": "#b9c0c8"}
PEERS = ("#d9822b", "#c05b4d", "#7a5fa8", "#4f8f63", "#8a7a3d", "#5b6b7a")


def as_svg(report: dict[str, Any]) -> str:
    """Return the picture; rows without peer and limit are left out unless there are no others."""
    compared = [row for row in report["rows"] if row["peers"] or row["limit"] is not None]
    rows = compared or report["rows"]
    names = sorted({name for row in rows for name in row["peers"]})
    colors = COLORS | {name: PEERS[number % len(PEERS)] for number, name in enumerate(names)}
    parts: list[str] = []
    x, y = 12.0, HEAD + 8.0
    for name, color in colors.items():
        wide = 26 + 7 * len(name)
        if x + wide > WIDTH:
            x, y = 12.0, y + 20
        parts.append(f'<rect x="{x:.0f}" y="{y - 10:.0f}" width="12" height="12" fill="{color}"/>')
        parts.append(_text(x + 17, y, name))
        x += wide + 10
    y += 24
    for row in rows:
        bars = {"limit": row["limit"], "ours": row["ours"], **row["peers"]}
        drawn = {name: float(value) for name, value in bars.items() if value}
        y = _group(parts, f"{row['name']} ({row['unit']})", drawn, colors, y)
    head = f'<text x="12" y="26" font-size="18" font-weight="600" fill="#1c2733">{escape(report["benchmark"])}</text>'
    note = _text(120, 26, "logarithmic scale within each row")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}"'
        ' font-family="system-ui, sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{head}\n{note}\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _group(parts: list[str], name: str, bars: dict[str, float], colors: dict[str, str], y: float) -> float:
    """Draw one row; returns where the next one begins."""
    if not bars:
        return y
    middle = y + (len(bars) * BAR) / 2 + 4
    lines = _wrapped(name)
    for number, line in enumerate(lines):
        parts.append(_text(LEFT - 10, middle + 14 * (number - (len(lines) - 1) / 2), line, anchor="end"))
    # The scale begins at the power of ten below the smallest bar, so that every bar is seen.
    least = floor(log10(min(bars.values())) - 0.05)
    most = max(log10(max(bars.values())), least + 0.5)
    for label, value in bars.items():
        wide = (WIDTH - LEFT - RIGHT) * (log10(value) - least) / (most - least)
        color = colors[label]
        parts.append(
            f'<rect x="{LEFT}" y="{y:.0f}" width="{max(wide, 1):.1f}" height="{BAR - 2}" fill="{color}">'
            f"<title>{escape(label)}: {shown(value)}</title></rect>"
        )
        parts.append(_text(LEFT + max(wide, 1) + 6, y + BAR - 4, shown(value)))
        y += BAR
    return y + GAP


def _wrapped(text: str, most: int = 44) -> list[str]:
    """Return the text in lines of at most so many letters, where its words allow."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#1c2733">{escape(words)}</text>'
