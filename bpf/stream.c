// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Every system call of the traced threads, one record each, with the memory
 * that its capture plan asks for. See README.md for what each program costs.
 */
#include "stream.h"
#include "kernel.h"
#include "tracking.h"
#include "members.h"
#include "records.h"
#include "capture.h"
#include "threads.h"
#include "cputime.h"
#include "holding.h"
#include "tasks.h"
#include "signals.h"

BPF_TABLE("array", u32, struct call, calls, ABIS *MAX_NR);
BPF_TABLE("hash", struct shape_key, struct shape, shapes, 16384);

/* At entry the call is in flight from now on, at exit it is sent. */
static inline void after_capture(void *ctx, struct thread *t, u32 phase)
{
	if (phase == PHASE_ENTRY) {
		t->state = STATE_CALL;
		leave_gate();
	} else {
		send_call(ctx, t);
	}
}

/*
 * Fill in the record of a call from its registers. Answers the call's entry, or NULL when it is
 * not wanted.
 */
static inline struct call *begin(struct thread *t, void *regs, u64 now)
{
	u64 task = current_task_btf();
	u32 index, abi;
	s32 nr;
	struct call *call;
	READ_REGS;

	nr = REG(R_ORIG);
	abi = abi_of(task, &nr);
	if (abi == 1) {
		t->record.args[0] = (u32)REG(R_BX);
		t->record.args[1] = (u32)REG(R_CX);
		t->record.args[2] = (u32)REG(R_DX);
		t->record.args[3] = (u32)REG(R_SI);
		t->record.args[4] = (u32)REG(R_DI);
		t->record.args[5] = (u32)REG(R_BP);
	} else {
		t->record.args[0] = REG(R_DI);
		t->record.args[1] = REG(R_SI);
		t->record.args[2] = REG(R_DX);
		t->record.args[3] = REG(R_R10);
		t->record.args[4] = REG(R_R8);
		t->record.args[5] = REG(R_R9);
	}
	index = call_index(abi, nr);
	call = calls.lookup(&index);
	t->record.nr = nr;
	t->record.abi = abi;
	if (!call || !(call->flags & CALL_WANTED))
		return 0;
	if (call->flags & CALL_FRAME)
		t->record.args[0] = REG(R_SP);
	t->record.ip = REG(R_IP);
	t->record.enter_ns = now;
	t->record.flags = 0;
	t->record.chunks = 0;
	t->record.used = 0;
	t->record.entry_tid = t->record.tid;
	read_comm(t->record.comm);
	t->retry = 0;
	t->entry = call->entry;
	t->exit_ok = call->exit_ok;
	t->exit_failed = call->exit_failed;
	if (call->flags & CALL_SELECTS) {
		u32 reg = call->selector;
		struct shape_key key = {.call = index};
		struct shape *shape;

		if (reg > 5)
			reg = 5;
		key.value = t->record.args[reg] & call->mask;
		shape = shapes.lookup(&key);
		if (shape) {
			t->entry = shape->entry;
			t->exit_ok = shape->exit_ok;
			t->exit_failed = shape->exit_failed;
		}
	}
	return call;
}

int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced_at(ctx, &key, JOIN_ENTER);
	struct work *w;

	if (!t)
		return 0;
	if (t->state >= STATE_LAUNCHING) {
		if (t->state == STATE_FAILED || ctx->args[1] != EXECVE)
			return 0;
		t->launching = 1;
	}
	enter_gate();
	on_cpu(t);
	if (!begin(t, (void *)ctx->args[0], bpf_ktime_get_ns())) {
		t->state = STATE_SKIPPED;
	} else if (t->entry) {
		t->state = STATE_IDLE; /* not to be seen in flight before its memory is there */
		w = my_work(PHASE_ENTRY);
		if (w) {
			push(w, t->entry, 0, 1, 0, 0);
			tails.call(ctx, 0);
		}
		t->state = STATE_CALL;
	} else {
		t->state = STATE_CALL;
	}
	leave_gate();
	return 0;
}

/* A call that was in progress when its thread was attached to took nobody knows how long. */
static inline int was_fast(struct thread *t)
{
	u32 zero = 0;
	struct config *c = config.lookup(&zero);

	return c && t->record.exit_ns - t->record.enter_ns < c->slower_ns;
}

int raw_tracepoint__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key, index;
	struct thread *t = traced_at(ctx, &key, JOIN_EXIT);
	struct work *w;
	s64 ret;
	u64 now, since;
	u32 then;
	u8 flags;

	if (!t)
		return 0;
	if (t->state >= STATE_SKIPPED) {
		if (t->state < STATE_LAUNCHING)
			t->state = STATE_IDLE;
		if (t->launching && (s64)ctx->args[1] < 0)
			t->state = STATE_FAILED;
		return 0;
	}
	enter_gate();
	now = bpf_ktime_get_ns();
	since = t->record.enter_ns;
	if (t->state != STATE_CALL) {
		if (t->state != STATE_ATTACHED) {
			since = now;
			on_cpu(t);
		}
		t->state = STATE_IDLE;
		if (!begin(t, (void *)ctx->args[0], now))
			goto out;
		t->record.flags = CALL_UNSEEN;
		t->retry = ~0U;
	}
	if (!t->fatal && dying()) {
		t->state = STATE_CALL;
		goto out;
	}
	ret = ctx->args[1];
	/*
	 * A 32-bit task gets 32 bits. Errors of calls that give an unsigned int have
	 * no sign yet; addresses keep theirs to themselves, as
	 * PTRACE_GET_SYSCALL_INFO has it.
	 */
	if (t->record.abi == 1)
		ret = (s32)ret < 0 && (s32)ret >= -4095 ? (s64)(s32)ret : (s64)(u32)ret;
	t->record.exit_ns = now;
	t->record.cpu_ns = less(now - since, time_off(t, now));
	t->record.ret = ret;
	index = call_index(t->record.abi, t->record.nr);
	struct call *call = calls.lookup(&index);
	if (!call)
		goto out;
	if (ret < 0 && ret >= -4095) {
		then = t->exit_failed;
		flags = CALL_DROP_FAILED;
	} else {
		then = t->exit_ok;
		flags = CALL_DROP_OK;
	}
	if (call->flags & flags || (call->flags & CALL_DROP_FAST && was_fast(t))) {
		struct stats *s = my_stats();

		if (s)
			s->dropped++;
		t->state = after_call(t);
		goto out;
	}
	if (then || (t->retry && t->entry)) {
		w = my_work(PHASE_RETRY);
		if (w) {
			if (t->retry && t->entry)
				push(w, t->entry, 0, 1, 0, 0);
			w->then = then;
			tails.call(ctx, 0);
		}
	}
	send_call(ctx, t);
	return 0;
out:
	leave_gate();
	return 0;
}
