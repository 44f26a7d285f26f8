/* select, poll and epoll: ready, timed out, refused. */
#include "calls.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#ifdef SYS__newselect
#define SELECT SYS__newselect
#else
#define SELECT SYS_select
#endif

struct mask_and_size {
        long mask;
        unsigned long size;
};

static void selecting(int in, int out)
{
        fd_set *sets = (fd_set *)(room + 1024);
        long *timeout = (long *)(room + 64);
        long usr1[2] = { 0x200, 0 };
        struct mask_and_size both = { L(room + 128), 8 };

        for (int i = 0; i < 3; i++)
                FD_ZERO(&sets[i]);
        FD_SET(in, &sets[0]);
        FD_SET(0, &sets[0]);
        FD_SET(out, &sets[1]);
        FD_SET(in, &sets[2]);
        timeout[0] = 1;
        timeout[1] = 500000;
        syscall(SELECT, 8, &sets[0], &sets[1], &sets[2], timeout);
        FD_ZERO(&sets[0]);
        FD_SET(in, &sets[0]);
        timeout[0] = 0;
        timeout[1] = 1;
        syscall(SELECT, 8, &sets[0], 0, 0, timeout);
        FD_SET(in, &sets[0]);
        write(out, "x", 1);
        syscall(SELECT, 8, &sets[0], 0, 0, 0);
        syscall(SELECT, 0, 0, 0, 0, timeout);
        syscall(SELECT, -1, &sets[0], 0, 0, 0);
        syscall(SELECT, 8, BAD, edge - 1, 0, 0);
        timeout[1] = -1;
        syscall(SELECT, 0, &sets[0], 0, 0, timeout);
        FD_SET(40, &sets[0]);
        syscall(SELECT, 64, &sets[0], 0, 0, 0);
        FD_CLR(40, &sets[0]);
        FD_SET(in, &sets[0]);
        at(128, usr1, sizeof(usr1));
        at(256, &both, sizeof(both));
        timeout[0] = 5;
        timeout[1] = 7;
        CALL(pselect6, 8, &sets[0], 0, 0, timeout, room + 256);
        FD_SET(in, &sets[0]);
        timeout[0] = 5;
        CALL(pselect6, 8, &sets[0], 0, 0, 0, 0);
        CALL(pselect6, 8, &sets[0], 0, 0, BAD, BAD);
        both.size = 4;
        at(256, &both, sizeof(both));
        timeout[1] = 7;
        CALL(pselect6, 8, &sets[0], 0, 0, timeout, room + 256);
#ifdef SYS__newselect
        long args[5] = { 8, L(&sets[0]), L(&sets[1]), 0, L(timeout) };
        FD_SET(in, &sets[0]);
        timeout[0] = 5; /* the kernel left in it what was left */
        timeout[1] = 7;
        CALL(select, at(300, args, sizeof(args)));
        args[0] = 0;
        timeout[0] = 0;
        timeout[1] = 0; /* what is left of more than nothing is chance */
        CALL(select, at(300, args, sizeof(args)));
        CALL(select, BAD);
        CALL(select, 0);
#endif
#ifdef SYS_pselect6_time64
        int64_t wide[2] = { 3, 9 };
        both.size = 8;
        at(256, &both, sizeof(both));
        CALL(pselect6_time64, 8, &sets[0], 0, 0, at(64, wide, sizeof(wide)), room + 256);
#endif
}

static void polling(int in, int out)
{
        struct pollfd fds[40];
        struct timespec limit = { 0, 1 };

        for (int i = 0; i < 40; i++)
                fds[i] = (struct pollfd){ in, POLLIN | POLLPRI, 0x7fff };
        fds[1] = (struct pollfd){ out, POLLOUT | POLLRDHUP, 0 };
        fds[2] = (struct pollfd){ -1, POLLIN, 0 };
        fds[3] = (struct pollfd){ 77, 0, 0 };
        fds[4] = (struct pollfd){ in, (short)0xfff0, 0 };
        at(0, fds, sizeof(fds));
#ifdef SYS_poll
        CALL(poll, room, 5, 100);
        CALL(poll, room, 40, -1);
        CALL(poll, room, 0, 0);
        CALL(poll, room + 16, 1, 1);
        CALL(poll, 0, 0, 1);
        CALL(poll, 0, 1, 1);
        CALL(poll, BAD, 2, 1);
        CALL(poll, at_edge(fds, 16), 3, 1);
        CALL(poll, edge - 24, -1, 1);
#endif
        at(0, fds, sizeof(fds));
        CALL(ppoll, room, 2, at(512, &limit, sizeof(limit)), 0, 8L);
        CALL(ppoll, room + 16, 1, room + 512, 0, 8L);
        long mask = 0x4000;
        at(640, &mask, sizeof(mask));
        CALL(ppoll, room, 1, 0, room + 640, 8L);
        CALL(ppoll, room, 1, BAD, room + 640, 7L);
#ifdef SYS_ppoll_time64
        int64_t wide[2] = { 3, 9 };
        CALL(ppoll_time64, room, 2, at(512, wide, sizeof(wide)), room + 640, 8);
#endif
}

static void epolling(int in, int out)
{
        struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x1122334455667788 };
        int64_t limit[2] = { 0, 1000 };
        long mask[2] = { 0x4000, 0 };
        int epoll;

#ifdef SYS_epoll_create
        close(CALL(epoll_create, 1));
        CALL(epoll_create, -1);
#endif
        CALL(epoll_create1, 3);
        epoll = CALL(epoll_create1, EPOLL_CLOEXEC);
        at(0, &event, sizeof(event));
        CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, in, room);
        event.events = EPOLLOUT | EPOLLONESHOT | 0x800000;
        event.data.u64 = 0;
        at(0, &event, sizeof(event));
        CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, out, room);
        CALL(epoll_ctl, epoll, EPOLL_CTL_MOD, -1, BAD);
        CALL(epoll_ctl, epoll, 9, 0, 0);
#ifdef SYS_epoll_wait
        CALL(epoll_wait, epoll, room + 64, 5, 10);
        CALL(epoll_wait, epoll, room + 64, 5, 1);
        CALL(epoll_wait, epoll, room + 64, -1, 1);
        CALL(epoll_wait, -1, BAD, 1, 1);
#endif
        CALL(epoll_ctl, epoll, EPOLL_CTL_DEL, out, room);
        CALL(epoll_pwait, epoll, room + 64, 5, 1, at(128, mask, sizeof(mask)), 8L);
        CALL(epoll_pwait, epoll, room + 64, 5, 0, 0, 8L);
        CALL(epoll_pwait, -1, room + 64, 5, 0, room + 128, 8L);
        CALL(epoll_pwait2, epoll, room + 64, 5, at(256, limit, sizeof(limit)), room + 128, 8L);
        CALL(epoll_pwait2, epoll, room + 64, 5, room + 256, 0, 0L);
        CALL(epoll_pwait2, -1, room + 64, 5, room + 256, room + 128, 8L);
}

int main(void)
{
        int ends[2];

        make_room();
        if (pipe(ends))
                return 1;
        selecting(ends[0], ends[1]);
        polling(ends[0], ends[1]);
        epolling(ends[0], ends[1]);
        return 0;
}
