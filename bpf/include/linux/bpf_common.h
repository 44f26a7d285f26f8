/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The instruction classes of classic BPF that BCC's headers build on; include/uapi/linux/bpf_common.h. */
#ifndef PYTRACER_LINUX_BPF_COMMON_H
#define PYTRACER_LINUX_BPF_COMMON_H

#define BPF_LD 0x00
#define BPF_LDX 0x01
#define BPF_ST 0x02
#define BPF_STX 0x03
#define BPF_W 0x00
#define BPF_H 0x08
#define BPF_B 0x10
#define BPF_IMM 0x00
#define BPF_ABS 0x20
#define BPF_IND 0x40
#define BPF_MEM 0x60

#endif
