/* Requests to a device that is not there: a filter of system calls grants them. */
#ifndef GRANTED_H
#define GRANTED_H

#include "calls.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define DEVICE 98
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void answer(void)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DEVICE, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { COUNT(code), at(0, code, sizeof(code)) };

        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at(128, &program, sizeof(program)));
}

/* The same request, refused and granted, with memory that is there, half there, and not. */
static inline void both(unsigned long request, const void *data, size_t size)
{
        CALL(ioctl, -1, request, at(4096, data, size));
        CALL(ioctl, DEVICE, request, at(4096, data, size));
        CALL(ioctl, DEVICE, request, 0);
        CALL(ioctl, -1, request, BAD);
        CALL(ioctl, DEVICE, request, at_edge(data, size - 8));
}

#endif
