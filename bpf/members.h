/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Threads that are traced for what they belong to: a control group, a command
 * name, or the host. That is decided when it may change (a birth, an exec, a
 * new name, a move to another group), never at a system call. The programs
 * here are loaded only when such a target was asked for.
 *
 * The including program defines, besides what tracking.h asks for,
 *
 *   joined(ctx, t, task, flags)    the thread is entered and will be traced,
 *   look_again(ctx)                a process has too many threads for one program.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "tracking.h"

#ifdef MEMBERS

BPF_TABLE("array", u32, struct choice, choices, 1);
BPF_TABLE("hash", struct group_key, struct group, groups, 65536);
BPF_TABLE("hash", u32, u8, joining, 1024);
BPF_TABLE("percpu_array", u32, struct walk, walks, 1);
BPF_TABLE("prog", u32, u32, mates, 1);
BPF_TABLE("hash", struct edge, struct group, edges, 1024);

#define PF_EXITING 0x4 /* include/linux/sched.h */
#define PF_KTHREAD 0x200000
#define MOST_HIERARCHIES 32
#define MATES_A_PROGRAM 32

static inline void joined(void *ctx, struct thread *t, u64 task, u32 flags);
static inline void look_again(void *ctx);

static inline struct choice *my_choice(void)
{
	u32 zero = 0;

	return choices.lookup(&zero);
}

static inline void identify(struct group_key *key, u64 cgroup)
{
	key->hierarchy =
	    read_half(read_word(cgroup + OFFSET_CGROUP_ROOT) + OFFSET_CGROUP_HIERARCHY);
	key->id = read_word(read_word(cgroup + OFFSET_CGROUP_NODE) + OFFSET_NODE_ID);
}

static inline u64 chosen_for(u64 cgroup)
{
	struct group_key key = {};
	struct group *group;

	identify(&key, cgroup);
	group = groups.lookup(&key);
	return group ? group->targets : 0;
}

/* The targets that a task belongs to for the groups of any hierarchy that it is in. */
static inline u64 in_chosen(u64 task, struct choice *c)
{
	u64 set = read_word(task + OFFSET_TASK_CGROUPS), head, link, targets = 0;

	if (!c->hierarchies)
		return chosen_for(read_word(set + OFFSET_SET_DEFAULT));
	head = set + OFFSET_SET_LINKS;
	link = read_word(head);
	for (int i = 0; i < MOST_HIERARCHIES; i++) {
		if (link == head || !link)
			break;
		targets |= chosen_for(read_word(link - OFFSET_LINK_ENTRY + OFFSET_LINK_CGROUP));
		link = read_word(link);
	}
	return targets;
}

#ifndef TARGETS
/*
 * Whether a command name fits one of the patterns: they are one automaton of 64
 * states, each a bit, that takes a letter a step.
 */
static inline int fits(struct choice *c, u8 *comm)
{
	u64 states = c->begins;

	for (int i = 0; i < COMM_BYTES; i++) {
		u8 letter = comm[i];

		if (!letter)
			break;
		states = (states & c->accepts[letter]) << 1 | (states & c->stays);
	}
	return states & c->ends ? 1 : 0;
}

static inline int comm_fits(struct choice *c, u64 task)
{
	u8 comm[COMM_BYTES] = {};

	bpf_probe_read_kernel(comm, sizeof(comm), (void *)(task + OFFSET_COMM));
	return fits(c, comm);
}

/* Why a task is to be traced. */
static inline u32 reasons(u64 task, struct choice *c)
{
	u64 leader;
	u32 why = 0;

	if (c->everyone)
		why |= WHY_EVERYONE;
	if (c->groups && in_chosen(task, c))
		why |= WHY_GROUP;
	if (c->ends) {
		leader = read_word(task + OFFSET_GROUP_LEADER);
		if (comm_fits(c, leader))
			why |= WHY_PROCESS;
		if (leader != task && comm_fits(c, task))
			why |= WHY_COMM;
	}
	return why;
}
#endif

/* What the user calls a task; 0 when the user's pid namespace does not see it. */
static inline u32 visible_name(u64 task, struct config *c)
{
	u64 pid, upid, space;

	if (!c->level)
		return read_half(task + OFFSET_PID);
	pid = read_word(task + OFFSET_THREAD_PID);
	if (read_half(pid + OFFSET_LEVEL) < c->level)
		return 0;
	upid = pid + OFFSET_NUMBERS + (u64)c->level * SIZE_UPID;
	space = read_word(upid + OFFSET_UPID_NS);
	return read_half(space + OFFSET_INUM) == (u32)c->namespace ? read_half(upid) : 0;
}

/* The entry of a traced thread; NULL for one that is not. */
static inline struct thread *thread_of(u32 key)
{
	u32 set = marked_as(key);

	return set && set < MARK_JOINING ? entry_of(key, set) : 0;
}

/*
 * Enter a task, which may be running meanwhile: it is traced when its mark is set. Answers that
 * mark, 0 if it is not to be traced or another CPU is doing the same. Where there is no memory at
 * the moment, as in the midst of a move of many threads, the task will try itself.
 */
static inline u32 adopt(u64 task, u32 key, u32 why, u32 state)
{
	struct config *about;
	struct thread *t;
	u32 zero = 0, tid, set;
	u8 taken = 1;

	about = config.lookup(&zero);
	if (!about || read_half(task + OFFSET_FLAGS) & (PF_EXITING | PF_KTHREAD))
		return 0;
	tid = visible_name(task, about);
	if (!tid || joining.insert(&key, &taken))
		return 0;
	set = marked_as(key);
	set = set && set != MARK_JOINING ? 0 : make_entry(key);
	t = set ? entry_of(key, set) : 0;
	if (!t) {
		if (!marked_as(key))
			mark(key, MARK_JOINING);
		joining.delete(&key);
		return 0;
	}
	t->key = key;
	t->state = state;
#ifdef TARGETS
	t->group = why - 1;
#else
	/* With -f it is as if the user had named it: nothing makes it leave. */
	t->why = about->follow ? 0 : why;
#endif
	name_thread(t, tid, visible_name(read_word(task + OFFSET_GROUP_LEADER), about));
	return set;
}

/* An adopted thread is traced from now on. */
static inline void welcome(u32 key, u32 set)
{
	mark(key, set);
	joining.delete(&key);
}

#ifdef TARGETS
#include "targets.h"
#else
/* Reasons to trace a thread have come or gone. Answers whether it is one. */
static inline int update_reasons(u32 key, u32 come, u32 gone)
{
	struct thread *t = thread_of(key);
	u32 why;

	if (!t)
		return 0;
	if (t->why) { /* 0: the user has named it */
		why = ((t->why & ~WHY_LEAVING) | come) & ~gone;
		t->why = why ? why : WHY_LEAVING;
	}
	return 1;
}

/* The same from outside, perhaps for many: who is not traced is looked at when it makes a call. */
static inline void change(u64 task, u32 come, u32 gone)
{
	u32 key = read_half(task + OFFSET_PID);

	if (!update_reasons(key, come, gone) && come && !marked_as(key))
		mark(key, MARK_JOINING);
}

#endif

/* The same for the threads of a process, some in each program: at most 33 in a row. */
int members_tail__mates(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0;
	struct walk *w = walks.lookup(&zero);

	if (!w)
		goto out;
	for (int i = 0; i < MATES_A_PROGRAM; i++) {
		if (w->node == w->head || !w->node)
			goto out;
		change(w->node - OFFSET_THREAD_NODE, w->come, w->gone);
		w->node = read_word(w->node);
	}
	mates.call(ctx, 0);
	look_again(ctx);
out:
	leave_gate();
	return 0;
}

static inline void change_all(void *ctx, u64 leader, u32 come, u32 gone)
{
	u32 zero = 0;
	struct walk *w = walks.lookup(&zero);

	if (!w)
		return;
	w->head = read_word(leader + OFFSET_SIGNAL) + OFFSET_THREAD_HEAD;
	w->node = read_word(w->head);
	w->come = come;
	w->gone = gone;
	mates.call(ctx, 0);
}

/* Look at a task that is there; the current one, or from the iterator. */
static inline void reconsider(void *ctx, u64 task, u32 state)
{
	u32 key = read_half(task + OFFSET_PID), set, why;
	struct choice *c = my_choice();
	struct thread *t;
#ifdef TARGETS
	u64 named;
#endif

	if (!c)
		return;
#ifdef TARGETS
	named = named_targets(task, thread_of(key));
	why = target_of(task, c, named);
	if (update_target(key, why, named) || marked_as(key) == MARK_SPARED)
		return;
#else
	why = reasons(task, c);
	if (update_reasons(key, why, ~why) || marked_as(key) == MARK_SPARED)
		return;
#endif
	if (!why) {
		if (marked_as(key) == MARK_JOINING)
			mark(key, 0);
		return;
	}
	set = adopt(task, key, why, state);
	t = set ? entry_of(key, set) : 0;
	if (!t)
		return;
#ifdef TARGETS
	t->named = named;
#endif
	joined(ctx, t, task, state == STATE_ATTACHED ? JOIN_RUNNING : 0);
	welcome(key, set);
}

/* A call by a thread that may belong to the target: if it does, on with the call. */
static inline void join_at(void *ctx, u32 state, u32 next)
{
	u64 task = current_task_btf();
	u32 key = FIELD(u32, task, OFFSET_PID);

	enter_gate();
	reconsider(ctx, task, state);
#ifdef TARGETS
	take_off(ctx, key);
#endif
	leave_gate();
	if (thread_of(key))
		joins.call(ctx, next);
	else if (state == STATE_ATTACHED && marked_as(key) == MARK_JOINING)
		lost_task(); /* there is no room for it, and no telling of this call */
}

int members_tail__enter(struct bpf_raw_tracepoint_args *ctx)
{
	join_at(ctx, STATE_IDLE, JOINED_ENTER);
	return 0;
}

int members_tail__exit(struct bpf_raw_tracepoint_args *ctx)
{
	join_at(ctx, STATE_ATTACHED, JOINED_EXIT);
	return 0;
}

/*
 * All that is there already, when the programs below watch: what is born after
 * its parent was looked at, they see. A task that leaves while it is being
 * entered would go unnoticed: it is looked at again.
 */
int members_iter__task(u64 *ctx)
{
	u64 task = ctx[1];

	if (!task)
		return 0;
	for (int turn = 0; turn < 2; turn++)
		reconsider(ctx, task, STATE_ATTACHED);
#ifdef TARGETS
	found_in_call(task, FIELD(u32, task, OFFSET_PID));
#endif
	return 0;
}

/* Runs after tracking.h's, which has entered the child if it is followed. */
int members__sched_process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	u64 task = ctx->args[1];
	u32 key, child = read_half(task + OFFSET_PID), why, set;
	struct choice *c = my_choice();
	struct thread *t = traced(&key), *made;
#ifdef TARGETS
	u64 named;
#endif

	if (!c || thread_of(child))
		return 0;
	if (marked_as(key) == MARK_SPARED) {
		mark(child, MARK_SPARED);
		return 0;
	}
	mark(child, 0); /* its number may have been that of a spared task */
#ifdef TARGETS
	named = named_targets(task, t);
	why = target_of(task, c, named);
#else
	why = reasons(task, c);
#endif
	if (!why)
		return 0;
	enter_gate();
	set = adopt(task, child, why, STATE_NEWBORN);
	made = set ? entry_of(child, set) : 0;
	if (made) {
#ifdef TARGETS
		made->named = named;
		joined(ctx, made, task, 0);
#else
		if (t)
			forked(ctx, t, made);
		else
			joined(ctx, made, task, 0);
#endif
		welcome(child, set);
	}
	leave_gate();
	return 0;
}

/* An exec that gives a task a wanted name is over for us before it was seen. */
int members__sched_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	enter_gate();
	reconsider(ctx, ctx->args[0], STATE_SKIPPED);
	leave_gate();
	return 0;
}

int members__task_rename(struct bpf_raw_tracepoint_args *ctx)
{
	u64 task = ctx->args[0], leader = read_word(task + OFFSET_GROUP_LEADER);
	struct choice *c = my_choice();
	u8 comm[COMM_BYTES] = {};
	u64 fit;

	/* Of an exec the other program hears, when it is complete. */
	if (!c || !c->ends || read_half(task + OFFSET_IN_EXECVE) & MASK_IN_EXECVE)
		return 0;
	bpf_probe_read_kernel_str(comm, sizeof(comm), (void *)ctx->args[1]);
#ifdef TARGETS
	fit = targets_of_name(comm);
#else
	fit = fits(c, comm);
#endif
	enter_gate();
	if (task == leader)
		change_all(ctx, task, fit ? WHY_PROCESS : 0, fit ? 0 : WHY_PROCESS);
	else
		change(task, fit ? WHY_COMM : 0, fit ? 0 : WHY_COMM);
	leave_gate();
	return 0;
}

int members__cgroup_attach_task(struct bpf_raw_tracepoint_args *ctx)
{
	u64 task = ctx->args[2];
	struct choice *c = my_choice();
	u64 in;

	if (!c || !c->groups)
		return 0;
	in = in_chosen(task, c);
	enter_gate();
	if (ctx->args[3] & 0xFF) /* the whole process */
		change_all(ctx, task, in ? WHY_GROUP : 0, in ? 0 : WHY_GROUP);
	else
		change(task, in ? WHY_GROUP : 0, in ? 0 : WHY_GROUP);
	leave_gate();
	return 0;
}

/* A group inside a chosen one is chosen; so is one that is waited for by its path. */
int members__cgroup_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
	u64 cgroup = ctx->args[0], parent;
	struct group_key key = {};
	struct group *above, *step, found = {};
	struct edge edge = {};

#ifdef TARGETS
	group_made();
#endif
	parent = read_word(cgroup + OFFSET_CGROUP_SELF + OFFSET_CSS_PARENT);
	if (!parent)
		return 0;
	identify(&key, read_word(parent + OFFSET_CSS_CGROUP));
	above = groups.lookup(&key);
	if (!above)
		return 0;
	found.targets = above->targets;
	if (above->node) {
		edge.node = above->node;
		bpf_probe_read_kernel_str(
		    edge.name, sizeof(edge.name),
		    (void *)read_word(read_word(cgroup + OFFSET_CGROUP_NODE) + OFFSET_NODE_NAME));
		step = edges.lookup(&edge);
		if (step) {
			found.targets |= step->targets;
			found.node = step->node;
		}
	}
	if (!found.targets && !found.node)
		return 0;
	identify(&key, cgroup);
	groups.update(&key, &found);
	return 0;
}

int members__cgroup_rmdir(struct bpf_raw_tracepoint_args *ctx)
{
	struct group_key key = {};

	identify(&key, ctx->args[0]);
	groups.delete(&key);
	return 0;
}

#endif
#endif
