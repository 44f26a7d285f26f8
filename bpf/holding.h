/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The end of a call: it is sent, and its task held back where there is little room. */
#ifndef HOLDING_H
#define HOLDING_H

#include "threads.h"

BPF_TABLE("prog", u32, u32, holds, 2);

/*
 * The programs below are there when the user would rather have the target held back than anything
 * lost. Nothing but the kernel can make a task wait without a signal, and here it cannot sleep.
 */
#define HOLD_BACK 0
#define HOLD_AND_SEND 1
#define HOLD_NS 1000000
#define LOOKS_AT_THE_CLOCK 16384

static inline int not_yet(struct thread *t)
{
	for (int i = 0; i < LOOKS_AT_THE_CLOCK; i++)
		if (bpf_ktime_get_ns() - t->record.exit_ns >= HOLD_NS)
			return 0;
	return 1;
}

/* Let a task that has ended its call go on a millisecond later. */
int hold__back(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key = bpf_get_current_pid_tgid();
	struct thread *t = threads.lookup(&key);

	if (t && not_yet(t))
		holds.call(ctx, HOLD_BACK); /* up to 33 times */
	return 0;
}

/*
 * The ring was full when a call had ended: try again, a millisecond later. The call ends when its
 * record is sent; outside of the gate, or who empties the ring would wait for us.
 */
int hold__send(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key = bpf_get_current_pid_tgid();
	struct thread *t = threads.lookup(&key);

	if (!t)
		return 0;
	if (not_yet(t))
		holds.call(ctx, HOLD_AND_SEND);
	enter_gate();
	t->record.exit_ns = bpf_ktime_get_ns();
	if (send_record(ctx, t)) {
		leave_gate();
		holds.call(ctx, HOLD_AND_SEND);
		enter_gate();
		count_call(1);
	} else {
		count_call(0);
	}
	t->state = after_call(t);
	leave_gate();
	return 0;
}

/* Send a finished call and count it. The last thing that a program does. */
static inline void send_call(void *ctx, struct thread *t)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct gate *gate;
	int lost = send_record(ctx, t);

	if (lost) {
		leave_gate();
		holds.call(ctx, HOLD_AND_SEND);
		enter_gate();
	}
	count_call(lost);
	t->state = after_call(t);
	leave_gate();
	gate = gates.lookup(&cpu);
	if (gate && gate->hold)
		holds.call(ctx, HOLD_BACK);
}

#endif
