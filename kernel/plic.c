// SPDX-License-Identifier: MIT
// The platform's interrupt controller (RISC-V PLIC 1.0.0): devices on one side, harts on the other.
//
// Each hart has two contexts, machine mode's and then supervisor mode's; only the latter is used. A
// device interrupts one hart, so that the others can go on resting; the devices are dealt out.
//
//   + 4*irq                    priority of a source, 0: never
//   + 0x2000 + 0x80*context    enable bits, one per source
//   + 0x200000 + 0x1000*context    threshold; then claim (read) and complete (write)

#include "proc.h"

#define SOURCES (1u << UART0_IRQ | 0xffu << VIRTIO0_IRQ) // one bit each

static uint64
context_reg(uint64 base, uint64 stride)
{
  return KVA(PLIC) + base + stride * (2 * mycpu()->id + 1);
}

// This hart listens to the devices that are its own.
void
plicinithart(void)
{
  uint mine = 0;
  for (int irq = mycpu()->id; SOURCES >> irq; irq += machine.harts)
    mine |= SOURCES & (1u << irq);
  for (int irq = 1; SOURCES >> irq; irq++)
    mmio_write32(KVA(PLIC) + 4 * irq, 1);
  mmio_write32(context_reg(0x2000, 0x80), mine);
  mmio_write32(context_reg(0x200000, 0x1000), 0);
}

// The source that interrupts, now this hart's to handle; 0: none any more. Interrupts are off.
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
