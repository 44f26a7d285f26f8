/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What becomes of traced threads, as tracking.h and members.h tell it, and its records. */
#ifndef TASKS_H
#define TASKS_H

#include "threads.h"
#include "capture.h"
#include "cputime.h"
#include "members.h"

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
	if (!kept) {
		lost_event();
		return;
	}
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
	u64 task = current_task_btf();
	u32 code;

	event.time_ns = bpf_ktime_get_ns();
	if (t->state == STATE_CALL) {
		t->record.flags |= CALL_NO_EXIT;
		t->record.exit_ns = event.time_ns;
		count_call(send_record(ctx, t));
	}
	event.other = FIELD(u32, task, OFFSET_EXIT_CODE);
	if (ends_as(FIELD(u64, task, OFFSET_SIGNAL), &code)) {
		event.other = code;
		event.flags = EXIT_GROUP;
	}
	event.tid = t->record.tid;
	event.tgid = t->record.tgid;
	read_comm(event.comm);
	if (!try_to_send(ctx, &event))
		return 0;
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
	t->record.enter_ns = event.time_ns;
	maybe_off(t, task, event.time_ns);
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

#endif
