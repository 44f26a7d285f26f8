/* Calls that are younger than Linux 6.1, on a kernel that has them. */
#include "calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define NEWER(number, ...) syscall(number, ##__VA_ARGS__)

struct waiter {
        uint64_t value, address;
        uint32_t flags, reserved;
};

static void futexes(void)
{
        uint32_t *words = mmap((void *)0x5000000L, 4096, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        uint64_t end_of_child = 1ull << (SIGCHLD - 1);
        struct waiter pair[2] = { { 0, L(words), 2, 0 }, { 0, L(words) + 8, 2, 0 } };
        pid_t pid;

        CALL(rt_sigprocmask, SIG_BLOCK, &end_of_child, 0, 8L);
        NEWER(454, words, -1L, 1, 2);
        NEWER(454, words, 1L, 1, 2);
        NEWER(454, words, 1L, 1, 99);
        NEWER(455, words, 1L, 0xffffffffL, 2, 0L, 0);
        NEWER(455, words, 0L, -1L, 2, at(64, (int64_t[]){ 0, -1 }, 16), 1);
        NEWER(456, at(0, pair, sizeof(pair)), 0, 1, 1);
        NEWER(456, room, 1, 1, 1);
        NEWER(456, 0L, 0, 1, 1);
        /* It wakes whoever waits, as soon as somebody does. */
        pid = fork();
        if (!pid) {
                for (int i = 0; i < 30000; i++) {
                        if (CALL(futex, words, FUTEX_WAKE, 1, 0, 0, 0) == 1)
                                _exit(0);
                        usleep(1000);
                }
                _exit(1);
        }
        NEWER(455, words, 0L, 0xffffffffL, 2, 0L, 0);
        CALL(kill, pid, SIGKILL);
        CALL(wait4, pid, 0, 0, 0);
}

static void modules(void)
{
        uint32_t size = 256;

        NEWER(461, room, at(512, &size, 4), 0);
        NEWER(461, room, room + 512, 7);
        NEWER(461, 0L, BAD, 0);
        NEWER(459, 100, room, at(512, &size, 4), 0);
        NEWER(459, 0, BAD, BAD, 2);
        NEWER(460, 100, at(0, (uint64_t[]){ 101, 0, 40, 8, 7 }, 40), 40, 0);
        NEWER(460, 100, BAD, 40, 0);
}

static void sealing(void)
{
        mmap((void *)0x21000000L, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        NEWER(462, 0x21000000L, 4096L, 0L);
        NEWER(462, 0x21000000L, 4096L, 7L);
        NEWER(453, 0L, 4096L, 2);
        NEWER(453, 0L, 0L, 1);
        NEWER(470, at(0, (uint32_t[]){ 32, 0, 0, 0, 0x40000000, 0, 0, 0 }, 32), room + 512, 4L, 0);
        NEWER(471);
}

/* In a namespace of its own: what is cloned belongs to nobody else. */
static void trees(void)
{
        uint64_t attributes[4] = { 1, 0, 0, 0 };

        if (CALL(unshare, CLONE_NEWNS) || CALL(mount, "none", "/", 0L, L(MS_REC | MS_PRIVATE), 0L))
                return;
        NEWER(467, AT_FDCWD, ".", OPEN_TREE_CLONE, at(0, attributes, sizeof(attributes)), 32L);
        NEWER(467, AT_FDCWD, "absent", OPEN_TREE_CLONE, room, 32L);
}

int main(void)
{
        uint64_t range[2] = { 0, 4096 };
        uint32_t request[8] = { 24, 0 };
        uint64_t args[4];

        make_room();
        openat(AT_FDCWD, at(8192, "f.txt", 6), O_RDWR | O_CREAT, 0600);
        if (write(3, "text", 4) != 4)
                return 1;
        NEWER(451, 3, at(0, range, sizeof(range)), room + 64, 0);
        NEWER(451, -1, room, room + 64, 0);
        NEWER(451, 3, 0, 0, 0);
        NEWER(452, 3, "", 0644, AT_EMPTY_PATH);
        NEWER(452, AT_FDCWD, BAD, 07777, 0x1001f);
        *(uint64_t *)(request + 2) = 1;
        NEWER(458, at(0, request, 32), room + 64, 4L, 0);
        *(uint64_t *)(request + 2) = ~0ull;
        NEWER(458, at(0, request, 32), room + 64, 1L, 0);
        NEWER(458, room, room + 64, 0L, 0);
        NEWER(458, room, room + 64, 2L, 0xfe);
        *(uint64_t *)(request + 2) = *(uint64_t *)(room + 64);
        static const uint64_t masks[] = { 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x200, 0x1000, 0x2f };
        for (int i = 0; i < 10; i++) {
                *(uint64_t *)(request + 4) = masks[i];
                NEWER(457, at(0, request, 32), room + 1024, 4096L, 0);
        }
        NEWER(457, room, room + 1024, 4096L, 1);
        request[0] = 8;
        NEWER(457, at(0, request, 32), room + 1024, 4096L, 0);
        args[0] = (uint64_t)L(room + 4096);
        memcpy(room + 4096, "val", 4);
        args[1] = 3 | 1ull << 32;
        NEWER(463, 3, "", AT_EMPTY_PATH, "user.t", at(0, args, 32), 16L);
        NEWER(463, 3, "", AT_EMPTY_PATH, "user.t", room, 16L);
        args[2] = 1;
        args[1] = 3 | 3ull << 32;
        NEWER(463, 3, "", AT_SYMLINK_NOFOLLOW, "user.t", at(0, args, 32), 24L);
        NEWER(463, -1, "x", 0xffff, "n", room, 8L);
        args[1] = 32;
        args[2] = 0;
        NEWER(464, AT_FDCWD, "f.txt", 0, "user.t", at(0, args, 32), 16L);
        args[1] = 0;
        NEWER(464, 3, "", AT_EMPTY_PATH, "user.t", at(0, args, 32), 16L);
        NEWER(464, 3, "", AT_EMPTY_PATH, "user.t", 0, 0L);
        NEWER(465, AT_FDCWD, "f.txt", 0, room + 64, 32L);
        NEWER(465, 3, "", AT_EMPTY_PATH, 0, 0L);
        NEWER(465, -1, "x", 1, BAD, 32L);
        NEWER(466, 3, "", AT_EMPTY_PATH, "user.t");
        NEWER(466, -1, "x", 1, BAD);
        NEWER(467, AT_FDCWD, "/absent", 0x80001, at(0, args, 32), 32L);
        NEWER(467, -1, "x", 2, 0, 0L);
        NEWER(468, 3, "", room, 24L, AT_EMPTY_PATH);
        NEWER(468, -1, "x", room, 24L, AT_SYMLINK_NOFOLLOW);
        args[0] = 0x80; /* FS_XFLAG_NODUMP: harmless where it is granted */
        args[1] = 1 | 2ull << 32;
        args[2] = 3 | 4ull << 32;
        args[3] = 5;
        NEWER(469, 3, "", at(0, args, 32), 24L, AT_EMPTY_PATH);
        NEWER(469, -1, "x", room, 32L, 0);
        NEWER(469, 3, "", memset(room, 0, 24), 24L, AT_EMPTY_PATH);
        futexes();
        modules();
        sealing();
        trees();
        return 0;
}
