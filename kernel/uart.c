// SPDX-License-Identifier: MIT
// The serial port, a 16550: characters to and from whoever sits at the terminal.
//
// Interface: uartinit; uartwrite for programs, sleeps when the port is busy; uartputc_sync for printk,
// polls; uartintr.
//
// Lock: "uart", for sending and `busy`.
//
// 1. `busy` says that a writer sleeps, or is about to, until the port is empty; the interrupt for
//    that is enabled exactly then.

#include "proc.h"

#define REG(r) (KVA(UART0) + (r))

// Registers, one byte each, and the bits we use.
enum { DATA = 0, IER = 1, ISR = 2, FCR = 2, LCR = 3, LSR = 5 };
#define IER_RX      0x01 // a character came
#define IER_TX      0x02 // nothing left to send
#define FCR_ON      0x07 // FIFOs on and empty
#define LCR_8BITS   0x03
#define LCR_DIVISOR 0x80 // registers 0 and 1 are the divisor
#define LSR_RX      0x01
#define LSR_TX      0x20
#define FIFO        16

static struct spinlock lock = SPINLOCK("uart");
static int busy;

// 38400 baud, 8 bits, FIFOs, an interrupt for each character that comes.
void
uartinit(void)
{
  mmio_write8(REG(IER), 0);
  mmio_write8(REG(LCR), LCR_DIVISOR);
  mmio_write8(REG(0), 3);
  mmio_write8(REG(1), 0);
  mmio_write8(REG(LCR), LCR_8BITS);
  mmio_write8(REG(FCR), FCR_ON);
  mmio_write8(REG(IER), IER_RX);
}

// Send n characters, FIFO by FIFO; sleeps while the port is busy. Who is killed stops in the middle, so
// that a thousand who wait to speak fall silent together. The caller holds no spinlock.
void
uartwrite(const char *s, int n)
{
  acquire(&lock);
  while (n > 0 && !killed(myproc())) {
    if (!(mmio_read8(REG(LSR)) & LSR_TX)) {
      busy = 1;
      mmio_write8(REG(IER), IER_RX | IER_TX);
      sleep(&busy, &lock);
      continue;
    }
    for (int room = FIFO; room > 0 && n > 0; room--, n--)
      mmio_write8(REG(DATA), *s++);
  }
  release(&lock);
}

// Send one character, polling. For printk and the echo: from anywhere, whatever is held.
void
uartputc_sync(int c)
{
  while (!(mmio_read8(REG(LSR)) & LSR_TX))
    ;
  mmio_write8(REG(DATA), c);
}

// The port interrupts. Reading ISR acknowledges that it is empty.
void
uartintr(void)
{
  acquire(&lock);
  mmio_read8(REG(ISR));
  if (busy && (mmio_read8(REG(LSR)) & LSR_TX)) {
    busy = 0;
    mmio_write8(REG(IER), IER_RX);
    wakeup(&busy);
  }
  release(&lock);
  while (mmio_read8(REG(LSR)) & LSR_RX)
    consoleintr(mmio_read8(REG(DATA)));
}
