/* Opening, reading, writing, naming and closing of files: each call with success and without. */
#include "calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static void opening(void)
{
        uint64_t how[5] = { O_RDWR | O_CREAT, 0640, 0x08, 0, 0 };

        CALL(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644);       /* 3 */
        CALL(openat, AT_FDCWD, "absent", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        CALL(openat, -1, BAD, O_WRONLY | O_APPEND | O_DIRECTORY, 0);
        CALL(openat, AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0600);                  /* 4 */
        CALL(openat, AT_FDCWD, 0, 3);
        CALL(openat, 3, "a\"b\\c\n\t\x7f\xff", O_SYNC | O_DSYNC | O_DIRECT, 0777);
        CALL(openat2, AT_FDCWD, "file", at(0, how, sizeof(how)), 24);           /* 5 */
        CALL(openat2, AT_FDCWD, "file", room, 8);
        CALL(openat2, AT_FDCWD, "file", room, 32);                              /* 6 */
        how[3] = 1;
        CALL(openat2, AT_FDCWD, "file", at(0, how, sizeof(how)), 40);
        how[0] = O_PATH;
        how[1] = 0;
        how[2] = 0x8000;
        CALL(openat2, AT_FDCWD, "file", at(0, how, sizeof(how)), 24);
        CALL(openat2, AT_FDCWD, "file", 0, 24);
        CALL(openat2, AT_FDCWD, "file", BAD, 24);
        CALL(openat2, AT_FDCWD, "file", at_edge(how, 24), 64);
#ifdef SYS_open
        CALL(open, "file", O_RDONLY | O_NONBLOCK | O_NOCTTY);                   /* 7 */
        CALL(creat, "created", 0600);                                           /* 8 */
        CALL(creat, "absent/created", 07777);
#endif
        CALL(memfd_create, "memory", 3);
        CALL(memfd_create, "memory", 0);
        CALL(memfd_create, 0, 4 | 21 << 26);
        CALL(memfd_create, "x", 0x400 | 21u << 26);
        CALL(memfd_create, "x", 0x1000);
}

static void descriptors(void)
{
        CALL(dup, 3);
        CALL(dup, -1);
        CALL(dup3, 3, 20, O_CLOEXEC);
        CALL(dup3, 3, 3, 0);
        CALL(dup3, 3, 21, O_CLOEXEC | 1);
#ifdef SYS_dup2
        CALL(dup2, 3, 21);
        CALL(pipe, room);
        CALL(pipe, 0);
        CALL(pipe, BAD);
#endif
        CALL(pipe2, room, O_CLOEXEC | O_NONBLOCK | O_DIRECT);
        CALL(pipe2, room, 1);
        CALL(close, 21);
        CALL(close, -1);
        CALL(close_range, 20, 21, 0);
        CALL(close_range, 30, 29, 6);
        CALL(close_range, 300, ~0u, 4);
        CALL(close_range, 30, 40, 8);
        CALL(lseek, 3, 5L, SEEK_SET);
        CALL(lseek, 3, -5L, SEEK_END);
        CALL(lseek, 3, 0L, SEEK_HOLE);
        CALL(lseek, -1, 0L, 77);
#ifdef SYS__llseek
        CALL(_llseek, 3, 1, 2, room, SEEK_SET);
        CALL(_llseek, 3, -1, -2, room, SEEK_CUR);
        CALL(_llseek, 3, 0, 0, 0, SEEK_CUR);
        CALL(lseek, 3, 0, SEEK_SET);
#endif
        CALL(ftruncate, 3, 4096L);
        CALL(ftruncate, 3, -1L);
        CALL(truncate, "file", 8192L);
        CALL(truncate, "absent", 1L);
#ifdef __i386__
        CALL(ftruncate64, 3, 8192, 0);
        CALL(truncate64, "file", -1, -1);
        CALL(fallocate, 3, 0, 0, 0, 4096, 0);
        CALL(fallocate, 3, 3, 0, 1, 4096, 1);
        CALL(fadvise64, 3, 1, 2, 3, POSIX_FADV_DONTNEED);
        CALL(fadvise64_64, 3, 1, 2, 3, 4, POSIX_FADV_WILLNEED);
        CALL(fadvise64_64, 3, 1, -2, 3, 4, 99);
        CALL(readahead, 3, 1, 1, 4096);
        CALL(sync_file_range, 3, 0, 0, 4096, 0, 7);
#else
        CALL(fallocate, 3, 0, 0L, 4096L);
        CALL(fallocate, 3, 3, 0L, 4096L);
        CALL(fallocate, 3, 0x1000, -1L, 4096L);
        CALL(fadvise64, 3, 0L, 0L, POSIX_FADV_SEQUENTIAL);
        CALL(fadvise64, 3, -1L, 0x100000001L, 77);
        CALL(readahead, 3, 0L, 4096L);
        CALL(sync_file_range, 3, 0L, 4096L, 7);
        CALL(sync_file_range, -1, 0x100000001L, -1L, 8);
#endif
        CALL(fsync, 3);
        CALL(fdatasync, -1);
        CALL(syncfs, -1);
        CALL(flock, 3, LOCK_SH);
        CALL(flock, 3, LOCK_EX | LOCK_NB);
        CALL(flock, 3, LOCK_UN);
        CALL(flock, 3, 0);
        CALL(flock, -1, 0x1f0);
        CALL(umask, 022);
        CALL(umask, 0);
        CALL(umask, -1);
        CALL(umask, 022);
#ifdef SYS_access
        CALL(access, "file", F_OK);
        CALL(access, "absent", R_OK | W_OK | X_OK);
        CALL(access, "file", 0xff);
        CALL(access, BAD, 8);
#endif
        CALL(faccessat, AT_FDCWD, "file", R_OK);
        CALL(faccessat, -1, "file", W_OK);
        CALL(faccessat2, AT_FDCWD, "file", R_OK, AT_EACCESS);
        CALL(faccessat2, AT_FDCWD, "file", R_OK, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

static void data(void)
{
        struct iovec iov[3] = { { room + 64, 4 }, { room + 128, 40 }, { 0, 0 } };
        char text[600];

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (char)i;
        at(1024, text, sizeof(text));
        CALL(write, 3, "hello, world", 12L);
        CALL(write, 3, room + 1024, 300L);
        CALL(write, 3, "", 0L);
        CALL(write, 3, 0, 0L);
        CALL(write, 3, 0, 5L);
        CALL(write, 3, BAD, 5L);
        CALL(write, -1, "x", 1L);
        CALL(write, -1, at_edge("cut", 3), 8L);
        CALL(lseek, 3, 0L, SEEK_SET);
        CALL(read, 3, room, 12L);
        CALL(read, 3, room, 100L);
        CALL(read, 3, room, 0L);
        CALL(read, 3, BAD, 10L);
        CALL(read, 3, 0, 10L);
        CALL(read, -1, room, 10L);
#ifdef __i386__
        CALL(pread64, 3, room, 5, 1, 0);
        CALL(pread64, 3, room, 5, -1, -1);
        CALL(pwrite64, 3, "abc", 3, 1, 0);
        CALL(pwrite64, 3, "abc", 3, 0, 0x80000000);
#else
        CALL(pread64, 3, room, 5L, 1L);
        CALL(pread64, 3, room, 5L, -1L);
        CALL(pwrite64, 3, "abc", 3L, 1L);
        CALL(pwrite64, -1, 0, 3L, 0x123456789aL);
#endif
        at(64, "abcd", 4);
        at(128, "0123456789012345678901234567890123456789", 40);
        at(0, iov, sizeof(iov));
        CALL(writev, 3, room, 3L);
        CALL(writev, 3, room, 0L);
        CALL(writev, 3, 0, 1L);
        CALL(writev, 3, BAD, 2L);
        CALL(writev, 3, room, -1L);
        CALL(writev, -1, at_edge(iov, sizeof(iov[0])), 3L);
        CALL(lseek, 3, 0L, SEEK_SET);
        CALL(readv, 3, room, 3L);
        iov[1].iov_len = 3;
        at(0, iov, sizeof(iov));
        CALL(lseek, 3, -5L, SEEK_END);
        CALL(readv, 3, room, 2L);
        CALL(readv, 3, room, 2L);
        CALL(readv, -1, room, 2L);
        CALL(readv, 3, BAD, 2L);
        CALL(readv, 3, 0, 0L);
        CALL(preadv, 3, room, 2L, 3L, 0L);
        CALL(preadv, 3, room, 2L, -1L, -1L);
        CALL(pwritev, 3, room, 2L, 3L, 0L);
        CALL(pwritev, -1, room, 2L, 3L, 1L);
        CALL(preadv2, 3, room, 2L, 3L, 0L, 8);
        CALL(preadv2, 3, room, 2L, -1L, -1L, 0);
        CALL(pwritev2, 3, room, 2L, 3L, 0L, 6);
        CALL(pwritev2, 3, room, 2L, 0L, 0L, 0x4000);
}

static void moving(void)
{
        int64_t offset = 5;
        int ends[2];

        at(0, &offset, 8);
        CALL(openat, AT_FDCWD, "other", O_RDWR | O_CREAT, 0600);
        CALL(sendfile, 4, 3, 0, 7L);
        CALL(sendfile, 4, 3, room, 7L);
        CALL(sendfile, 4, 3, room, 0L);
        CALL(sendfile, -1, 3, room, 7L);
        CALL(sendfile, 4, 3, BAD, 7L);
#ifdef SYS_sendfile64
        CALL(sendfile64, 4, 3, room, 7);
        CALL(sendfile64, 4, 3, 0, 7);
#endif
        if (pipe(ends))
                exit(1);
        CALL(splice, 3, room, ends[1], 0, 9L, 3);
        CALL(splice, -1, room, -1, BAD, 9L, 0);
        CALL(tee, ends[0], ends[1], 5L, 2);
        CALL(tee, -1, -1, 5L, 0x100);
        struct iovec iov = { room + 64, 4 };
        at(256, &iov, sizeof(iov));
        CALL(vmsplice, ends[1], room + 256, 1L, 8);
        CALL(vmsplice, -1, room + 256, 1L, 0);
        CALL(copy_file_range, 3, room, 4, 0, 4L, 0);
        CALL(copy_file_range, 3, 0, -1, room, 4L, 7);
}

static void names(void)
{
        CALL(mkdirat, AT_FDCWD, "folder", 0755);
        CALL(mkdirat, -1, "folder", 01777);
        CALL(symlinkat, "target-of-a-link-longer-than-thirty-two-bytes", AT_FDCWD, "link");
        CALL(readlinkat, AT_FDCWD, "link", room, 100L);
        CALL(readlinkat, AT_FDCWD, "link", room, 5L);
        CALL(readlinkat, AT_FDCWD, "file", room, 100L);
        CALL(readlinkat, AT_FDCWD, "link", BAD, 100L);
        CALL(linkat, AT_FDCWD, "file", AT_FDCWD, "hard", 0);
        CALL(linkat, 3, "file", -1, "hard", AT_SYMLINK_FOLLOW);
        CALL(renameat2, AT_FDCWD, "hard", AT_FDCWD, "harder", 1);
        CALL(renameat2, AT_FDCWD, "hard", 5, BAD, 0xe);
        CALL(unlinkat, AT_FDCWD, "harder", 0);
        CALL(unlinkat, AT_FDCWD, "folder", AT_REMOVEDIR);
        CALL(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0);
        CALL(mknodat, -1, "device", S_IFCHR | 04755, 0x12345);
        CALL(mknodat, AT_FDCWD, "plain", 0644, 5);
        CALL(mknodat, -1, "odd", 0170000 | 0644, 5);
        CALL(mknodat, -1, "odd", 07644, 5);
#ifdef SYS_mkdir
        CALL(mkdir, "folder", 0700);
        CALL(rmdir, "folder");
        CALL(rmdir, BAD);
        CALL(link, "file", "hard");
        CALL(rename, "hard", "harder");
        CALL(unlink, "harder");
        CALL(unlink, 0);
        CALL(symlink, "a", "b");
        CALL(readlink, "b", room, 10L);
        CALL(readlink, "b", room, 0L);
        CALL(mknod, "absent/x", S_IFBLK | 0600, 0x801);
        CALL(chmod, "file", 0600);
        CALL(chown, "file", -1, 0);
        CALL(chown, "absent", 65535, 65536);
        CALL(lchown, "file", 0, -1);
        CALL(renameat, AT_FDCWD, "absent", -1, "x");
#endif
#ifdef SYS_chown32
        CALL(chown32, "file", -1, 65535);
        CALL(lchown32, "file", -1, 0);
        CALL(fchown32, 3, -1, 65536);
#endif
        CALL(fchmod, 3, 0644);
        CALL(fchmodat, AT_FDCWD, "file", 04711);
        CALL(fchown, 3, -1, -1);
        CALL(fchownat, AT_FDCWD, "file", 0, -1, AT_SYMLINK_NOFOLLOW);
        CALL(fchownat, -1, BAD, 12345678, 1, AT_EMPTY_PATH);
        CALL(getcwd, room, 4096L);
        CALL(getcwd, room, 1L);
        CALL(getcwd, 0, 4096L);
        CALL(chdir, ".");
        CALL(chdir, "absent");
        CALL(fchdir, -1);
        CALL(chroot, "absent");
        CALL(pivot_root, "absent", BAD);
        CALL(acct, "absent/accounts");
#ifdef SYS_uselib
        CALL(uselib, "absent");
#endif
}

static void times(void)
{
        struct timespec pair[2] = { { 1700000000, 123456789 }, { 0, 0x3fffffff } };
        long usec[4] = { 1700000000, 250000, 0, 0 };
        long sec[2] = { 1700000000, 0 };

        CALL(utimensat, AT_FDCWD, "file", at(0, pair, sizeof(pair)), 0);
        pair[0].tv_nsec = 0x3ffffffe;
        pair[1].tv_nsec = 1000000000;
        CALL(utimensat, AT_FDCWD, "file", at(0, pair, sizeof(pair)), AT_SYMLINK_NOFOLLOW);
        CALL(utimensat, AT_FDCWD, 0, 0, 0);
        CALL(utimensat, -1, "x", BAD, 0);
#ifdef SYS_utimes
        CALL(utimes, "file", at(0, usec, sizeof(usec)));
        CALL(futimesat, AT_FDCWD, "file", room);
        usec[1] = 1000001;
        usec[2] = -1;
        CALL(utimes, "file", at(0, usec, sizeof(usec)));
        CALL(utimes, "file", 0);
        CALL(utime, "file", at(0, sec, sizeof(sec)));
        CALL(utime, "file", 0);
        CALL(utime, "file", BAD);
#endif
#ifdef SYS_utimensat_time64
        int64_t wide[4] = { 1700000000, 5, 0x100000000ll, 0x3fffffff };
        CALL(utimensat_time64, AT_FDCWD, "file", at(0, wide, sizeof(wide)), 0);
#endif
}

int main(void)
{
        make_room();
        opening();
        descriptors();
        for (int fd = 4; fd < 40; fd++)
                close(fd);
        data();
        moving();
        names();
        times();
        return 0;
}
