/* Calls that are younger than Linux 6.1, on a kernel that has them. */
#include "calls.h"

#include <fcntl.h>

#define NEWER(number, ...) syscall(number, ##__VA_ARGS__)

int main(void)
{
        uint64_t range[2] = { 0, 4096 };
        uint32_t request[8] = { 24, 0 };
        uint64_t args[4];

        make_room();
        openat(AT_FDCWD, "f.txt", O_RDWR | O_CREAT, 0600);
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
        return 0;
}
