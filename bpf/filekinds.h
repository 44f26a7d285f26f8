/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What kind of file a descriptor of the current task refers to: a number of enum file_kind. */
#ifndef FILEKINDS_H
#define FILEKINDS_H

#include "kernel.h"

#ifdef OFFSET_FILE_INODE

#define TYPE_SHIFT 12		    /* of S_IFMT, include/uapi/linux/stat.h */
#define MAGIC_ANON_INODE 0x09041934 /* include/uapi/linux/magic.h */

/* What the verifier knows is loaded; from the array of files on, it knows nothing. */
static inline u32 kind_of_file(u32 fd)
{
	u64 files = FIELD(u64, current_task_btf(), OFFSET_FILES), table, inode, file = 0;
	u16 mode = 0;

	if (!files)
		return KIND_NONE;
	table = FIELD(u64, files, OFFSET_FDT);
	if (!table || fd >= FIELD(u32, table, OFFSET_MAX_FDS))
		return KIND_NONE;
	file = read_word(FIELD(u64, table, OFFSET_FDS) + 8 * (u64)fd);
	if (!file)
		return KIND_NONE;
	inode = read_word(file + OFFSET_FILE_INODE);
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
		/* Since 6.16 those without a file are regular ones, too. */
		inode = read_word(inode + OFFSET_INODE_SUPER);
		if (read_word(inode + OFFSET_SUPER_MAGIC) == MAGIC_ANON_INODE)
			return KIND_ANONYMOUS;
		return KIND_FILE;
	case 12:
		return KIND_SOCKET;
	}
	return KIND_ANONYMOUS;
}

/* The first argument of the call that is entered. */
static inline u32 first_descriptor(u32 abi, void *regs)
{
#ifdef TASK_PT_REGS
	u64 r = task_pt_regs(current_task_btf()) + REGS_OFFSET;

	return abi == 1 ? REG(R_BX) : REG(R_DI);
#else
	return read_word((u64)regs + REGS_OFFSET + 8 * (abi == 1 ? R_BX : R_DI));
#endif
}

#endif
#endif
