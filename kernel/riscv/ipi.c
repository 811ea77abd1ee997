// SPDX-License-Identifier: MIT
// Calls between harts. A supervisor store to CLINT's MSIP raises the machine software interrupt of
// that hart, which mtrap (entry.S) turns into a supervisor software interrupt there.
//
// A call carries nothing: who is called looks at everything it could be about.

#include "../proc.h"

// Call a hart. Does not wait.
void
ipi(int hart)
{
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  mmio_write32(KVA(CLINT) + 4 * hart, 1);
}

// This hart was called: somebody took rights from an mm in use here, put a process on its queue, or
// panicked.
void
ipi_taken(void)
{
  csr_clear(sip, SI_SSIP);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (panicked)
    panic_stop();
  tlb_answer();
  mycpu()->resched = 1;
}
