/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* BCC chooses between old and new helpers by version; the programs need 5.11 anyhow. */
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(5, 11, 0)
