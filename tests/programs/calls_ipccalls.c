/* ipc, through which i386 programs reach System V IPC; other ABIs make the calls themselves. */
#include "calls.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define KEY 0x70797473

int main(void)
{
        make_room();
#ifdef __i386__
        struct sembuf up[2] = { { 0, 1, IPC_NOWAIT }, { 1, 1, SEM_UNDO } };
        long wait[2] = { 0, 1000 };
        long message[4] = { 3, 0x64636261, 0x68676665 };
        long pair[2];
        int id;

        CALL(unshare, CLONE_NEWIPC);
        memset(room, 0, 4096);
        id = CALL(ipc, 23, KEY, 4096L, IPC_CREAT | 0600);
        CALL(ipc, 21, id, SHM_RDONLY, room + 64, 0L);
        CALL(ipc, 21, -1, 0, room + 64, BAD);
        CALL(ipc, 22, 0, 0, 0, *(long *)(room + 64));
        CALL(ipc, 24, id, IPC_STAT | 0x100, 0, room + 1024);
        CALL(ipc, 24, id, IPC_RMID, 0, 0);
        id = CALL(ipc, 2, KEY, 2, IPC_CREAT | 0600);
        CALL(ipc, 1, id, 2, 0, at(0, up, sizeof(up)));
        CALL(ipc, 4, id, 2, 0, room, at(256, wait, sizeof(wait)));
        CALL(ipc, 4, id, 1, 0, BAD, 0);
        *(long *)(room + 512) = L(room + 1024);
        CALL(ipc, 3, id, 0, IPC_STAT | 0x100, room + 512);
        CALL(ipc, 3, id, 0, IPC_STAT | 0x100, BAD);
        CALL(ipc, 3, id, 0, GETVAL, room + 512);
        CALL(ipc, 3, id, 0, IPC_RMID, room + 512);
        id = CALL(ipc, 13, KEY, IPC_CREAT | 0600);
        CALL(ipc, 11, id, 8, 0, at(768, message, sizeof(message)));
        CALL(ipc, 11, id, 8, 0, room + 768);
        CALL(ipc, 11, id, 8, 0, BAD);
        pair[0] = L(room + 800);
        pair[1] = -3;
        CALL(ipc, 12, id, 8, IPC_NOWAIT, at(640, pair, sizeof(pair)));
        CALL(ipc, 12 | 1 << 16, id, 8, IPC_NOWAIT, room + 800, 3);
        CALL(ipc, 12, id, 8, IPC_NOWAIT, room + 640);
        CALL(ipc, 12, id, 8, IPC_NOWAIT, BAD);
        CALL(ipc, 14, id, IPC_STAT | 0x100, 0, room + 1024);
        CALL(ipc, 14, id, IPC_RMID, 0, 0);
        CALL(ipc, 99, 1, 2, 3, 4, 5);
        CALL(ipc, 5 | 3 << 16, 1, 2, 3, 4, 5);
#endif
        return 0;
}
