/* Shared memory, semaphores and queues, by System V and by POSIX: made, used, asked about, refused. */
#include "calls.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

#define KEY 0x70797472
#define SET_64(command) ((command) | 0x100)

static void shared_memory(void)
{
        int id = CALL(shmget, KEY, 8192, IPC_CREAT | IPC_EXCL | 0640);

        CALL(shmget, KEY, 8192, IPC_CREAT | IPC_EXCL | 0640);
        CALL(shmget, KEY + 2, 4096, 0x7fff0000 | 0777);
        CALL(shmget, IPC_PRIVATE, 0, 0600);
        CALL(shmget, KEY + 1, 4096, 0x800 | (21 << 26) | 0600);
        CALL(shmat, id, 0x20000000L, SHM_RND);
        CALL(shmat, -1, BAD, SHM_RDONLY | 0x10);
        CALL(shmdt, 0x20000000L);
        CALL(shmdt, BAD);
        memset(room, 0, 4096);
        CALL(shmctl, id, IPC_STAT, room);
        CALL(shmctl, id, SET_64(IPC_STAT), room);
        CALL(shmctl, id, IPC_SET, room);
        CALL(shmctl, -1, IPC_SET, edge - 8);
        CALL(shmctl, -1, IPC_STAT, room);
        CALL(shmctl, 0, IPC_INFO, room);
        CALL(shmctl, 0, 14, room);
        CALL(shmctl, id, 99, room);
        CALL(shmctl, id, IPC_RMID, 0);
}

static void semaphores(void)
{
        int id = CALL(semget, KEY, 3, IPC_CREAT | 0600);
        struct sembuf up[3] = { { 0, 1, 0 }, { 1, -2, IPC_NOWAIT }, { 2, 0, SEM_UNDO | 1 } };
        struct sembuf *ops = at(4096, up, sizeof(up));
        long wait[2] = { 0, 1000 };
        long *timeout = at(5000, wait, sizeof(wait));

        CALL(semget, IPC_PRIVATE, -1, 0);
#ifdef SYS_semop
        CALL(semop, id, ops, 1);
        CALL(semop, id, ops, 3);
        CALL(semop, id, 0, 1);
        CALL(semop, id, BAD, 2);
        CALL(semtimedop, id, ops + 2, 1, timeout);
        CALL(semtimedop, id, ops, 2, 0);
#endif
        memset(room, 0, 4096);
        CALL(semctl, id, 0, IPC_STAT, room);
        CALL(semctl, id, 0, SET_64(IPC_STAT), room);
        CALL(semctl, id, 0, IPC_SET, room);
        CALL(semctl, id, 1, SETVAL, 5);
        CALL(semctl, id, 1, GETVAL, 0);
        CALL(semctl, id, 0, GETALL, room);
        CALL(semctl, 0, 0, IPC_INFO, room);
        CALL(semctl, 0, 0, 77, room);
        CALL(semctl, id, 0, IPC_RMID, 0);
}

static void queues(void)
{
        int id = CALL(msgget, KEY, IPC_CREAT | 0600);
        struct {
                long type;
                char text[61];
        } message = { 7, "forty-two bytes of text, and a few more of them." };
        void *sent = at(4096, &message, sizeof(message));

        CALL(msgget, IPC_PRIVATE + 3, IPC_EXCL | 0x8000);
        CALL(msgsnd, id, sent, 41, IPC_NOWAIT);
        CALL(msgsnd, id, sent, 5, IPC_NOWAIT);
        CALL(msgsnd, id, BAD, 5, 0);
        CALL(msgsnd, -1, 0, 5, 0x10);
        memset(room, 0, 4096);
        CALL(msgctl, id, SET_64(IPC_STAT), room);
        CALL(msgctl, id, IPC_STAT, room);
        CALL(msgctl, id, IPC_SET, room);
        CALL(msgctl, 0, IPC_INFO, room);
        CALL(msgctl, id, 98, room);
        CALL(msgrcv, id, room, 61, 7, MSG_NOERROR | IPC_NOWAIT);
        CALL(msgrcv, id, room, 61, -9, IPC_NOWAIT);
        CALL(msgrcv, id, room, 61, 1, IPC_NOWAIT | 0x4000);
        CALL(msgctl, id, IPC_RMID, 0);
}

static void posix_queues(void)
{
        long wanted[8] = { 0, 3, 64 };
        long *attr = at(4096, wanted, sizeof(wanted));
        const char *name = at(8192, "pytracer-calls", 15);
        int id = CALL(mq_open, name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, attr);
        struct sigevent none;

        memset(&none, 0, sizeof(none));
        none.sigev_notify = SIGEV_NONE;
        CALL(mq_open, BAD, O_RDONLY, 0, 0);
        CALL(mq_open, "/", O_CREAT, 0777, BAD);
#ifdef SYS_mq_timedsend
        CALL(mq_timedsend, id, at(12288, "a message of a queue, longer than shown", 39), 39, 3, 0);
        CALL(mq_timedsend, id, BAD, 5, 1, 0);
        CALL(mq_timedreceive, id, room, 64, room + 512, 0);
        CALL(mq_timedreceive, id, room, 64, room + 512, BAD);
#endif
        CALL(mq_notify, id, at(16384, &none, sizeof(none)));
        CALL(mq_notify, id, 0);
        CALL(mq_getsetattr, id, attr, room + 1024);
        CALL(mq_getsetattr, id, 0, room + 1024);
        CALL(mq_getsetattr, -1, BAD, room + 1024);
        CALL(mq_unlink, name);
        CALL(mq_unlink, name);
}

int main(void)
{
        make_room();
        /* Ids are counted anew in a namespace. */
        unshare(CLONE_NEWIPC);
        shared_memory();
        semaphores();
        queues();
        posix_queues();
        return 0;
}
