/* Calls on sockets: each with success and without, all within one process. */
#include "calls.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define GONE 99

static socklen_t name(size_t offset, const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        strcpy(address.sun_path, path);
        at(offset, &address, sizeof(address));
        return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static void *length(size_t offset, int value)
{
        return at(offset, &value, sizeof(value));
}

static void streams(void)
{
        socklen_t size = name(0, "listening");
        int listener = CALL(socket, AF_UNIX, SOCK_STREAM, 0);
        int callers[2], taken;

        CALL(bind, listener, room, size);
        CALL(bind, listener, room, size);
        CALL(listen, listener, 5);
        CALL(listen, GONE, 5);
        for (int i = 0; i < 2; i++) {
                callers[i] = CALL(socket, AF_UNIX, SOCK_STREAM, 0);
                if (i)
                        CALL(bind, callers[i], room + 256, name(256, "calling"));
                CALL(connect, callers[i], room, size);
        }
        CALL(connect, GONE, room, size);
#ifdef SYS_accept
        taken = CALL(accept, listener, room + 512, length(1024, 110));
        CALL(accept, GONE, room + 512, length(1024, 110));
        CALL(accept, GONE, 0, 0);
#else
        taken = CALL(accept4, listener, room + 512, length(1024, 110), 0);
#endif
        taken = CALL(accept4, listener, room + 512, length(1024, 110), SOCK_CLOEXEC | SOCK_NONBLOCK);
        CALL(accept4, listener, BAD, room + 1024, 1);
        CALL(getsockname, listener, room + 512, length(1024, 110));
        CALL(getsockname, listener, room + 512, length(1024, 5));
        CALL(getsockname, GONE, room + 512, room + 1024);
        CALL(getsockname, listener, BAD, BAD);
        CALL(getpeername, taken, room + 512, length(1024, 110));
        CALL(getpeername, callers[0], room + 512, length(1024, 110));
        CALL(getpeername, listener, room + 512, length(1024, 110));
        CALL(sendto, callers[0], "stream", 6L, MSG_NOSIGNAL, 0, 0);
        CALL(recvfrom, taken, room + 512, 6L, 0, room + 768, length(1024, 110));
        CALL(shutdown, callers[1], SHUT_WR);
        CALL(recvfrom, taken, room + 512, 6L, 0, 0, 0);
        CALL(shutdown, GONE, SHUT_RDWR);
        CALL(shutdown, listener, 7);
}

static void datagrams(void)
{
        struct iovec parts[2] = { { room + 4096, 5 }, { room + 5000, 3 } };
        struct msghdr message = { .msg_iov = (void *)(room + 2048), .msg_iovlen = 2 };
        socklen_t size = name(0, "first");
        int first = CALL(socket, AF_UNIX, SOCK_DGRAM, 0), second, pair[2];

        CALL(bind, first, room, size);
        second = CALL(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        CALL(bind, second, room + 256, name(256, "second"));
        CALL(sendto, second, "datagram", 8L, 0, room, size);
        CALL(recvfrom, first, room + 512, 64L, 0, room + 768, length(1024, 110));
        CALL(recvfrom, second, room + 512, 64L, MSG_TRUNC, room + 768, length(1024, 110));
        CALL(recvfrom, GONE, BAD, 64L, MSG_DONTWAIT, BAD, BAD);
        memcpy(room + 4096, "parts", 5);
        memcpy(room + 5000, "sum", 3);
        at(2048, parts, sizeof(parts));
        message.msg_name = room;
        message.msg_namelen = size;
        CALL(sendmsg, second, at(3072, &message, sizeof(message)), 0);
        CALL(sendmsg, GONE, room + 3072, MSG_DONTWAIT);
        message.msg_name = room + 768;
        message.msg_namelen = 110;
        CALL(recvmsg, first, at(3072, &message, sizeof(message)), 0);
        CALL(recvmsg, first, at(3072, &message, sizeof(message)), MSG_DONTWAIT);
        CALL(recvmsg, GONE, BAD, 0);
        CALL(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        CALL(socketpair, AF_UNIX, 77, 0, pair);
        CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
}

int main(void)
{
        make_room();
        streams();
        datagrams();
        return 0;
}
