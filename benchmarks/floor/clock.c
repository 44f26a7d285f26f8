// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Two programs that only read the clock: nothing that measures time costs less. */
int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return bpf_ktime_get_ns() == 1;
}

int raw_tracepoint__sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	return bpf_ktime_get_ns() == 1;
}
