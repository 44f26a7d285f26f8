/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The entries of the threads that stream.c traces: what tracking.h asks for. */
#ifndef THREADS_H
#define THREADS_H

#include "stream.h"
#include "tracking.h"
#include "records.h"

BPF_TABLE("hash", u32, struct thread, threads, 16384);
BPF_TABLE("array", u32, struct thread, blank, 1);

static inline u32 after_call(struct thread *t)
{
	return t->launching && t->record.ret < 0 ? STATE_FAILED : STATE_IDLE;
}

static inline void count_call(int lost)
{
	struct stats *s = my_stats();

	if (s) {
		s->calls++;
		if (lost)
			s->lost_calls++;
	}
}

static inline struct thread *entry_of(u32 tid, u32 set)
{
	return threads.lookup(&tid);
}

static inline u32 make_entry(u32 tid)
{
	u32 zero = 0;
	struct thread *empty = blank.lookup(&zero);

	return empty && !threads.update(&tid, empty);
}

static inline u32 move_entry(u32 former, u32 tid, u32 set)
{
	struct thread *t = threads.lookup(&former);
	u32 moved = t && !threads.update(&tid, t);

	threads.delete(&former);
	return moved;
}

static inline void drop_entry(u32 tid, u32 set)
{
	threads.delete(&tid);
}

static inline u32 tid_of(struct thread *t)
{
	return t->record.tid;
}

static inline u32 tgid_of(struct thread *t)
{
	return t->record.tgid;
}

static inline void name_thread(struct thread *t, u32 tid, u32 tgid)
{
	t->record.tid = tid;
	t->record.tgid = tgid;
}

#endif
