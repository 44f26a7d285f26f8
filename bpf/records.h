/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What is sent to user space, and what is counted when there is no room for it. */
#ifndef RECORDS_H
#define RECORDS_H

#include "stream.h"
#include "kernel.h"

BPF_TABLE("percpu_array", u32, struct stats, stats, 1);
BPF_PERF_OUTPUT(events);

static inline struct stats *my_stats(void)
{
	u32 zero = 0;

	return stats.lookup(&zero);
}

/*
 * An event is counted before it is sent: who finds it in a ring finds it counted, although the
 * program that sends it may not have ended. See Drain._look in pytracer/backend/ebpf/reader.py.
 */
static inline int try_to_send(void *ctx, struct event *event)
{
	struct stats *s = my_stats();

	if (s)
		s->events++;
	barrier();
	return events.perf_submit(ctx, event, sizeof(*event));
}

static inline void lost_event(void)
{
	struct stats *s = my_stats();

	if (s)
		s->lost_events++;
}

/* Where there is no room for it, it is lost. */
static inline void send_event(void *ctx, struct event *event)
{
	if (try_to_send(ctx, event))
		lost_event();
}

static inline int send_record(void *ctx, struct thread *t)
{
	u32 used = t->record.used;

	if (used > DATA_BYTES)
		used = DATA_BYTES;
	return events.perf_submit(ctx, &t->record, sizeof(t->record) + used);
}

/* Send the captured bytes ahead of the call: there is no room for more. */
static inline void send_chunk(void *ctx, struct thread *t)
{
	u8 flags = t->record.flags;

	t->record.flags = flags | CALL_CHUNK;
	if (send_record(ctx, t)) {
		struct stats *s = my_stats();

		if (s)
			s->lost_chunks++;
	}
	t->record.flags = flags;
	t->record.chunks++;
	t->record.used = 0;
}

static inline void unreadable(void)
{
	struct stats *s = my_stats();

	if (s)
		s->unreadable++;
}

#endif
