/* ptrace: each request with success and without. To be traced without its child. */
#include "calls.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

static const int by_number[] = {
        PTRACE_CONT, PTRACE_DETACH, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_ATTACH, PTRACE_INTERRUPT,
        PTRACE_KILL, PTRACE_LISTEN, PTRACE_PEEKTEXT, PTRACE_PEEKDATA, PTRACE_PEEKUSR, PTRACE_POKEUSR,
        PTRACE_GETSIGMASK, PTRACE_SETSIGMASK, PTRACE_GETSIGINFO, PTRACE_SETSIGINFO, PTRACE_GETEVENTMSG,
        PTRACE_PEEKSIGINFO, PTRACE_SEIZE, PTRACE_SETOPTIONS, PTRACE_GETREGSET, PTRACE_SETREGSET, 12, 13,
        14, 15, 31, 32, 33, 25, 26, PTRACE_SECCOMP_GET_FILTER, PTRACE_SECCOMP_GET_METADATA,
        PTRACE_GET_SYSCALL_INFO, 0x420f, 999,
};

static void *vector(long size)
{
        struct iovec one = { room + 0x2000, size };

        return at(0x1000, &one, sizeof(one));
}

static void refused(void)
{
        for (size_t i = 0; i < sizeof(by_number) / sizeof(*by_number); i++) {
                CALL(ptrace, by_number[i], -1, 0, 0);
                CALL(ptrace, by_number[i], -1, 8, BAD);
                CALL(ptrace, by_number[i], -1, room, room + 64);
        }
        CALL(ptrace, PTRACE_PEEKUSR, -1, 8 * 16, BAD);
        CALL(ptrace, PTRACE_PEEKUSR, -1, 8 * 16 + 3, BAD);
        CALL(ptrace, PTRACE_PEEKUSR, -1, 848, BAD);
        CALL(ptrace, PTRACE_PEEKUSR, -1, 912, BAD);
        CALL(ptrace, PTRACE_PEEKUSR, -1, 913, BAD);
        CALL(ptrace, PTRACE_POKEUSR, -1, 180, 5);
        CALL(ptrace, PTRACE_SETOPTIONS, -1, 0, 0x1000ff);
        CALL(ptrace, PTRACE_SEIZE, -1, 0, 0xfff00000);
        CALL(ptrace, PTRACE_CONT, -1, 1, SIGTERM);
        CALL(ptrace, PTRACE_SETREGSET, -1, NT_PRSTATUS, vector(32));
        CALL(ptrace, PTRACE_SETREGSET, -1, NT_PRSTATUS, vector(33));
        CALL(ptrace, PTRACE_SETREGSET, -1, NT_PRSTATUS, vector(1000));
        CALL(ptrace, PTRACE_SETREGSET, -1, NT_FPREGSET, vector(48));
        CALL(ptrace, PTRACE_SETREGSET, -1, NT_X86_XSTATE, vector(48));
        CALL(ptrace, PTRACE_GETREGSET, -1, 99, vector(48));
}

static void driven(void)
{
        int *status = (int *)room;
        pid_t pid;

        /* The child makes its calls by hand, so that its registers hold nothing but what is known. */
        pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);
        if (!pid) {
                CALL(ptrace, PTRACE_TRACEME, 0, 0, 0);
                CALL(kill, getpid(), SIGSTOP);
                CALL(write, 99, 0x1234, 5);
                CALL(exit_group, 0);
        }
        CALL(wait4, pid, status, 0, 0);
        CALL(ptrace, PTRACE_SETOPTIONS, pid, 0, 1);
        CALL(ptrace, PTRACE_GETSIGINFO, pid, 0, room + 64);
        CALL(ptrace, PTRACE_GETSIGMASK, pid, 8, room + 64);
        CALL(ptrace, PTRACE_GETEVENTMSG, pid, 0, room + 64);
        CALL(ptrace, PTRACE_PEEKSIGINFO, pid, at(256, (uint64_t[]){ 0, 1ull << 32 }, 16), room + 64);
        CALL(ptrace, PTRACE_SECCOMP_GET_FILTER, pid, 0, 0);
        CALL(ptrace, PTRACE_SECCOMP_GET_METADATA, pid, 16, memset(room + 64, 0, 64));
        CALL(ptrace, PTRACE_SYSCALL, pid, 0, 0);
        CALL(wait4, pid, status, 0, 0);
        CALL(ptrace, PTRACE_SYSCALL, pid, 0, 0);
        CALL(wait4, pid, status, 0, 0);
        CALL(ptrace, PTRACE_GET_SYSCALL_INFO, pid, 4, room + 64);
        CALL(ptrace, PTRACE_GET_SYSCALL_INFO, pid, 0, room + 64);
        CALL(ptrace, PTRACE_GET_SYSCALL_INFO, pid, 33, BAD);
        CALL(ptrace, PTRACE_GETREGSET, pid, 99, vector(8));
        CALL(ptrace, PTRACE_GETREGSET, pid, NT_PRSTATUS, vector(8));
        CALL(ptrace, PTRACE_GETREGSET, pid, NT_FPREGSET, vector(8));
        CALL(ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, vector(8));
        CALL(ptrace, PTRACE_DETACH, pid, 0, 0);
        CALL(wait4, pid, status, 0, 0);
}

int main(void)
{
        uint64_t end_of_child = 1ull << (SIGCHLD - 1);

        make_room();
        /* Where nobody has written there is no memory yet, and nothing for eBPF to read. */
        memset(room, 0, ROOM_BYTES - 4096);
        /* When it would come is nothing that a program can say. */
        CALL(rt_sigprocmask, SIG_BLOCK, &end_of_child, 0, 8);
        refused();
        driven();
        return 0;
}
