/* Ids, groups, capabilities and limits: each call with success and without. */
#include "calls.h"

#include <sys/resource.h>

struct limit {
        uint64_t now, most;
};

static void ids(void)
{
#define GET(name) CALL(name)
        GET(getuid);
        GET(geteuid);
        GET(getgid);
        GET(getegid);
        CALL(setuid, -1);
        CALL(setgid, -1);
        CALL(setreuid, -1, 0);
        CALL(setregid, 0, -1);
        CALL(setresuid, -1, -1, -1);
        CALL(setresgid, 0, -1, 0);
        CALL(getresuid, room, room + 4, room + 8);
        CALL(getresuid, 0, room, BAD);
        CALL(getresgid, room, room + 4, room + 8);
        CALL(setfsuid, -1);
        CALL(setfsgid, 0);
        CALL(getgroups, 0, 0);
        CALL(getgroups, 64, room);
        CALL(getgroups, -1, room);
        CALL(setgroups, 3, at(0, (unsigned[]){ 1, -1, 77 }, 12));
        CALL(getgroups, 64, room);
        CALL(getgroups, 1, room);
        CALL(setgroups, 0, 0);
        CALL(setgroups, 0, room);
        CALL(setgroups, 65537, room);
        CALL(setgroups, -1, room);
        CALL(setgroups, 2, BAD);
        CALL(getgroups, 64, room);
#ifdef SYS_getuid32
        GET(getuid32);
        GET(geteuid32);
        GET(getgid32);
        GET(getegid32);
        CALL(setuid32, -1);
        CALL(setgid32, -1);
        CALL(setreuid32, -1, 0);
        CALL(setregid32, 0, -1);
        CALL(setresuid32, -1, -1, -1);
        CALL(setresgid32, 0, -1, 0);
        CALL(getresuid32, room, room + 4, room + 8);
        CALL(getresgid32, room, room + 4, BAD);
        CALL(setfsuid32, -1);
        CALL(setfsgid32, 0);
        CALL(setgroups32, 3, at(0, (unsigned[]){ 1, -1, 77 }, 12));
        CALL(getgroups32, 64, room);
        CALL(setgroups32, 0, 0);
#endif
}

static void capabilities(void)
{
        uint32_t *head = (uint32_t *)room;

        head[0] = 0x20080522;
        head[1] = 0;
        CALL(capget, room, room + 64);
        CALL(capset, room, at(64, (uint32_t[]){ 0xffffffff, 5, 0, 0x3ff, 0x400, 0xfffffe01 }, 24));
        head[0] = 0x19980330;
        CALL(capget, room, room + 64);
        CALL(capset, room, at(64, (uint32_t[]){ 0, 0, 0 }, 12));
        head[0] = 1;
        head[1] = -3;
        CALL(capget, room, 0);
        CALL(capget, BAD, BAD);
        CALL(capget, 0, room);
        CALL(capset, 0, room);
        head[0] = 0x20071026;
        head[1] = -3;
        CALL(capset, room, BAD);
}

static void limits(void)
{
        struct limit limit = { 1025 * 1024, UINT64_MAX };

        CALL(getrlimit, RLIMIT_NOFILE, room);
        CALL(getrlimit, RLIMIT_STACK, room);
        CALL(getrlimit, 99, room);
        CALL(getrlimit, RLIMIT_CPU, BAD);
        CALL(setrlimit, RLIMIT_CORE, at(0, (unsigned long[]){ 0, -1 }, 2 * sizeof(long)));
        CALL(setrlimit, 99, at(0, (unsigned long[]){ 1024, 2048 }, 2 * sizeof(long)));
        CALL(setrlimit, RLIMIT_CORE, BAD);
        CALL(prlimit64, 0, RLIMIT_FSIZE, at(0, &limit, sizeof(limit)), room + 64);
        CALL(prlimit64, 0, RLIMIT_FSIZE, 0, room + 64);
        CALL(prlimit64, -1, RLIMIT_DATA, room, room + 64);
        CALL(prlimit64, 0, 77, BAD, BAD);
        CALL(getrusage, RUSAGE_SELF, BAD);
        CALL(getrusage, 99, room);
#ifdef SYS_ugetrlimit
        CALL(ugetrlimit, RLIMIT_NOFILE, room);
        CALL(ugetrlimit, RLIMIT_STACK, BAD);
#endif
}

int main(void)
{
        make_room();
        ids();
        limits();
        capabilities();
        return 0;
}
