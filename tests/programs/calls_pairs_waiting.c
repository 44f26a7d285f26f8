/* Calls that come back when another process wakes them. */
#include "calls.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

struct waiter {
        uint64_t value, address;
        uint32_t flags, reserved;
};

/* A child that wakes whoever waits at a word, as soon as somebody does. */
static pid_t waker(uint32_t *word)
{
        pid_t pid = fork();

        if (!pid) {
                for (int i = 0; i < 30000; i++) {
                        if (CALL(futex, word, FUTEX_WAKE, 1, 0, 0, 0) == 1)
                                _exit(0);
                        usleep(1000);
                }
                _exit(1);
        }
        return pid;
}

int main(void)
{
        uint64_t end_of_child = 1ull << (SIGCHLD - 1);
        struct waiter one;
        uint32_t *words;
        pid_t pid;

        make_room();
        CALL(rt_sigprocmask, SIG_BLOCK, &end_of_child, 0, 8L);
        words = mmap((void *)0x5000000L, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
                     -1, 0);
        pid = waker(words);
        one = (struct waiter){ 0, L(words), 2, 0 };
        CALL(futex_waitv, at(0, &one, sizeof(one)), 1, 0, 0L, 0);
        CALL(wait4, pid, 0, 0, 0);
        one.value = 1;
        CALL(futex_waitv, at(0, &one, sizeof(one)), 1, 0, 0L, 0);
        return 0;
}
