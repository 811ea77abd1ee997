# SPDX-License-Identifier: MIT
"""Drawings of what was measured, as SVG: bars for rows, curves for growth. Lengths of bars, and sizes along a curve, are logarithmic."""

import math
from xml.sax.saxutils import escape

COLOURS = {"Quire": "#1b6ca8", "Linux": "#e0a030", "xv6": "#b04040"}
STYLE = "text{font:11px sans-serif;fill:#222}.t{font-size:15px;font-weight:bold}.e{text-anchor:end}.m{text-anchor:middle}"


def write(path, width, height, parts):
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
                f'<style>{STYLE}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n')
        f.write("\n".join(parts) + "\n</svg>\n")


def text(x, y, what, kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(str(what))}</text>'


def short(x):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if x >= size:
            return f"{x / size:.3g} {unit}"
    return f"{x:.3g}"


def bars(path, title, rows):
    """rows: [(name, {whose: cost or None}, limit or None)]. A line across a row's bars is its limit."""
    left, width, step, top = 110, 900, 11, 60
    most = max(v for _, costs, _ in rows for v in costs.values() if v)
    scale = (width - left - 70) / math.log10(most)

    def x(v):
        return left + scale * math.log10(max(v, 1))

    parts = [text(10, 22, title, "t")]
    for i, (who, colour) in enumerate(COLOURS.items()):
        parts += [f'<rect x="{left + 90 * i}" y="32" width="10" height="10" fill="{colour}"/>', text(left + 90 * i + 14, 41, who)]
    parts.append(text(left + 280, 41, "| the limit of this hardware"))
    y = top
    for name, costs, limit in rows:
        shown = [(who, v) for who, v in costs.items() if v]
        middle = y + step * len(shown) / 2
        parts.append(text(left - 6, middle + 4, name, "e"))
        for i, (who, v) in enumerate(shown):
            parts.append(f'<rect x="{left}" y="{y + step * i}" width="{max(1, x(v) - left):.1f}" height="{step - 1}" '
                         f'fill="{COLOURS[who]}"/>')
            parts.append(text(x(v) + 4, y + step * i + 9, short(v)))
        if limit:
            parts.append(f'<line x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="{y - 2}" y2="{y + step * len(shown) + 1}" stroke="#000"/>')
        y += step * len(shown) + 9
    for power in range(int(math.log10(most)) + 1):
        at = x(10**power)
        parts.insert(1, f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 6}" y2="{y}" stroke="#ddd"/>')
        parts.append(text(at, y + 12, short(10**power), "m"))
    write(path, width, y + 20, parts)


def plots(path, graphs):
    """graphs: [(title, unit, [(size, cost)])]: small ones, three in a line. The cost's scale begins at 0: a level
    curve is work that does not grow."""
    wide, high, across = 330, 220, 3
    parts = []
    for i, (title, unit, points) in enumerate(graphs):
        left, top = wide * (i % across), high * (i // across)
        x0, x1, y0, y1 = left + 60, left + wide - 25, top + high - 40, top + 35
        first, last = math.log10(points[0][0]), math.log10(points[-1][0])
        most = max(c for _, c in points) * 1.15 or 1

        def at(size, cost, x0=x0, x1=x1, y0=y0, y1=y1, first=first, last=last, most=most):
            along = (math.log10(size) - first) / (last - first) if last > first else 0.5
            return x0 + (x1 - x0) * along, y0 - (y0 - y1) * cost / most

        parts += [text(left + 12, top + 22, title), text((x0 + x1) / 2, y0 + 30, unit, "m"),
                  f'<path d="M{x0} {y1}V{y0}H{x1}" fill="none" stroke="#888"/>']
        parts.append('<polyline fill="none" stroke="#1b6ca8" stroke-width="2" points="'
                     + " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in points)) + '"/>')
        for size, cost in points:
            x, y = at(size, cost)
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1b6ca8"/>', text(x, y - 7, short(cost), "m"),
                      text(x, y0 + 14, short(size), "m")]
    write(path, wide * across, high * ((len(graphs) + across - 1) // across), parts)
