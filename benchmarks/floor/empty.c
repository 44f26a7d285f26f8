// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Two empty programs: what the kernel asks for having any at the tracepoints of system calls. */
int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return 0;
}

int raw_tracepoint__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	return 0;
}
