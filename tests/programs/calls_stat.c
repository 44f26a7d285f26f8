/* The stat, statfs, xattr and getdents families: each call with success and without. */
#include "calls.h"

#include <fcntl.h>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#define S_IFIFO_MODE 0010000
#define S_IFDIR_MODE 0040000

static void set_times(const char *name, long seconds, long nanoseconds)
{
        struct timespec pair[2] = { { seconds, nanoseconds }, { -1, 0 } };

        utimensat(AT_FDCWD, name, pair, 0);
}

static void stats(void)
{
        static const char *const files[] = { "file", "/dev/null", "/", "absent", "fifo" };

        for (int i = 0; i < 5; i++) {
#ifdef SYS_stat
                CALL(stat, files[i], room);
                CALL(lstat, files[i], room);
#endif
#ifdef SYS_stat64
                CALL(stat64, files[i], room);
                CALL(lstat64, files[i], room);
                CALL(fstatat64, AT_FDCWD, files[i], room, AT_SYMLINK_NOFOLLOW);
#endif
#ifdef SYS_newfstatat
                CALL(newfstatat, AT_FDCWD, files[i], room, AT_SYMLINK_NOFOLLOW);
#endif
                CALL(statx, AT_FDCWD, files[i], 0, 0xfff, room);
        }
#ifdef SYS_stat
        CALL(stat, "file", 0);
        CALL(stat, BAD, BAD);
        CALL(fstat, 3, room);
        CALL(fstat, -1, room);
#endif
#ifdef SYS_newfstatat
        CALL(newfstatat, 3, "", room, AT_EMPTY_PATH);
        CALL(newfstatat, -1, "", BAD, AT_NO_AUTOMOUNT);
#endif
#ifdef SYS_fstat64
        CALL(fstat64, 3, room);
        CALL(fstat64, -1, 0);
        CALL(oldstat, "file", room);
        CALL(oldlstat, "absent", room);
        CALL(oldfstat, 3, room);
#endif
        CALL(statx, 3, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, 1, room);
        CALL(statx, 3, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, room);
        CALL(statx, -1, BAD, AT_STATX_SYNC_TYPE, 0x80000000, BAD);
        CALL(statx, AT_FDCWD, "file", 0, 0xfff, 0);
}

static void filesystems(void)
{
        CALL(statfs, "/proc", room);
        CALL(statfs, "/dev/pts", room);
        CALL(statfs, "absent", room);
        CALL(fstatfs, -1, room);
        CALL(statfs, "/proc", BAD);
#ifdef SYS_statfs64
        CALL(statfs64, "/proc", 84, room);
        CALL(statfs64, "/proc", 88, room);
        CALL(statfs64, "/proc", 12, room);
        CALL(fstatfs64, -1, 84, room);
#endif
#ifdef SYS_ustat
        CALL(ustat, 0x12345, room);
#endif
}

static void attributes(void)
{
        char value[80];

        memset(value, 'v', sizeof(value));
        CALL(setxattr, "file", "user.a", "abc", 3L, 0);
        CALL(setxattr, "file", "user.b", "abc", 4L, XATTR_CREATE);
        CALL(lsetxattr, "file", "user.long", at(0, value, sizeof(value)), 80L, XATTR_REPLACE);
        CALL(setxattr, "file", "user.c", "a\0\n\377", 4L, 3);
        CALL(setxattr, "file", "user.d", BAD, 3L, 8);
        CALL(setxattr, "file", BAD, 0, 70000L, 0);
        CALL(fsetxattr, 3, "user.empty", "", 0L, 0);
        CALL(fsetxattr, 3, "user.long", room, 80L, 0);
        CALL(getxattr, "file", "user.a", room, 100L);
        CALL(getxattr, "file", "user.b", room, 100L);
        CALL(getxattr, "file", "user.b", room, 1L);
        CALL(lgetxattr, "file", "user.absent", room, 100L);
        CALL(getxattr, "file", 0, 0, 0L);
        CALL(fgetxattr, 3, "user.long", room, 100L);
        CALL(fgetxattr, -1, "user.long", BAD, 100L);
        CALL(listxattr, "file", room, 200L);
        CALL(llistxattr, "file", 0, 0L);
        CALL(listxattr, "file", room, 1L);
        CALL(flistxattr, 3, room, 200L);
        CALL(removexattr, "file", "user.a");
        CALL(lremovexattr, "file", "user.absent");
        CALL(fremovexattr, 3, BAD);
}

static void directories(void)
{
        int fd = open("folder", O_RDONLY | O_DIRECTORY);

#ifdef SYS_getdents
        CALL(getdents, fd, room, 1000);
        CALL(getdents, fd, room, 1000);
        CALL(getdents, 3, room, 1000);
        lseek(fd, 0, SEEK_SET);
        CALL(getdents, fd, room, 1);
#endif
        lseek(fd, 0, SEEK_SET);
        CALL(getdents64, fd, room, 1000);
        CALL(getdents64, fd, room, 1000);
        CALL(getdents64, -1, 0, 1000);
#ifdef SYS_readdir
        lseek(fd, 0, SEEK_SET);
        CALL(readdir, fd, room, 1);
        CALL(readdir, fd, room, 2);
        CALL(readdir, fd, room, 1);
        CALL(readdir, fd, room, 1);
        CALL(readdir, fd, room, 1);
        CALL(readdir, -1, room, 1);
#endif
}

int main(void)
{
        make_room();
        open("file", O_RDWR | O_CREAT, 0640);
        if (ftruncate(3, 12345))
                return 1;
        mknod("fifo", S_IFIFO_MODE | 0600, 0);
        mkdir("folder", 0755);
        mknod("folder/a-name", S_IFIFO_MODE | 0600, 0);
        mkdir("folder/another-name-that-is-longer-than-thirty-two-bytes", 0755);
        set_times("file", 1700000000, 123456789);
        stats();
        filesystems();
        attributes();
        directories();
        return 0;
}
