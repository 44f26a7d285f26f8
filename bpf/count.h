/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What count.c and pytracer/backend/ebpf/counts.py agree on. */
#ifndef COUNT_H
#define COUNT_H

/* A thread's mark is the number of its entry in the array of threads: no lookup has to hash. */
#define MARK u16
#include "pytracer.h"

#define CALLS (ABIS * MAX_NR)

/*
 * Durations are counted in eight buckets an octave, from 2^6 to 2^36 nanoseconds, with one more
 * for what is below and one for what is above.
 */
#define LEAST_OCTAVE 6
#define MOST_OCTAVE 36
#define USED_BUCKETS (2 + 8 * (MOST_OCTAVE - LEAST_OCTAVE))
#define BUCKETS 256

/* Where a duration is counted. Twin: pytracer/event/durations.py. */
static inline u64 bucket_of(u64 ns)
{
	u64 rest = ns;
	u32 octave = 0;

	if (ns < 1ULL << LEAST_OCTAVE)
		return 0;
	if (ns >> MOST_OCTAVE)
		return USED_BUCKETS - 1;
	if (rest >> 32) {
		octave = 32;
		rest >>= 32;
	}
	if (rest >> 16) {
		octave += 16;
		rest >>= 16;
	}
	if (rest >> 8) {
		octave += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		octave += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		octave += 2;
		rest >>= 2;
	}
	octave += rest >> 1;
	return 1 + (octave - LEAST_OCTAVE) * 8 + (ns >> (octave - 3) & 7);
}

/* Errors by number; the kernel's own, from 512 on, follow the others. */
#define ERRNOS 160
#define LAST_ERRNO 133
#define FIRST_RESTART 512

/* What struct slots says instead of the number of a row. */
#define SLOT_NONE 0	     /* there is no row yet */
#define SLOT_UNWANTED 0xffff /* not to be counted */
#define SLOT_ODD 0xfffe	     /* numbers that share an index: rows are found by name */
#define SLOT_MANY 0xfffd     /* stands for many calls: the first argument says which */
#define SLOT_MANY_LOW 0xfffc /* its lower half does */
#define SLOT_STRANGE 0xfffb  /* no call has this number: all such are one */
#define SLOT_FILE 0xfffa     /* counted by what the first argument, a descriptor, refers to */
#define MOST_ROWS 0xff00

/* A traced thread and its call in flight. */
struct thread {
	u64 enter_ns;
	u64 off_ns; /* for cputime.h, as are these */
	u64 left_ns;
	s32 nr;
	u16 row;
	u8 abi;
	u8 launching; /* its execve has not succeeded yet */
	u32 state;
	u32 key;
	u32 tid;
	u32 tgid;
	u16 group; /* of targets, as user space numbers them; children inherit it */
	u16 pad;
	u32 why; /* it is traced */
	u64 ran_ns;
	u64 named; /* targets that name its process, or one that it descends from */
};

/* What a row of counts is about. */
struct row_key {
	u16 group;
	u8 abi;
	u8 used;
	s32 nr;
	u32 sub;
	u32 pad;
};

struct extremes {
	u64 epoch;
	u64 wall_min;
	u64 wall_max;
	u64 cpu_min;
	u64 cpu_max;
};

/* One CPU's counts of one row. Only additions to what was there: no lock, no atomics. */
struct counts {
	u64 calls;
	u64 wall_ns;
	u64 cpu_ns;
	struct extremes recent[2]; /* of this epoch and the one before */
	u64 buckets[BUCKETS];
	u64 errnos[ERRNOS];
};

struct counting {
	u64 epoch;	 /* user space adds one to begin an interval */
	u64 overhead_ns; /* taken off each time */
};

/* One CPU's counts of what happened to the counting itself. */
struct totals {
	u64 born; /* threads that were followed */
	u64 gone;
	u64 lost_tasks;
	u64 lost_returns; /* calls that a thread must have returned from, unseen */
	u64 again;	  /* user space has to look who belongs to the targets */
	u64 made;	  /* control groups, by anybody */
};

/* Signals of a target: their numbers go up to 64. */
#define SIGNALS 65
struct signals {
	u64 counts[SIGNALS];
};

/* What a descriptor refers to. */
enum file_kind {
	KIND_UNSAID, /* they are not told apart */
	KIND_NONE,
	KIND_FILE,
	KIND_DIRECTORY,
	KIND_CHARACTER,
	KIND_BLOCK,
	KIND_PIPE,
	KIND_SOCKET,
	KIND_ANONYMOUS
};

struct birth {
	u32 tid;
	u32 tgid;
};

#endif
