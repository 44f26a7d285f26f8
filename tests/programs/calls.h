/* What the programs that make every call of a family share. */
#ifndef CALLS_H
#define CALLS_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Arguments as the kernel sees them, whatever the prototype in the C library. */
#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define L(value) ((long)(value))

#define ROOM_BYTES 0x40000
#define ROOM_AT 0x10000000L
/* An address that is never mapped, one that a pointer may hold under every ABI. */
#define BAD L(0xfff0)

static char *room;      /* a writable mapping, at the same address in every run */
static char *edge;      /* the end of it: what follows cannot be read */

static inline void make_room(void)
{
        room = mmap((void *)ROOM_AT, ROOM_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (room == MAP_FAILED)
                exit(77);
        edge = room + ROOM_BYTES - 4096;
        mprotect(edge, 4096, PROT_NONE);
}

/* A copy of some bytes, at an address that does not change from run to run. */
static inline void *at(size_t offset, const void *data, size_t size)
{
        return memcpy(room + offset, data, size);
}

/* A copy of some bytes that ends where memory ends. */
static inline void *at_edge(const void *data, size_t size)
{
        return memcpy(edge - size, data, size);
}

#endif
