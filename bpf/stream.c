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

BPF_TABLE("hash", u32, struct thread, threads, 16384);
BPF_TABLE("array", u32, struct thread, blank, 1);
BPF_TABLE("array", u32, struct call, calls, ABIS *MAX_NR);
BPF_TABLE("hash", struct shape_key, struct shape, shapes, 16384);
BPF_TABLE("prog", u32, u32, holds, 2);

static inline u32 after_call(struct thread *t)
{
	return t->launching && t->record.ret < 0 ? STATE_FAILED : STATE_IDLE;
}

static inline void count_call(int lost)
{
	struct stats *s = my_stats();

	if (s) {
		s->calls++;
		if (lost)
			s->lost_calls++;
	}
}

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
	u64 now;
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
	if (t->state != STATE_CALL) {
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

static inline struct thread *entry_of(u32 tid, u32 set)
{
	return threads.lookup(&tid);
}

static inline u32 make_entry(u32 tid)
{
	u32 zero = 0;
	struct thread *empty = blank.lookup(&zero);

	return empty && !threads.update(&tid, empty);
}

static inline u32 move_entry(u32 former, u32 tid, u32 set)
{
	struct thread *t = threads.lookup(&former);
	u32 moved = t && !threads.update(&tid, t);

	threads.delete(&former);
	return moved;
}

static inline void drop_entry(u32 tid, u32 set)
{
	threads.delete(&tid);
}

static inline u32 tid_of(struct thread *t)
{
	return t->record.tid;
}

static inline u32 tgid_of(struct thread *t)
{
	return t->record.tgid;
}

static inline void name_thread(struct thread *t, u32 tid, u32 tgid)
{
	t->record.tid = tid;
	t->record.tgid = tgid;
}

static inline void lost_task(void)
{
	struct stats *s = my_stats();

	if (s)
		s->lost_tasks++;
}

/* A child that was made with CLONE_UNTRACED: no tracer by ptrace follows it. */
static inline int untraced_child(struct thread *t)
{
	u64 flags = 0;

	if (t->record.nr == NR_CLONE(t->record.abi))
		flags = t->record.args[0];
	else if (t->record.nr == NR_CLONE3)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)t->record.args[0]);
	return flags & CLONE_UNTRACED ? 1 : 0;
}

static inline void forked(void *ctx, struct thread *t, struct thread *child)
{
	struct event event = {.type = RECORD_FORK};

	child->record.type = RECORD_CALL;
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	event.other = child->record.tid;
	event.other_tgid = child->record.tgid;
	event.time_ns = bpf_ktime_get_ns();
	read_comm(event.comm);
	send_event(ctx, &event);
}

/*
 * One more region of the call in flight, for whoever fills it: its bytes, or NULL when there is
 * no room.
 */
static inline struct region *add_region(void *ctx, struct thread *t, u64 address, u32 flags)
{
	struct region *region;
	u32 used;

	if (t->record.used > DATA_MASK)
		send_chunk(ctx, t);
	used = t->record.used;
	BOUND(used, DATA_MASK);
	region = (void *)&t->data[used];
	region->address = address;
	region->length = 0;
	region->flags = REGION_ENTRY | flags;
	return region;
}

static inline void end_region(struct thread *t, struct region *region, u32 length)
{
	region->length = length;
	t->record.used += sizeof(*region) + ((length + 7) & ~7U);
}

/*
 * An execve that has succeeded cannot be asked again for strings that were not
 * resident at its entry: their pages are gone. The kernel and the new program's
 * stack have copies.
 */
static inline void recover_arguments(void *ctx, struct thread *t, u64 bprm)
{
	u64 filename = 0, interpreter = 0, stack = 0, strings = 0;
	u32 at = t->record.nr == EXECVE ? 0 : 1; /* execveat */
	struct region *region;
	u32 rest;
	long n;

	bpf_probe_read_kernel(&filename, 8, (void *)(bprm + OFFSET_BPRM_FILENAME));
	bpf_probe_read_kernel(&interpreter, 8, (void *)(bprm + OFFSET_BPRM_INTERP));
	/* The new stack: the number of arguments, the pointers to them; two words of
	 * 32 or 64 bits.
	 */
	bpf_probe_read_kernel(&stack, 8, (void *)(bprm + OFFSET_BPRM_P));
	bpf_probe_read_user(&strings, 8, (void *)stack);
	strings >>= 32;
	if (!strings)
		bpf_probe_read_user(&strings, 8, (void *)(stack + 8));
	if (at == 0) {
		region = add_region(ctx, t, t->record.args[0], 0);
		n = bpf_probe_read_kernel_str(region + 1, PIECE_BYTES, (void *)filename);
		if (n > 0)
			end_region(t, region, n & DATA_MASK);
	}
	/* A script's arguments are not those that it was executed with. */
	if (filename != interpreter || !strings)
		return;
	region = add_region(ctx, t, t->record.args[at + 1], REGION_ARGUMENTS);
	rest = PIECE_BYTES;
	if (bpf_probe_read_user(region + 1, PIECE_BYTES, (void *)strings)) {
		rest = 4096 - (strings & 4095);
		if (rest > PIECE_BYTES)
			rest = PIECE_BYTES;
		BOUND(rest, DATA_MASK);
		if (bpf_probe_read_user(region + 1, rest, (void *)strings))
			return;
	}
	end_region(t, region, rest);
}

static inline void executing(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
	if (t->state == STATE_CALL && t->retry && t->entry && t->record.abi == 0)
		recover_arguments(ctx, t, ctx->args[2]);
	t->retry = 0; /* where the old program's memory was is another's now */
}

/*
 * What becomes of a thread is not lost when the ring has no room: an entry tells of it, which is
 * not the thread's own. Its number may soon be another's, and user space deletes this one.
 */
#define KEPT 0x80000000

static inline struct thread *copy_apart(struct thread *t, u32 key)
{
	u32 apart = key | KEPT;
	struct thread *kept;

	if (threads.update(&apart, t))
		return 0;
	kept = threads.lookup(&apart);
	if (kept)
		kept->key = apart;
	return kept;
}

/* From now on user space may take it: it is complete. */
static inline void keep(struct thread *kept)
{
	barrier();
	kept->state = STATE_GONE;
}

static inline void executed(void *ctx, struct thread *t, u32 former)
{
	struct event event = {.type = RECORD_EXEC};
	struct thread *kept = 0;

	event.other = former;
	event.tgid = t->record.tgid;
	event.tid = t->record.tid;
	event.time_ns = bpf_ktime_get_ns();
	read_comm(event.comm);
	if (!try_to_send(ctx, &event))
		return;
	if (former != event.tid)
		kept = copy_apart(t, ((struct bpf_raw_tracepoint_args *)ctx)->args[1]);
	count_event(!kept);
	if (!kept)
		return;
	kept->record.ret = former;
	kept->record.flags = EXIT_EXECUTED;
	kept->record.exit_ns = event.time_ns;
	read_comm(kept->record.comm);
	keep(kept);
}

static inline int ended(void *ctx, struct thread *t)
{
	struct event event = {.type = RECORD_EXIT};
	struct thread *kept;
	u64 task = current_task_btf(), group;
	u32 flags = 0, code = 0;

	event.time_ns = bpf_ktime_get_ns();
	if (t->state == STATE_CALL) {
		t->record.flags |= CALL_NO_EXIT;
		t->record.exit_ns = event.time_ns;
		count_call(send_record(ctx, t));
	}
	group = FIELD(u64, task, OFFSET_SIGNAL);
	event.other = FIELD(u32, task, OFFSET_EXIT_CODE);
	bpf_probe_read_kernel(&flags, 4, (void *)(group + OFFSET_GROUP_FLAGS));
	bpf_probe_read_kernel(&code, 4, (void *)(group + OFFSET_GROUP_EXIT_CODE));
	if (flags & SIGNAL_GROUP_EXIT) {
		event.other = code;
		event.flags = EXIT_GROUP;
	}
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	read_comm(event.comm);
	if (!try_to_send(ctx, &event))
		return 0;
	count_event(0);
	t->record.ret = event.other;
	t->record.flags = event.flags;
	t->record.exit_ns = event.time_ns;
	read_comm(t->record.comm);
	kept = copy_apart(t, t->key);
	keep(kept ?: t);
	return !kept;
}

/* The call that it is in will not be seen to end. */
static inline void left(void *ctx, struct thread *t)
{
	struct event event = {.type = RECORD_LEAVE};

	event.time_ns = bpf_ktime_get_ns();
	if (t->state == STATE_CALL) {
		t->record.flags |= CALL_NO_EXIT;
		t->record.exit_ns = event.time_ns;
		count_call(send_record(ctx, t));
	}
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	read_comm(event.comm);
	send_event(ctx, &event);
}

#ifdef MEMBERS
static inline void joined(void *ctx, struct thread *t, u64 task, u32 flags)
{
	struct event event = {.type = RECORD_JOIN, .flags = flags};

	t->record.type = RECORD_CALL;
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	event.time_ns = bpf_ktime_get_ns();
	bpf_probe_read_kernel(event.comm, sizeof(event.comm), (void *)(task + OFFSET_COMM));
	send_event(ctx, &event);
}

static inline void look_again(void *ctx)
{
	struct event event = {.type = RECORD_AGAIN};

	event.time_ns = bpf_ktime_get_ns();
	send_event(ctx, &event);
}
#endif

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

/*
 * Signals that are never delivered, while ptrace would have the kernel deliver
 * them: those that are ignored, dropped when they are sent; and those that end
 * the process, which become SIGKILL when they are sent (complete_signal(),
 * kernel/signal.c).
 */
int raw_tracepoint__signal_generate(struct bpf_raw_tracepoint_args *ctx)
{
	struct event event = {.type = RECORD_SIGNAL, .flags = SIGNAL_UNSEEN};
	u32 key = 0, result = ctx->args[4], set, flags = 0, code = 0;
	struct thread *t;
	u64 group = 0;

	if (result > SIGNAL_RESULT_IGNORED || ctx->args[0] == SIGKILL)
		return 0;
	bpf_probe_read_kernel(&key, 4, (void *)(ctx->args[2] + OFFSET_PID));
	set = marked_as(key);
	t = set ? entry_of(key, set) : 0;
	if (!t || t->state >= STATE_LAUNCHING)
		return 0;
	if (result != SIGNAL_RESULT_IGNORED) {
		bpf_probe_read_kernel(&group, 8, (void *)(ctx->args[2] + OFFSET_SIGNAL));
		bpf_probe_read_kernel(&flags, 4, (void *)(group + OFFSET_GROUP_FLAGS));
		bpf_probe_read_kernel(&code, 4, (void *)(group + OFFSET_GROUP_EXIT_CODE));
		if (!(flags & SIGNAL_GROUP_EXIT) || code != ctx->args[0])
			return 0;
		t->fatal = code;
	}
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
