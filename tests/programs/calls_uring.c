/* io_uring: rings made, entered and told of files, buffers and limits. */
#include "calls.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/uio.h>

#define REGISTER(fd, ...) CALL(io_uring_register, fd, __VA_ARGS__)

int main(void)
{
        struct io_uring_params params = { .flags = IORING_SETUP_CLAMP };
        uint64_t wait[3] = { 0, 8, 0 };
        int fds[4] = { 0, -1, -2, -3 };
        struct iovec parts[2];
        uint32_t words[16] = { 0 };
        uint64_t mask = 0x4000;

        make_room();
        CALL(io_uring_setup, 4, at(0, &params, sizeof(params)));
        params.flags = IORING_SETUP_ATTACH_WQ | 1u << 31;
        params.wq_fd = 77;
        params.resv[1] = 5;
        CALL(io_uring_setup, 0, at(0, &params, sizeof(params)));
        CALL(io_uring_setup, -1, BAD);
        CALL(io_uring_setup, 1, 0);
        CALL(io_uring_enter, 3, 0, 0, 0, 0, 0L);
        CALL(io_uring_enter, 3, 0, 0, IORING_ENTER_GETEVENTS, at(0, &mask, 8), 8L);
        CALL(io_uring_enter, -1, 1, 2, -1 & ~0x48, room, 4L);
        CALL(io_uring_enter, -1, 1, 2, 0, BAD, 8L);
        wait[0] = L(room);
        wait[2] = L(room + 128);
        CALL(io_uring_enter, -1, 1, 2, IORING_ENTER_EXT_ARG, at(64, wait, sizeof(wait)), 24L);
        CALL(io_uring_enter, -1, 1, 2, IORING_ENTER_EXT_ARG, BAD, 24L);
        parts[0] = (struct iovec){ room + 8192, 4096 };
        parts[1] = (struct iovec){ (void *)BAD, 1 };
        REGISTER(3, IORING_REGISTER_BUFFERS, at(256, parts, sizeof(parts)), 2);
        REGISTER(3, IORING_REGISTER_BUFFERS, 0, 0);
        REGISTER(3, IORING_REGISTER_FILES, at(512, fds, sizeof(fds)), 2);
        REGISTER(3, IORING_REGISTER_EVENTFD, room + 512, 1);
        REGISTER(3, IORING_REGISTER_EVENTFD_ASYNC, BAD, 1);
        words[1] = 0;
        *(uint64_t *)(words + 2) = L(room + 512);
        REGISTER(3, IORING_REGISTER_FILES_UPDATE, at(600, words, sizeof(words)), 4);
        words[1] = 7;
        REGISTER(-1, IORING_REGISTER_FILES_UPDATE, at(600, words, sizeof(words)), 1);
        memset(room + 1024, 0, 4096);
        REGISTER(3, IORING_REGISTER_PROBE, room + 1024, 3);
        REGISTER(3, IORING_REGISTER_PROBE, room + 1024, 3);
        REGISTER(3, IORING_REGISTER_PROBE, room + 1024, 257);
        REGISTER(3, IORING_REGISTER_PROBE, BAD, 1);
        memset(room + 1024, 0, 4096);
        REGISTER(-1, IORING_REGISTER_PROBE, room + 1024, 256);
        static const unsigned char rules[5][16] = {
                { 0, 0, 3 }, { 1, 0, 22 }, { 2, 0, 5 }, { 3, 0, 64, 1 }, { 9, 0, 7, 0, 1 } };
        REGISTER(3, IORING_REGISTER_RESTRICTIONS, at(2048, rules, sizeof(rules)), 5);
        memset(words, 0, sizeof(words));
        words[0] = 2;
        words[1] = 3;
        *(uint64_t *)(words + 4) = L(room + 512);
        *(uint64_t *)(words + 6) = L(room + 64);
        for (int size = 31; size < 41; size++)
                REGISTER(3, IORING_REGISTER_FILES2, at(600, words, sizeof(words)), size);
        words[9] = 1;
        REGISTER(3, IORING_REGISTER_FILES2, at(600, words, sizeof(words)), 40);
        *(uint64_t *)(words + 4) = L(room + 256);
        REGISTER(3, IORING_REGISTER_BUFFERS2, at(600, words, sizeof(words)), 32);
        memset(words, 0, sizeof(words));
        words[0] = 2;
        *(uint64_t *)(words + 2) = L(room + 512);
        *(uint64_t *)(words + 4) = 0;
        words[6] = 4;
        words[7] = 5;
        REGISTER(3, IORING_REGISTER_FILES_UPDATE2, at(600, words, sizeof(words)), 32);
        *(uint64_t *)(words + 2) = L(room + 256);
        words[6] = 2;
        REGISTER(3, IORING_REGISTER_BUFFERS_UPDATE, at(600, words, sizeof(words)), 32);
        REGISTER(3, IORING_REGISTER_BUFFERS_UPDATE, room + 600, 8);
        REGISTER(3, IORING_REGISTER_IOWQ_AFF, at(64, &mask, 8), 8);
        REGISTER(3, IORING_REGISTER_IOWQ_AFF, room + 64, 0);
        memset(words, 0, sizeof(words));
        REGISTER(3, IORING_REGISTER_IOWQ_MAX_WORKERS, at(600, words, sizeof(words)), 2);
        REGISTER(3, IORING_REGISTER_IOWQ_MAX_WORKERS, at(600, words, sizeof(words)), 3);
        REGISTER(3, IORING_REGISTER_IOWQ_MAX_WORKERS, room + 600, 0);
        REGISTER(3, IORING_REGISTER_IOWQ_MAX_WORKERS, BAD, 2);
        words[0] = -1;
        words[2] = 3;
        words[5] = 1;
        REGISTER(-1, IORING_REGISTER_RING_FDS, at(600, words, sizeof(words)), 2);
        REGISTER(-1, IORING_UNREGISTER_RING_FDS, at(600, words, sizeof(words)), 2);
        memset(words, 0, sizeof(words));
        words[0] = 0x1000;
        words[2] = 8;
        words[6] = 3;
        REGISTER(-1, IORING_REGISTER_PBUF_RING, at(600, words, sizeof(words)), 1);
        REGISTER(-1, IORING_UNREGISTER_PBUF_RING, 0, 1);
        REGISTER(-1, IORING_UNREGISTER_BUFFERS, 0, 0);
        REGISTER(-1, IORING_REGISTER_PERSONALITY, room, 7);
        for (unsigned opcode = 24; opcode < 40; opcode++) {
                memset(words, 0, sizeof(words));
                words[0] = 1;
                words[2] = 3;
                words[3] = 2;
                REGISTER(-1, opcode, at(600, words, sizeof(words)), 1);
                REGISTER(-1, opcode, BAD, 1);
        }
        REGISTER(-1, 0x8000001d, BAD, 1);
        REGISTER(-1, 0x7777, BAD, -1);
        return 0;
}
