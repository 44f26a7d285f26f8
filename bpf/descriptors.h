/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What descriptors refer to, read while the call that uses them is made: by the time that a record
 * is looked at their numbers may be other files'. Compiled in only where -y asks for it. Whatever
 * a kernel lacks (an offset of -1) is left out of the account.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include "stream.h"
#include "kernel.h"
#include "records.h"

#define FD_CWD (-100)	      /* AT_FDCWD, include/uapi/linux/fcntl.h */
#define TYPE_BITS 0170000     /* S_IFMT, include/uapi/linux/stat.h */
#define CHARACTER 0020000     /* S_IFCHR */
#define PTMX (5 << 20 | 2)    /* /dev/ptmx: drivers/tty/tty_io.c */
#define MAGIC_SOCK 0x534F434B /* SOCKFS_MAGIC and others, include/uapi/linux/magic.h */
#define MAGIC_ANON 0x09041934
#define MAGIC_PIDFS 0x50494446
#define MAGIC_NSFS 0x6e736673
#define FAMILY_UNIX 1 /* include/linux/socket.h */
#define FAMILY_NETLINK 16
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_PIDFD 4
#define CONTROL_MOST 4096

#define NAME_BYTES 256 /* NAME_MAX, and the NUL */
#define UNIX_BYTES 108 /* UNIX_PATH_MAX, include/uapi/linux/un.h */
#define NAMES_END 767  /* beyond this, the next turn goes on in a region of its own */
#define NAMES_MASK 1023
#define NAMES_A_TURN 8

/* Read a field of a kernel structure; zero where it cannot be read. */
#define PEEK(type, base, offset)                                                                   \
	({                                                                                         \
		type peeked = 0;                                                                   \
		bpf_probe_read_kernel(&peeked, sizeof(peeked), (void *)((base) + (offset)));       \
		peeked;                                                                            \
	})

/* An address of IPv4 or IPv6, a port, and the same of the peer: as struct sock_common has them. */
static inline void read_inet(struct facts *f, u64 sk)
{
	f->port = PEEK(u16, sk, OFFSET_SK_NUM);
	f->peer_port = PEEK(u16, sk, OFFSET_SK_DPORT);
	if (f->family == 2) {
		bpf_probe_read_kernel(f->address, 4, (void *)(sk + OFFSET_SK_ADDRESS));
		bpf_probe_read_kernel(f->peer, 4, (void *)(sk + OFFSET_SK_PEER));
	} else {
#if OFFSET_SK_ADDRESS6 >= 0
		bpf_probe_read_kernel(f->address, 16, (void *)(sk + OFFSET_SK_ADDRESS6));
		bpf_probe_read_kernel(f->peer, 16, (void *)(sk + OFFSET_SK_PEER6));
#endif
	}
}

static inline void read_socket(struct work *w, struct facts *f, u64 socket)
{
	u64 sk = PEEK(u64, socket, OFFSET_SOCKET_SK), other;

	if (!sk)
		return;
	f->family = PEEK(u16, sk, OFFSET_SK_FAMILY);
	f->state = PEEK(u8, sk, OFFSET_SK_STATE);
	f->protocol = PEEK(u16, sk, OFFSET_SK_PROTOCOL);
	if (f->family == 2 || f->family == 10) {
		read_inet(f, sk);
	} else if (f->family == FAMILY_UNIX) {
		other = PEEK(u64, sk, OFFSET_UNIX_PEER);
		other = other ? PEEK(u64, other, OFFSET_SK_SOCKET) : 0;
		if (other)
			f->word = PEEK(u64, other, OFFSET_SOCKET_INODE + OFFSET_INODE_NUMBER);
		w->bound = PEEK(u64, sk, OFFSET_UNIX_ADDRESS);
	} else if (f->family == FAMILY_NETLINK) {
#if OFFSET_NETLINK_PORT >= 0
		f->number = PEEK(u32, sk, OFFSET_NETLINK_PORT);
		f->bound =
		    PEEK(u8, sk, OFFSET_NETLINK_BOUND) || PEEK(u32, sk, OFFSET_NETLINK_GROUPS);
#endif
	}
}

/* The process that a pidfd stands for, as the user calls it; -1 when it is gone for good. */
static inline void read_pidfd(struct facts *f, u64 pid)
{
	u32 zero = 0;
	struct config *c = config.lookup(&zero);
	u32 depth = PEEK(u32, pid, OFFSET_LEVEL);

	f->flags |= FACTS_PIDFD;
	f->number = -1;
	if (!c || !PEEK(u64, pid, OFFSET_PID_TASKS))
		return;
	f->number = 0;
	if (c->level <= depth)
		f->number = PEEK(u32, pid, OFFSET_NUMBERS + (u64)c->level * SIZE_UPID);
}

/* Of files without a path: what /proc/PID/fdinfo tells of them. */
static inline void read_anonymous(struct facts *f, u64 dentry, u64 file)
{
	u64 private = PEEK(u64, file, OFFSET_FILE_PRIVATE), kind = 0;

	bpf_probe_read_kernel(&kind, 8, (void *)PEEK(u64, dentry, OFFSET_DENTRY_NAME));
#if OFFSET_EVENTFD_COUNT >= 0
	if (kind == 0x6466746e6576655b) { /* "[eventfd" */
		f->flags |= FACTS_EVENTFD;
		f->word = PEEK(u64, private, OFFSET_EVENTFD_COUNT);
		f->number = PEEK(u32, private, OFFSET_EVENTFD_ID);
		f->bound = PEEK(u32, private, OFFSET_EVENTFD_FLAGS) & 1; /* EFD_SEMAPHORE */
	}
#endif
#if OFFSET_SIGNALFD_MASK >= 0
	if (kind == 0x666c616e6769735b) { /* "[signalf" */
		f->flags |= FACTS_SIGNALFD;
		f->word = ~PEEK(u64, private, OFFSET_SIGNALFD_MASK);
	}
#endif
	if ((kind & 0xffffffffffffff) == 0x5d64666469705b) /* "[pidfd]", before 6.9 */
		read_pidfd(f, private);
}

/* Find the file behind a number, and say what it is apart from its name. */
static inline int begin_facts(struct work *w, struct facts *f)
{
	u64 task = current_task_btf(), base, inode, file = 0, block;

	__builtin_memset(f, 0, sizeof(*f));
	w->bound = 0;
	w->name = 0;
	if ((s32)w->number == FD_CWD) {
		base = FIELD(u64, task, OFFSET_FS) + OFFSET_FS_PWD;
		w->mount = PEEK(u64, base, 0);
		w->dentry = PEEK(u64, base, 8);
		inode = PEEK(u64, w->dentry, OFFSET_DENTRY_INODE);
	} else {
		base = PEEK(u64, FIELD(u64, task, OFFSET_FILES), OFFSET_FILES_TABLE);
		if ((u32)w->number >= PEEK(u32, base, OFFSET_TABLE_SIZE))
			return 0;
		base = PEEK(u64, base, OFFSET_TABLE_FILES);
		file = PEEK(u64, base, (u64)(u32)w->number * 8);
		if (!file)
			return 0;
		w->mount = PEEK(u64, file, OFFSET_FILE_PATH);
		w->dentry = PEEK(u64, file, OFFSET_FILE_PATH + 8);
		inode = PEEK(u64, file, OFFSET_FILE_INODE);
	}
	block = PEEK(u64, inode, OFFSET_INODE_SUPER);
	f->inode = PEEK(u64, inode, OFFSET_INODE_NUMBER);
	f->mode = PEEK(u16, inode, OFFSET_INODE_MODE);
	f->rdev = PEEK(u32, inode, OFFSET_INODE_RDEV);
	f->device = PEEK(u32, block, OFFSET_SUPER_DEVICE);
	f->magic = PEEK(u64, block, OFFSET_SUPER_MAGIC);
	if (w->dentry == PEEK(u64, w->dentry, OFFSET_DENTRY_PARENT)) {
		if (w->dentry != PEEK(u64, w->mount, OFFSET_MOUNT_ROOT))
			f->flags |= FACTS_PSEUDO;
	} else if (!PEEK(u64, w->dentry, OFFSET_DENTRY_HASHED)) {
		f->flags |= FACTS_DELETED;
	}
	if (!file)
		return 1;
	if (f->magic == MAGIC_SOCK)
		read_socket(w, f, PEEK(u64, file, OFFSET_FILE_PRIVATE));
	else if (f->magic == MAGIC_ANON)
		read_anonymous(f, w->dentry, file);
#if OFFSET_INODE_PRIVATE >= 0
	else if (f->magic == MAGIC_PIDFS)
		read_pidfd(f, PEEK(u64, inode, OFFSET_INODE_PRIVATE));
#endif
#if OFFSET_NS_OPS >= 0
	else if (f->magic == MAGIC_NSFS)
		w->name =
		    PEEK(u64, PEEK(u64, PEEK(u64, inode, OFFSET_INODE_PRIVATE), OFFSET_NS_OPS),
			 OFFSET_NS_NAME);
#endif
#if OFFSET_TTY_INDEX >= 0
	else if ((f->mode & TYPE_BITS) == CHARACTER && f->rdev == PTMX)
		f->number = PEEK(u32, PEEK(u64, PEEK(u64, file, OFFSET_FILE_PRIVATE), OFFSET_TTY),
				 OFFSET_TTY_INDEX);
#endif
	return 1;
}

/*
 * Add the names on the way from the file up to the root, the file's own first. Answers whether
 * there are more.
 */
static inline int add_names(struct work *w, struct facts *f, char *bytes)
{
	u64 dentry, mount, up;
	u32 at;
	long n;

	for (int i = 0; i < NAMES_A_TURN; i++) {
		at = w->at;
		if (at > NAMES_END)
			return 1;
		BOUND(at, NAMES_MASK);
		dentry = w->dentry;
		up = w->name;
		if (!up) {
			mount = w->mount;
			if (dentry == PEEK(u64, mount, OFFSET_MOUNT_ROOT)) {
				mount -= OFFSET_MOUNT_PART;
				up = PEEK(u64, mount, OFFSET_MOUNT_PARENT);
				if (up == mount)
					return 0;
				w->dentry = PEEK(u64, mount, OFFSET_MOUNT_POINT);
				w->mount = up + OFFSET_MOUNT_PART;
				continue;
			}
			up = PEEK(u64, dentry, OFFSET_DENTRY_NAME);
		}
		n = bpf_probe_read_kernel_str(bytes + at, NAME_BYTES, (void *)up);
		if (n <= 0)
			return 0;
		w->at = at + (n & 511);
		if (w->name)
			return 0;
		up = PEEK(u64, dentry, OFFSET_DENTRY_PARENT);
		if (up == dentry)
			return 0;
		w->dentry = up;
	}
	return 1;
}

/* The address that a unix socket is bound to, behind the name of its protocol. */
static inline void add_bound(struct work *w, struct facts *f, char *bytes)
{
	u32 at = w->at, length = PEEK(u32, w->bound, OFFSET_ADDRESS_LENGTH) - 2;

	BOUND(at, NAMES_MASK);
	if (length > UNIX_BYTES)
		length = UNIX_BYTES;
	BOUND(length, 127);
	if (bpf_probe_read_kernel(bytes + at, length, (void *)(w->bound + OFFSET_ADDRESS_NAME + 2)))
		return;
	f->name_bytes = length;
	w->at = at + length;
}

/* How many bits of a word are set. */
static inline u32 population(u64 word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return word * 0x0101010101010101 >> 56;
}

/* Find the next member of a set in the word that has bit item->length. */
static inline int next_member(struct work *w, struct thread *t, struct item *item, struct step *s)
{
	u32 reg = s->value, bit = item->length;
	u64 most = reg <= 5 ? (u32)t->record.args[reg] : 0, word = 0;

	w->number = -1;
	if (most > (u64)item->bytes * 8)
		most = (u64)item->bytes * 8;
	if (bit >= most)
		return 0;
	bpf_probe_read_user(&word, 8, (void *)(item->base + (bit >> 6) * 8));
	word >>= bit & 63;
	item->length = (bit | 63) + 1;
	if (!word)
		return 1;
	bit += population((word & -word) - 1);
	item->length = bit + 1;
	if (bit < most)
		w->number = bit;
	return 1;
}

/*
 * Find the next descriptor in control messages. item->length is where to look, item->wanted where
 * the message there ends.
 */
static inline int next_passed(struct work *w, struct thread *t, struct item *item)
{
	u32 head = t->record.abi ? 12 : 16, word = t->record.abi ? 4 : 8, at = item->length;
	u64 size = 0;
	u32 kind[2] = {};
	s32 number = -1;

	w->number = -1;
	if (at + 4 <= item->wanted) {
		bpf_probe_read_user(&number, 4, (void *)(item->base + at));
		w->number = number;
		item->length = at + 4;
		return 1;
	}
	at = (item->wanted + word - 1) & ~(u64)(word - 1);
	if (at + head > item->bytes || at > CONTROL_MOST)
		return 0;
	bpf_probe_read_user(&size, word, (void *)(item->base + at));
	bpf_probe_read_user(kind, 8, (void *)(item->base + at + word));
	if (size < head)
		return 0;
	if (size > item->bytes - at)
		size = item->bytes - at;
	item->wanted = at + size;
	item->length = at + head;
	if (kind[0] != SOL_SOCKET || (kind[1] != SCM_RIGHTS && kind[1] != SCM_PIDFD))
		item->length = item->wanted;
	return 1;
}

/* Find the next number to describe; -1 stands for none yet. Answers whether there may be more. */
static inline int next_number(struct work *w, struct thread *t, struct item *item, struct step *s)
{
	u32 reg = s->reg;
	s32 number = -1;

	if (s->from == NUMBERS_SET)
		return next_member(w, t, item, s);
	if (s->from == NUMBERS_PASSED) {
		if (!item->length)
			item->wanted = 0;
		return next_passed(w, t, item);
	}
	if (item->length)
		return 0;
	item->length = 1;
	if (s->flags & STEP_OFFSET)
		bpf_probe_read_user(&number, 4,
				    (void *)(item->base + (u64)item->index * item->stride + s->at));
	else if (reg <= 5)
		number = t->record.args[reg];
	else
		number = t->record.ret;
	w->number = number;
	return 1;
}

/*
 * Describe the next descriptor of a step, or as much of it as one region holds. Answers whether
 * there is more to do.
 */
static inline int describe(void *ctx, struct work *w, struct thread *t, struct item *item,
			   struct step *s)
{
	struct region *region;
	struct facts *f;
	u32 used, at, more;

	if (!item->done) {
		if (!next_number(w, t, item, s))
			return 0;
		if ((s32)w->number < 0 && (s32)w->number != FD_CWD)
			return 1;
	}
	if (t->record.used > DATA_MASK)
		send_chunk(ctx, t);
	used = t->record.used;
	BOUND(used, DATA_MASK);
	region = (void *)&t->data[used];
	f = (void *)(region + 1);
	w->at = 0;
	if (!item->done) {
		if (!begin_facts(w, f))
			return 1;
		w->at = sizeof(*f);
	}
	more = add_names(w, f, (char *)f);
	if (!more && !item->done && w->bound)
		add_bound(w, f, (char *)f);
	at = w->at;
	BOUND(at, DATA_MASK);
	item->done = more;
	region->address = (u32)w->number;
	region->length = at;
	region->flags = REGION_DESCRIBES | (w->phase == PHASE_EXIT ? 0 : REGION_ENTRY) |
			(more ? REGION_MORE : 0);
	t->record.used = used + sizeof(*region) + ((at + 7) & ~7U);
	return 1;
}

#endif
