/* Mapping, protecting, advising and placing memory: each call with success and without. */
#include "calls.h"

#include <linux/mman.h>
#include <sys/uio.h>

#define AREA L(0x20000000)

static void mapping(void)
{
#ifdef SYS_mmap2
# define MAP(...) CALL(mmap2, __VA_ARGS__)
#else
# define MAP(...) CALL(mmap, __VA_ARGS__)
#endif
        MAP(AREA, 0x8000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        MAP(0, 0, PROT_NONE, MAP_SHARED, 0, 0x1000);
        MAP(0, 4096, PROT_READ | PROT_EXEC | PROT_GROWSDOWN | 0x40, MAP_SHARED_VALIDATE | MAP_SYNC, 99, 3);
        MAP(BAD, 4096, 0x10, 0, -1, 0);
        MAP(0, 4096, 0, 0xf | MAP_HUGETLB | 21 << 26, -1, -4096);
        MAP(0, 0, 0, 0xc | 0x80000000, -1, 0);
        MAP(0, -1, PROT_SEM, MAP_PRIVATE | 30u << 26, -1, 0);
        MAP(0, 0, 8, MAP_FIXED_NOREPLACE | MAP_STACK | MAP_POPULATE | MAP_LOCKED | MAP_NORESERVE | 0x3, -1, 0);
#ifdef SYS_mmap2
        long args[6] = { 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0x2000 };

        CALL(mmap, at(0, args, sizeof(args)));
        CALL(mmap, BAD);
        CALL(mmap, 0);
#endif
        CALL(mprotect, AREA, 4096, PROT_READ | PROT_EXEC);
        CALL(mprotect, AREA, 4096, PROT_READ | PROT_WRITE);
        CALL(mprotect, 0, -1, PROT_NONE);
        CALL(mprotect, AREA + 1, 4096, -1);
        CALL(mremap, AREA + 0x4000, 0x1000, 0x2000, 0);
        CALL(mremap, AREA + 0x4000, 0x1000, 0x1000, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + 0x10000);
        CALL(mremap, 0, 0, 0, MREMAP_FIXED, 5);
        CALL(mremap, BAD, 1, 2, 0x10, 5);
        CALL(mremap, AREA, 4096, 4096, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
        CALL(remap_file_pages, AREA, 4096, 0, 3, MAP_NONBLOCK);
        CALL(remap_file_pages, BAD, -1, -1, -1, ~0x80u);
        CALL(munmap, AREA + 0x10000, 4096);
        CALL(munmap, 1, 0);
        CALL(brk, 0);
        CALL(brk, 1);
}

static void advising(void)
{
        CALL(madvise, AREA, 4096, MADV_NORMAL);
        CALL(madvise, AREA, 4096, MADV_DONTNEED);
        CALL(madvise, 1, 2, 23);
        CALL(madvise, 0, -1, 12345);
        CALL(msync, AREA, 4096, MS_SYNC);
        CALL(msync, 1, 0, MS_ASYNC | MS_INVALIDATE | 0x10);
        CALL(msync, 0, 0, 0);
        CALL(mincore, AREA, 0x3001, room);
        CALL(mincore, AREA, 0, room);
        CALL(mincore, AREA, 4096, BAD);
        CALL(mincore, 1, 4096, room);
        CALL(mlock, AREA, 4096);
        CALL(munlock, AREA, 4096);
        CALL(mlock, 0, -1);
        CALL(mlock2, AREA, 4096, 1);
        CALL(mlock2, AREA, 4096, 0xe);
        CALL(mlockall, 0);
        CALL(mlockall, 0xff);
        CALL(munlockall);
#ifdef SYS_memfd_secret
        CALL(memfd_secret, 1);
        CALL(memfd_secret, 02000000 | 1);
#endif
        CALL(process_madvise, -1, at(0, (long[]){ AREA, 4096, BAD, 2 }, 4 * sizeof(long)), 2, 20, 0);
        CALL(process_madvise, -1, 0, 0, 99, 1);
        CALL(process_madvise, 0, BAD, 3, 4, 0);
        CALL(pkey_alloc, 0, 0);
        CALL(pkey_alloc, 1, 3);
        CALL(pkey_alloc, 0, 0xfffffff0);
        CALL(pkey_free, -1);
        CALL(pkey_free, 16);
        CALL(pkey_mprotect, AREA, 4096, PROT_READ, -1);
        CALL(pkey_mprotect, AREA, 4096, PROT_READ, 99);
}

static void placing(void)
{
        unsigned long nodes[3] = { 1, 0xdeadbeef, 0 };
        unsigned long *mask = at(64, nodes, sizeof(nodes));
        long *pages = at(128, (long[]){ AREA, AREA + 4096, BAD }, 3 * sizeof(long));
        int *at_nodes = at(256, (int[]){ 0, 0, 77 }, 12);

        CALL(mbind, AREA, 4096, 0, 0, 0, 0);
        CALL(mbind, AREA, 4096, 2, mask, 64, 1);
        CALL(mbind, AREA, 4096, 2 | 0x8000, mask, 2, 6);
        CALL(mbind, AREA, 4096, 99, mask, 0, 0x18);
        CALL(mbind, AREA, 4096, 99 | 0x4000, BAD, 70, 0);
        CALL(mbind, AREA, 4096, 3 | 0xe000, mask, 5000, 0);
        CALL(set_mempolicy, 0, 0, 0);
        CALL(set_mempolicy, 3, mask, 65);
        CALL(set_mempolicy, 0x8000 | 1, mask, 1);
        CALL(set_mempolicy, 0, 0, 0);
        CALL(get_mempolicy, room, mask, 1024, 0, 0);
        CALL(get_mempolicy, 0, 0, 0, 0, 4);
        CALL(get_mempolicy, room, 0, 0, AREA, 3);
        CALL(get_mempolicy, BAD, BAD, 9, BAD, 0xff);
        CALL(set_mempolicy_home_node, AREA, 4096, 0, 0);
        CALL(set_mempolicy_home_node, BAD, 1, 2, 3);
        CALL(migrate_pages, 0, 64, mask, mask);
        CALL(migrate_pages, -1, 0, 0, BAD);
        CALL(move_pages, 0, 3, pages, at_nodes, room + 512, 2);
        CALL(move_pages, 0, 3, pages, 0, room + 512, 0);
        CALL(move_pages, -1, 1, BAD, BAD, BAD, 0x10);
        CALL(move_pages, 0, 0, pages, at_nodes, room + 512, 4);
}

static void elsewhere(void)
{
        pid_t self = CALL(getpid);
        struct iovec mine[2] = { { room + 0x1000, 5 }, { room + 0x1010, 7 } };
        struct iovec theirs[2] = { { room + 0x2000, 9 }, { (void *)BAD, 3 } };
        struct iovec *local = at(1024, mine, sizeof(mine));
        struct iovec *remote = at(2048, theirs, sizeof(theirs));

        memcpy(room + 0x2000, "0123456789", 10);
        memcpy(room + 0x1000, "abcdefghijklmnopqrstuvwxyz", 26);
        CALL(process_vm_readv, self, local, 2, remote, 2, 0);
        CALL(process_vm_readv, self, local, 1, remote + 1, 1, 0);
        CALL(process_vm_readv, self, 0, 0, 0, 0, 0);
        CALL(process_vm_readv, -1, BAD, 1, BAD, 1, 9);
        CALL(process_vm_writev, self, local, 2, remote, 1, 0);
        CALL(process_vm_writev, self, remote + 1, 1, local, 1, 0);
        CALL(process_vm_writev, -1, BAD, 1, 0, 0, 7);
}

int main(void)
{
        make_room();
        mapping();
        advising();
        placing();
        elsewhere();
        return 0;
}
