/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Which threads are traced, and how that follows their forks, execs and ends.
 *
 * The including program defines struct thread, what it keeps of each traced thread (state,
 * launching, why and key are among its fields), and where it keeps that:
 *
 *   entry_of(tid, set)             the entry of a thread whose mark is set,
 *   make_entry(tid)                a blank entry for a thread; answers its mark, 0 for no room,
 *   move_entry(former, tid, set)   the entry of a thread whose number changes; answers its mark,
 *   drop_entry(tid, set)           it is no longer needed.
 *
 * And what it wants to do when something happens:
 *
 *   tid_of(t), tgid_of(t)          what the user calls the thread,
 *   name_thread(t, tid, tgid)      to set them,
 *   untraced_child(t)              whether the child that t makes is not to be followed,
 *   forked(ctx, t, child)          t has made a traced child, which is entered by now,
 *   executing(ctx, t)              t is about to be the only thread of its process,
 *   executed(ctx, t, former)       it was called former until now,
 *   ended(ctx, t)                  t ends; answers whether its entry is still needed,
 *   left(ctx, t)                   it lives on, but is traced no more,
 *   lost_task()                    there was no room for an entry.
 */
#ifndef TRACKING_H
#define TRACKING_H

#include "kernel.h"

BPF_TABLE("array", u32, struct config, config, 1);
BPF_TABLE("array", u32, struct gate, gates, 1024);
BPF_TABLE("array", u32, struct marks, marked, 1024);
BPF_TABLE("prog", u32, u32, joins, JOIN_PLACES);
BPF_TABLE("hash", u32, struct number, numbers, 65536);

static inline struct thread *entry_of(u32 tid, u32 set);
static inline u32 make_entry(u32 tid);
static inline u32 move_entry(u32 former, u32 tid, u32 set);
static inline void drop_entry(u32 tid, u32 set);
static inline u32 tid_of(struct thread *t);
static inline u32 tgid_of(struct thread *t);
static inline void name_thread(struct thread *t, u32 tid, u32 tgid);
static inline int untraced_child(struct thread *t);
static inline void forked(void *ctx, struct thread *t, struct thread *child);
static inline void executing(struct bpf_raw_tracepoint_args *ctx, struct thread *t);
static inline void executed(void *ctx, struct thread *t, u32 former);
static inline int ended(void *ctx, struct thread *t);
static inline void left(void *ctx, struct thread *t);
static inline void lost_task(void);

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

static inline u32 marked_as(u32 tid)
{
	u32 page = tid / MARKS;
	struct marks *marks = marked.lookup(&page);

	return marks ? marks->set[tid & (MARKS - 1)] : 0;
}

static inline void mark(u32 tid, u32 set)
{
	u32 page = tid / MARKS;
	struct marks *marks = marked.lookup(&page);

	if (marks)
		marks->set[tid & (MARKS - 1)] = set;
}

/* What every program does for every task of the host: find out that it is not traced. */
static inline struct thread *traced(u32 *key)
{
	u32 set, tid = FIELD(u32, current_task_btf(), OFFSET_PID);

	*key = tid;
	set = marked_as(tid);
	return set ? entry_of(tid, set) : 0;
}

/*
 * A thread that is not to be traced any more takes itself off: nobody else may, as long as it can
 * be in one of the programs.
 */
static inline int leaves(void *ctx, struct thread *t, u32 key, u32 place)
{
	if (!(t->why & WHY_LEAVING))
		return 0;
#ifdef TARGETS
	joins.call(ctx, place); /* it may belong to another target now */
#endif
	enter_gate();
	left(ctx, t);
	drop_entry(key, marked_as(key));
	mark(key, 0);
	leave_gate();
	return 1;
}

/*
 * The same for the programs at system calls, where threads begin to be traced that belong to the
 * target since a moment, and take themselves off those that do not any more.
 */
static inline struct thread *traced_at(void *ctx, u32 *key, u32 place)
{
	u32 set, tid = FIELD(u32, current_task_btf(), OFFSET_PID);
	struct thread *t;

	*key = tid;
	set = marked_as(tid);
	if (!set)
		return 0;
	if (set == MARK_JOINING) {
		joins.call(ctx, place);
		return 0;
	}
	t = entry_of(tid, set);
	return t && !leaves(ctx, t, tid, place) ? t : 0;
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
int iter__task(u64 *ctx)
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
	u32 zero = 0, key, child = 0, set;
	u64 leader = 0;
	struct thread *t = traced(&key), *made;
	struct config *c = config.lookup(&zero);

	if (!t || !c || !c->follow || t->state >= STATE_LAUNCHING || untraced_child(t))
		return 0;
	bpf_probe_read_kernel(&child, 4, (void *)(ctx->args[1] + OFFSET_PID));
	bpf_probe_read_kernel(&leader, 8, (void *)(ctx->args[1] + OFFSET_GROUP_LEADER));
	enter_gate();
	set = make_entry(child);
	made = set ? entry_of(child, set) : 0;
	if (!made) {
		lost_task();
		goto out;
	}
	made->key = child;
	made->state = STATE_NEWBORN;
	name_thread(made, name_of(ctx->args[1], c), name_of(leader, c));
	mark(child, set);
	forked(ctx, t, made);
out:
	leave_gate();
	return 0;
}

int raw_tracepoint__sched_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key = bpf_get_current_pid_tgid(), former = ctx->args[1], tid, set = marked_as(former);
	u32 zero = 0;
	struct thread *t = set ? entry_of(former, set) : 0;
	struct config *c = config.lookup(&zero);
	int leaving;

	if (!t || !c)
		return 0;
	enter_gate();
	leaving = c->leave && !t->launching;
	t->launching = 0;
	executing(ctx, t);
	tid = tid_of(t);
	if (former != key) {
		/* It takes over the leader's numbers. */
		t->key = key;
		name_thread(t, tgid_of(t), tgid_of(t));
	}
	if (former != key || !leaving)
		executed(ctx, t, tid);
	if (leaving) {
		left(ctx, t);
		drop_entry(former, set);
		mark(former, 0);
	} else if (former != key) {
		set = move_entry(former, key, set);
		if (!set)
			lost_task();
		mark(former, 0);
		mark(key, set);
	}
	leave_gate();
	return 0;
}

int raw_tracepoint__sched_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u32 key;
	struct thread *t = traced(&key);

	if (!t)
		return 0;
	enter_gate();
	if (!ended(ctx, t))
		drop_entry(key, marked_as(key));
	mark(key, 0);
	leave_gate();
	return 0;
}

#endif
