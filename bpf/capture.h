/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The engine that runs capture plans: it reads the memory that the call in flight wants and puts
 * it behind the call's record. The including program defines
 *
 *   after_capture(ctx, t, phase)   the plan of this phase is done.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "stream.h"
#include "kernel.h"
#include "tracking.h"
#include "records.h"
#ifdef WITH_DESCRIPTORS
#include "descriptors.h"
#endif
#ifdef WITH_STACKS
#include "stacks.h"
#endif

BPF_TABLE("array", u32, struct step, steps, 32768);
BPF_TABLE("percpu_array", u32, struct work, works, 1);
BPF_TABLE("prog", u32, u32, tails, 1);

static inline void after_capture(void *ctx, struct thread *t, u32 phase);

static inline void push(struct work *w, u32 step, u64 base, u32 count, u32 stride, u32 flags)
{
	u32 depth = w->depth;
	struct item *item = &w->stack[depth & (DEPTH - 1)];

	if (depth >= DEPTH)
		return;
	item->base = base;
	item->index = 0;
	item->count = count;
	item->done = 0;
	item->length = 0;
	item->step = step;
	item->stride = stride;
	item->flags = flags;
	item->bytes = w->got;
	w->depth = depth + 1;
}

/* Read a length out of the enclosing block. */
static inline void read_length(struct item *item, u32 width, u64 at)
{
	u64 word = 0;
	int failed;

	if (width == 8)
		failed = bpf_probe_read_user(&word, 8, (void *)at);
	else if (width == 4)
		failed = bpf_probe_read_user(&word, 4, (void *)at);
	else if (width == 2)
		failed = bpf_probe_read_user(&word, 2, (void *)at);
	else
		failed = bpf_probe_read_user(&word, 1, (void *)at);
	item->wanted = failed ? 0 : word;
}

/* Find where the item on top points and how much to read. A length of 0 says
 * that there is nothing.
 */
static inline void resolve(struct work *w, struct thread *t, struct item *item, struct step *s)
{
	u64 block = item->base + (u64)item->index * item->stride;
	u32 reg = s->reg;

	item->length = 0;
	item->address = 0;
	if (s->flags & STEP_OFFSET) {
		u64 pointer = 0;

		if (s->flags & STEP_WORD4)
			bpf_probe_read_user(&pointer, 4, (void *)(block + s->at));
		else
			bpf_probe_read_user(&pointer, 8, (void *)(block + s->at));
		item->address = pointer;
		if (!item->address && item->flags & STEP_UNTIL_NULL)
			item->count = 0;
	} else if (reg <= 5) {
		item->address = t->record.args[reg];
#ifdef WITH_STACKS
	} else if (reg == PLACE_STACK) {
		item->address = FIELD(u64, user_registers(), REGS_OFFSET + 8 * R_SP);
#endif
	}
	if (!item->address)
		return;
	item->wanted = s->fixed;
	reg = s->value;
	if (s->from == FROM_REGISTER && reg <= 5)
		item->wanted = t->record.args[reg];
	else if (s->from == FROM_RETURN)
		item->wanted = t->record.ret < 0 ? 0 : t->record.ret;
	else if (s->from == FROM_PARENT)
		read_length(item, s->width, block + s->value);
	if (s->from == FROM_REGISTER) {
		if (s->width == 4)
			item->wanted = (u32)item->wanted;
		else if (s->width == 2)
			item->wanted = (u16)item->wanted;
	}
	if (item->wanted > s->netlink)
		item->wanted = s->netlink;
	if (s->from != FROM_CONST)
		item->wanted *= s->unit;
	if (s->flags & STEP_BROUGHT && (s64)item->wanted > t->record.ret)
		item->wanted = t->record.ret < 0 ? 0 : t->record.ret;
	if (item->wanted > s->limit &&
	    (s->limit >= s->netlink || !netlink_socket(t->record.args[0])))
		item->wanted = s->limit;
	if (item->wanted > s->netlink)
		item->wanted = s->netlink;
	item->length = item->wanted;
}

/* Move the item on top to its next element, or its next sibling, or off the stack. */
static inline void advance(struct work *w, struct item *item, struct step *s)
{
	item->done = 0;
	item->length = 0;
	if (++item->index < item->count)
		return;
	if (w->depth == 1)
		w->ordinal++;
	if (s->next && item->count) {
		item->index = 0;
		item->step = s->next;
		return;
	}
	w->depth--;
}

/* Whether an outermost fetch need not be done again. */
static inline int skipped(struct work *w, struct thread *t)
{
	return w->phase == PHASE_RETRY && w->depth == 1 && !(t->retry >> (w->ordinal & 31) & 1);
}

/* Read one piece of memory. */
static inline void run(void *ctx, struct work *w, struct thread *t)
{
	struct item *item = &w->stack[(w->depth - 1) & (DEPTH - 1)];
	u32 id = item->step;
	struct step *s = steps.lookup(&id);
	struct region *region;
	u32 piece, used, got, child;
	u64 address;
	long n;

	if (!s) {
		w->depth = 0;
		return;
	}
#ifdef WITH_STACKS
	if (s->flags & STEP_REGISTERS) {
		if (!skipped(w, t))
			add_registers(ctx, t);
		advance(w, item, s);
		return;
	}
#endif
#ifdef WITH_DESCRIPTORS
	if (s->flags & STEP_DESCRIBE) {
		if (skipped(w, t) || !describe(ctx, w, t, item, s))
			advance(w, item, s);
		return;
	}
#endif
	if (!item->done) {
		if (skipped(w, t))
			item->length = 0;
		else
			resolve(w, t, item, s);
	}
	if (!item->length) {
		advance(w, item, s);
		return;
	}
	if (t->record.used > DATA_MASK)
		send_chunk(ctx, t);
	used = t->record.used;
	BOUND(used, DATA_MASK);
	region = (void *)&t->data[used];
	address = item->address + item->done;
	piece = item->length - item->done;
	w->flags = w->phase == PHASE_EXIT ? 0 : REGION_ENTRY;
	if (piece > PIECE_BYTES) {
		piece = PIECE_BYTES;
		w->flags |= REGION_MORE;
	}
	BOUND(piece, DATA_MASK);
	w->got = piece;
	if (s->flags & STEP_CSTR) {
		n = bpf_probe_read_user_str(region + 1, piece + 1, (void *)address);
		if (n < 0) {
			w->got = 0;
			w->flags |= REGION_SHORT;
		} else if (n <= piece) {
			w->got = n;
			w->flags &= ~REGION_MORE; /* its NUL is among the bytes */
		}
	} else if (bpf_probe_read_user(region + 1, piece, (void *)address)) {
		/* Up to the end of the page, if the piece crosses it. */
		u32 rest = 4096 - (address & 4095);

		w->flags |= REGION_SHORT;
		if (rest >= piece)
			rest = 0;
		BOUND(rest, DATA_MASK);
		w->got = rest;
		if (bpf_probe_read_user(region + 1, rest, (void *)address))
			w->got = 0;
	}
	if (w->flags & REGION_SHORT) {
		w->flags &= ~REGION_MORE;
		if (w->phase == PHASE_ENTRY)
			t->retry |= 1 << (w->ordinal & 31);
		else if (!w->got)
			unreadable();
	}
	got = w->got;
	region->address = address;
	region->length = got;
	region->flags = w->flags;
	t->record.used = used + sizeof(*region) + ((got + 7) & ~7U);
	got += item->done;
	item->done = got;
	if (w->flags & REGION_MORE)
		return;
	address = item->address;
	child = s->child;
	advance(w, item, s);
	if (child && got) {
		u32 stride = s->stride;

		w->elements = 1;
		if (stride) {
			u32 elements = got / stride;

			w->elements = elements > s->elements ? s->elements : elements;
		}
		w->got = got;
		if (w->elements)
			push(w, child, address, w->elements, stride, s->flags);
	}
}

#define READS_A_PROGRAM 8

int capture(struct bpf_raw_tracepoint_args *ctx)
{
	u32 zero = 0, key = bpf_get_current_pid_tgid();
	struct work *w = works.lookup(&zero);
	struct thread *t = entry_of(key, 1);

	if (!w || !t) {
		leave_gate();
		return 0;
	}
	for (int i = 0; i < READS_A_PROGRAM; i++) {
		if (!w->depth) {
			if (!w->then)
				break;
			w->phase = PHASE_EXIT;
			push(w, w->then, 0, 1, 0, 0);
			w->then = 0;
		}
		run(ctx, w, t);
	}
	if (w->depth || w->then)
		tails.call(ctx, 0);
	/* Finished, or more than 33 programs would be needed: what is not read is not
	 * captured. */
	after_capture(ctx, t, w->phase);
	return 0;
}

static inline struct work *my_work(u32 phase)
{
	u32 zero = 0;
	struct work *w = works.lookup(&zero);

	if (w) {
		w->depth = 0;
		w->ordinal = 0;
		w->then = 0;
		w->phase = phase;
	}
	return w;
}

#endif
