/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What stream.c and pytracer/backend/ebpf/wire.py agree on. */
#ifndef STREAM_H
#define STREAM_H

#include "pytracer.h"

#define DATA_MASK 2047	 /* a region begins at or below this offset of thread.data */
#define PIECE_BYTES 2040 /* the most that one read brings */
#define DATA_BYTES 4128	 /* the last region, its header and its bytes fit in any case */

enum record_type {
	RECORD_CALL = 1,
	RECORD_FORK,
	RECORD_EXEC,
	RECORD_EXIT,
	RECORD_SIGNAL,
	RECORD_JOIN,  /* a thread is traced for what it belongs to */
	RECORD_LEAVE, /* it does not belong to it any more */
	RECORD_AGAIN, /* user space has to look who belongs to it */
};

/* record.flags */
#define CALL_CHUNK 1	/* captured bytes only; the call's own record follows */
#define CALL_NO_EXIT 2	/* the task ended inside the call */
#define CALL_UNSEEN 4	/* the entry was not seen: seccomp's answer, or an attach in mid-call */
#define EXIT_GROUP 1	/* the status is the whole thread group's */
#define EXIT_EXECUTED 2 /* kept: no end, it goes on under the leader's number; ret was its own */
#define SIGNAL_UNSEEN 1 /* ignored or deadly: not delivered, but ptrace would show it */
#define SIGNAL_STOPS 2	/* a stop signal that is not caught */

struct record {
	u8 type;
	u8 abi;
	u8 flags;
	u8 chunks; /* chunks sent before this record */
	u32 tid;
	u32 tgid;
	u32 entry_tid; /* not tid after an execve by a thread other than the leader */
	u64 exit_ns;
	u64 enter_ns;
	u64 cpu_ns; /* of which it was on a CPU, where that is measured */
	s64 ret;
	s32 nr;
	u32 used; /* bytes of regions that follow the record */
	char comm[16];
	u64 ip;
	u64 args[6];
};

/* One captured piece of memory; its bytes follow, padded to 8. */
struct region {
	u64 address;
	u32 length;
	u32 flags;
};

#define REGION_ENTRY 1 /* read at entry, or for the entry's sake */
#define REGION_SHORT 2 /* it ends (or is empty) because nothing further could be read */
#define REGION_MORE 4  /* the next region of the call continues it */
/* The strings that an execve was given, as the new program has them. */
#define REGION_ARGUMENTS 8
/* Not memory: what the descriptor 'address' refers to, struct facts and the names of its path. */
#define REGION_DESCRIBES 16
/* Not memory: the caller's registers, struct pt_regs. */
#define REGION_REGISTERS 32

/*
 * What a descriptor refers to. The names of its path follow, each with its NUL, the file's own
 * first; then the 'name_bytes' of the address of a unix socket.
 */
struct facts {
	u64 inode;
	u64 magic; /* of the file system */
	u64 word;  /* eventfd: the count; signalfd: the mask; unix socket: the peer's inode */
	u32 device;
	u32 rdev;
	u32 number; /* eventfd: the id; pidfd: the pid; netlink: the port; ptmx: the index */
	u16 mode;
	u16 family;
	u16 protocol;
	u16 port;
	u16 peer_port; /* as the network has it */
	u8 flags;
	u8 state;
	u8 bound; /* netlink: has a port; eventfd: is a semaphore */
	u8 name_bytes;
	u8 pad[2];
	u8 address[16];
	u8 peer[16];
	u32 pad2;
};

#define FACTS_PSEUDO 1	/* it has no path: its only name says what it is */
#define FACTS_DELETED 2 /* its name has been removed */
#define FACTS_EVENTFD 4
#define FACTS_SIGNALFD 8
#define FACTS_PIDFD 16

/* Fork, exec, exit and signal records: the shape is the record's type. */
struct event {
	u8 type;
	u8 pad;
	u8 flags;
	u8 pad2;
	u32 tid;
	u32 tgid;
	u32 other; /* the child's tid, the former tid, the status, the signal's number */
	u64 time_ns;
	u32 other_tgid; /* fork: the child's tgid */
	u32 pad3;
	u64 call_ns; /* signal, unseen: the entry of the call that the task is in */
	u64 ip;	     /* signal */
	char comm[16];
	u8 info[48]; /* signal: the start of siginfo_t */
};

/*
 * A traced thread: that it is traced, and its call in flight. The kernel's own
 * number of the thread is the key; the numbers in records are those of the
 * user's pid namespace. record and data lie together: they are sent as one.
 */
struct thread {
	u32 state;
	u32 retry; /* bit n: the n-th entry fetch failed, read it again at exit */
	u16 entry; /* first steps of the plan of the call in flight */
	u16 exit_ok;
	u16 exit_failed;
	u8 launching; /* its execve has not succeeded yet */
	u8 fatal;     /* a signal that ends the process was sent to it */
	u32 key;
	u32 why;
	u64 off_ns; /* for cputime.h, as are these */
	u64 left_ns;
	u64 ran_ns;
	struct record record;
	u8 data[DATA_BYTES];
};

/* What to do about a system call: index abi * MAX_NR + nr. */
struct call {
	u8 flags;
	u8 selector; /* register on which the plan depends */
	u16 entry;
	u16 exit_ok;
	u16 exit_failed;
	u32 mask; /* of the selector */
};

#define CALL_WANTED 1
#define CALL_SELECTS 2
#define CALL_DROP_OK 4
#define CALL_DROP_FAILED 8
#define CALL_DROP_FAST 32 /* if it took less time than config.slower_ns */
#define CALL_FRAME 16	  /* what it reads lies on the stack: args[0] is the stack pointer */

struct shape_key {
	u32 call;
	u32 value;
};

struct shape {
	u16 entry;
	u16 exit_ok;
	u16 exit_failed;
	u16 pad;
};

/* One fetch of a capture plan. Step 0 is "none". */
struct step {
	u8 flags;
	u8 reg;	   /* register that holds the pointer */
	u8 from;   /* where the length comes from */
	u8 width;  /* of the length inside the enclosing block */
	u16 at;	   /* offset of the pointer in the enclosing block */
	u16 value; /* register, or offset, of the length */
	u16 next;  /* sibling */
	u16 child; /* first fetch inside */
	u16 stride;
	u16 elements;
	u32 unit;
	u32 limit;
	u32 fixed;
	u32 netlink; /* the limit of a netlink socket's buffer */
};

#define STEP_CSTR 1
#define STEP_OFFSET 2 /* the pointer is in the enclosing block */
#define STEP_WORD4 4  /* and four bytes wide */
#define STEP_UNTIL_NULL 8
#define STEP_DESCRIBE 16  /* not memory: what a descriptor refers to */
#define STEP_BROUGHT 32	  /* no more than the result */
#define STEP_REGISTERS 64 /* not memory: the caller's registers */

/* step.reg beyond the call's six. */
#define PLACE_RESULT 6
#define PLACE_STACK 7

#define FROM_CONST 0
#define FROM_REGISTER 1
#define FROM_RETURN 2
#define FROM_PARENT 3

/* step.from of STEP_DESCRIBE: where the numbers are. */
#define NUMBERS_ONE 0	 /* the register, the result, or four bytes of the enclosing block */
#define NUMBERS_SET 1	 /* the bits of the enclosing block; their number is in a register */
#define NUMBERS_PASSED 2 /* control messages that fill the enclosing block */

/* Where the capture engine stands: one per CPU, as the programs are never
 * preempted. */
struct item {
	u64 base;	      /* the enclosing block */
	volatile u64 address; /* what is being read */
	volatile u64 wanted;
	volatile u32 length;
	u32 done;
	u32 index; /* element of the enclosing block */
	u32 count;
	u16 step;
	u16 stride;
	u32 flags;
	u32 bytes; /* of the enclosing block, as far as it was read */
	u32 pad;
};

#define DEPTH 8

struct work {
	u32 depth;
	u32 phase;
	u32 ordinal; /* of the outermost fetch */
	u32 then;    /* first step to run at exit after the retries */
	/*
	 * Of the piece being read. Kept here rather than in registers: what comes
	 * from memory the verifier knows nothing of, so it need not look at every
	 * combination.
	 */
	volatile u32 flags;
	volatile u32 got;
	volatile u32 elements;
	u32 pad;
	/* Of the descriptor being described. */
	volatile u64 dentry;
	volatile u64 mount;
	volatile u64 name;  /* what it is called, where that is not the dentry's name */
	volatile u64 bound; /* the address of a unix socket */
	volatile u32 number;
	volatile u32 at;
	struct item stack[DEPTH];
};

enum phase {
	PHASE_ENTRY,
	PHASE_RETRY,
	PHASE_EXIT,
};

/* Counted in the kernel, so that received + lost is what was executed. */
struct stats {
	u64 calls; /* calls that should have arrived */
	u64 lost_calls;
	u64 lost_chunks;
	u64 lost_events;
	u64 lost_tasks; /* forks that found the map of threads full */
	u64 dropped;	/* calls that --status left out */
	u64 events;	/* records that are not of calls, whether they were lost or not */
	u64 unreadable; /* reads of a call that failed to its end */
};

#endif
