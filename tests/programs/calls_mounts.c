/* Mounts, quotas, handles and swapping: only calls that change nothing. */
#include "calls.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/mount.h>
#include <linux/quota.h>
#include <sys/mount.h>

static void mounts(void)
{
        uint64_t attributes[5] = { 0x11, 0x20, 1 << 18, 0, 7 };

        CALL(mount, "a", "absent", "a-file-system-type-longer-than-32-bytes", 0L, "data");
        CALL(mount, "a", "absent", "type", L(MS_REMOUNT | MS_RDONLY), "data");
        CALL(mount, "a", "absent", "type", L(MS_BIND | MS_REC), "data");
        CALL(mount, "a", "absent", "type", L(MS_REMOUNT | MS_BIND), "data");
        CALL(mount, 0, "absent", 0, L(MS_PRIVATE), 0);
        CALL(mount, "a", "absent", "type", 0xc0ed0000L, BAD);
        CALL(mount, BAD, BAD, BAD, 0xc0ed0001L, 0);
        CALL(mount, "a", "absent", "type", 0x7fffffffL, "data");
#ifdef SYS_umount
        CALL(umount, "absent");
#endif
        CALL(umount2, "absent", MNT_DETACH | UMOUNT_NOFOLLOW);
        CALL(umount2, BAD, 0x100);
        CALL(move_mount, AT_FDCWD, "absent", -1, BAD, 0x77);
        CALL(open_tree, AT_FDCWD, "absent", OPEN_TREE_CLONE | AT_RECURSIVE);
        CALL(open_tree, -1, BAD, 0);
        CALL(mount_setattr, AT_FDCWD, "absent", AT_EMPTY_PATH, at(0, attributes, sizeof(attributes)), 32L);
        CALL(mount_setattr, -1, "x", 0, room, 40L);
        CALL(mount_setattr, -1, "x", 0, room, 8L);
        attributes[0] = 0x100000;
        attributes[2] = 77;
        attributes[3] = 3;
        CALL(mount_setattr, -1, "x", 0, at(0, attributes, sizeof(attributes)), 32L);
        attributes[3] = 0x100000003;
        CALL(mount_setattr, -1, "x", AT_RECURSIVE, at(0, attributes, sizeof(attributes)), 32L);
        CALL(mount_setattr, -1, "x", 0, BAD, 32L);
}

static void contexts(void)
{
        CALL(fsopen, "absent", 1);
        CALL(fsopen, BAD, 0x10);
        CALL(fsconfig, -1, FSCONFIG_SET_FLAG, "key", "value", 0);
        CALL(fsconfig, -1, FSCONFIG_SET_STRING, "key", "value", 1);
        CALL(fsconfig, -1, FSCONFIG_SET_BINARY, "key", "val\0e", 5);
        CALL(fsconfig, -1, FSCONFIG_SET_BINARY, "key", "value", -1);
        CALL(fsconfig, -1, FSCONFIG_SET_PATH, "key", "/path", AT_FDCWD);
        CALL(fsconfig, -1, FSCONFIG_SET_PATH_EMPTY, BAD, "", 3);
        CALL(fsconfig, -1, FSCONFIG_SET_FD, "key", 0, 1);
        CALL(fsconfig, -1, FSCONFIG_CMD_CREATE, 0, 0, 0);
        CALL(fsconfig, -1, 77, "key", "value", 2);
        CALL(fsmount, -1, 1, 0x10 | 0x40000);
        CALL(fsmount, -1, 0, 0);
        CALL(fspick, AT_FDCWD, "absent", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
        CALL(fspick, -1, BAD, 0x20);
}

static void handles(void)
{
        struct {
                unsigned int size;
                int type;
                unsigned char bytes[128];
        } handle = { 0, 0, { 0 } };

        CALL(name_to_handle_at, AT_FDCWD, ".", at(0, &handle, sizeof(handle)), room + 512, 0);
        handle.size = 128;
        CALL(name_to_handle_at, AT_FDCWD, "/tmp", at(0, &handle, sizeof(handle)), room + 512, AT_SYMLINK_FOLLOW);
        CALL(name_to_handle_at, AT_FDCWD, "absent", room, room + 512, 0);
        CALL(name_to_handle_at, -1, "", BAD, room + 512, AT_EMPTY_PATH);
        CALL(name_to_handle_at, -1, BAD, 0, 0, 0);
        for (int i = 0; i < 128; i++)
                handle.bytes[i] = i;
        handle.size = 6;
        handle.type = -7;
        CALL(open_by_handle_at, -1, at(0, &handle, sizeof(handle)), O_RDONLY);
        handle.size = 200;
        CALL(open_by_handle_at, -1, at(0, &handle, sizeof(handle)), O_RDWR | O_CREAT);
        CALL(open_by_handle_at, -1, BAD, 0);
        CALL(open_by_handle_at, AT_FDCWD, at_edge(&handle, 10), 0);
}

static void quotas(void)
{
        static const unsigned int commands[] = {
                Q_SYNC, Q_QUOTAON, Q_QUOTAOFF, Q_GETFMT, Q_GETINFO, Q_SETINFO, Q_GETQUOTA, Q_SETQUOTA,
                Q_GETNEXTQUOTA, Q_XQUOTAON, Q_XQUOTAOFF, Q_XGETQUOTA, Q_XSETQLIM, Q_XGETQSTAT, Q_XQUOTARM,
                Q_XQUOTASYNC, Q_XGETQSTATV, Q_XGETNEXTQUOTA, 0x77 };

        for (int i = 0; i < 400; i++)
                room[i] = i % 29;
        for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
                CALL(quotactl, QCMD(commands[i], (int)(i % 3)), "/absent", 3, room);
                CALL(quotactl, QCMD(commands[i], 5), 0, -1, BAD);
                CALL(quotactl_fd, -1, QCMD(commands[i], USRQUOTA), 4, 0);
        }
        CALL(swapon, "/absent", 0);
        CALL(swapon, "/absent", 0x8005);
        CALL(swapon, BAD, 0xfff0000);
        CALL(swapoff, "/absent");
}

int main(void)
{
        make_room();
        mounts();
        contexts();
        handles();
        quotas();
        return 0;
}
