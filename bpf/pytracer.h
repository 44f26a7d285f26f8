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
	STATE_GONE,	 /* it has ended, and the ring had no room for it: ret is its status */
};

/*
 * A mark for every thread number: 0 if it is not traced. User space maps it. A program that
 * wants to know more of a thread than that defines a wider one.
 */
#ifndef MARK
#define MARK u8
#endif
#define MARKS 4096
struct marks {
	MARK set[MARKS];
};

/* One cache line a CPU: odd while a program runs there. User space maps it. */
struct gate {
	u64 turns;
	u64 pad[7];
};

struct config {
	u32 follow;
	u32 level;     /* depth of the user's pid namespace; 0 for the initial one */
	u64 namespace; /* its inode number */
};

/* What a thread is called in the user's pid namespace, to what the kernel calls
 * it. */
struct number {
	u32 tid;
	u32 level;
};

#endif
