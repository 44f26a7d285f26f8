/* Requests of ioctl, of files, terminals and devices, mostly refused: what is shown is the same. */
#include "calls.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/blktrace_api.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/watchdog.h>
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/tty.h>

/* i386 has two names for these, of which strace knows one. */
#ifdef __i386__
#define GETFLAGS FS_IOC_FSGETXATTR
#define SETFLAGS FS_IOC_FSSETXATTR
#else
#define GETFLAGS FS_IOC_GETFLAGS
#define SETFLAGS FS_IOC_SETFLAGS
#endif
#define REQUEST(fd, request, argument) CALL(ioctl, fd, request, argument)

struct termio_ {
        unsigned short flags[4];
        unsigned char line, characters[8];
};

static void terminal(void)
{
        struct termios2 modes = { .c_iflag = 0x500, .c_oflag = 5, .c_cflag = 0xbf, .c_lflag = 0x8a3b };
        static const long gets[] = { TCGETS, TCGETS2, TCGETA, TIOCGWINSZ, TIOCGPGRP, TIOCGSID, TIOCGETD,
                                     FIONREAD, TIOCOUTQ, TIOCMGET, TIOCGLCKTRMIOS, TIOCGEXCL,
                                     TIOCGSERIAL, TIOCGPTPEER };
        static const long sets[] = { TCSETS2, TCSETSW2, TCSETSF2, TCSETA, TCSETAW, TCSETAF, TIOCSWINSZ,
                                     TIOCSPGRP, TIOCSETD, FIONBIO, FIOASYNC, TIOCPKT, TIOCSPTLCK,
                                     TIOCMSET, TIOCMBIS, TIOCSTI, TIOCSLCKTRMIOS, TIOCLINUX };
        static const long plain[] = { TCXONC, TCFLSH, TCSBRK, TCSBRKP, TIOCSCTTY };
        static const long empty[] = { TIOCSBRK, TIOCNOTTY, TIOCEXCL, FIOCLEX, FIONCLEX, TIOCVHANGUP };
        int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);

        for (int i = 0; i < 19; i++)
                modes.c_cc[i] = i * 3;
        modes.c_line = 2;
        modes.c_ispeed = 9600;
        modes.c_ospeed = 38400;
        at(0, &modes, sizeof(modes));
        for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
                REQUEST(-1, sets[i], room);
                REQUEST(-1, sets[i], BAD);
                REQUEST(-1, sets[i], 0);
        }
        REQUEST(-1, TIOCGPTN, room);
        REQUEST(-1, TCSETS, room);
        REQUEST(-1, TCSETSF, room);
        modes.c_cflag = 0x101015ff;
        modes.c_oflag = 0xfffff;
        modes.c_iflag = 0;
        modes.c_lflag = 0xffffffff;
        REQUEST(-1, TCSETS2, at(0, &modes, sizeof(modes)));
        for (size_t i = 0; i < sizeof(gets) / sizeof(*gets); i++) {
                REQUEST(-1, gets[i], room);
                REQUEST(master, gets[i], room + 256);
        }
        for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
                REQUEST(-1, plain[i], 1L);
                REQUEST(-1, plain[i], 77L);
        }
        for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++)
                REQUEST(-1, empty[i], 5L);
        close(master);
}

static void files(int fd)
{
        static const long gets[] = { FIGETBSZ, GETFLAGS, FS_IOC_FSGETXATTR, FS_IOC_GETFSLABEL,
                                     FIOQSIZE };
        struct file_clone_range range = { 3, 5, 7, 9 };
        struct fstrim_range trim = { 0x1000, 7, 9 };
        struct fsxattr extended = { .fsx_xflags = 0x80000011, .fsx_projid = 17 };
        uint32_t flags = 0x90;
        struct {
                struct file_dedupe_range head;
                struct file_dedupe_range_info info[4];
        } dedupe = { { 1, 2, 3 }, { { 4, 5 }, { 6, 7 }, { 8, 9 } } };
        struct {
                struct fiemap head;
                struct fiemap_extent extents[2];
        } map = { { .fm_start = 0, .fm_length = 100000, .fm_flags = 1, .fm_extent_count = 2 } };

        for (size_t i = 0; i < sizeof(gets) / sizeof(*gets); i++) {
                REQUEST(fd, gets[i], room);
                REQUEST(-1, gets[i], BAD);
        }
        REQUEST(-1, SETFLAGS, at(0, &flags, 4));
        REQUEST(-1, SETFLAGS, 0);
        REQUEST(-1, FS_IOC_FSSETXATTR, at(0, &extended, sizeof(extended)));
        REQUEST(-1, FITRIM, at(0, &trim, sizeof(trim)));
        REQUEST(-1, FIFREEZE, 0);
        REQUEST(-1, FITHAW, 1);
        REQUEST(-1, FICLONE, 3L);
        REQUEST(-1, FICLONERANGE, at(0, &range, sizeof(range)));
        REQUEST(-1, FICLONERANGE, BAD);
        REQUEST(-1, FIDEDUPERANGE, at(0, &dedupe, sizeof(dedupe)));
        REQUEST(fd, FIDEDUPERANGE, room);
        REQUEST(fd, FS_IOC_FIEMAP, at(0, &map, sizeof(map)));
        REQUEST(fd, FS_IOC_FIEMAP, BAD);
        REQUEST(-1, FS_IOC_FIEMAP, room);
}

static void devices(void)
{
        static const long gets[] = { BLKSECTGET, BLKROTATIONAL, BLKROGET, BLKBSZGET, BLKSSZGET, BLKALIGNOFF,
                                     BLKPBSZGET, BLKIOMIN, BLKIOOPT, BLKDISCARDZEROES, BLKRAGET, BLKFRAGET,
                                     BLKGETSIZE, BLKGETSIZE64, LOOP_GET_STATUS, LOOP_GET_STATUS64, RNDGETENTCNT,
                                     WDIOC_GETSTATUS, WDIOC_GETTIMEOUT };
        static const long sets[] = { BLKROSET, BLKBSZSET, BLKDISCARD, BLKSECDISCARD, BLKZEROOUT, BLKPG,
                                     BLKTRACESETUP, LOOP_SET_STATUS, LOOP_SET_STATUS64, LOOP_CONFIGURE,
                                     RNDADDTOENTCNT, RNDADDENTROPY, WDIOC_SETTIMEOUT };
        static const long plain[] = { BLKRASET, BLKFRASET, BLKRRPART, BLKFLSBUF, BLKTRACESTART, LOOP_CLR_FD,
                                      LOOP_SET_FD, LOOP_CHANGE_FD, LOOP_CTL_ADD, LOOP_CTL_REMOVE,
                                      LOOP_CTL_GET_FREE, LOOP_SET_DIRECT_IO, LOOP_SET_BLOCK_SIZE,
                                      RNDZAPENTCNT, RNDCLEARPOOL, WDIOC_KEEPALIVE, 0x40044900 };
        struct {
                int op, flags, length;
                void *data;
        } change = { 1, 2, 3, room + 1024 };
        struct blkpg_partition partition = { 1, 2, 3, "name", "volume" };

        for (int i = 0; i < 600; i++)
                room[i] = i % 23;
        for (size_t i = 0; i < sizeof(gets) / sizeof(*gets); i++) {
                REQUEST(-1, gets[i], room + 2048);
                REQUEST(-1, gets[i], 0);
        }
        for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
                REQUEST(-1, sets[i], room);
                REQUEST(-1, sets[i], BAD);
                REQUEST(-1, sets[i], 0);
        }
        for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
                REQUEST(-1, plain[i], -1L);
        at(1024, &partition, sizeof(partition));
        REQUEST(-1, BLKPG, at(0, &change, sizeof(change)));
        memset(room, 0, 600);
        REQUEST(-1, LOOP_SET_STATUS64, room);
        REQUEST(-1, LOOP_SET_STATUS, room);
        REQUEST(-1, LOOP_CONFIGURE, room);
        int random = open("/dev/random", O_RDONLY);
        REQUEST(random, RNDGETENTCNT, room);
        close(random);
}

static void namespaces(void)
{
        int fd = open("/proc/self/ns/net", O_RDONLY);

        REQUEST(fd, NS_GET_NSTYPE, 0);
        close(REQUEST(fd, NS_GET_USERNS, 0));
        REQUEST(fd, NS_GET_PARENT, 0);
        REQUEST(fd, NS_GET_OWNER_UID, room);
        REQUEST(-1, NS_GET_PARENT, 0);
        close(fd);
}

static void others(void)
{
        static const long requests[] = { 0, 1, 0x80, 0x12345678, 0x80087a01, 0x40107a02, 0xc0107a03, 0x20007a04,
                                         0x80044d00, 0x40044d05, 0x80104804, 0xc0104807,
                                         0x8010552c, 0x80206a13, 0x40206b00 };

        for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
                REQUEST(-1, requests[i], 0);
                REQUEST(-1, requests[i], room);
        }
}

int main(void)
{
        make_room();
        int fd = open("file", O_RDWR | O_CREAT, 0600);
        if (pwrite(fd, "some text", 9, 70000) != 9)
                return 1;
        terminal();
        files(fd);
        devices();
        namespaces();
        others();
        return 0;
}
