/* Sending, handling, blocking and awaiting signals: each call with success and without. */
#include "calls.h"

#include <signal.h>
#include <time.h>

struct action {
        unsigned long handler;
        unsigned long flags;
        unsigned long restorer;
        uint64_t mask;
};

static struct action *action(unsigned long handler, unsigned long flags, uint64_t mask)
{
        struct action one = { handler, flags, 0x1230, mask };

        return at(0x100, &one, sizeof(one));
}

static void *set(uint64_t mask)
{
        return at(0x400, &mask, sizeof(mask));
}

static void handling(void)
{
        CALL(rt_sigaction, SIGUSR1, action(0, 0, 0), room, 8);
        CALL(rt_sigaction, SIGUSR1, action(1, SA_RESTART | SA_NODEFER, 1), room, 8);
        CALL(rt_sigaction, 34, action(0x123450, 0x04000000 | SA_SIGINFO | SA_ONSTACK, -1), room, 8);
        CALL(rt_sigaction, 64, action(0, 0xf8000000 | 0x123, 0x8000000100000002), 0, 8);
        CALL(rt_sigaction, 64, 0, room, 8);
        CALL(rt_sigaction, 0, 0, 0, 8);
        CALL(rt_sigaction, 65, action(-1, 0, 0xfffffffe00000000), BAD, 8);
        CALL(rt_sigaction, SIGKILL, action(0, 0, 0xffffffff), room, 8);
        CALL(rt_sigaction, SIGUSR2, BAD, room, 16);
        CALL(rt_sigaction, -5, 0, 0, 0);
        CALL(sigaltstack, 0, room);
        CALL(sigaltstack, at(0, (unsigned long[]){ L(room), 1u << 31, 0x4000 }, 24), 0);
#ifdef __x86_64__
        CALL(sigaltstack, at(0, (uint64_t[]){ L(room), 0x80000000, 0x4000 }, 24), room + 64);
        CALL(sigaltstack, at(0, (uint64_t[]){ 0, 7, 0 }, 24), room + 64);
#endif
        CALL(sigaltstack, BAD, BAD);
}

static void blocking(void)
{
        CALL(rt_sigprocmask, SIG_BLOCK, set(0), room, 8);
        CALL(rt_sigprocmask, SIG_SETMASK, set(0x8000000000000201), room, 8);
        CALL(rt_sigprocmask, SIG_UNBLOCK, set(-1), room, 8);
        CALL(rt_sigprocmask, SIG_BLOCK, set(0x0000000fffffffff), 0, 8);
        CALL(rt_sigprocmask, SIG_BLOCK, set(0xffffffff000003ff), 0, 8);
        CALL(rt_sigprocmask, SIG_BLOCK, set(0xfffffffff0000fff), 0, 8);
        CALL(rt_sigprocmask, 5, set(1), room, 8);
        CALL(rt_sigprocmask, 0, BAD, 0, 8);
        CALL(rt_sigprocmask, 0, 0, BAD, 8);
        CALL(rt_sigprocmask, 0, set(1), room, 4);
        CALL(rt_sigprocmask, 0, set(1), room, 128);
        CALL(rt_sigprocmask, SIG_SETMASK, set(0), 0, 8);
        CALL(rt_sigpending, room, 8);
        CALL(rt_sigpending, room, 3);
        CALL(rt_sigpending, room, 9);
        CALL(rt_sigpending, BAD, 8);
        CALL(rt_sigpending, room, 0);
        CALL(rt_sigsuspend, BAD, 8);
        CALL(rt_sigsuspend, set(1), 7);
}

static void sending(void)
{
        siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
        siginfo_t *stored;
        pid_t self = getpid();

        info.si_value.sival_int = 0x1234;
        info.si_pid = 77;
        info.si_errno = 5;
        stored = at(0x800, &info, sizeof(info));
        CALL(rt_sigaction, SIGUSR1, action(1, 0, 0), 0, 8);
        CALL(kill, self, SIGUSR1);
        CALL(kill, self, 0);
        CALL(kill, -1000000, 77);
        CALL(kill, 0x7fffffff, SIGTERM);
        CALL(tkill, self, SIGUSR1);
        CALL(tkill, -1, 33);
        CALL(tgkill, self, self, SIGUSR1);
        CALL(tgkill, -1, -2, 34);
        CALL(rt_sigqueueinfo, self, SIGUSR1, stored);
        CALL(rt_sigqueueinfo, -1, 64, BAD);
        CALL(rt_tgsigqueueinfo, self, self, SIGUSR1, stored);
        CALL(rt_tgsigqueueinfo, -1, 0, 65, 0);
}

static void waiting(void)
{
        CALL(rt_sigprocmask, SIG_BLOCK, set(1ull << (SIGUSR2 - 1)), 0, 8);
        CALL(kill, getpid(), SIGUSR2);
        CALL(rt_sigpending, room, 8);
#ifdef __x86_64__
        long *brief = at(0x900, (long[]){ 0, 1000 }, 16);

        CALL(rt_sigtimedwait, set(1ull << (SIGUSR2 - 1)), room, brief, 8);
        CALL(rt_sigtimedwait, set(1ull << (SIGUSR2 - 1)), room, brief, 8);
        CALL(rt_sigtimedwait, set(1), 0, brief, 8);
        CALL(kill, getpid(), SIGUSR2);
        CALL(rt_sigtimedwait, set(-1), 0, 0, 8);
        CALL(rt_sigtimedwait, BAD, BAD, BAD, 8);
        CALL(rt_sigtimedwait, 0, BAD, 0, 0);
#else
        long *brief = at(0x900, (long[]){ 0, 1000 }, 8);
        int64_t *wide = at(0x940, (int64_t[]){ 0, 1000 }, 16);

        CALL(rt_sigtimedwait, set(1ull << (SIGUSR2 - 1)), room, brief, 8);
        CALL(rt_sigtimedwait, set(1ull << (SIGUSR2 - 1)), room, brief, 8);
        CALL(kill, getpid(), SIGUSR2);
        CALL(rt_sigtimedwait_time64, set(1ull << (SIGUSR2 - 1)), room, wide, 8);
        CALL(rt_sigtimedwait_time64, set(1ull << (SIGUSR2 - 1)), 0, wide, 8);
        CALL(rt_sigtimedwait_time64, BAD, 0, BAD, 8);
#endif
#ifdef SYS_alarm
        CALL(alarm, 0);
        CALL(alarm, 1000);
        CALL(alarm, 0);
#endif
}

#ifdef __i386__
static void before_real_time(void)
{
        CALL(sigaction, SIGUSR1, at(0, (int[]){ 1, 0x200, SA_RESTART, 0 }, 16), room + 64);
        CALL(sigaction, SIGUSR1, 0, room + 64);
        CALL(sigaction, 77, at(0, (int[]){ 0x1234, -1, 0x04000001, 0x77 }, 16), BAD);
        CALL(sigaction, SIGKILL, BAD, 0);
        CALL(signal, SIGUSR1, 1);
        CALL(signal, SIGUSR1, 0);
        CALL(signal, SIGUSR2, 0x5678);
        CALL(signal, SIGUSR2, 0);
        CALL(signal, 99, -1);
        CALL(sigprocmask, SIG_BLOCK, at(0, (int[]){ 0x3 }, 4), room + 64);
        CALL(sigprocmask, SIG_SETMASK, 0, room + 64);
        CALL(sigprocmask, 9, BAD, BAD);
        CALL(sigpending, room);
        CALL(sigpending, BAD);
        CALL(ssetmask, 0x201);
        CALL(ssetmask, -1);
        CALL(ssetmask, 0);
        CALL(sgetmask);
}
#endif

int main(void)
{
        make_room();
        handling();
        blocking();
        sending();
        waiting();
#ifdef __i386__
        before_real_time();
#endif
        return 0;
}
