/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What kind of file a descriptor of the current task refers to: a number of enum file_kind. */
#ifndef FILEKINDS_H
#define FILEKINDS_H

#include "kernel.h"

#ifdef OFFSET_FILE_INODE

#define TYPE_SHIFT 12		    /* of S_IFMT, include/uapi/linux/stat.h */
#define MAGIC_ANON_INODE 0x09041934 /* include/uapi/linux/magic.h */

static inline u32 kind_of_file(u32 fd)
{
	u64 files = FIELD(u64, current_task_btf(), OFFSET_FILES), table, inode, file = 0;
	u16 mode = 0;

	if (!files)
		return KIND_NONE;
	table = read_word(files + OFFSET_FDT);
	if (fd >= read_half(table + OFFSET_MAX_FDS))
		return KIND_NONE;
	file = read_word(read_word(table + OFFSET_FDS) + 8 * (u64)fd);
	if (!file)
		return KIND_NONE;
	inode = read_word(file + OFFSET_FILE_INODE);
	/* Since 6.16 their mode says that they are regular files. */
	if (read_word(read_word(inode + OFFSET_INODE_SUPER) + OFFSET_SUPER_MAGIC) ==
	    MAGIC_ANON_INODE)
		return KIND_ANONYMOUS;
	bpf_probe_read_kernel(&mode, 2, (void *)(inode + OFFSET_INODE_MODE));
	switch (mode >> TYPE_SHIFT) {
	case 1:
		return KIND_PIPE;
	case 2:
		return KIND_CHARACTER;
	case 4:
		return KIND_DIRECTORY;
	case 6:
		return KIND_BLOCK;
	case 8:
		return KIND_FILE;
	case 12:
		return KIND_SOCKET;
	}
	return KIND_ANONYMOUS;
}

#endif
#endif
