// SPDX-License-Identifier: MIT
// The platform's interrupt controller (RISC-V PLIC 1.0.0): devices on one side, harts on the other.
//
// Each hart has two contexts, machine mode's and then supervisor mode's; only the latter is used. All
// harts listen to all our devices: who claims first, handles.
//
//   + 4*irq                    priority of a source, 0: never
//   + 0x2000 + 0x80*context    enable bits, one per source
//   + 0x200000 + 0x1000*context    threshold; then claim (read) and complete (write)

#include "defs.h"
#include "proc.h"

#define SOURCES (1u << UART0_IRQ | 0xffu << VIRTIO0_IRQ) // one bit each

static uint64
context_reg(uint64 base, uint64 stride)
{
  return KVA(PLIC) + base + stride * (2 * mycpu()->id + 1);
}

// This hart listens, to all of our devices alike.
void
plicinithart(void)
{
  for (int irq = 1; SOURCES >> irq; irq++)
    mmio_write32(KVA(PLIC) + 4 * irq, 1);
  mmio_write32(context_reg(0x2000, 0x80), SOURCES);
  mmio_write32(context_reg(0x200000, 0x1000), 0);
}

// The source that interrupts, now this hart's to handle; 0: another hart was faster. Interrupts off.
int
plic_claim(void)
{
  return mmio_read32(context_reg(0x200000, 0x1000) + 4);
}

// The source has been handled and may interrupt again.
void
plic_complete(int irq)
{
  mmio_write32(context_reg(0x200000, 0x1000) + 4, irq);
}
