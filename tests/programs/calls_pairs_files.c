/* Calls on files that other programs make with one outcome only: here with the other one. */
#include "calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#define GONE 99 /* a descriptor that is not open */

static void names(void)
{
        CALL(mknod, "pipe", S_IFIFO | 0600, 0L);
        CALL(mknod, "pipe", S_IFIFO | 0600, 0L);
        CALL(chmod, "pipe", 0640);
        CALL(chmod, "absent", 0640);
        CALL(fchmodat, AT_FDCWD, "pipe", 0600);
        CALL(fchmodat, AT_FDCWD, "absent", 0600);
        CALL(faccessat2, AT_FDCWD, "pipe", R_OK, AT_EACCESS);
        CALL(faccessat2, AT_FDCWD, "absent", R_OK, AT_EACCESS);
        CALL(link, "pipe", "other");
        CALL(link, "absent", "other");
        CALL(rename, "other", "third");
        CALL(rename, "absent", "third");
        CALL(renameat, AT_FDCWD, "third", AT_FDCWD, "other");
        CALL(renameat, AT_FDCWD, "absent", GONE, "other");
        CALL(symlink, "target", "symbolic");
        CALL(symlink, "target", "symbolic");
        CALL(symlinkat, "target", AT_FDCWD, "symbolic.2");
        CALL(symlinkat, "target", AT_FDCWD, "symbolic.2");
        CALL(lchown, "symbolic", -1, -1);
        CALL(lchown, "absent", 0, 0);
        CALL(futimesat, AT_FDCWD, "pipe", at(0, (long[]){ 1, 2, 3, 4 }, 4 * sizeof(long)));
        CALL(futimesat, AT_FDCWD, "absent", room);
        CALL(mkdir, "folder", 0700);
        CALL(mkdir, "folder", 0700);
        CALL(unlinkat, AT_FDCWD, "symbolic.2", 0);
        CALL(unlinkat, AT_FDCWD, "absent", 0);
        CALL(unlinkat, AT_FDCWD, "absent", AT_REMOVEDIR);
}

static void attributes(void)
{
        CALL(lsetxattr, "text", "user.one", "value", 5L, 1);
        CALL(lsetxattr, "text", "user.one", "value", 5L, 1);
        CALL(lgetxattr, "text", "user.one", room, 64L);
        CALL(lgetxattr, "text", "user.absent", room, 64L);
        CALL(fsetxattr, 3, "user.two", "more", 4L, 0);
        CALL(fsetxattr, GONE, "user.two", "more", 4L, 0);
        CALL(flistxattr, GONE, room, 64L);
        CALL(llistxattr, "absent", room, 64L);
        CALL(fremovexattr, 3, "user.two");
        CALL(fremovexattr, 3, "user.two");
        CALL(removexattr, "text", "user.absent");
        CALL(lremovexattr, "text", "user.one");
        CALL(lremovexattr, "text", "user.one");
}

static void descriptors(void)
{
        struct iovec parts[2] = { { room + 4096, 3 }, { room + 5000, 4 } };
        int ends[2], more[2], folder;

        CALL(fchmod, 3, 0600);
        CALL(fchmod, GONE, 0600);
        CALL(fchown, 3, -1, -1);
        CALL(fchown, GONE, 0, 0);
        CALL(fsync, 3);
        CALL(fsync, GONE);
        CALL(fdatasync, 3);
        CALL(fdatasync, GONE);
        CALL(syncfs, 3);
        CALL(syncfs, GONE);
        CALL(preadv2, 3, at(0, parts, sizeof(parts)), 2L, 0L, 0L, 0);
        CALL(preadv2, GONE, room, 2L, 0L, 0L, 8);
#ifdef __i386__
        CALL(readahead, 3, 0L, 0L, 4096L);
        CALL(readahead, GONE, 0L, 0L, 4096L);
#else
        CALL(readahead, 3, 0L, 4096L);
        CALL(readahead, GONE, 0L, 4096L);
#endif
        CALL(dup2, 3, 20);
        CALL(dup2, GONE, 20);
        folder = CALL(openat, AT_FDCWD, "folder", O_RDONLY | O_DIRECTORY);
        CALL(fchdir, folder);
        CALL(fchdir, 3);
        CALL(openat, AT_FDCWD, "../folder/new", O_RDWR | O_CREAT, 0600);
        CALL(chdir, "..");
        CALL(pipe2, ends, 0);
        CALL(pipe2, more, 0);
        if (write(ends[1], "through", 7) != 7)
                exit(1);
        CALL(tee, ends[0], more[1], 4L, 0);
        CALL(tee, ends[0], 3, 4L, 2);
}

/* A file system whose figures nobody else changes. */
static void figures(void)
{
        int sys = CALL(openat, AT_FDCWD, "/sys", O_RDONLY);
        struct stat status;

#ifdef __i386__
        CALL(fstatfs64, sys, 84L, room);
        CALL(fstatfs64, GONE, 84L, room);
#endif
        CALL(fstatfs, sys, room);
        CALL(fstatfs, GONE, room);
        fstat(sys, &status);
        CALL(ustat, L(status.st_dev), room);
        CALL(ustat, 0L, room);
        CALL(sync);
}

int main(void)
{
        make_room();
        CALL(openat, AT_FDCWD, "text", O_RDWR | O_CREAT, 0600);
        if (write(3, "some text", 9) != 9)
                return 1;
#ifdef SYS_open
        CALL(open, "absent", O_RDONLY);
#endif
        names();
        attributes();
        descriptors();
        figures();
        return 0;
}
