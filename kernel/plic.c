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

static const int sources[] = { UART0_IRQ,       VIRTIO0_IRQ,     VIRTIO0_IRQ + 1,
                               VIRTIO0_IRQ + 2, VIRTIO0_IRQ + 3, VIRTIO0_IRQ + 4,
                               VIRTIO0_IRQ + 5, VIRTIO0_IRQ + 6, VIRTIO0_IRQ + 7 };

static uint64
context_reg(uint64 base, uint64 stride)
{
  return KVA(PLIC) + base + stride * (2 * mycpu()->id + 1);
}

// Every device may interrupt. Called once, by hart 0.
void
plicinit(void)
{
  for (uint i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    mmio_write32(KVA(PLIC) + 4 * sources[i], 1);
}

// This hart listens.
void
plicinithart(void)
{
  uint32 bits = 0;
  for (uint i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    bits |= 1u << sources[i];
  mmio_write32(context_reg(0x2000, 0x80), bits);
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
