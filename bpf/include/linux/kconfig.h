/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* BCC includes this first and refuses to work without the option. */
#define CONFIG_BPF_SYSCALL 1
#define CONFIG_BPF_JIT 1
