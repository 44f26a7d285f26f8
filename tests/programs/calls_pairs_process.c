/* Calls on processes, their rights and their memory, each with the outcome that it seldom has. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#define GONE 99
#define NOBODY 65534

static pid_t fork_here(void)
{
        return CALL(clone, SIGCHLD, 0, 0, 0, 0);
}

static void wait_for(pid_t pid)
{
        CALL(wait4, pid, 0, 0, 0);
}

/* A child that becomes a session and a user of its own, and then may do nothing any more. */
static void rights(void)
{
        pid_t pid = fork_here();
        struct rlimit none = { 0, 0 };

        if (pid) {
                wait_for(pid);
                return;
        }
        CALL(setsid);
        CALL(setsid);
        CALL(vhangup);
        CALL(getpgid, 0);
        CALL(setfsgid, 7);
        CALL(setfsuid, 0);
        CALL(sched_setparam, 0, at(0, (int[]){ 0 }, 4));
        CALL(sched_setparam, 0, at(0, (int[]){ 5 }, 4));
        CALL(ioperm, 0x80L, 1L, 1);
        CALL(ioperm, 0x10000L, 1L, 1);
        CALL(iopl, 0);
        CALL(iopl, 4);
        CALL(mlockall, MCL_CURRENT);
        CALL(mlockall, 0x10);
        CALL(munlockall);
        CALL(munlock, 0L, 4096L);
        CALL(setgid, 0);
        CALL(setregid, 0, 0);
        CALL(setresgid, NOBODY, NOBODY, NOBODY);
        CALL(setreuid, 0, 0);
        CALL(setuid, 0);
        CALL(setresuid, NOBODY, NOBODY, NOBODY);
        CALL(setuid, 0);
        CALL(setgid, 0);
        CALL(setregid, 0, 0);
        CALL(setreuid, 0, 0);
        CALL(setresgid, 0, 0, 0);
        CALL(setresuid, 0, 0, 0);
        CALL(vhangup);
        CALL(chroot, "/");
        CALL(acct, 0);
        CALL(setrlimit, RLIMIT_NPROC, &none);
        CALL(fork);
        CALL(vfork);
        CALL(setrlimit, RLIMIT_NOFILE, &none);
        CALL(eventfd, 1);
        CALL(inotify_init);
        CALL(signalfd, -1, at(0, (long[]){ 0, 0 }, 8), 8L);
        CALL(exit_group, 0);
}

static void children(void)
{
        int ends[2], pidfd;
        pid_t pid;
        struct iovec part = { room, 4096 };

        pid = CALL(fork);
        if (!pid)
                CALL(exit_group, 2);
        wait_for(pid);

        /* It waits, at the end of a pipe, until it is of no more use. */
        CALL(pipe2, ends, 0);
        pid = fork_here();
        if (!pid) {
                CALL(close, ends[1]);
                CALL(read, ends[0], room, 1L);
                CALL(exit_group, 0);
        }
        CALL(close, ends[0]);
        pidfd = CALL(pidfd_open, pid, 0);
        CALL(pidfd_getfd, pidfd, 2, 0);
        CALL(pidfd_getfd, pidfd, GONE, 0);
        CALL(process_madvise, pidfd, at(8192, &part, sizeof(part)), 1L, 20, 0);
        CALL(process_madvise, pidfd, room + 8192, 1L, 99, 0);
        CALL(migrate_pages, pid, 64L, at(0, (uint64_t[]){ 1 }, 8), room);
        CALL(migrate_pages, -1, 1L, room, room);
        CALL(ptrace, PTRACE_PEEKDATA, pid, room, room);
        CALL(process_mrelease, pidfd, 0);
        CALL(process_mrelease, pidfd, 1);
        CALL(close, ends[1]);
        wait_for(pid);

        pid = fork_here();
        if (!pid) {
                char *words[] = { "true", NULL };

                CALL(execveat, AT_FDCWD, "/bin/true", at(0, words, sizeof(words)), 0L, 0);
                CALL(exit_group, 1);
        }
        wait_for(pid);
        CALL(getrusage, RUSAGE_CHILDREN, room);
        CALL(getrusage, 77, room);
}

/* A process that takes rights away from itself. */
static void landlocked(void)
{
        uint64_t handled = 1;
        pid_t pid = fork_here();
        int rules, root;
        struct {
                uint64_t access;
                int32_t parent;
        } __attribute__((packed)) rule = { 1, 0 };

        if (pid) {
                wait_for(pid);
                return;
        }
        root = CALL(openat, AT_FDCWD, "/", O_PATH);
        rules = CALL(landlock_create_ruleset, at(0, &handled, 8), 8L, 0);
        rule.parent = root;
        CALL(landlock_add_rule, rules, 1, at(64, &rule, sizeof(rule)), 0);
        CALL(landlock_add_rule, rules, 9, room + 64, 0);
        CALL(landlock_restrict_self, rules, 0);
        CALL(prctl, 38, 1L, 0L, 0L, 0L);
        CALL(landlock_restrict_self, rules, 0);
        CALL(exit_group, 0);
}

static void memory(void)
{
        uint32_t map[] = { 2, 4, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0 };

        CALL(mmap, 0x20000000L, 0x4000L, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0L);
        CALL(remap_file_pages, 0x20000000L, 0x1000L, 0L, 1L, 0);
        CALL(remap_file_pages, 0L, 0x1000L, 0L, 0L, 0);
        CALL(memfd_secret, 0);
        CALL(memfd_secret, 77);
        CALL(pkey_alloc, 0L, 0L);
        CALL(pkey_free, 1);
        CALL(bpf, 0, at(0, map, sizeof(map)), 16);
        CALL(bpf, 0, 0, 16);
        CALL(modify_ldt, 99, 0, 0L);
        CALL(modify_ldt, 0, room, 64L);
        CALL(rseq, 0L, 32, 0, 0);
        CALL(set_thread_area, BAD);
        CALL(get_thread_area, BAD);
        CALL(io_cancel, 0L, room, room);
        CALL(restart_syscall);
}

static void answers(void)
{
        CALL(clock_gettime, CLOCK_REALTIME, room);
        CALL(clock_gettime, 99, room);
        CALL(clock_getres, CLOCK_MONOTONIC, room);
        CALL(clock_getres, 99, room);
        CALL(time, 0L);
        CALL(time, BAD);
        CALL(settimeofday, 0L, 0L);
        CALL(settimeofday, BAD, 0L);
        CALL(sysinfo, room);
        CALL(sysinfo, BAD);
        memset(room, 0, 512);
        CALL(adjtimex, room);
        CALL(adjtimex, BAD);
        memset(room, 0, 512);
        CALL(clock_adjtime, CLOCK_REALTIME, room);
        CALL(clock_adjtime, 99, room);
        CALL(mq_notify, -1, 0L);
        CALL(timer_getoverrun, 99);
        CALL(sched_get_priority_max, SCHED_FIFO);
        CALL(sched_get_priority_max, 99);
        CALL(getresgid, room, room + 4, room + 8);
        CALL(getresgid, BAD, BAD, BAD);
        CALL(sched_setparam, 0, BAD);
        CALL(setsid);
        CALL(lookup_dcookie, 0L, room, 64L);
        CALL(_sysctl, BAD);
}

int main(void)
{
        uint64_t end_of_child = 1ull << (SIGCHLD - 1);

        make_room();
        CALL(rt_sigprocmask, SIG_BLOCK, &end_of_child, 0, 8L);
        rights();
        children();
        landlocked();
        memory();
        answers();
        return 0;
}
