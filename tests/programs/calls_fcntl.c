/* Each command of fcntl, with success and without. */
#include "calls.h"

#include <fcntl.h>
#include <signal.h>

struct owner {
        int type, pid;
};

static void locks(int fd, long get, long set, long wait)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 7 };

        CALL(fcntl, fd, set, at(0, &lock, sizeof(lock)));
        CALL(fcntl, fd, get, room);
        lock.l_type = 77;
        lock.l_whence = 99;
        lock.l_len = -3;
        lock.l_pid = 5;
        CALL(fcntl, fd, wait, at(0, &lock, sizeof(lock)));
        CALL(fcntl, fd, get, room);
        CALL(fcntl, fd, set, 0);
        CALL(fcntl, -1, get, BAD);
        CALL(fcntl, -1, wait, at_edge(&lock, 5));
}

int main(void)
{
        struct owner owner = { 2, getpgrp() };
        uint64_t hint = 3;

        make_room();
        signal(SIGIO, SIG_IGN);
        openat(AT_FDCWD, "file", O_RDWR | O_CREAT | O_APPEND, 0600);
        CALL(fcntl, 3, F_DUPFD, 10L);
        CALL(fcntl, 3, F_DUPFD_CLOEXEC, 0L);
        CALL(fcntl, -1, F_DUPFD, -1L);
        CALL(fcntl, 3, F_GETFD, 5L);
        CALL(fcntl, 3, F_SETFD, 1L);
        CALL(fcntl, 3, F_GETFD);
        CALL(fcntl, 3, F_SETFD, 0xeL);
        CALL(fcntl, -1, F_GETFD);
        CALL(fcntl, 3, F_GETFL);
        CALL(fcntl, 3, F_SETFL, (long)(O_RDONLY | O_NONBLOCK));
        CALL(fcntl, 3, F_GETFL, 7L);
        CALL(fcntl, -1, F_GETFL);
        CALL(fcntl, -1, F_SETFL, 0x10000003L);
        locks(3, F_GETLK, F_SETLK, F_SETLKW);
#ifndef __i386__
        locks(3, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW);
#else
        struct flock64 wide = { .l_type = F_RDLCK, .l_start = 1ll << 40, .l_len = -1 };
        CALL(fcntl, 3, F_OFD_SETLK, at(0, &wide, sizeof(wide)));
        CALL(fcntl64, 3, 13, at(0, &wide, sizeof(wide)));
        CALL(fcntl64, 3, 12, room);
        CALL(fcntl64, 3, 14, BAD);
        CALL(fcntl64, 3, 12, BAD);
        CALL(fcntl64, 3, F_GETFL);
        CALL(fcntl64, 3, F_SETLK, room);
#endif
        CALL(fcntl, 3, F_SETOWN, 0L);
        CALL(fcntl, 3, F_SETOWN, -1L);
        CALL(fcntl, 3, F_GETOWN);
        CALL(fcntl, 3, F_GETOWN_EX, room);
        CALL(fcntl, 3, F_GETOWN_EX, BAD);
        owner.pid = 0;
        CALL(fcntl, 3, F_SETOWN_EX, at(0, &owner, sizeof(owner)));
        owner.type = 9;
        CALL(fcntl, 3, F_SETOWN_EX, at(0, &owner, sizeof(owner)));
        CALL(fcntl, 3, F_SETOWN_EX, 0);
        CALL(fcntl, 3, 17L, room);
        CALL(fcntl, 3, F_GETSIG);
        CALL(fcntl, 3, F_SETSIG, (long)SIGUSR1);
        CALL(fcntl, 3, F_GETSIG);
        CALL(fcntl, 3, F_SETSIG, 99L);
        CALL(fcntl, 3, F_SETSIG, 0L);
        CALL(fcntl, 3, F_GETLEASE);
        CALL(fcntl, 3, F_SETLEASE, (long)F_WRLCK);
        CALL(fcntl, 3, F_GETLEASE);
        CALL(fcntl, 3, F_SETLEASE, 77L);
        CALL(fcntl, 3, F_NOTIFY, 0x80000003L);
        CALL(fcntl, -1, F_NOTIFY, 0x40000000L);
        CALL(fcntl, 3, 0x405, 0L);
        CALL(fcntl, 3, F_GETPIPE_SZ, 7L);
        CALL(fcntl, 3, F_SETPIPE_SZ, 65536L);
        CALL(fcntl, 3, F_GET_SEALS);
        int memory = CALL(memfd_create, "sealed", 2);
        CALL(fcntl, memory, F_GET_SEALS);
        CALL(fcntl, memory, F_ADD_SEALS, 6L);
        CALL(fcntl, memory, F_GET_SEALS);
        CALL(fcntl, memory, F_ADD_SEALS, 0x8001L);
        CALL(fcntl, 3, 12L, room);
        CALL(fcntl, 3, 0x1234, 0L);
        CALL(fcntl, 3, 0x1234, 0xabcdefL);
        at(0, &hint, sizeof(hint));
        CALL(fcntl, 3, F_SET_RW_HINT, room);
        CALL(fcntl, 3, F_GET_RW_HINT, room);
        return 0;
}
