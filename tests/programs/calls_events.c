/* eventfd, signalfd, inotify, fanotify and the first form of asynchronous input and output. */
#include "calls.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/uio.h>
#include <time.h>

static void descriptors(void)
{
        uint64_t mask = 0x4200;
        int fd;

        CALL(eventfd, 7);
        CALL(eventfd2, -1, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
        CALL(eventfd2, 0, 0x10);
        CALL(signalfd, -1, at(0, &mask, 8), 8L);
        CALL(signalfd4, -1, room, 8L, O_CLOEXEC | O_NONBLOCK);
        CALL(signalfd4, -1, room, 4L, 0);
        CALL(signalfd4, -1, BAD, 8L, 1);
        CALL(inotify_init);
        fd = CALL(inotify_init1, IN_CLOEXEC | IN_NONBLOCK);
        CALL(inotify_init1, 1);
        CALL(inotify_add_watch, fd, ".", IN_CREATE | IN_DELETE | IN_ONLYDIR);
        CALL(inotify_add_watch, fd, "absent", IN_ALL_EVENTS | IN_ONESHOT);
        CALL(inotify_add_watch, -1, BAD, 0);
        CALL(inotify_rm_watch, fd, 1);
        CALL(inotify_rm_watch, -1, -1);
        CALL(fanotify_init, 0x1c | 3, O_RDWR);
        CALL(fanotify_init, FAN_CLASS_PRE_CONTENT | FAN_CLASS_CONTENT | FAN_CLOEXEC, 0);
        CALL(fanotify_init, 0x80000000, O_RDONLY | O_CLOEXEC);
#ifdef __i386__
        CALL(fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE_WRITE, 1, AT_FDCWD, "absent");
        CALL(fanotify_mark, -1, 0, 0, 0, -1, 0);
#else
        CALL(fanotify_mark, -1, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, L(FAN_OPEN | FAN_CLOSE_WRITE), AT_FDCWD,
             "absent");
        CALL(fanotify_mark, -1, 0, 0x100000000L, -1, BAD);
        CALL(fanotify_mark, -1, FAN_MARK_REMOVE, 0L, 3, 0);
#endif
}

static void asynchronous(void)
{
        struct iocb blocks[8];
        struct iovec iov[2] = { { room + 8192, 4 }, { room + 8200, 3 } };
        struct timespec limit = { 0, 5 };
        long pointers[9], context = 0;

        CALL(openat, AT_FDCWD, "file", O_RDWR | O_CREAT, 0600);
        CALL(io_setup, 4, BAD);
        CALL(io_setup, 4, at(0, &context, sizeof(context)));
        memcpy(&context, room, sizeof(context));
        memset(blocks, 0, sizeof(blocks));
        memcpy(room + 8192, "abcdefghijk", 11);
        at(8300, iov, sizeof(iov));
        for (int i = 0; i < 8; i++) {
                blocks[i].aio_data = 0x100 + i;
                blocks[i].aio_fildes = 3;
                blocks[i].aio_buf = L(room + 8192);
                blocks[i].aio_nbytes = 5;
                pointers[i] = L(room + 1024 + i * sizeof(*blocks));
        }
        blocks[0].aio_lio_opcode = IOCB_CMD_PWRITE;
        blocks[1].aio_lio_opcode = IOCB_CMD_PREAD;
        blocks[1].aio_offset = -1;
        blocks[2].aio_lio_opcode = IOCB_CMD_PWRITEV;
        blocks[2].aio_buf = L(room + 8300);
        blocks[2].aio_nbytes = 2;
        blocks[3].aio_lio_opcode = IOCB_CMD_PREADV;
        blocks[3].aio_buf = L(room + 8300);
        blocks[3].aio_nbytes = 1;
        blocks[3].aio_flags = IOCB_FLAG_RESFD;
        blocks[3].aio_resfd = 77;
        blocks[4].aio_lio_opcode = IOCB_CMD_POLL;
        blocks[4].aio_buf = POLLIN | POLLOUT;
        blocks[4].aio_reqprio = 5;
        blocks[5].aio_lio_opcode = IOCB_CMD_FSYNC;
        blocks[5].aio_key = 9;
        blocks[6].aio_lio_opcode = 99;
        blocks[6].aio_rw_flags = 2;
        blocks[6].aio_flags = IOCB_FLAG_IOPRIO;
        blocks[6].aio_reqprio = 0x2003;
        blocks[7].aio_lio_opcode = IOCB_CMD_PWRITE;
        blocks[7].aio_nbytes = -1;
        blocks[7].aio_resfd = 5;
        at(1024, blocks, sizeof(blocks));
        pointers[8] = BAD;
        at(512, pointers, sizeof(pointers));
        CALL(io_submit, context, 2L, room + 512);
        CALL(io_submit, 0, 9L, room + 512);
        CALL(io_submit, 0, 0L, room + 512);
        CALL(io_submit, 0, -1L, room + 512);
        CALL(io_submit, 0, 1L, BAD);
        CALL(io_getevents, context, 2L, 4L, room + 4096, at(0, &limit, sizeof(limit)));
        CALL(io_getevents, context, 1L, 4L, room + 4096, room);
        CALL(io_getevents, 0, -1L, 4L, room + 4096, room);
        CALL(io_pgetevents, context, 0L, 4L, room + 4096, 0, 0);
        CALL(io_pgetevents, 0, 0L, 4L, BAD, room, BAD);
        CALL(io_cancel, context, pointers[0], room + 4096);
        CALL(io_cancel, 0, BAD, BAD);
        CALL(io_cancel, 0, pointers[6], room);
        CALL(io_destroy, context);
        CALL(io_destroy, 0);
}

int main(void)
{
        make_room();
        descriptors();
        for (int fd = 3; fd < 30; fd++)
                close(fd);
        asynchronous();
        return 0;
}
