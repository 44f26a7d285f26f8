/* Requests of btrfs, granted by a filter of system calls, and refused. */
#include "granted.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>

static const unsigned long requests[] = {
        BTRFS_IOC_TRANS_START,   BTRFS_IOC_TRANS_END,         BTRFS_IOC_SYNC,
        BTRFS_IOC_SCRUB_CANCEL,  BTRFS_IOC_QUOTA_RESCAN_WAIT, BTRFS_IOC_DEFRAG,
        BTRFS_IOC_BALANCE,       BTRFS_IOC_START_SYNC,        BTRFS_IOC_DEFAULT_SUBVOL,
        BTRFS_IOC_WAIT_SYNC,     BTRFS_IOC_SUBVOL_GETFLAGS,   BTRFS_IOC_SUBVOL_SETFLAGS,
        BTRFS_IOC_BALANCE_V2,    BTRFS_IOC_BALANCE_PROGRESS,  BTRFS_IOC_DEFRAG_RANGE,
        BTRFS_IOC_DEV_INFO,      BTRFS_IOC_DEV_REPLACE,       BTRFS_IOC_GET_FEATURES,
        BTRFS_IOC_SET_FEATURES,  BTRFS_IOC_GET_SUPPORTED_FEATURES,
        BTRFS_IOC_FS_INFO,       BTRFS_IOC_GET_DEV_STATS,     BTRFS_IOC_INO_LOOKUP,
        BTRFS_IOC_INO_PATHS,     BTRFS_IOC_LOGICAL_INO,       BTRFS_IOC_QGROUP_ASSIGN,
        BTRFS_IOC_QGROUP_CREATE, BTRFS_IOC_QGROUP_LIMIT,      BTRFS_IOC_QUOTA_CTL,
        BTRFS_IOC_QUOTA_RESCAN,  BTRFS_IOC_QUOTA_RESCAN_STATUS,
        BTRFS_IOC_SET_RECEIVED_SUBVOL,
        BTRFS_IOC_SCRUB,         BTRFS_IOC_SCRUB_PROGRESS,    BTRFS_IOC_TREE_SEARCH,
        BTRFS_IOC_TREE_SEARCH_V2, BTRFS_IOC_SEND,             BTRFS_IOC_SPACE_INFO,
        BTRFS_IOC_SNAP_CREATE,   BTRFS_IOC_RESIZE,            BTRFS_IOC_SCAN_DEV,
        BTRFS_IOC_FORGET_DEV,    BTRFS_IOC_ADD_DEV,           BTRFS_IOC_RM_DEV,
        BTRFS_IOC_SUBVOL_CREATE, BTRFS_IOC_SNAP_DESTROY,      BTRFS_IOC_DEVICES_READY,
        BTRFS_IOC_SNAP_CREATE_V2, BTRFS_IOC_SUBVOL_CREATE_V2,
};
static unsigned char data[8192];

/* Words of 64 bits that are small, with text behind them. */
static void words(uint64_t first, uint64_t step)
{
        for (size_t i = 0; i < sizeof(data) / 8; i++)
                ((uint64_t *)data)[i] = first + i * step;
        memset(data + 1024, 0, sizeof(data) - 1024);
}

static void granted(unsigned long request)
{
        CALL(ioctl, DEVICE, request, at(8192, data, sizeof(data)));
        CALL(ioctl, -1, request, at(8192, data, sizeof(data)));
}

static void every(void)
{
        for (size_t i = 0; i < COUNT(requests); i++) {
                words(0, 0);
                both(requests[i], data, 4096);
                words(1, 0);
                granted(requests[i]);
                words(2, 1);
                if (requests[i] != BTRFS_IOC_DEFRAG_RANGE)
                        granted(requests[i]);
                words(3, 0);
                granted(requests[i]);
                words(0x100, 3);
                if (requests[i] != BTRFS_IOC_DEFRAG_RANGE && requests[i] != BTRFS_IOC_SPACE_INFO)
                        granted(requests[i]);
        }
        words(~0ULL, 0);
        granted(BTRFS_IOC_TREE_SEARCH);
        granted(BTRFS_IOC_INO_LOOKUP);
        granted(BTRFS_IOC_SCRUB);
        for (unsigned long command = 0; command < 5; command++) {
                CALL(ioctl, DEVICE, BTRFS_IOC_BALANCE_CTL, command);
                CALL(ioctl, -1, BTRFS_IOC_BALANCE_CTL, command);
        }
}

static void names(void)
{
        struct btrfs_ioctl_vol_args_v2 *volume = (void *)data;
        struct btrfs_ioctl_vol_args *old = (void *)data;
        struct btrfs_ioctl_dev_replace_args *replace = (void *)data;
        struct btrfs_ioctl_ino_lookup_args *lookup = (void *)data;
        struct btrfs_ioctl_dev_info_args *info = (void *)data;
        struct btrfs_qgroup_inherit inherit = { .flags = 1, .num_qgroups = 3, .lim = { 3, 4, 5 } };

        words(0, 0);
        old->fd = 5;
        memset(old->name, 'n', sizeof(old->name));
        granted(BTRFS_IOC_SNAP_CREATE);
        strcpy(old->name, "snapshot");
        granted(BTRFS_IOC_SNAP_DESTROY);
        words(0, 0);
        volume->fd = -1;
        volume->transid = 9;
        volume->flags = 6;
        volume->size = 88;
        volume->qgroup_inherit = at(20480, &inherit, sizeof(inherit));
        at(20480 + sizeof(inherit), "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 24);
        strcpy(volume->name, "volume");
        granted(BTRFS_IOC_SNAP_CREATE_V2);
        volume->qgroup_inherit = (void *)BAD;
        granted(BTRFS_IOC_SUBVOL_CREATE_V2);
        volume->qgroup_inherit = 0;
        granted(BTRFS_IOC_SUBVOL_CREATE_V2);
        for (int command = 0; command < 4; command++) {
                words(0, 0);
                replace->cmd = command;
                replace->result = command;
                if (command == 1) {
                        replace->status.replace_state = 2;
                        replace->status.progress_1000 = 345;
                        replace->status.time_started = 1500000000;
                        replace->status.time_stopped = 0;
                } else {
                        strcpy((char *)replace->start.srcdev_name, "/dev/source");
                        strcpy((char *)replace->start.tgtdev_name, "/dev/target");
                }
                granted(BTRFS_IOC_DEV_REPLACE);
        }
        words(0, 0);
        lookup->objectid = 257;
        strcpy(lookup->name, "folder/");
        granted(BTRFS_IOC_INO_LOOKUP);
        lookup->treeid = 5;
        granted(BTRFS_IOC_INO_LOOKUP);
        words(0, 0);
        info->devid = 1;
        strcpy((char *)info->path, "/dev/disk");
        granted(BTRFS_IOC_DEV_INFO);
        memset(info->uuid, 0xa5, 16);
        granted(BTRFS_IOC_DEV_INFO);
}

static void lists(void)
{
        struct btrfs_ioctl_search_args_v2 *search = (void *)data;
        struct btrfs_ioctl_search_header item = { 1, 256, 3, BTRFS_INODE_ITEM_KEY, 16 };
        struct btrfs_ioctl_ino_path_args *paths = (void *)data;
        struct btrfs_ioctl_logical_ino_args *inodes = (void *)data;
        struct btrfs_ioctl_space_args *space = (void *)data;
        struct btrfs_ioctl_send_args *send = (void *)data;
        struct btrfs_ioctl_get_dev_stats *statistics = (void *)data;
        struct btrfs_ioctl_fs_info_args *fs = (void *)data;
        uint32_t *container = (uint32_t *)(room + 20480);
        uint64_t *values = (uint64_t *)(container + 4);

        for (int sized = 0; sized < 2; sized++)
                for (unsigned found = 0; found < 60; found += 3) {
                        words(0, 0);
                        search->key.tree_id = 5;
                        search->key.min_objectid = found ? 256 : 7;
                        search->key.max_objectid = found ? -256ULL : 8;
                        search->key.max_type = found;
                        search->key.nr_items = found;
                        search->buf_size = 1024;
                        for (int i = 0; i < 40; i++)
                                memcpy((sized ? (char *)search->buf : (char *)search + 104) + 48 * i,
                                       &item, 32);
                        granted(sized ? BTRFS_IOC_TREE_SEARCH_V2 : BTRFS_IOC_TREE_SEARCH);
                }
        CALL(ioctl, DEVICE, BTRFS_IOC_TREE_SEARCH, at_edge(data, 200));
        CALL(ioctl, DEVICE, BTRFS_IOC_TREE_SEARCH_V2, at_edge(data, 200));
        for (unsigned count = 0; count < 8; count++) {
                container[0] = 1;
                container[1] = 2;
                container[2] = count;
                container[3] = 4;
                for (int i = 0; i < 8; i++)
                        values[i] = 64;
                strcpy((char *)values + 64, "a/path");
                words(0, 0);
                paths->inum = 257;
                paths->size = 4096;
                paths->fspath = count == 7 ? BAD : (unsigned long)container;
                granted(BTRFS_IOC_INO_PATHS);
                inodes->inodes = paths->fspath;
                inodes->flags = count & 1;
                granted(BTRFS_IOC_LOGICAL_INO);
                words(0, 0);
                space->space_slots = count & 3;
                space->total_spaces = count;
                for (unsigned i = 0; i < count; i++) {
                        space->spaces[i].flags = 1 << i;
                        space->spaces[i].total_bytes = 4096;
                }
                granted(BTRFS_IOC_SPACE_INFO);
                words(0, 0);
                send->send_fd = 7;
                send->clone_sources_count = count;
                send->clone_sources = (void *)(count == 6 ? 0 : count == 7 ? BAD : (long)values);
                send->parent_root = count;
                send->flags = count;
                granted(BTRFS_IOC_SEND);
                words(0, 0);
                statistics->devid = 1;
                statistics->nr_items = count;
                statistics->flags = count & 3;
                statistics->values[2] = 8;
                granted(BTRFS_IOC_GET_DEV_STATS);
                words(0, 0);
                fs->flags = count;
                fs->csum_type = count;
                granted(BTRFS_IOC_FS_INFO);
        }
}

int main(void)
{
        make_room();
        answer();
        every();
        names();
        lists();
        return 0;
}
