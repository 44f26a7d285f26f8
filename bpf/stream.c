// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Every system call of the traced threads, one record each, with the memory
 * that its capture plan asks for. See README.md for what each program costs.
 */
#include "pytracer.h"

BPF_TABLE("hash", u32, struct thread, threads, 16384);
BPF_TABLE("array", u32, struct call, calls, ABIS *MAX_NR);
BPF_TABLE("hash", struct shape_key, struct shape, shapes, 16384);
BPF_TABLE("array", u32, struct step, steps, 32768);
BPF_TABLE("array", u32, struct thread, blank, 1);
BPF_TABLE("array", u32, struct config, config, 1);
BPF_TABLE("percpu_array", u32, struct work, works, 1);
BPF_TABLE("percpu_array", u32, struct stats, stats, 1);
BPF_TABLE("array", u32, struct gate, gates, 1024);
BPF_TABLE("array", u32, struct marks, marked, 1024);
BPF_TABLE("hash", u32, struct number, numbers, 65536);
BPF_TABLE("prog", u32, u32, tails, 1);
BPF_PERF_OUTPUT(events);

#define EXECVE 59
#define SIGKILL 9
#define SIGNAL_RESULT_IGNORED 1 /* include/trace/events/signal.h */
#define SIGNAL_GROUP_EXIT 4	/* include/linux/sched/signal.h */
#define SA_IMMUTABLE 0x00800000 /* include/linux/signal_types.h, since 5.16 */
#define MOST_LEVELS 32		/* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h */
#define TS_COMPAT 2		/* arch/x86/include/asm/thread_info.h */
#define X32_BIT 0x40000000

/* The task as the verifier knows it: its fields are loads, not calls. Since 5.11. */
static u64 (*current_task_btf)(void) = (void *)158;
#ifdef TASK_PT_REGS
static u64 (*task_pt_regs)(u64 task) = (void *)175; /* since 5.15 */
#endif
/* Keeps clang from proving the mask away before the verifier has seen it. */
#define BOUND(variable, mask)                                                                      \
	do {                                                                                       \
		asm volatile("" : "+r"(variable));                                                 \
		(variable) &= (mask);                                                              \
	} while (0)
#define FIELD(type, base, offset) (*(volatile type *)((base) + (offset)))

/* Indices into the part of struct pt_regs that begins with bp. */
enum {
	R_BP,
	R_BX,
	R_R11,
	R_R10,
	R_R9,
	R_R8,
	R_AX,
	R_CX,
	R_DX,
	R_SI,
	R_DI,
	R_ORIG,
	R_IP,
	R_CS,
	R_FLAGS,
	R_SP,
	R_WORDS
};
#define REGS_OFFSET 32
#ifdef TASK_PT_REGS
#define READ_REGS u64 r = task_pt_regs(task) + REGS_OFFSET
#define REG(index) FIELD(u64, r, 8 * (index))
#else
#define READ_REGS                                                                                  \
	u64 r[R_WORDS];                                                                            \
	bpf_probe_read_kernel(r, sizeof(r), regs + REGS_OFFSET)
#define REG(index) r[index]
#endif

static inline struct gate *enter_gate(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct gate *gate = gates.lookup(&cpu);

	if (gate) {
		gate->turns++;
		barrier();
	}
	return gate;
}

static inline void leave_gate(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct gate *gate = gates.lookup(&cpu);

	if (gate) {
		barrier();
		gate->turns++;
	}
}

/* What every program does for every task of the host: find out that it is not traced. */
static inline struct thread *traced(u32 *key)
{
	u32 page, tid = FIELD(u32, current_task_btf(), OFFSET_PID);
	struct marks *marks;

	*key = tid;
	page = tid / MARKS;
	marks = marked.lookup(&page);
	if (!marks || !marks->set[tid & (MARKS - 1)])
		return 0;
	return threads.lookup(key);
}

static inline void mark(u32 tid, u8 set)
{
	u32 page = tid / MARKS;
	struct marks *marks = marked.lookup(&page);

	if (marks)
		marks->set[tid & (MARKS - 1)] = set;
}

static inline void read_comm(char *comm)
{
	u64 task = current_task_btf();

	((u64 *)comm)[0] = FIELD(u64, task, OFFSET_COMM);
	((u64 *)comm)[1] = FIELD(u64, task, OFFSET_COMM + 8);
}

static inline struct stats *my_stats(void)
{
	u32 zero = 0;

	return stats.lookup(&zero);
}

static inline int send_event(void *ctx, struct event *event)
{
	int lost = events.perf_submit(ctx, event, sizeof(*event));

	if (lost) {
		struct stats *s = my_stats();

		if (s)
			s->lost_events++;
	}
	return lost;
}

static inline int send_record(void *ctx, struct thread *t)
{
	u32 used = t->record.used;

	if (used > DATA_BYTES)
		used = DATA_BYTES;
	return events.perf_submit(ctx, &t->record, sizeof(t->record) + used);
}

/* Send a finished call and count it. */
static inline void send_call(void *ctx, struct thread *t)
{
	struct stats *s = my_stats();
	int lost = send_record(ctx, t);

	if (s) {
		s->calls++;
		if (lost)
			s->lost_calls++;
	}
}

/* Send the captured bytes ahead of the call: there is no room for more. */
static inline void send_chunk(void *ctx, struct thread *t)
{
	u8 flags = t->record.flags;

	t->record.flags = flags | CALL_CHUNK;
	if (send_record(ctx, t)) {
		struct stats *s = my_stats();

		if (s)
			s->lost_chunks++;
	}
	t->record.flags = flags;
	t->record.chunks++;
	t->record.used = 0;
}

static inline void push(struct work *w, u32 step, u64 base, u32 count, u32 stride, u32 flags)
{
	u32 depth = w->depth;
	struct item *item = &w->stack[depth & (DEPTH - 1)];

	if (depth >= DEPTH)
		return;
	item->base = base;
	item->index = 0;
	item->count = count;
	item->done = 0;
	item->length = 0;
	item->step = step;
	item->stride = stride;
	item->flags = flags;
	w->depth = depth + 1;
}

/* Read a length out of the enclosing block. */
static inline void read_length(struct item *item, u32 width, u64 at)
{
	u64 word = 0;
	int failed;

	if (width == 8)
		failed = bpf_probe_read_user(&word, 8, (void *)at);
	else if (width == 4)
		failed = bpf_probe_read_user(&word, 4, (void *)at);
	else if (width == 2)
		failed = bpf_probe_read_user(&word, 2, (void *)at);
	else
		failed = bpf_probe_read_user(&word, 1, (void *)at);
	item->wanted = failed ? 0 : word;
}

/* Find where the item on top points and how much to read. A length of 0 says
 * that there is nothing.
 */
static inline void resolve(struct work *w, struct thread *t, struct item *item, struct step *s)
{
	u64 block = item->base + (u64)item->index * item->stride;
	u32 reg = s->reg;

	item->length = 0;
	item->address = 0;
	if (s->flags & STEP_OFFSET) {
		u64 pointer = 0;

		if (s->flags & STEP_WORD4)
			bpf_probe_read_user(&pointer, 4, (void *)(block + s->at));
		else
			bpf_probe_read_user(&pointer, 8, (void *)(block + s->at));
		item->address = pointer;
		if (!item->address && item->flags & STEP_UNTIL_NULL)
			item->count = 0;
	} else if (reg <= 5) {
		item->address = t->record.args[reg];
	}
	if (!item->address)
		return;
	item->wanted = s->fixed;
	reg = s->value;
	if (s->from == FROM_REGISTER && reg <= 5)
		item->wanted = t->record.args[reg];
	else if (s->from == FROM_RETURN)
		item->wanted = t->record.ret < 0 ? 0 : t->record.ret;
	else if (s->from == FROM_PARENT)
		read_length(item, s->width, block + s->value);
	if (s->from == FROM_REGISTER) {
		if (s->width == 4)
			item->wanted = (u32)item->wanted;
		else if (s->width == 2)
			item->wanted = (u16)item->wanted;
	}
	if (item->wanted > s->limit)
		item->wanted = s->limit;
	if (s->from != FROM_CONST)
		item->wanted *= s->unit;
	if (item->wanted > s->limit)
		item->wanted = s->limit;
	item->length = item->wanted;
}

/* Move the item on top to its next element, or its next sibling, or off the stack. */
static inline void advance(struct work *w, struct item *item, struct step *s)
{
	item->done = 0;
	item->length = 0;
	if (++item->index < item->count)
		return;
	if (w->depth == 1)
		w->ordinal++;
	if (s->next && item->count) {
		item->index = 0;
		item->step = s->next;
		return;
	}
	w->depth--;
}

/* Read one piece of memory. */
static inline void run(void *ctx, struct work *w, struct thread *t)
{
	struct item *item = &w->stack[(w->depth - 1) & (DEPTH - 1)];
	u32 id = item->step;
	struct step *s = steps.lookup(&id);
	struct region *region;
	u32 piece, used, got, child;
	u64 address;
	long n;

	if (!s) {
		w->depth = 0;
		return;
	}
	if (!item->done) {
		if (w->phase == PHASE_RETRY && w->depth == 1 &&
		    !(t->retry >> (w->ordinal & 31) & 1))
			item->length = 0;
		else
			resolve(w, t, item, s);
	}
	if (!item->length) {
		advance(w, item, s);
		return;
	}
	if (t->record.used > DATA_MASK)
		send_chunk(ctx, t);
	used = t->record.used;
	BOUND(used, DATA_MASK);
	region = (void *)&t->data[used];
	address = item->address + item->done;
	piece = item->length - item->done;
	w->flags = w->phase == PHASE_EXIT ? 0 : REGION_ENTRY;
	if (piece > PIECE_BYTES) {
		piece = PIECE_BYTES;
		w->flags |= REGION_MORE;
	}
	BOUND(piece, DATA_MASK);
	w->got = piece;
	if (s->flags & STEP_CSTR) {
		n = bpf_probe_read_user_str(region + 1, piece + 1, (void *)address);
		if (n < 0) {
			w->got = 0;
			w->flags |= REGION_SHORT;
		} else if (n <= piece) {
			w->got = n;
			w->flags &= ~REGION_MORE; /* its NUL is among the bytes */
		}
	} else if (bpf_probe_read_user(region + 1, piece, (void *)address)) {
		/* Up to the end of the page, if the piece crosses it. */
		u32 rest = 4096 - (address & 4095);

		w->flags |= REGION_SHORT;
		if (rest >= piece)
			rest = 0;
		BOUND(rest, DATA_MASK);
		w->got = rest;
		if (bpf_probe_read_user(region + 1, rest, (void *)address))
			w->got = 0;
	}
	if (w->flags & REGION_SHORT) {
		w->flags &= ~REGION_MORE;
		if (w->phase == PHASE_ENTRY)
			t->retry |= 1 << (w->ordinal & 31);
	}
	got = w->got;
	region->address = address;
	region->length = got;
	region->flags = w->flags;
	t->record.used = used + sizeof(*region) + ((got + 7) & ~7U);
	got += item->done;
	item->done = got;
	if (w->flags & REGION_MORE)
		return;
	address = item->address;
	child = s->child;
	advance(w, item, s);
	if (child && got) {
		u32 stride = s->stride;

		w->got = 1;
		if (stride) {
			got /= stride;
			w->got = got > s->elements ? s->elements : got;
		}
		if (w->got)
			push(w, child, address, w->got, stride, s->flags);
	}
}

static inline u32 after_call(struct thread *t)
{
	return t->launching && t->record.ret < 0 ? STATE_FAILED : STATE_IDLE;
}

/* The plan's fetches are done: at entry the call is in flight from now on, at exit it is sent. */
static inline void finish(void *ctx, struct work *w, struct thread *t)
{
	if (w->phase == PHASE_ENTRY) {
		t->state = STATE_CALL;
	} else {
		send_call(ctx, t);
		t->state = after_call(t);
	}
	leave_gate();
}

#define READS_A_PROGRAM 8

int capture(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0, key = bpf_get_current_pid_tgid();
	struct work *w = works.lookup(&zero);
	struct thread *t = threads.lookup(&key);

	if (!w || !t) {
		leave_gate();
		return 0;
	}
	for (int i = 0; i < READS_A_PROGRAM; i++) {
		if (!w->depth) {
			if (!w->then)
				break;
			w->phase = PHASE_EXIT;
			push(w, w->then, 0, 1, 0, 0);
			w->then = 0;
		}
		run(ctx, w, t);
	}
	if (w->depth || w->then)
		tails.call(ctx, 0);
	/* Finished, or more than 33 programs would be needed: what is not read is not
	 * captured. */
	finish(ctx, w, t);
	return 0;
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
	if (FIELD(u32, task, OFFSET_STATUS) & TS_COMPAT) {
		abi = 1;
		t->record.args[0] = (u32)REG(R_BX);
		t->record.args[1] = (u32)REG(R_CX);
		t->record.args[2] = (u32)REG(R_DX);
		t->record.args[3] = (u32)REG(R_SI);
		t->record.args[4] = (u32)REG(R_DI);
		t->record.args[5] = (u32)REG(R_BP);
	} else {
		abi = 0;
		if (nr != -1 && nr & X32_BIT) {
			abi = 2;
			nr &= ~X32_BIT;
		}
		t->record.args[0] = REG(R_DI);
		t->record.args[1] = REG(R_SI);
		t->record.args[2] = REG(R_DX);
		t->record.args[3] = REG(R_R10);
		t->record.args[4] = REG(R_R8);
		t->record.args[5] = REG(R_R9);
	}
	/* Numbers that no table has share the last entry. */
	index = abi * MAX_NR + ((u32)nr < MAX_NR ? (u32)nr : MAX_NR - 1);
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

static inline struct work *my_work(u32 phase)
{
	u32 zero = 0;
	struct work *w = works.lookup(&zero);

	if (w) {
		w->depth = 0;
		w->ordinal = 0;
		w->then = 0;
		w->phase = phase;
	}
	return w;
}

int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);
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

/* A task that is being killed makes no exit stop for ptrace: its call has no end. */
static inline int dying(void)
{
	u64 task = current_task_btf();

	return FIELD(u64, task, OFFSET_PENDING) >> (SIGKILL - 1) & 1;
}

int raw_tracepoint__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key, index;
	struct thread *t = traced(&key);
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
	index =
	    t->record.abi * MAX_NR + ((u32)t->record.nr < MAX_NR ? (u32)t->record.nr : MAX_NR - 1);
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
	if (call->flags & flags) {
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
	t->state = after_call(t);
out:
	leave_gate();
	return 0;
}

#define CLONE_UNTRACED 0x00800000
#define NR_CLONE(abi) ((abi) == 1 ? 120 : 56)
#define NR_CLONE3 435

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

/* A pid as a pid namespace of some depth calls it; 0 where that does not see it. */
static inline u32 number_at(u64 task, u32 level)
{
	u64 pid = 0;
	u32 depth = 0, number = 0;

	bpf_probe_read_kernel(&pid, 8, (void *)(task + OFFSET_THREAD_PID));
	bpf_probe_read_kernel(&depth, 4, (void *)(pid + OFFSET_LEVEL));
	if (level <= depth)
		bpf_probe_read_kernel(&number, 4,
				      (void *)(pid + OFFSET_NUMBERS + (u64)level * SIZE_UPID));
	return number;
}

/* What the user calls a task. */
static inline u32 name_of(u64 task, struct config *c)
{
	u32 number = 0;

	if (c->level)
		return number_at(task, c->level);
	bpf_probe_read_kernel(&number, 4, (void *)(task + OFFSET_PID));
	return number;
}

/*
 * An iterator over all tasks (since 5.8), for a user in a pid namespace of
 * their own: finds out what the kernel calls the threads of that namespace.
 */
int iter_task(u64 *ctx)
{
	u64 task = ctx[1], pid = 0, space = 0;
	u32 zero = 0, depth = 0, name = 0;
	struct config *c = config.lookup(&zero);
	struct number number = {};

	if (!task || !c)
		return 0;
	bpf_probe_read_kernel(&pid, 8, (void *)(task + OFFSET_THREAD_PID));
	bpf_probe_read_kernel(&depth, 4, (void *)(pid + OFFSET_LEVEL));
	for (u32 level = 1; level <= MOST_LEVELS; level++) {
		u64 upid = pid + OFFSET_NUMBERS + (u64)level * SIZE_UPID;
		u32 inode = 0;

		if (level > depth)
			break;
		bpf_probe_read_kernel(&space, 8, (void *)(upid + OFFSET_UPID_NS));
		bpf_probe_read_kernel(&inode, 4, (void *)(space + OFFSET_INUM));
		if (inode != c->namespace)
			continue;
		bpf_probe_read_kernel(&name, 4, (void *)upid);
		bpf_probe_read_kernel(&number.tid, 4, (void *)(task + OFFSET_PID));
		number.level = level;
		numbers.update(&name, &number);
		break;
	}
	return 0;
}

int raw_tracepoint__sched_process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0, key, child = 0;
	u64 leader = 0;
	struct thread *t = traced(&key), *empty;
	struct config *c = config.lookup(&zero);
	struct event event = {.type = RECORD_FORK};

	if (!t || !c || !c->follow || t->state >= STATE_LAUNCHING || untraced_child(t))
		return 0;
	bpf_probe_read_kernel(&child, 4, (void *)(ctx->args[1] + OFFSET_PID));
	bpf_probe_read_kernel(&leader, 8, (void *)(ctx->args[1] + OFFSET_GROUP_LEADER));
	enter_gate();
	empty = blank.lookup(&zero);
	if (!empty || threads.update(&child, empty)) {
		struct stats *s = my_stats();

		if (s)
			s->lost_tasks++;
		goto out;
	}
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	event.other = name_of(ctx->args[1], c);
	event.other_tgid = name_of(leader, c);
	mark(child, 1);
	t = threads.lookup(&child);
	if (t) {
		t->record.type = RECORD_CALL;
		t->key = child;
		t->record.tid = event.other;
		t->record.tgid = event.other_tgid;
		t->state = STATE_NEWBORN;
	}
	event.time_ns = bpf_ktime_get_ns();
	read_comm(event.comm);
	send_event(ctx, &event);
out:
	leave_gate();
	return 0;
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

int raw_tracepoint__sched_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key = bpf_get_current_pid_tgid(), former = ctx->args[1];
	struct thread *t = threads.lookup(&former);
	struct event event = {.type = RECORD_EXEC};

	if (!t)
		return 0;
	enter_gate();
	t->launching = 0;
	if (t->state == STATE_CALL && t->retry && t->entry && t->record.abi == 0)
		recover_arguments(ctx, t, ctx->args[2]);
	t->retry = 0; /* where the old program's memory was is another's now */
	event.other = t->record.tid;
	event.tgid = t->record.tgid;
	if (former != key) {
		/* It takes over the leader's numbers. */
		t->key = key;
		t->record.tid = event.tgid;
		if (threads.update(&key, t)) {
			struct stats *s = my_stats();

			if (s)
				s->lost_tasks++;
		}
		threads.delete(&former);
		mark(former, 0);
		mark(key, 1);
	}
	event.tid = former != key ? event.tgid : event.other;
	event.time_ns = bpf_ktime_get_ns();
	read_comm(event.comm);
	send_event(ctx, &event);
	leave_gate();
	return 0;
}

int raw_tracepoint__sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);
	struct event event = {.type = RECORD_EXIT};
	u64 task = current_task_btf(), group;

	if (!t)
		return 0;
	enter_gate();
	event.time_ns = bpf_ktime_get_ns();
	if (t->state == STATE_CALL) {
		t->record.flags |= CALL_NO_EXIT;
		t->record.exit_ns = event.time_ns;
		send_call(ctx, t);
	}
	group = FIELD(u64, task, OFFSET_SIGNAL);
	event.other = FIELD(u32, task, OFFSET_EXIT_CODE);
	u32 flags = 0, code = 0;
	bpf_probe_read_kernel(&flags, 4, (void *)(group + OFFSET_GROUP_FLAGS));
	bpf_probe_read_kernel(&code, 4, (void *)(group + OFFSET_GROUP_EXIT_CODE));
	if (flags & SIGNAL_GROUP_EXIT) {
		event.other = code;
		event.flags = EXIT_GROUP;
	}
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	read_comm(event.comm);
	if (send_event(ctx, &event)) {
		t->record.ret = event.other;
		t->record.flags = event.flags;
		t->record.exit_ns = event.time_ns;
		read_comm(t->record.comm);
		t->state = STATE_GONE;
	} else {
		threads.delete(&key);
	}
	mark(key, 0);
	leave_gate();
	return 0;
}

int raw_tracepoint__signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);
	struct event event = {.type = RECORD_SIGNAL};
	u64 handler = 1, flags = 0;

	if (!t || ctx->args[0] == SIGKILL || t->state >= STATE_LAUNCHING)
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
	if (!handler && ctx->args[0] >= 19 && ctx->args[0] <= 22) /* SIGSTOP, TSTP, TTIN, TTOU */
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
	u32 key = 0, result = ctx->args[4], page, flags = 0, code = 0;
	struct marks *marks;
	struct thread *t;
	u64 group = 0;

	if (result > SIGNAL_RESULT_IGNORED || ctx->args[0] == SIGKILL)
		return 0;
	bpf_probe_read_kernel(&key, 4, (void *)(ctx->args[2] + OFFSET_PID));
	page = key / MARKS;
	marks = marked.lookup(&page);
	if (!marks || !marks->set[key & (MARKS - 1)])
		return 0;
	t = threads.lookup(&key);
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
