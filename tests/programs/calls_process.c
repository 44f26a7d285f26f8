/* Making, naming, waiting for and looking into processes: each call with success and without. */
#include "calls.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define P_PIDFD_ID 3

/* A child that ends at once, with a status. */
static pid_t child(int status)
{
        pid_t pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);

        if (!pid)
                CALL(exit_group, status);
        return pid;
}

/* A child that stops itself, and, once it may go on, kills itself. */
static pid_t stopper(void)
{
        pid_t pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);

        if (!pid) {
                CALL(kill, getpid(), SIGSTOP);
                CALL(kill, getpid(), SIGKILL);
        }
        return pid;
}

static void running(void)
{
        char *words[] = { "argument", "with \"quotes\"\n", "", NULL };
        char *many[40];
        char **stored = at(0x1000, words, sizeof(words));

        for (int i = 0; i < 39; i++)
                many[i] = "x";
        many[39] = NULL;
        CALL(execve, "absent", stored, stored + 2);
        CALL(execve, "absent", at(0x2000, many, sizeof(many)), room + 0x2000);
        CALL(execve, "absent", stored + 3, stored + 3);
        CALL(execve, 0, 0, 0);
        CALL(execve, BAD, BAD, BAD);
        CALL(execve, "absent", at_edge(words, 3 * sizeof(*words)), at_edge(words, 3 * sizeof(*words)));
        CALL(execveat, AT_FDCWD, "absent", stored, stored, AT_SYMLINK_NOFOLLOW);
        CALL(execveat, -1, "", stored, 0, AT_EMPTY_PATH);
        CALL(execveat, -1, BAD, 0, 0, 0x1);
}

static void making(void)
{
        int *status = (int *)room;
        pid_t pid;
        uint64_t args[11] = { 0 };

        for (int code = 0; code < 2; code++) {
                pid = child(code * 42);
                CALL(wait4, pid, status, 0, code ? room + 64 : 0);
        }
        CALL(wait4, -1, status, WNOHANG | __WALL, room + 64);
        CALL(wait4, -1, 0, 0x10000000, 0);
        CALL(wait4, -1, BAD, __WCLONE | WUNTRACED | WCONTINUED, BAD);
#ifdef SYS_waitpid
        pid = child(3);
        CALL(waitpid, pid, status, 0);
        CALL(waitpid, -1, BAD, WNOHANG);
#endif
        CALL(clone, SIGCHLD | CLONE_SIGHAND, 0, 0, 0, 0);
        CALL(clone, CLONE_THREAD | CLONE_PARENT_SETTID | CLONE_SETTLS | CLONE_CHILD_CLEARTID, 0x1230, BAD,
             BAD, BAD);
        CALL(clone, CLONE_NEWUSER | CLONE_FS | CLONE_PIDFD | 0x400000 | 200, 0, BAD, 0, 0);
        CALL(clone, SIGCHLD | CLONE_THREAD, 0x7000, 0, 0, 0);
        CALL(clone, 77 | CLONE_SIGHAND, 0, 0, 0, 0);
        pid = CALL(clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0,
                   room + 32, room + 40, room + 40);
        if (!pid)
                CALL(exit, 0);
        CALL(wait4, pid, status, 0, 0);

        args[4] = SIGCHLD;
        pid = CALL(clone3, at(0x3000, args, sizeof(args)), 64);
        if (!pid)
                CALL(exit_group, 7);
        CALL(wait4, pid, status, 0, 0);
        args[0] = CLONE_PARENT_SETTID | CLONE_PIDFD | CLONE_CHILD_SETTID;
        args[1] = L(room) + 16;
        args[2] = L(room) + 20;
        args[3] = L(room) + 24;
        pid = CALL(clone3, at(0x3000, args, sizeof(args)), 88);
        if (!pid)
                CALL(exit_group, 0);
        CALL(wait4, pid, status, 0, 0);
        args[0] = CLONE_THREAD | CLONE_SETTLS | CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND | 1ull << 50;
        args[4] = 1ull << 33;
        args[5] = 0x5000;
        args[6] = 0x1000;
        args[7] = L(room);
        args[8] = L(room) + 0x4000;
        args[9] = 2;
        args[10] = 5;
        at(0x4000, (int[]){ 11, 12 }, 8);
        CALL(clone3, at(0x3000, args, sizeof(args)), 88);
        CALL(clone3, room + 0x3000, 80);
        CALL(clone3, room + 0x3000, 63);
        CALL(clone3, room + 0x3000, 100);
        memset(room + 0x3000 + 88, 0x5a, 12);
        CALL(clone3, room + 0x3000, 100);
        args[9] = 33;
        CALL(clone3, at(0x3000, args, sizeof(args)), 88);
        args[8] = 0;
        args[9] = 1;
        args[4] = 200;
        CALL(clone3, at(0x3000, args, sizeof(args)), 88);
        CALL(clone3, 0, 88);
        CALL(clone3, BAD, 88);
#ifdef SYS_vfork
        CALL(unshare, 0);
#endif
        CALL(unshare, CLONE_FS | CLONE_FILES | 0x1);
        CALL(unshare, CLONE_NEWTIME | 1u << 31);
        CALL(setns, -1, 0);
        CALL(setns, -1, CLONE_NEWNS | CLONE_NEWTIME);
        CALL(setns, 0, 0x1);
}

static void waiting(void)
{
        pid_t pid = stopper();
        int pidfd = CALL(pidfd_open, pid, 0);
        siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

        CALL(wait4, pid, room, WUNTRACED, 0);
        CALL(pidfd_open, -1, 0x800);
        CALL(pidfd_open, -1, 0x7f);
        CALL(waitid, P_PID, pid, room, WNOHANG | WEXITED, room + 256);
        CALL(waitid, P_PIDFD_ID, pidfd, room, WNOHANG | WEXITED | WNOWAIT, 0);
        CALL(pidfd_send_signal, pidfd, 0, 0, 0);
        CALL(pidfd_send_signal, -1, 37, at(512, &info, sizeof(info)), 0);
        CALL(pidfd_send_signal, -1, 99, BAD, 0);
        CALL(pidfd_send_signal, pidfd, SIGCONT, 0, 0);
        CALL(waitid, P_PID, pid, room, WEXITED, room + 256);
        CALL(waitid, P_ALL, 0, room, WEXITED, 0);
        CALL(waitid, P_PGID, 0, 0, WEXITED | WSTOPPED, BAD);
        CALL(waitid, 9, 9, BAD, 0x100, 0);
        CALL(pidfd_getfd, pidfd, 0, 0);
        CALL(pidfd_getfd, -1, -1, 3);
        CALL(close, pidfd);
        pid = child(1);
        CALL(waitid, P_PID, pid, room, WEXITED | WNOWAIT, 0);
        CALL(wait4, pid, room, 0, room + 256);
#ifdef SYS_ptrace
        pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);
        if (!pid) {
                CALL(ptrace, 999, 0, 0, 0);
                CALL(kill, getpid(), SIGTERM);
        }
        CALL(wait4, pid, room, 0, 0);
#endif
}

static void naming(void)
{
        CALL(getpid);
        CALL(gettid);
        CALL(getppid);
#ifdef SYS_getpgrp
        CALL(getpgrp);
#endif
        CALL(getpgid, 0);
        CALL(getpgid, -1);
        CALL(getsid, 0);
        CALL(getsid, 0x7fffffff);
        CALL(setpgid, 0, 0);
        CALL(setpgid, -1, -5);
        CALL(setsid);
        CALL(setsid);
        CALL(set_tid_address, room);
        CALL(set_tid_address, 0);
        CALL(kcmp, getpid(), getpid(), KCMP_FILE, 0, 0);
        CALL(kcmp, 0, 0, KCMP_VM, 0, 0);
        CALL(kcmp, -1, -1, KCMP_EPOLL_TFD, 3, at(0, (int[]){ 4, 5, 6 }, 12));
        CALL(kcmp, -1, -1, KCMP_EPOLL_TFD, 3, BAD);
        CALL(kcmp, 0, 0, 99, 0x10, 0);
        CALL(membarrier, 0, 0, 0);
        CALL(membarrier, 1 << 4, 0, 0);
        CALL(membarrier, 0x4000, 1, 5);
        CALL(membarrier, 3, 6, 5);
        CALL(process_mrelease, -1, 7);
        CALL(process_mrelease, 0, 0);
#ifdef SYS_vhangup
        CALL(getcpu, 0, 0, 0);
        CALL(getcpu, BAD, room, 0x1234);
#endif
}

int main(void)
{
        uint64_t end_of_child = 1ull << (SIGCHLD - 1);

        make_room();
        /* When it would come is nothing that a program can say. */
        CALL(rt_sigprocmask, SIG_BLOCK, &end_of_child, 0, 8);
        running();
        making();
        waiting();
        naming();
        CALL(exit_group, 3);
}
