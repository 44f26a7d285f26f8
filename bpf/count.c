// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Counts the system calls of the traced threads, and how long they take, in maps: no event leaves
 * the kernel. See README.md for what each program costs.
 */
#include "count.h"
#include "kernel.h"
#include "tracking.h"
#include "cputime.h"
#include "members.h"
#include "filekinds.h"

BPF_TABLE("array", u32, struct thread, threads, 16384);
BPF_QUEUE(free_threads, u32, 16384);
BPF_TABLE("array", u32, u16, rows, CALLS);
BPF_TABLE("hash", struct row_key, u32, odd_rows, 4096);
BPF_TABLE("array", u32, struct row_key, owners, 512);
BPF_QUEUE(free_rows, u32, 512);
BPF_TABLE("percpu_array", u32, struct counts, counted, 512);
BPF_TABLE("percpu_array", u32, struct totals, totals, 1);
BPF_TABLE("array", u32, struct counting, counting, 1);
BPF_QUEUE(births, struct birth, 4096);
#ifdef TARGETS
BPF_TABLE("percpu_array", u32, struct signals, signals, MOST_TARGETS);
#endif

#define FILLED_AT_ONCE 64

/* User space runs this to make all numbers up to args[1], from args[0] on, free to be given. */
int fill_threads(struct bpf_raw_tracepoint_args *ctx)
{
	u32 number = ctx->args[0], end = ctx->args[1];

	for (int i = 0; i < FILLED_AT_ONCE; i++, number++) {
		if (number >= end)
			break;
		free_threads.push(&number, 0);
	}
	return 0;
}

int fill_rows(struct bpf_raw_tracepoint_args *ctx)
{
	u32 number = ctx->args[0], end = ctx->args[1];

	for (int i = 0; i < FILLED_AT_ONCE; i++, number++) {
		if (number >= end)
			break;
		free_rows.push(&number, 0);
	}
	return 0;
}

static inline struct totals *my_totals(void)
{
	u32 zero = 0;

	return totals.lookup(&zero);
}

static inline void lost_return(void)
{
	struct totals *s = my_totals();

	if (s)
		s->lost_returns++;
}

/*
 * A row for calls that none has been counted of. Two CPUs may make two at once for the same
 * calls: user space adds up what is about the same.
 */
static inline u32 new_row(struct row_key *key)
{
	u32 row = 0;

	if (free_rows.pop(&row))
		return 0;
	owners.update(&row, key);
	return row;
}

static inline u32 odd_row(struct row_key *key)
{
	u32 *found = odd_rows.lookup(key), row;

	if (found)
		return *found;
	row = new_row(key);
	if (row)
		odd_rows.update(key, &row);
	return row;
}

/* The row of a call that shares its index with others. */
static inline u32 shared_row(struct thread *t, u32 kind, u32 abi, s32 nr, void *regs)
{
	struct row_key key = {.group = t->group, .abi = abi, .used = 1, .nr = nr};
	u64 first = 0, second = 0;
	u32 word;

	if (kind == SLOT_STRANGE) {
		key.abi = 0;
		key.nr = -1;
		return odd_row(&key);
	}
#ifdef OFFSET_FILE_INODE
	if (kind == SLOT_FILE) {
		key.sub = kind_of_file(first_descriptor(abi, regs));
		return odd_row(&key);
	}
#endif
	if (kind != SLOT_ODD)
		bpf_probe_read_kernel(&first, 8, regs + REGS_OFFSET + 8 * R_BX);
	if (kind == SLOT_MANY) {
		/* Where its arguments cannot be read, it stands for itself. */
		bpf_probe_read_kernel(&second, 8, regs + REGS_OFFSET + 8 * R_CX);
		if (!bpf_probe_read_user(&word, 4, (void *)(u64)(u32)second))
			key.sub = first;
	} else if (kind == SLOT_MANY_LOW) {
		key.sub = first & 0xffff;
	}
	return odd_row(&key);
}

/* The call that a thread has entered is in flight from now on, if it is wanted. */
static inline void begin(struct thread *t, s32 nr, void *regs, u64 now)
{
	u32 abi = abi_of(current_task_btf(), &nr), index, row;
	u16 *known;

	t->state = STATE_SKIPPED;
	index = t->group * CALLS + call_index(abi, nr);
	known = rows.lookup(&index);
	if (!known || *known == SLOT_UNWANTED)
		return;
	row = *known;
	if (row == SLOT_NONE) {
		struct row_key key = {.group = t->group, .abi = abi, .used = 1, .nr = nr};

		row = new_row(&key);
		if (row)
			*known = row;
	} else if (row >= MOST_ROWS) {
		row = shared_row(t, row, abi, nr, regs);
	}
	t->row = row;
	t->nr = nr;
	t->abi = abi;
	t->enter_ns = now;
	t->state = STATE_CALL;
}

int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced_at(ctx, &key, JOIN_ENTER);

	if (!t)
		return 0;
	if (t->state >= STATE_LAUNCHING) {
		if (t->state == STATE_FAILED || ctx->args[1] != EXECVE)
			return 0;
		t->launching = 1;
	}
	if (t->state == STATE_CALL)
		lost_return();
	on_cpu(t);
	begin(t, ctx->args[1], (void *)ctx->args[0], bpf_ktime_get_ns());
	return 0;
}

static inline void count(struct thread *t, u64 now, s64 ret)
{
	u32 zero = 0, row = t->row;
	struct counting *c = counting.lookup(&zero);
	struct config *about = config.lookup(&zero);
	struct counts *n = counted.lookup(&row);
	u64 wall, cpu, bucket;
	struct extremes *x;

	wall = now - t->enter_ns;
	if (!c || !n || !about || wall < about->slower_ns)
		return;
	cpu = less(wall, time_off(t, now) + c->overhead_ns);
	wall = less(wall, c->overhead_ns);
	n->calls++;
	n->wall_ns += wall;
	n->cpu_ns += cpu;
	x = &n->recent[c->epoch & 1];
	if (x->epoch != c->epoch) {
		x->epoch = c->epoch;
		x->wall_min = x->wall_max = wall;
		x->cpu_min = x->cpu_max = cpu;
	} else {
		if (wall < x->wall_min)
			x->wall_min = wall;
		if (wall > x->wall_max)
			x->wall_max = wall;
		if (cpu < x->cpu_min)
			x->cpu_min = cpu;
		if (cpu > x->cpu_max)
			x->cpu_max = cpu;
	}
	bucket = bucket_of(wall);
	BOUND(bucket, BUCKETS - 1);
	n->buckets[bucket]++;
	if (t->abi == 1)
		ret = (s32)ret;
	if (ret < 0 && ret >= -4095) {
		u64 error = -ret;

		if (error >= FIRST_RESTART)
			error = error - FIRST_RESTART + LAST_ERRNO + 1;
		else if (error > LAST_ERRNO)
			error = 0;
		asm volatile("" : "+r"(error));
		if (error >= ERRNOS)
			error = 0;
		n->errnos[error]++;
	}
}

/*
 * Whether a task that is being killed would have returned from its call if it were traced by
 * ptrace: then a deadly signal does not become SIGKILL when it is sent, but ends whom it was sent
 * to after the call. To whom it was sent is not known here; that is the leader, mostly.
 */
static inline int returns(struct thread *t)
{
	u32 code;

	return ends_as(FIELD(u64, current_task_btf(), OFFSET_SIGNAL), &code) && code &&
	       code < 0x80 && code != SIGKILL && t->tid == t->tgid;
}

int raw_tracepoint__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced_at(ctx, &key, JOIN_EXIT);
	u64 now;

	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	if (t->state != STATE_CALL) {
		u64 nr = 0, since = now;

		if (t->state >= STATE_LAUNCHING)
			return 0;
		if (t->state >= STATE_SKIPPED)
			goto out;
		/* The entry was not seen: seccomp's answer, or it was attached to in mid-call. */
		bpf_probe_read_kernel(&nr, 8, (void *)ctx->args[0] + REGS_OFFSET + 8 * R_ORIG);
		if (t->state == STATE_ATTACHED)
			since = t->enter_ns;
		else
			on_cpu(t);
		begin(t, nr, (void *)ctx->args[0], since);
		if (t->state != STATE_CALL)
			goto out;
	}
	if (!dying() || returns(t))
		count(t, now, ctx->args[1]);
out:
	t->state = t->launching && (s64)ctx->args[1] < 0 ? STATE_FAILED : STATE_IDLE;
	return 0;
}

static inline struct thread *entry_of(u32 tid, u32 set)
{
	return threads.lookup(&set);
}

static inline u32 make_entry(u32 tid)
{
	struct thread *t;
	u32 set = 0;

	if (free_threads.pop(&set))
		return 0;
	t = threads.lookup(&set);
	if (t)
		__builtin_memset(t, 0, sizeof(*t));
	return set;
}

static inline u32 move_entry(u32 former, u32 tid, u32 set)
{
	return set;
}

static inline void drop_entry(u32 tid, u32 set)
{
	struct thread *t = threads.lookup(&set);

	if (t)
		t->key = 0;
	free_threads.push(&set, 0);
}

static inline u32 tid_of(struct thread *t)
{
	return t->tid;
}

static inline u32 tgid_of(struct thread *t)
{
	return t->tgid;
}

static inline void name_thread(struct thread *t, u32 tid, u32 tgid)
{
	t->tid = tid;
	t->tgid = tgid;
}

static inline void lost_task(void)
{
	struct totals *s = my_totals();

	if (s)
		s->lost_tasks++;
}

/* A child that was made with CLONE_UNTRACED: no tracer by ptrace follows it. */
static inline int untraced_child(struct thread *t)
{
	u64 flags = 0;
#ifdef TASK_PT_REGS
	u64 r = task_pt_regs(current_task_btf()) + REGS_OFFSET;
	u64 first = t->abi == 1 ? (u32)REG(R_BX) : REG(R_DI);

	if (t->nr == NR_CLONE(t->abi))
		flags = first;
	else if (t->nr == NR_CLONE3)
		bpf_probe_read_user(&flags, sizeof(flags), (void *)first);
#endif
	return flags & CLONE_UNTRACED ? 1 : 0;
}

static inline void tell_birth(struct thread *child)
{
	struct birth birth = {.tid = child->tid, .tgid = child->tgid};
	struct totals *s = my_totals();

	if (s)
		s->born++;
#ifndef TARGETS
	births.push(&birth, 0);
#endif
}

static inline void forked(void *ctx, struct thread *t, struct thread *child)
{
	child->group = t->group;
	tell_birth(child);
}

static inline void executing(struct bpf_raw_tracepoint_args *ctx, struct thread *t)
{
}

static inline void executed(void *ctx, struct thread *t, u32 former)
{
}

static inline int ended(void *ctx, struct thread *t)
{
	struct totals *s = my_totals();

	if (s)
		s->gone++;
#ifdef TARGETS
	forget_name(t);
#endif
	return 0;
}

static inline void left(void *ctx, struct thread *t)
{
	ended(ctx, t);
}

#ifdef MEMBERS
static inline void joined(void *ctx, struct thread *t, u64 task, u32 flags)
{
	t->nr = -1;
	t->enter_ns = bpf_ktime_get_ns();
	maybe_off(t, task, t->enter_ns);
	tell_birth(t);
}

static inline void look_again(void *ctx)
{
	struct totals *s = my_totals();

	if (s)
		s->again++;
}

#ifdef TARGETS
static inline void group_made(void)
{
	struct totals *s = my_totals();

	if (s)
		s->made++;
}

static inline void count_signal(struct thread *t, u32 signo)
{
	u32 target = t->group;
	struct signals *s = signals.lookup(&target);

	asm volatile("" : "+r"(signo));
	if (s && signo < SIGNALS)
		s->counts[signo]++;
}

/* SIGKILL is delivered to all threads of a process that ends: it counts when it is sent. */
int raw_tracepoint__signal_deliver(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);

	if (t && ctx->args[0] != SIGKILL)
		count_signal(t, ctx->args[0]);
	return 0;
}

/* Signals that are never delivered. */
int raw_tracepoint__signal_generate(struct bpf_raw_tracepoint_args *ctx)
{
	u32 result = ctx->args[4], signo = ctx->args[0], key, set, code;
	struct thread *t;

	if (result > SIGNAL_RESULT_IGNORED)
		return 0;
	key = read_half(ctx->args[2] + OFFSET_PID);
	set = marked_as(key);
	t = set ? entry_of(key, set) : 0;
	if (!t || (signo != SIGKILL && !undelivered(ctx->args, &code)))
		return 0;
	count_signal(t, signo);
	return 0;
}
#endif
#endif
