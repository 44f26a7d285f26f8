/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What all programs and Python agree on: whom to trace. Every structure is laid out without
 * implicit padding; pytracer/backend/ebpf/ mirrors it field by field. What one program alone
 * has in common with Python is in its own header: stream.h.
 */
#ifndef PYTRACER_H
#define PYTRACER_H

#define MAX_NR 1024 /* numbers per ABI: x86_64 and i386 end below 480, x32 at 547 */
#define ABIS 3

enum state {
	STATE_IDLE,	 /* in user space, or in a call whose entry was not seen */
	STATE_ATTACHED,	 /* nothing was seen of it since it was attached to */
	STATE_CALL,	 /* in a call that will be reported */
	STATE_SKIPPED,	 /* in a call that is not wanted */
	STATE_NEWBORN,	 /* has not returned from the fork that made it */
	STATE_LAUNCHING, /* waits to execve the program to trace */
	STATE_FAILED,	 /* could not: what it does now is not the program's */
	STATE_GONE,	 /* kept, as the ring had no room: it has ended, and ret is its status */
};

/*
 * A mark for every thread number: 0 if it is not traced. User space maps it. A program that
 * wants to know more of a thread than that defines a wider one.
 */
#ifndef MARK
#define MARK u8
#endif
#define MARKS 4096
#define MARK_SPARED ((u32)(MARK)~0)    /* never traced, nor its children: part of the tracer */
#define MARK_JOINING (MARK_SPARED - 1) /* to be looked at when it makes its next call */
struct marks {
	MARK set[MARKS];
};

/* One cache line a CPU: odd while a program runs there. User space maps it. */
struct gate {
	u64 turns;
	u64 hold; /* set by user space: hold the traced tasks back */
	u64 pad[6];
};

struct config {
	u32 follow;
	u32 level;     /* depth of the user's pid namespace; 0 for the initial one */
	u64 namespace; /* its inode number */
	u64 slower_ns; /* of CALL_DROP_FAST */
	u64 signals;   /* bit n: signal n + 1 is wanted */
	u64 leave;     /* let go of threads as they execute another program */
};

/* Why a thread is traced. 0: because the user has named it, or one that it descends from. */
#define WHY_GROUP 1	 /* it is in a chosen control group */
#define WHY_PROCESS 2	 /* its process's command name is wanted */
#define WHY_COMM 4	 /* its own is */
#define WHY_EVERYONE 8	 /* it is there */
#define WHY_NOBODYS 0x10 /* it belongs to no target, as was found from outside */
#define WHY_LEAVING 0x80 /* not any more: it will take itself off */

#define JOIN_RUNNING 1 /* it was there before, perhaps in the midst of a call */

/*
 * Programs that take in a thread at the entry or the exit of a call, and those that then go on
 * with the call.
 */
enum join_place { JOIN_ENTER, JOIN_EXIT, JOINED_ENTER, JOINED_EXIT, JOIN_PLACES };

/* What makes a thread one to trace. */
#define COMM_BYTES 16
struct choice {
	u32 everyone;
	u32 groups;	 /* some are chosen */
	u32 hierarchies; /* of version 1, beside the unified one, that they may be in */
	u32 pad;
	/* An automaton for the wanted names: bit n of accepts: the letter leads from state n on. */
	u64 begins;
	u64 stays;
	u64 ends;
	u64 accepts[256];
};

/* A control group, by the number of its hierarchy and that of its directory. */
struct group_key {
	u32 hierarchy;
	u32 pad;
	u64 id;
};

struct group {
	u64 targets; /* it belongs to, a bit each; 0: to none */
	u32 node;    /* of the tree of paths that are waited for */
	u32 pad;
};

/* Where a walk over a process's threads stands. */
struct walk {
	u64 head;
	u64 node;
	u32 come;
	u32 gone;
};

/* Several targets at once, each with a number: whose a task is. See targets.h. */
#define MOST_TARGETS 64
struct ranking {
	u32 count;
	u32 named;    /* some are processes, by their numbers */
	u64 everyone; /* bits of targets that all tasks belong to */
	u64 live;     /* bits of all that there are */
	u8 order[MOST_TARGETS];
};

/* Names that targets want: an automaton as in struct choice, and whose each end is. */
#define MOST_AUTOMATA 8
struct names {
	u64 begins;
	u64 stays;
	u64 ends;
	u64 accepts[256];
	u8 targets[64];
};

/* A step of a path that is waited for. */
struct edge {
	u32 node;
	char name[252];
};

/* What a thread is called in the user's pid namespace, to what the kernel calls
 * it. */
struct number {
	u32 tid;
	u32 level;
};

#endif
