/* prctl, seccomp, landlock, futexes and the machine as a whole: each call with success and without. */
#include "calls.h"

#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>

static void options(void)
{
        static const int plain[] = {
                PR_GET_KEEPCAPS, PR_GET_SECCOMP, PR_GET_TIMERSLACK, PR_GET_TIMING, PR_GET_DUMPABLE,
                PR_GET_SECUREBITS, PR_GET_FP_MODE, PR_SVE_GET_VL, PR_SME_GET_VL,
                PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE, PR_MCE_KILL_GET,
                PR_PAC_GET_ENABLED_KEYS, PR_GET_TAGGED_ADDR_CTRL, PR_GET_NO_NEW_PRIVS,
                PR_GET_THP_DISABLE, PR_GET_IO_FLUSHER, PR_MPX_ENABLE_MANAGEMENT, 0x1234, 0,
        };
        static const int pointed[] = {
                PR_GET_CHILD_SUBREAPER, PR_GET_ENDIAN, PR_GET_FPEMU, PR_GET_FPEXC, PR_GET_NAME,
                PR_GET_PDEATHSIG, PR_GET_TID_ADDRESS, PR_GET_TSC, PR_GET_UNALIGN,
        };

        for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
                CALL(prctl, plain[i], 0, 0, 0, 0);
        for (size_t i = 0; i < sizeof(pointed) / sizeof(*pointed); i++) {
                CALL(prctl, pointed[i], room, 1, 2, 3);
                CALL(prctl, pointed[i], BAD, 1, 2, 3);
        }
        CALL(prctl, PR_SET_NAME, "a name that is far too long");
        CALL(prctl, PR_SET_NAME, "short");
        CALL(prctl, PR_SET_NAME, "0123456789abcde");
        CALL(prctl, PR_SET_NAME, BAD);
        CALL(prctl, PR_GET_NAME, room);
        CALL(prctl, PR_SET_DUMPABLE, 1);
        CALL(prctl, PR_SET_DUMPABLE, 7);
        CALL(prctl, PR_SET_PDEATHSIG, SIGTERM);
        CALL(prctl, PR_GET_PDEATHSIG, room);
        CALL(prctl, PR_SET_PDEATHSIG, 129);
        CALL(prctl, PR_SET_PDEATHSIG, 0);
        CALL(prctl, PR_SET_PTRACER, -1L);
        CALL(prctl, PR_SET_PTRACER, 1);
        CALL(prctl, PR_CAPBSET_READ, 0);
        CALL(prctl, PR_CAPBSET_READ, 99);
        CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 3, 0, 0);
        CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 1, 0);
        CALL(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 5);
        CALL(prctl, PR_CAP_AMBIENT, 77, 3, 4, 5);
        CALL(prctl, PR_SET_SECUREBITS, 0xff);
        CALL(prctl, PR_GET_SECUREBITS);
        CALL(prctl, PR_SET_SECUREBITS, 0x10000);
        CALL(prctl, PR_SET_CHILD_SUBREAPER, 1);
        CALL(prctl, PR_SET_KEEPCAPS, 7);
        CALL(prctl, PR_SET_TIMING, 1);
        CALL(prctl, PR_SET_TIMERSLACK, 50000);
        CALL(prctl, PR_SET_TSC, 1);
        CALL(prctl, PR_SET_TSC, 9);
        CALL(prctl, PR_SET_UNALIGN, 3);
        CALL(prctl, PR_SET_FP_MODE, 3);
        CALL(prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
        CALL(prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
        CALL(prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 9, 0, 0);
        CALL(prctl, PR_MCE_KILL, 5, 9, 0, 0);
        CALL(prctl, PR_SET_MM, PR_SET_MM_BRK, 1, 2, 3);
        CALL(prctl, PR_SET_VMA, 0, room, 4096, "a name");
        CALL(prctl, PR_SET_VMA, 5, room, 4096, 7);
        CALL(prctl, PR_SET_VMA, 0, 0, 0, BAD);
        CALL(prctl, PR_SET_THP_DISABLE, 0, 0, 0, 0);
        CALL(prctl, PR_SET_IO_FLUSHER, 0, 1, 2, 3);
        CALL(prctl, PR_GET_SPECULATION_CTRL, 0);
        CALL(prctl, PR_GET_SPECULATION_CTRL, 99);
        CALL(prctl, PR_SET_SPECULATION_CTRL, 1, 2);
        CALL(prctl, PR_SET_SPECULATION_CTRL, 77, 2);
        CALL(prctl, PR_SVE_SET_VL, 0x20010);
        CALL(prctl, PR_SVE_SET_VL, 0x10);
        CALL(prctl, PR_SME_SET_VL, 0xf0040010);
        CALL(prctl, PR_PAC_RESET_KEYS, 0x1f, 0, 0, 0);
        CALL(prctl, PR_PAC_RESET_KEYS, 0x20, 1, 0, 0);
        CALL(prctl, PR_PAC_SET_ENABLED_KEYS, 3, 0x10, 0, 0);
        CALL(prctl, PR_SET_TAGGED_ADDR_CTRL, 3, 0, 0, 0);
        CALL(prctl, PR_SET_TAGGED_ADDR_CTRL, 0xf0018, 0, 0, 1);
        CALL(prctl, PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
        CALL(prctl, PR_SET_SYSCALL_USER_DISPATCH, 7, 1, 2, BAD);
        CALL(prctl, 62, 0, 0, 0, room);
        CALL(prctl, 62, 1, -1, 1, BAD);
        CALL(prctl, 62, 9, 0, 9, 0);
        CALL(prctl, PR_SET_SECCOMP, 2, BAD);
        CALL(prctl, PR_SET_SECCOMP, 9, 1, 2, 3);
        CALL(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        CALL(prctl, PR_SET_NO_NEW_PRIVS, 2, 1, 0, 0);
#ifdef SYS_arch_prctl
        CALL(arch_prctl, ARCH_GET_FS, BAD);
        CALL(arch_prctl, ARCH_SET_GS, -1L);
        CALL(arch_prctl, ARCH_GET_CPUID, 5);
        CALL(arch_prctl, ARCH_SET_CPUID, 1);
        CALL(arch_prctl, 0x1021, room);
        CALL(arch_prctl, 0x1022, room);
        CALL(arch_prctl, 0x1022, BAD);
        CALL(arch_prctl, 0x1023, 1);
        CALL(arch_prctl, 0x1023, 99);
        CALL(arch_prctl, 0x7777, 0);
#endif
}

static void filters(void)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1234, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38),
                BPF_STMT(BPF_RET | BPF_A, 0x12345),
                BPF_STMT(BPF_ST | 0x40, 3),
                BPF_STMT(BPF_MISC | BPF_TXA, 0),
                BPF_STMT(BPF_MISC | 0x40, 0),
                BPF_STMT(BPF_ALU | BPF_NEG | BPF_X, 9),
                BPF_STMT(BPF_ALU | 0xc0, 9),
                BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 5),
                BPF_STMT(0xffff, 5),
                BPF_STMT(BPF_LD | 0xf8, 5),
                BPF_JUMP(BPF_JMP | 0xb0, 0x80000000, 0, 255),
        };
        struct sock_fprog program = { 14, at(0x2000, code, sizeof(code)) };

        CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, at(0x1000, &program, sizeof(program)));
        CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0x1f, room + 0x1000);
        CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0x80, BAD);
        CALL(seccomp, SECCOMP_SET_MODE_STRICT, 1, room);
        CALL(seccomp, SECCOMP_GET_ACTION_AVAIL, 0, at(0, (unsigned[]){ SECCOMP_RET_LOG }, 4));
        CALL(seccomp, SECCOMP_GET_ACTION_AVAIL, 5, at(0, (unsigned[]){ 0x123 }, 4));
        CALL(seccomp, SECCOMP_GET_NOTIF_SIZES, 0, room);
        CALL(seccomp, SECCOMP_GET_NOTIF_SIZES, 1, BAD);
        CALL(seccomp, 99, 1, 2);
        program.len = 0;
        CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at(0x1000, &program, sizeof(program)), 7, 8);
        program.len = 4;
        program.filter = (void *)BAD;
        CALL(prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at(0x1000, &program, sizeof(program)));

        CALL(landlock_create_ruleset, at(0, (uint64_t[]){ 0x1fff, 0, 0 }, 24), 8, 0);
        CALL(landlock_create_ruleset, at(0, (uint64_t[]){ 1ull << 60 }, 8), 8, 0);
        CALL(landlock_create_ruleset, room, 4, 0);
        CALL(landlock_create_ruleset, 0, 0, 1);
        CALL(landlock_create_ruleset, BAD, 8, 9);
        CALL(landlock_add_rule, 3, 1, at(0, (uint64_t[]){ 1, 0x5 }, 16), 0);
        CALL(landlock_add_rule, 3, 9, room, 0);
        CALL(landlock_add_rule, -1, 1, BAD, 0);
        CALL(landlock_restrict_self, -1, 0);
        CALL(landlock_restrict_self, -1, 77);
}

static void futexes(void)
{
        unsigned *word = (unsigned *)room;
        long *brief = at(64, (long[]){ 0, 1000 }, 2 * sizeof(long));
        int64_t waiters[6] = { 5, L(room), 2, 6, L(room) + 8, 0x700000082 };
        int64_t *wide = at(128, (int64_t[]){ 0, 1000 }, 16);

        *word = 5;
        CALL(futex, word, FUTEX_WAIT, 6, brief);
        CALL(futex, word, FUTEX_WAIT, 5, brief);
        CALL(futex, word, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 6, 0);
        CALL(futex, word, FUTEX_WAKE, 7);
        CALL(futex, word, FUTEX_WAKE_PRIVATE, -1);
        CALL(futex, word, FUTEX_REQUEUE, 1, 2, word + 1);
        CALL(futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, word + 1, 9);
        CALL(futex, word, FUTEX_WAKE_OP, 1, 2, word + 1, 0x80001002);
        CALL(futex, word, FUTEX_WAKE_OP, 1, 2, BAD, 0xf7abcdef);
        CALL(futex, word, FUTEX_WAKE_OP_PRIVATE, 1, 2, word + 1, 0);
        CALL(futex, word, FUTEX_WAIT_BITSET, 6, brief, 0, -1);
        CALL(futex, word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 6, BAD, 0, 0x10);
        CALL(futex, word, FUTEX_WAKE_BITSET_PRIVATE, 6, 0, 0, 1);
        CALL(futex, word, FUTEX_LOCK_PI, 0, BAD);
        CALL(futex, word, FUTEX_UNLOCK_PI);
        CALL(futex, word, FUTEX_TRYLOCK_PI_PRIVATE);
        CALL(futex, word, FUTEX_WAIT_REQUEUE_PI, 6, BAD, BAD);
        CALL(futex, word, FUTEX_CMP_REQUEUE_PI, 1, 2, BAD, 3);
        CALL(futex, word, FUTEX_FD, 5);
        CALL(futex, word, 77, 1, 2, 3, 4);
        CALL(futex, 0, 0x1000, 1, 0, 0, 0);
#ifdef SYS_futex_time64
        CALL(futex_time64, word, FUTEX_WAIT, 5, wide);
        CALL(futex_time64, word, FUTEX_WAIT_BITSET, 5, wide, 0, -1);
#endif
        CALL(futex_waitv, at(256, waiters, sizeof(waiters)), 2, 0, wide, 1);
        CALL(futex_waitv, room + 256, 0, 1, 0, 99);
        CALL(futex_waitv, BAD, 1, 0, BAD, 0);
        CALL(set_robust_list, room, 24);
        CALL(set_robust_list, 0, 1);
        CALL(get_robust_list, 0, room, room + 8);
        CALL(get_robust_list, -1, room, BAD);
#ifdef SYS_set_thread_area
        unsigned *desc = at(512, (unsigned[]){ 13, 0x1000, 0xfffff, 0x51 }, 16);

        CALL(modify_ldt, 0, room, 16);
        CALL(modify_ldt, 1, desc, 16);
        CALL(modify_ldt, 0x11, desc, 15);
        CALL(modify_ldt, 9, BAD, 16);
        CALL(set_thread_area, desc);
        CALL(set_thread_area, BAD);
        CALL(get_thread_area, desc);
        desc[0] = 99;
        CALL(get_thread_area, desc);
        CALL(get_thread_area, BAD);
#endif
}

static void machine(void)
{
        CALL(uname, room);
        CALL(uname, BAD);
        CALL(sysinfo, BAD);
        CALL(sysinfo, 0);
        CALL(syslog, 10, 0, 0);
        CALL(syslog, 8, BAD, 99);
        CALL(syslog, 3, BAD, 10);
        CALL(syslog, 99, BAD, -1);
        CALL(syslog, 3, room, 0);
        CALL(sethostname, "x", -1);
        CALL(sethostname, BAD, 5);
        CALL(setdomainname, "far too long", 65);
        CALL(getrandom, room, 0, 1);
        CALL(getrandom, BAD, 5, 7);
        CALL(getrandom, room, 5, 0x10);
        CALL(personality, -1);
        CALL(personality, 0x0800000);
        CALL(personality, 0x12345678);
        CALL(personality, 0);
        CALL(reboot, 1, 2, 3, 4);
        CALL(reboot, 0xfee1dead, 1, 0xa1b2c3d4, "argument");
        CALL(kexec_load, 1, 1, at(0, (long[]){ 1, 2, 3, 4 }, 4 * sizeof(long)), 0x3e0001);
        CALL(kexec_load, 1, 17, room, 0xffff0003);
        CALL(kexec_load, 0, 2, BAD, 0x123450000);
#ifdef SYS_kexec_file_load
        CALL(kexec_file_load, -1, -1, 4, "abcd", 0);
        CALL(kexec_file_load, -1, -1, 4, BAD, 0x80);
#endif
        CALL(init_module, room, 5, "parameters");
        CALL(finit_module, -1, "p", 3);
        CALL(finit_module, -1, BAD, 0x80);
        CALL(delete_module, "absent", 04000);
        CALL(delete_module, BAD, 1);
        CALL(iopl, 9);
        CALL(ioperm, 0xfffff, 1, 1);
        CALL(userfaultfd, 02004001);
        CALL(userfaultfd, 2);
        CALL(membarrier, 0x80, 0, 0);
#ifdef SYS_sysfs
        CALL(sysfs, 3, 0, 0);
#endif
}

int main(void)
{
        make_room();
        options();
        futexes();
        machine();
        filters();
        return 0;
}
