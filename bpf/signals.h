/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The signals of traced threads. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "threads.h"

static inline int wants_signal(u32 signo)
{
	u32 zero = 0;
	struct config *c = config.lookup(&zero);

	return c && c->signals >> ((signo - 1) & 63) & 1;
}

int raw_tracepoint__signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);
	struct event event = {.type = RECORD_SIGNAL};
	u64 handler = 1, flags = 0;
	int stops;

	if (!t || ctx->args[0] == SIGKILL || t->state >= STATE_LAUNCHING)
		return 0;
	stops = ctx->args[0] >= 19 && ctx->args[0] <= 22; /* SIGSTOP, TSTP, TTIN, TTOU */
	if (!stops && !wants_signal(ctx->args[0]))
		return 0;
	/* struct k_sigaction begins with the handler and the flags. */
	bpf_probe_read_kernel(&handler, 8, (void *)ctx->args[2]);
	bpf_probe_read_kernel(&flags, 8, (void *)(ctx->args[2] + 8));
	if (flags & SA_IMMUTABLE) /* such a signal is not offered to ptrace */
		return 0;
	enter_gate();
	event.time_ns = bpf_ktime_get_ns();
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	event.other = ctx->args[0];
#ifdef TASK_PT_REGS
	event.ip = FIELD(u64, task_pt_regs(current_task_btf()), REGS_OFFSET + 8 * R_IP);
#endif
	bpf_probe_read_kernel(&event.info, sizeof(event.info), (void *)ctx->args[1]);
	if (!handler && stops)
		event.flags = SIGNAL_STOPS;
	read_comm(event.comm);
	send_event(ctx, &event);
	leave_gate();
	return 0;
}

/* Signals that are never delivered, while ptrace would have the kernel deliver them. */
int raw_tracepoint__signal_generate(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.type = RECORD_SIGNAL, .flags = SIGNAL_UNSEEN};
	u32 key, result = ctx->args[4], set, code;
	struct thread *t;

	if (result > SIGNAL_RESULT_IGNORED || ctx->args[0] == SIGKILL)
		return 0;
	key = read_half(ctx->args[2] + OFFSET_PID);
	set = marked_as(key);
	t = set ? entry_of(key, set) : 0;
	if (!t || t->state >= STATE_LAUNCHING || !undelivered(ctx->args, &code))
		return 0;
	if (code)
		t->fatal = code;
	if (!wants_signal(ctx->args[0]))
		return 0;
	enter_gate();
	event.time_ns = bpf_ktime_get_ns();
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	event.other = ctx->args[0];
	if (t->state == STATE_CALL)
		event.call_ns = t->record.enter_ns;
	if (ctx->args[1] > 1) {
		bpf_probe_read_kernel(&event.info, sizeof(event.info), (void *)ctx->args[1]);
	} else {
		/* SEND_SIG_NOINFO: the current user's kill; SEND_SIG_PRIV: the kernel's
		 * own. */
		u32 *info = (u32 *)event.info;

		info[0] = ctx->args[0];
		if (ctx->args[1]) {
			info[2] = 0x80; /* SI_KERNEL */
		} else {
			info[4] = bpf_get_current_pid_tgid() >> 32;
			info[5] = bpf_get_current_uid_gid();
		}
	}
	bpf_probe_read_kernel(&event.comm, sizeof(event.comm),
			      (void *)(ctx->args[2] + OFFSET_COMM));
	send_event(ctx, &event);
	leave_gate();
	return 0;
}

#endif
