/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Members of several targets at once. Each target has a number, which is the group that its
 * threads are counted in; a thread that several would take belongs to the first of them. A thread
 * of which that may have changed gets a word (WHY_LEAVING) and asks for itself at its next call.
 *
 * The including program's struct thread has, besides what members.h needs, group and named. It
 * defines group_made(): a control group was made, by anybody.
 */
#ifndef TARGETS_H
#define TARGETS_H

BPF_TABLE("array", u32, struct ranking, rankings, 1);
BPF_TABLE("array", u32, struct names, automata, MOST_AUTOMATA);
BPF_TABLE("hash", u32, u64, named_pids, 4096);

static inline void group_made(void);

static inline struct ranking *my_ranking(void)
{
	u32 zero = 0;

	return rankings.lookup(&zero);
}

/*
 * The targets that a task belongs to for its process's number, or that of one it descends from:
 * ``t`` is its entry, or its parent's.
 */
static inline u64 named_targets(u64 task, struct thread *t)
{
	struct ranking *r = my_ranking();
	struct config *about;
	u64 targets = t ? t->named : 0, *found;
	u32 zero = 0, pid;

	if (!r)
		return 0;
	if (r->named) {
		about = config.lookup(&zero);
		pid = about ? visible_name(read_word(task + OFFSET_GROUP_LEADER), about) : 0;
		found = named_pids.lookup(&pid);
		if (found)
			targets |= *found;
	}
	return targets & r->live;
}

/* The targets that want a command name. */
static inline u64 targets_of_name(u8 *comm)
{
	u64 targets = 0, states;
	struct names *n;

	for (u32 number = 0; number < MOST_AUTOMATA; number++) {
		u32 key = number;

		n = automata.lookup(&key);
		if (!n || !n->ends)
			break;
		states = n->begins;
		for (int i = 0; i < COMM_BYTES; i++) {
			u8 letter = comm[i];

			if (!letter)
				break;
			states = (states & n->accepts[letter]) << 1 | (states & n->stays);
		}
		states &= n->ends;
		if (!states)
			continue;
		for (u32 bit = 0; bit < 64; bit++)
			if (states >> bit & 1)
				targets |= 1ULL << (n->targets[bit] & (MOST_TARGETS - 1));
	}
	return targets;
}

static inline u64 targets_by_name(u64 task)
{
	u8 comm[COMM_BYTES] = {};

	bpf_probe_read_kernel(comm, sizeof(comm), (void *)(task + OFFSET_COMM));
	return targets_of_name(comm);
}

/* The first target that a task belongs to: its number and one, or 0. */
static inline u32 target_of(u64 task, struct choice *c, u64 targets)
{
	struct ranking *r = my_ranking();
	u64 leader;

	if (!r)
		return 0;
	targets |= r->everyone;
	if (c->groups)
		targets |= in_chosen(task, c);
	if (c->ends) {
		leader = read_word(task + OFFSET_GROUP_LEADER);
		targets |= targets_by_name(leader);
		if (leader != task)
			targets |= targets_by_name(task);
	}
	if (!targets)
		return 0;
	for (u32 place = 0; place < MOST_TARGETS; place++) {
		u32 target = r->order[place] & (MOST_TARGETS - 1);

		if (place >= r->count)
			break;
		if (targets >> target & 1)
			return target + 1;
	}
	return 0;
}

/* A thread belongs to a target, or (0) to none. Answers whether it is a traced one. */
static inline int update_target(u32 key, u32 target, u64 named)
{
	struct thread *t = thread_of(key);

	if (!t)
		return 0;
	t->named = named;
	if (target)
		t->group = target - 1;
	t->why = target ? 0 : WHY_LEAVING | WHY_NOBODYS;
	return 1;
}

/* Whose a task is may have changed: it looks itself, when it makes a call. */
static inline void change(u64 task, u64 come, u64 gone)
{
	u32 key = read_half(task + OFFSET_PID);
	struct thread *t = thread_of(key);

	if (t)
		t->why = WHY_LEAVING;
	else if (come && !marked_as(key))
		mark(key, MARK_JOINING);
}

/* The current thread, if it belongs to no target any more, is not traced from now on. */
static inline void take_off(void *ctx, u32 key)
{
	struct thread *t = thread_of(key);

	if (!t || !(t->why & WHY_LEAVING))
		return;
	left(ctx, t);
	drop_entry(key, marked_as(key));
	mark(key, 0);
}

/*
 * A thread that was there before: if it sleeps, then in a call, unless it sleeps in a fault. It is
 * traced by now, so that its return would have been seen. Helper since 5.15.
 */
static inline void found_in_call(u64 task, u32 key)
{
#if defined(TASK_PT_REGS) && defined(OFFSET_TASK_STATE)
	struct thread *t = thread_of(key);
	s64 nr;
	s32 number;

	if (!t || t->state != STATE_ATTACHED || t->nr >= 0 || !FIELD(u32, task, OFFSET_TASK_STATE))
		return;
	nr = FIELD(u64, task_pt_regs(task), REGS_OFFSET + 8 * R_ORIG);
	if (nr < 0)
		return;
	number = nr;
	t->abi = FIELD(u32, task, OFFSET_STATUS) & TS_COMPAT ? 1 : 0;
	if (!t->abi && number & X32_BIT) {
		number &= ~X32_BIT;
		t->abi = 2;
	}
	if (t->state == STATE_ATTACHED)
		t->nr = number;
#endif
}

/* A process that a target names is over; another one may get its number. */
static inline void forget_name(struct thread *t)
{
	u32 pid = t->tgid;

	if (t->named && t->tid == t->tgid)
		named_pids.delete(&pid);
}

#endif
