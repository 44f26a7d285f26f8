/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* BCC's stack-trace and histogram macros name these; the programs use neither. */
#define roundup_pow_of_two(n) (n)
