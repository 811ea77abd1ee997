# SPDX-License-Identifier: MIT
"""riscv/tlb.c, asid.c and ad.c on a model of harts that remember all they may (tlb_model.c).

And the same with mistakes put in: each must be found, or the model would prove nothing.
"""

import itertools
import os

from quire import ROOT, test

CC = ["cc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wno-unused-parameter", "-include",
      "tests/host/tlb_model.h", "-I.", "-Ikernel/riscv", "-Itests/host"]
SOURCES = ("kernel/riscv/tlb.c", "kernel/riscv/asid.c", "kernel/riscv/ad.c", "tests/host/tlb_model.c",
           "tests/host/tlb_test.c")

# Mistakes: what it is, in which file, the text that is right, the text that is wrong.
TLB, ASID, AD = SOURCES[:3]
GEN = "uint64 gen = __atomic_add_fetch(&mm->gen, 1, __ATOMIC_SEQ_CST);\n"
OTHERS = "uint others = __atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & ~(1u << c->id);\n"
RUN = "__atomic_fetch_or(&mm->running, 1u << c->id, __ATOMIC_SEQ_CST);\n"
SATP = "satp_write(MAKE_SATP(KPA(mm->pagetable), ASID_OF(asid)));\n"
CATCH_UP = "catch_up(c, mm, ASID_OF(asid));\n"
STOP = "__atomic_fetch_and(&old->running, ~(1u << c->id), __ATOMIC_SEQ_CST);\n"
SEEN = "__atomic_store_n(&mm->seen[c->id], gen, __ATOMIC_RELEASE);\n"
FENCE = "fence_asid(asid); // 4.2.1: tables may have gone, too, and that takes rs1 = x0\n"
ENTERS = """  uint64 asid = asid_of(mm);
  int recycled = c->asidgen != GEN_OF(asid);
  if (recycled)
    fence_all();
  catch_up(c, mm, ASID_OF(asid));
"""
FLUSH = """  forget(mm, start, end);
  if (c->mm == mm)
    mm->seen[c->id] = gen;
"""
KERNEL = """  fence_all();
  if (mycpu()->mm == 0)
    satp_write(MAKE_SATP(KPA(kernel_pagetable), 0));
  fence_all();
"""
LEAVES = """    satp_write(MAKE_SATP(KPA(kernel_pagetable), 0));
    vm_count(satp_writes, 1);
    c->mm = 0;
"""
LEFT = "    left(c, mm);\n"
WAIT = "!answered(mm, h, gen)"

MISTAKES = (
    ("no fence before satp gets a recycled number", TLB, f"fence_all();\n  {CATCH_UP}", f";\n  {CATCH_UP}"),
    ("no fence after satp got a recycled number", TLB, f"{SATP}  if (recycled)\n    fence_all();", SATP),
    ("none of the two", TLB, "c->asidgen != GEN_OF(asid);", "0;"),
    ("the hart does not note the generation it forgot for", TLB, "int recycled = c->asidgen != GEN_OF(asid);",
     "int recycled = c->asidgen == 0;"),
    ("only the recycled number is forgotten", TLB,
     f"fence_all();\n  {CATCH_UP}  {SATP}  if (recycled)\n    fence_all();",
     f"fence_asid(ASID_OF(asid));\n  {CATCH_UP}  {SATP}  if (recycled)\n    fence_asid(ASID_OF(asid));"),
    ("a hart enters without catching up", TLB, "  " + CATCH_UP, ""),
    ("a hart catches up under the number it leaves", TLB, CATCH_UP, "catch_up(c, mm, SATP_ASID(satp_read()));\n"),
    ("a hart catches up after it wrote satp", TLB, f"{CATCH_UP}  {SATP}", f"{SATP}  {CATCH_UP}"),
    ("a hart looks first and says later that it runs the mm", TLB, RUN + ENTERS, ENTERS + RUN),
    ("a hart never says that it runs the mm", TLB, RUN, ""),
    ("a hart says that it left before it did", TLB, SATP, f"if (old)\n    {STOP}  {SATP}"),
    ("a hart says that it left before it forgot", TLB, f"{SATP}  if (recycled)\n    fence_all();",
     f"{SATP}  if (old)\n    {STOP}  if (recycled)\n    fence_all();"),
    ("a hart never says that it left", TLB, STOP, ""),
    ("a hart gives up its table before it leaves it", TLB, SATP,
     f"if (old) {{\n    mm_put(old);\n    mm_get(old);\n  }}\n  {SATP}"),
    ("a hart holds no reference on its table", TLB, "mm_get(mm);\n", ""),
    ("seen is told before the fence", TLB, f"{FENCE}  {SEEN}", f"{SEEN}  {FENCE}"),
    ("seen is told and nothing is done", TLB, FENCE, ""),
    ("an answer forgets one page only", TLB, FENCE, "fence_page(0x1000, asid);\n"),
    ("calls are not answered", TLB, "catch_up(c, mm, asid);\n  }", "}"),
    ("an idle hart answers nothing", TLB, "} else if (mm->seen", "} else if (0 && mm->seen"),
    ("an idle hart says that it left and stays", TLB, LEAVES, "    c->mm = 0;\n"),
    ("an idle hart says that it left before it did", TLB, LEAVES + LEFT, LEFT + LEAVES),
    ("an idle hart leaves and does not say so", TLB, LEAVES + LEFT, LEAVES),
    ("an idle hart leaves though the kernel's table has the same number", TLB, " || asid == 0", ""),
    ("gen has 32 bits", TLB, "if (mm->seen[c->id] == gen)", "if ((uint)mm->seen[c->id] == (uint)gen)"),
    ("the flush looks who runs first and counts later", TLB, f"{GEN}{FLUSH}  {OTHERS}", f"{OTHERS}  {GEN}{FLUSH}"),
    ("the flush looks who runs before it counts, and forgets first", TLB, f"{GEN}{FLUSH}  {OTHERS}",
     f"forget(mm, start, end);\n  {OTHERS}  {GEN}  if (c->mm == mm)\n    mm->seen[c->id] = gen;\n"),
    ("gen is not counted", TLB, GEN, "uint64 gen = __atomic_add_fetch(&mm->gen, 0, __ATOMIC_SEQ_CST);\n"),
    ("no fence on the flushing hart", TLB, "forget(mm, start, end);\n  if (c->mm", "if (c->mm"),
    ("the flush changes harts half-way", TLB, "forget(mm, start, end);\n  if (c->mm",
     "pop_off();\n  push_off();\n  forget(mm, start, end);\n  if (c->mm"),
    ("a page is forgotten under the mm's number of today", TLB, "fence_page(va, asid)",
     "fence_page(va, ASID_OF(mm->asid))"),
    ("an mm is forgotten under its number of today", TLB, "pages > FEW)\n    fence_asid(asid)",
     "pages > FEW)\n    fence_asid(ASID_OF(mm->asid))"),
    ("tables went, and only leaves are forgotten", TLB, "pages > FEW)\n    fence_asid(asid);",
     "pages > FEW)\n    for (uint64 va = 0; va < 0x40001000; va += PGSIZE)\n"
     "      fence_page(va, asid);"),
    ("the last page of a range is left out", TLB, "va < end; va += PGSIZE",
     "va + PGSIZE < end || va == start; va += PGSIZE"),
    ("every second page of a range is left out", TLB, "va < end; va += PGSIZE", "va < end; va += 2 * PGSIZE"),
    ("nobody is called", TLB, "ipi(h);", ";"),
    ("nobody is waited for", TLB, WAIT, "0"),
    ("one answer is enough for all", TLB, "assert(intr_get());", "others = 0;"),
    ("the wait is for any answer, also an old one", TLB, ">= gen ||", ">= gen - 1 ||"),
    ("who left is waited for", TLB, "!(__atomic_load_n(&mm->running, __ATOMIC_SEQ_CST) & (1u << h))", "0"),
    ("the wait is with interrupts off", TLB, f"{OTHERS}  pop_off();", OTHERS),
    ("all harts are called", TLB, "if (others & (1u << h)) {", "if (h != c->id) {"),
    ("the flushing hart calls itself", TLB, OTHERS, OTHERS.replace(" & ~(1u << c->id)", "")),
    ("everybody is called twice", TLB, "ipi(h);", "ipi(h), ipi(h);"),
    ("a spurious fault forgets the leaf only", TLB, "forget(mm, 0, MAXVA);\n", "forget(mm, 0x1000, 0x2000);\n"),
    ("nothing is forgotten when a leaf gained rights", TLB,
     "fence_page(va, SATP_ASID(satp_read()));\n}", "}"),
    ("the kernel half changed, and only one number is forgotten", TLB, KERNEL, KERNEL.replace(
        "fence_all()", "fence_asid(SATP_ASID(satp_read()))")),
    ("numbers are given out again in one generation", ASID, "generation + 1, __ATOMIC_RELEASE",
     "generation, __ATOMIC_RELEASE"),
    ("all mms have one number", ASID, "next++", "next"),
    ("one number more is given out than there are", ASID, "next > most", "next > most + 1"),
    ("no generation goes by", ASID, "if (next > most)", "if (0)"),
    ("A is not set", AD, "PTE_A |", "0 |"),
    ("D is not set", AD, "? PTE_D : 0", "? 0 : 0"),
    ("A and D are set and the hart does not see it", AD, "tlb_gained(f->mm, f->va);", ";"),
)

# Harts, bits of a number, whether the processor sets A and D.
MACHINES = list(itertools.product((3, 2, 4, 1), (2, 0, 1, 16), (0, 1)))


def compiled(t, source, name, *options):
    t.check([*CC, *options, "-c", "-o", t.path(name), source])
    return t.path(name)


def linked(t, objects, name):
    t.check(["cc", "-o", t.path(name), *objects])
    return t.path(name)


def runs(program, seeds):
    """The commands of one round."""
    yield [program, "1", "2", "16", "0", "wrap"]
    for seed in seeds:
        for harts, bits, ad in MACHINES:
            yield [program, str(seed), str(harts), str(bits), str(ad)]


def no_mistake_is_found(t, seeds):
    program = linked(t, [compiled(t, s, os.path.basename(s) + ".o", "-DDEBUG") for s in SOURCES], "tlb")
    flushes = calls = 0
    for command in runs(program, seeds):
        _, pages, ranges, wholes, called, *_ = (int(n) for n in t.check(command, seconds=60).split())
        flushes, calls = flushes + pages + ranges + wholes, calls + called
        t.true(command[2] != "1" or called == 0, f"{command} called other harts, and there are none")
    t.true(flushes > 10000 * len(seeds) / 4 and calls > 2000 * len(seeds) / 4,
           f"only {flushes} flushes and {calls} calls: what was tested?")


@test(quick=True)
def harts_forget_what_was_taken_away(t):
    """Runs of some 20,000 steps: no stale translation, no stranger's, no freed table, no call too many."""
    no_mistake_is_found(t, range(1, 5))


@test()
def harts_forget_in_many_more_orders(t):
    no_mistake_is_found(t, range(5, 25))


@test()
def the_model_finds_every_mistake(t):
    """Mistakes put into the kernel's files one by one; without asserts, so that it is the model that finds them."""
    objects = {s: compiled(t, s, os.path.basename(s) + ".o") for s in SOURCES}
    missed = []
    for title, source, right, wrong in MISTAKES:
        with open(os.path.join(ROOT, source), encoding="utf-8") as f:
            code = f.read()
        t.equal(code.count(right), 1, f"how often {source} has the text that '{title}' replaces")
        with open(t.path("mistake.c"), "w", encoding="utf-8") as f:
            f.write(code.replace(right, wrong))
        wrong_one = compiled(t, t.path("mistake.c"), "mistake.o")
        program = linked(t, [wrong_one if s == source else o for s, o in objects.items()], "mistake")
        for tries, command in enumerate(runs(program, range(1, 41)), 1):
            status, said = t.command(command, seconds=60)[:2]
            if status != 0:
                print(f"{title}: {tries}: {said.strip()}")
                break
        else:
            missed.append(title)
    t.equal(missed, [], "the mistakes that nobody finds")
