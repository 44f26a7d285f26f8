/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The CPU time of calls: the time between entry and exit without that in which the task was not on
 * a CPU. The including program's struct thread has, beside its state:
 *
 *   off_ns    how long it was not on a CPU, in this call,
 *   left_ns   since when it has not been on one; 0 if it is,
 *   ran_ns    how long it had run in its life when it left its CPU.
 */
#ifndef CPUTIME_H
#define CPUTIME_H

#include "kernel.h"
#include "tracking.h"

static inline u64 less(u64 ns, u64 other_ns)
{
	return ns > other_ns ? ns - other_ns : 0;
}

/* A call begins: its task is on a CPU. */
static inline void on_cpu(struct thread *t)
{
	t->off_ns = 0;
	t->left_ns = 0;
}

/*
 * A task that left its CPU is on one again, and nobody has said since when: the kernel (6.18) does
 * not tell of every change from the idle task. What the scheduler has accounted for since is late
 * by a tick at most.
 */
static inline void come_back(struct thread *t, u64 now)
{
	u64 ran = FIELD(u64, current_task_btf(), OFFSET_RUNTIME) - t->ran_ns;

	t->off_ns += less(now - t->left_ns, ran);
}

/* How long the current task was not on a CPU, in the call that it returns from. */
static inline u64 time_off(struct thread *t, u64 now)
{
	if (t->left_ns)
		come_back(t, now);
	return t->off_ns;
}

/* Nobody knows whether a task is on a CPU that begins to be traced, perhaps in the midst of a call.
 */
static inline void maybe_off(struct thread *t, u64 task, u64 now)
{
	t->left_ns = now;
	t->ran_ns = read_word(task + OFFSET_RUNTIME);
}

/* Loaded only when CPU time is asked for: it runs whenever a CPU turns to another task. */
int raw_tracepoint__sched_switch(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key, next = 0, set;
	struct thread *t = traced(&key);

	if (t && (t->state == STATE_CALL || t->state == STATE_ATTACHED)) {
		/* It has left already if it came back unnoticed. */
		if (t->left_ns)
			come_back(t, bpf_ktime_get_ns());
		t->left_ns = bpf_ktime_get_ns();
		t->ran_ns = FIELD(u64, current_task_btf(), OFFSET_RUNTIME);
	}
	bpf_probe_read_kernel(&next, 4, (void *)(ctx->args[2] + OFFSET_PID));
	set = marked_as(next);
	t = set ? entry_of(next, set) : 0;
	if (t && t->left_ns) {
		t->off_ns += bpf_ktime_get_ns() - t->left_ns;
		t->left_ns = 0;
	}
	return 0;
}

#endif
