/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What it takes to unwind the caller's stack later: its registers, and the memory above its stack
 * pointer, which the plan fetches as any other. Compiled in only where -k asks for it.
 */
#ifndef STACKS_H
#define STACKS_H

#include "stream.h"
#include "kernel.h"
#include "records.h"

#define REGISTERS_BYTES 168 /* struct pt_regs */

static inline u64 user_registers(void)
{
	return task_pt_regs(current_task_btf());
}

static inline void add_registers(void *ctx, struct thread *t)
{
	struct region *region;
	u32 used;

	if (t->record.used > DATA_MASK)
		send_chunk(ctx, t);
	used = t->record.used;
	BOUND(used, DATA_MASK);
	region = (void *)&t->data[used];
	if (bpf_probe_read_kernel(region + 1, REGISTERS_BYTES, (void *)user_registers()))
		return;
	region->address = 0;
	region->length = REGISTERS_BYTES;
	region->flags = REGION_REGISTERS | REGION_ENTRY;
	t->record.used = used + sizeof(*region) + REGISTERS_BYTES;
}

#endif
