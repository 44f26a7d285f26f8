/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the programs know of the kernel: the current task, its registers, its system call. */
#ifndef KERNEL_H
#define KERNEL_H

#include "pytracer.h"

#define EXECVE 59
#define SIGKILL 9
#define AF_NETLINK 16
#define SIGNAL_RESULT_IGNORED 1 /* include/trace/events/signal.h */
#define SIGNAL_GROUP_EXIT 4	/* include/linux/sched/signal.h */
#define SA_IMMUTABLE 0x00800000 /* include/linux/signal_types.h, since 5.16 */
#define MOST_LEVELS 32		/* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h */
#define TS_COMPAT 2		/* arch/x86/include/asm/thread_info.h */
#define X32_BIT 0x40000000
#define CLONE_UNTRACED 0x00800000
#define NR_CLONE(abi) ((abi) == 1 ? 120 : 56)
#define NR_CLONE3 435

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

static inline u64 read_word(u64 at)
{
	u64 word = 0;

	bpf_probe_read_kernel(&word, 8, (void *)at);
	return word;
}

static inline u32 read_half(u64 at)
{
	u32 half = 0;

	bpf_probe_read_kernel(&half, 4, (void *)at);
	return half;
}

/*
 * Whether a signal, or exit_group(), is ending a process. "code": what the process' end will say;
 * of "group", its struct signal_struct.
 */
static inline int ends_as(u64 group, u32 *code)
{
	*code = read_half(group + OFFSET_GROUP_EXIT_CODE);
	return !!(read_half(group + OFFSET_GROUP_FLAGS) & SIGNAL_GROUP_EXIT);
}

/*
 * Whether a signal that was sent to a task is never delivered to it: it is ignored, and dropped
 * when it is sent; or it ends the process, and becomes SIGKILL when it is sent (complete_signal(),
 * kernel/signal.c). "args": those of signal_generate. "code": what it ends the process with, or 0.
 */
static inline int undelivered(u64 *args, u32 *code)
{
	*code = 0;
	if (args[4] == SIGNAL_RESULT_IGNORED)
		return 1;
	return ends_as(read_word(args[2] + OFFSET_SIGNAL), code) && *code == args[0];
}

static inline void read_comm(char *comm)
{
	u64 task = current_task_btf();

	((u64 *)comm)[0] = FIELD(u64, task, OFFSET_COMM);
	((u64 *)comm)[1] = FIELD(u64, task, OFFSET_COMM + 8);
}

/* The ABI of a system call, its number without what only tells the ABI. */
static inline u32 abi_of(u64 task, s32 *nr)
{
	if (FIELD(u32, task, OFFSET_STATUS) & TS_COMPAT)
		return 1;
	if (*nr != -1 && *nr & X32_BIT) {
		*nr &= ~X32_BIT;
		return 2;
	}
	return 0;
}

/* Where a call's entry is in an array over all calls. Numbers that no table has share the last. */
static inline u32 call_index(u32 abi, s32 nr)
{
	return abi * MAX_NR + ((u32)nr < MAX_NR ? (u32)nr : MAX_NR - 1);
}

/* Whether a descriptor of the current task is a netlink socket. */
static inline int netlink_socket(u32 fd)
{
	u64 task = current_task_btf(), at = 0, files = FIELD(u64, task, OFFSET_FILES);
	u64 table = 0;
	u32 most = 0;
	u16 family = 0;

	bpf_probe_read_kernel(&table, 8, (void *)(files + OFFSET_FDT));
	bpf_probe_read_kernel(&most, 4, (void *)(table + OFFSET_MAX_FDS));
	if (fd >= most)
		return 0;
	bpf_probe_read_kernel(&at, 8, (void *)(table + OFFSET_FDS));
	bpf_probe_read_kernel(&at, 8, (void *)(at + 8 * (u64)fd));
	/* Of a file that is no socket this reads something else, and says no. */
	bpf_probe_read_kernel(&at, 8, (void *)(at + OFFSET_PRIVATE_DATA));
	bpf_probe_read_kernel(&at, 8, (void *)(at + OFFSET_SOCK));
	bpf_probe_read_kernel(&family, 2, (void *)(at + OFFSET_SOCK_FAMILY));
	return family == AF_NETLINK;
}

/* A task that is being killed makes no exit stop for ptrace: its call has no end. */
static inline int dying(void)
{
	u64 task = current_task_btf();

	return FIELD(u64, task, OFFSET_PENDING) >> (SIGKILL - 1) & 1;
}

#endif
