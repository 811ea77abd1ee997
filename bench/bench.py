#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench.py [table | check | accept REASON | grow | wall]: what work costs on Quire, in guest instructions.

table    boots, measures every row, prints it beside the baseline and what others need; JSON and bars in build/
check    the same, and ends with 1 when a row costs more than the baseline allows, or flushes more than it may
accept   measures RUNS times and writes what it saw to the baseline, with the reason
grow     how costs grow: tables and plots
wall     the clock on the wall, without counting: rows as multiples of getpid, the boot, the test programs

QEMU counts instructions (-icount) and one hart runs, so a row that waits for nothing costs the same each
time. One that waits for the disk does not: its time of rest is taken out, but not what depends on when the
disk answers. How far such a row was from its least in the RUNS runs of `accept` is written down with the
baseline, and allowed beside the 3 %.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests", "system")]

import draw  # noqa: E402
import quire  # noqa: E402

ICOUNT = ("-icount", "shift=0,sleep=off")
SHARE, RUNS = 0.03, 4
SIDE = ("satp", "fences", "switches", "disk", "contended")
LINE = re.compile(r"^(row|grow|share) (\w+) (\d+): units (\d+) " + " ".join(rf"{n} (\d+)" for n in ("cost", *SIDE)) + "$", re.M)
ROWS = os.path.join(HERE, "rows.json")
BASELINE = os.path.join(HERE, "baseline.json")
HARTS = (1, 2, 4, 8)
SHARED = ("fork", "exec", "lazy", "overwrite0", "pingpong", "read4k")
MEMORIES = ("64M", "256M", "1G")
BIG = 150000  # blocks of the disk for what grows: room for files of 512 MiB


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def save(path, what):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(what, f, indent=1)
        f.write("\n")


def out(name):
    return os.path.join(quire.ROOT, quire.BUILD, name)


# ---- measuring ----


class Lab:
    """Where machines are booted, one at a time."""

    def __init__(self, folder):
        self.t = quire.Context(os.path.join(folder, "bench"))

    def run(self, *commands, seconds=600, counted=True, **options):
        """What the commands print, on a machine that is new; a list."""
        options.setdefault("cpus", 1)
        m = self.t.boot(seconds=60, options=ICOUNT if counted else (), **options)
        said = []
        for c in commands:
            m.send(c)
            said.append(m.prompt(seconds))
        self.t.drop(m)
        return said


def parse(said):
    """{(kind, name, size): per unit of work {cost, satp, ...}}"""
    found = {}
    for kind, name, size, units, *counts in LINE.findall(said):
        per = dict(zip(("cost", *SIDE), (int(n) / int(units) for n in counts)))
        found[kind, name, int(size)] = {k: round(v, 3) for k, v in per.items()}
    return found


def since_boot(lab, **options):
    """Instructions from power-on to the first command's main(), frames in use at the prompt, and of a process."""
    said = lab.run("bench -b", **options)[0]
    one, two = (int(n) for n in re.findall(r"^frames (\d+)$", said, re.M))
    crowd, frames = (int(n) for n in re.search(r"^crowd (\d+) (\d+)$", said, re.M).groups())
    return {"boot": int(re.search(r"^boot (\d+)$", said, re.M).group(1)), "prompt": 2 * one - two, "process": frames / crowd}


def measure(lab, names=()):
    """{row: {cost, satp, fences, ...}}"""
    said = lab.run(" ".join(("bench", *names)))[0]
    found = {name: counts for (_, name, _), counts in parse(said).items()}
    if not names:
        small = since_boot(lab)
        found["boot8g"] = {"cost": since_boot(lab, mem="8G")["boot"]}
        found.update({k: {"cost": v} for k, v in small.items()})
    return found


# ---- showing ----


def number(x):
    if x is None:
        return "-"
    return f"{x:,.0f}" if x >= 100 or x == int(x) else f"{x:,.1f}"


def table(rows, base, found):
    head = ("row", "now", "baseline", "change", "target", "limit", "Linux", "xv6", *SIDE)
    lines = [head]
    for name, row in rows.items():
        if name not in found:
            continue
        now, old = found[name]["cost"], base["rows"].get(name, {}).get("cost")
        mark = " *" if now > row.get("target", now) else ""
        change = f"{100 * (now / old - 1):+.1f} %" if old else "-"
        lines.append((name + mark, number(now), number(old), change, *(number(row.get(k)) for k in (
            "target", "limit", "linux", "xv6")), *(number(found[name].get(k)) for k in SIDE)))
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print(line[0].ljust(width[0]), *(c.rjust(w) for c, w in zip(line[1:], width[1:])))
    print("\nInstructions, frames in the last two, per unit of work: `bench -l` in Quire tells the units. *: above its target.")
    print(f"Baseline: {base['reason'] if base['rows'] else 'none yet'}")


def complaints(rows, base, found):
    """What is worse than it may be."""
    said = []
    for name, row in rows.items():
        if name not in found:
            continue
        old = base["rows"].get(name)
        if old is None:
            said.append(f"{name} is not in the baseline: make bench-accept REASON=...")
            continue
        most = old["cost"] * (1 + SHARE + old.get("spread", 0))
        if found[name]["cost"] > most:
            said.append(f"{name} costs {number(found[name]['cost'])}, and at most {number(most)} is allowed")
        for k in SIDE:
            if k in row and found[name][k] > row[k]:
                said.append(f"{name} has {found[name][k]} {k} for each unit of work, and {row[k]} are allowed")
    return said


# ---- what make calls ----


def baseline(path):
    return load(path) if os.path.exists(path) else {"reason": "", "rows": {}}


def show(lab, args, rows):
    found = measure(lab, args.rows)
    base = baseline(args.baseline)
    table(rows, base, found)
    if args.rows:
        return found, base
    save(out("bench.json"), {name: {**counts, **{k: v for k, v in rows[name].items() if k in ("xv6", "linux", "limit", "target")}}
                             for name, counts in found.items()})
    draw.bars(out("bench.svg"), "Guest instructions per unit of work", [
        (name, {"Quire": found[name]["cost"], "Linux": row.get("linux"), "xv6": row.get("xv6")}, row.get("limit"))
        for name, row in rows.items() if name in found and name not in ("prompt", "process")])
    print(f"Written: {quire.BUILD}/bench.json, {quire.BUILD}/bench.svg")
    return found, base


def check(lab, args, rows):
    found, base = show(lab, args, rows)
    said = complaints(rows, base, found)
    print("\n".join(said) or "No row is worse than its baseline allows.")
    return 1 if said else 0


def accept(lab, args, rows):
    if not args.reason:
        print('A baseline is raised for a reason: make bench-accept REASON="why".')
        return 2
    runs = [measure(lab) for _ in range(RUNS)]
    new = {}
    for name, row in rows.items():
        costs = [r[name]["cost"] for r in runs]
        new[name] = dict(runs[costs.index(min(costs))][name])
        if row.get("waits"):
            new[name]["spread"] = round(max(costs) / min(costs) - 1, 4)
        elif max(costs) != min(costs):
            print(f"{name} waits for nothing, and cost {costs}: nothing was accepted.")
            return 1
    save(args.baseline, {"reason": args.reason, "rows": new})
    table(rows, {"reason": args.reason, "rows": new}, new)
    return 0


# ---- growth ----

SWEEPS = {
    "alive": ("fork + exit + wait", "processes alive"),
    "resident": ("fork + exit + wait", "MiB touched"),
    "mappings": ("a fault", "mappings"),
    "names": ("open + close", "names in the directory"),
    "write": ("sequential write and fsync, per KiB", "pages of the file"),
    "read": ("sequential read from the disk, per KiB", "pages of the file"),
    "last": ("lseek + read of the last byte, cached", "pages of the file"),
    "reclaim": ("evict a page, half of memory touched: the first 256", "MiB of memory"),
    "reclaimmost": ("the same, most of them", "MiB of memory"),
}


def sweep(title, unit, points):
    """points: [(size, counts)]"""
    print(f"\n{title}\n{unit:>24} {'instructions':>13} {'x first':>8} " + " ".join(f"{k:>9}" for k in SIDE))
    for size, c in points:
        print(f"{size:>24,} {number(c['cost']):>13} {c['cost'] / points[0][1]['cost']:>8.2f} "
              + " ".join(f"{number(c[k]):>9}" for k in SIDE))


def grow(lab, args, _rows):
    disk = lab.t.mkfs("big.img", *disk_files(), size=BIG)
    curves = {}
    for name in SWEEPS:
        if args.rows and name not in args.rows:
            continue
        for mem in MEMORIES if name.startswith("reclaim") else ("128M",):
            said = lab.run(f"bench -g {name}", mem=mem, disk=disk)[0]
            found = parse(said)
            if not found:
                print(f"\n{name}: {said.splitlines()[-1]}")
            curves.setdefault(name, []).extend((size, c) for (_, _, size), c in found.items())
        if curves[name]:
            sweep(*SWEEPS[name], curves[name])
    harts = {} if args.rows and "harts" not in args.rows else share(lab)
    plots = [(*SWEEPS[n], [(s, c["cost"]) for s, c in points]) for n, points in curves.items() if points]
    plots += [(f"{n}: locks waited for", "harts, one process on each", [(s, c["contended"]) for s, c in points])
              for n, points in harts.items()]
    draw.plots(out("bench-grow.svg"), plots)
    save(out("bench-grow.json"), {**curves, "harts": harts})
    print(f"\nWritten: {quire.BUILD}/bench-grow.json, {quire.BUILD}/bench-grow.svg")
    return 0


def disk_files():
    """What is on the disk that make builds."""
    folder = os.path.join(quire.BUILD, "image")
    return [os.path.join(folder, n) for n in sorted(os.listdir(os.path.join(quire.ROOT, folder)))]


def share(lab):
    """One process on each hart at the same work. Harts run at the same time here, so nothing but events can be counted:
    locks waited for above all. (With -icount QEMU runs one hart after the other, and one that waits for another
    burns the rest of its turn.)"""
    curves = {}
    for k in HARTS:
        said = "".join(lab.run(*(f"bench -j {k} {row}" for row in SHARED), cpus=k, counted=False, seconds=60))
        for (_, name, _), c in parse(said).items():
            curves.setdefault(name, []).append((k, c))
    print("\nOne process on each hart: per operation" + f"\n{'':>24} {'harts':>6} " + " ".join(f"{k:>9}" for k in SIDE))
    for name, points in curves.items():
        for k, c in points:
            print(f"{name:>24} {k:>6} " + " ".join(f"{c[side]:>9.3f}" for side in SIDE))
    return curves


# ---- the clock on the wall ----


def wall(lab, args, rows):
    """Host time says little by itself, so a row's stands as a multiple of getpid's, beside the same of instructions:
    where the first is much more, it is because of what QEMU does slowly: flushes, devices, other tables."""
    start = time.monotonic()
    m = lab.t.boot(cpus=1)
    took = {"boot": time.monotonic() - start}
    m.send(" ".join(("bench", *args.rows)))  # uncounted, its instructions are ticks of the host's clock
    found = {name: c["cost"] for (_, name, _), c in parse(m.prompt(600)).items()}
    counted = {name: row["cost"] for name, row in load(args.baseline)["rows"].items()}
    print(f"{'x getpid':<12} {'time':>10} {'instructions':>13}")
    for name in rows:
        if name in found and "getpid" in found:
            print(f"{name:<12} {number(found[name] / found['getpid']):>10} {number(counted[name] / counted['getpid']):>13}")
    for command in () if args.rows else ("usertests -q", "usertests"):
        start = time.monotonic()
        m.send(command)
        m.prompt(1800)
        took[command] = time.monotonic() - start
    lab.t.drop(m)
    print(f"\n{'seconds':<12} {'here, now':>10} {'xv6, recorded elsewhere':>25}")
    for what, seconds in took.items():
        print(f"{what:<12} {seconds:>10.2f} {load(ROWS)['seconds'][what]['xv6']:>25}")
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("table", "check", "accept", "grow", "wall"))
    parser.add_argument("--reason", default="")
    parser.add_argument("--baseline", default=BASELINE)
    parser.add_argument("rows", nargs="*", help="only these")
    args = parser.parse_args()
    os.chdir(quire.ROOT)
    rows = load(ROWS)["rows"]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(folder)
        try:
            what = {"table": show, "check": check, "accept": accept, "grow": grow, "wall": wall}[args.what](lab, args, rows)
        except quire.Failure as e:
            print(f"bench: {e}")
            return 2
        finally:
            lab.t.close()
    return what if isinstance(what, int) else 0


if __name__ == "__main__":
    sys.exit(main())
