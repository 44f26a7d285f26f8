/* Calls that change the machine, with success: in namespaces of the program's own. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

#define GONE 99

int main(void)
{
        uint64_t attributes[4] = { 1, 0, 0, 0 };
        int context, made, tree, names, group, base;
        struct {
                unsigned size;
                int type;
                unsigned char handle[64];
        } file = { .size = 64 };

        make_room();
        CALL(mkdir, "base", 0700);
        CALL(mkdir, "new", 0700);
        names = CALL(openat, AT_FDCWD, "/proc/self/ns/uts", O_RDONLY);
        /* Nothing that follows may reach the machine. */
        if (CALL(unshare, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET))
                return 77;
        if (CALL(mount, "none", "/", 0L, L(MS_REC | MS_PRIVATE), 0L))
                return 77;
        CALL(sethostname, "a-host", 6L);
        CALL(sethostname, "a-host", 65L);
        CALL(setdomainname, "a-domain", 8L);
        CALL(setdomainname, BAD, 8L);
        CALL(setns, names, CLONE_NEWUTS);
        CALL(setns, names, CLONE_NEWNET);

        CALL(mount, "tmp", "base", "tmpfs", L(MS_NOSUID | MS_NODEV), "size=64k");
        CALL(mount, "tmp", "absent", "tmpfs", 0L, 0L);
        context = CALL(fsopen, "tmpfs", 1);
        CALL(fsopen, "absent", 0);
        CALL(fsconfig, context, FSCONFIG_SET_STRING, "size", "64k", 0);
        CALL(fsconfig, context, FSCONFIG_SET_FLAG, "absent", 0, 0);
        CALL(fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
        made = CALL(fsmount, context, 0, 0);
        CALL(fsmount, context, 0, 0);
        CALL(move_mount, made, "", AT_FDCWD, "new", MOVE_MOUNT_F_EMPTY_PATH);
        CALL(move_mount, GONE, "", AT_FDCWD, "new", 0);
        CALL(fspick, AT_FDCWD, "new", FSPICK_CLOEXEC);
        CALL(fspick, AT_FDCWD, "absent", 0);
        tree = CALL(open_tree, AT_FDCWD, "new", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        CALL(open_tree, AT_FDCWD, "absent", OPEN_TREE_CLONE);
        CALL(mount_setattr, tree, "", AT_EMPTY_PATH, at(0, attributes, sizeof(attributes)), 32L);
        CALL(mount_setattr, AT_FDCWD, "absent", 0, room, 32L);
        group = CALL(fanotify_init, 0x1 | 0x2, O_RDONLY);
        CALL(fanotify_init, 0x80000000, O_RDONLY);
#ifdef __i386__
        CALL(fanotify_mark, group, 1, 0x20L, 0L, AT_FDCWD, "new");
        CALL(fanotify_mark, GONE, 1, 0x20L, 0L, AT_FDCWD, "new");
#else
        CALL(fanotify_mark, group, 1, 0x20L, AT_FDCWD, "new");
        CALL(fanotify_mark, GONE, 1, 0x20L, AT_FDCWD, "new");
#endif
        CALL(quotactl, 0x80000100, 0L, 0, 0L);
        CALL(quotactl, 0x80000100, BAD, 0, 0L);
        /* The root of this file system has the same handle in every run. */
        CALL(mount, "groups", "base", "cgroup2", 0L, 0L);
        base = CALL(openat, AT_FDCWD, "base", O_RDONLY | O_DIRECTORY);
        CALL(name_to_handle_at, base, "", at(4096, &file, sizeof(file)), room + 8192, AT_EMPTY_PATH);
        CALL(open_by_handle_at, base, room + 4096, O_RDONLY | O_DIRECTORY);
        CALL(open_by_handle_at, GONE, room + 4096, O_RDONLY);
        CALL(mkdir, "new/old", 0700);
        CALL(pivot_root, "absent", "absent");
        CALL(pivot_root, "new", "new/old");
        CALL(chdir, "/");
        CALL(umount2, "/old", MNT_DETACH);
        CALL(umount2, "/old", MNT_DETACH);
        CALL(chroot, "/old");
        CALL(chroot, "/absent");
        return 0;
}
