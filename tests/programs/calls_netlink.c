/* Netlink sockets: sock_diag, the generic controller, and types of the other protocols' messages. */
#include "netlink.h"

#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

static void send_message(int fd, unsigned type, unsigned flags, const void *data, unsigned size)
{
        struct nlmsghdr *header = (struct nlmsghdr *)message;

        header->nlmsg_len = 16 + size;
        header->nlmsg_type = type;
        header->nlmsg_flags = flags;
        header->nlmsg_seq = 1;
        header->nlmsg_pid = 0;
        memcpy(message + 16, data, size);
        CALL(sendto, fd, at(4096, message, 16 + size), 16 + size, MSG_DONTWAIT, 0, 0);
}

static void attribute(char *data, unsigned type, const void *value, unsigned size)
{
        *(uint16_t *)data = 4 + size;
        *(uint16_t *)(data + 2) = type;
        memcpy(data + 4, value, size);
}

/* What a protocol answers with: errors, and the end of a dump. */
static void answers(int fd)
{
        static const int errors[] = { 0, -2, -9999, 5 };
        static const unsigned lengths[] = { 16, 28, 4, 200 };

        for (int i = 0; i < 4; i++)
                for (int flags = 0; flags < 0x400; flags += 0x100) {
                        unsigned head[8] = { errors[i], lengths[i], 0x10012, 1, 0, 0x01020304 };

                        start(NLMSG_ERROR, flags, head, i == 1 ? 32 : 20);
                        put(1, "what is wrong", 14);
                        put(2, "\5\0\0\0", 4);
                        put(3, "\1\2\3", 3);
                        put(4, "\1\2\3", 3);
                        sock = fd;
                        finish(0);
                        length = 16 + 4 + 16;
                        finish(0);
                        length = 16 + 7;
                        finish(0);
                }
        for (unsigned type = 0; type < 6; type++)
                for (unsigned size = 0; size < 9; size++)
                        if (type != NLMSG_ERROR)
                                send_message(fd, type, 0, "\376\377\377\377abcd", size);
}

/* Several messages in a buffer, whole or not. */
static void several(int fd)
{
        char *data = room + 8192;
        struct nlmsghdr one = { 17, RTM_GETLINK, 0, 1, 0 };
        struct iovec parts[2] = { { data, 40 }, { data + 20, 20 } };
        struct sockaddr_nl name = { AF_NETLINK, 0, 0, 0 };
        struct msghdr header = { .msg_name = at(12000, &name, sizeof(name)),
                                 .msg_namelen = sizeof(name), .msg_iovlen = 2 };

        memset(data, 0, 2048);
        for (int i = 0; i < 50; i++)
                memcpy(data + 20 * i, &one, 16);
        for (unsigned size = 0; size < 64; size += 3)
                CALL(sendto, fd, data, size, 0, 0, 0);
        CALL(sendto, fd, data, 1000, 0, 0, 0);
        CALL(sendto, fd, 0, 20, 0, 0, 0);
        CALL(sendto, fd, BAD, 20, 0, 0, 0);
        CALL(sendto, fd, at_edge(data, 20), 60, 0, 0, 0);
        CALL(sendto, fd, at_edge(data, 50), 60, 0, 0, 0);
        CALL(sendto, fd, at_edge(data, 12), 60, 0, 0, 0);
        header.msg_iov = at(12100, parts, sizeof(parts));
        CALL(sendmsg, fd, at(12200, &header, sizeof(header)), 0);
        header.msg_name = 0;
        header.msg_namelen = 0;
        CALL(sendmsg, fd, at(12200, &header, sizeof(header)), 0);
        for (unsigned claimed = 0; claimed < 60; claimed += 7) {
                *(uint32_t *)data = claimed;
                CALL(sendto, fd, data, 40, 0, 0, 0);
        }
}

/* Questions that change nothing, and what the kernel answers. */
static void dumps(int fd)
{
        static const unsigned types[] = { RTM_GETADDR, RTM_GETRULE, RTM_GETADDRLABEL };
        struct sockaddr_nl name;
        struct iovec part = { room + 20480, 32768 };
        struct msghdr header = { .msg_name = room + 12000, .msg_namelen = sizeof(name),
                                 .msg_iov = at(12100, &part, sizeof(part)), .msg_iovlen = 1 };

        for (int i = 0; i < 3; i++) {
                unsigned char family[16] = { i < 2 ? 2 : 10 };

                send_message(fd, types[i], NLM_F_REQUEST | NLM_F_DUMP, family, i == 1 ? 12 : 8);
                for (int answer = 0; answer < 2; answer++)
                        if (i & 1)
                                CALL(recvfrom, fd, room + 20480, 32768, MSG_DONTWAIT, 0, 0);
                        else
                                CALL(recvmsg, fd, at(12200, &header, sizeof(header)),
                                     MSG_DONTWAIT);
        }
}

static void events(int fd)
{
        unsigned head[10] = { 0x7562696c, 0x766564, 0xcefaedfe, 40, 40, 7, 0x1020304, 0, 5, 1 };
        char *data = room + 8192;

        memset(data, 0, 128);
        memcpy(data, head, 40);
        memcpy(data + 40, "ACTION=add\0DEVPATH=/devices/x", 30);
        for (unsigned size = 0; size < 80; size += 8)
                CALL(sendto, fd, data, size, MSG_DONTWAIT, 0, 0);
        CALL(sendto, fd, BAD, 64, MSG_DONTWAIT, 0, 0);
        data[3] = 'x';
        CALL(sendto, fd, data, 64, MSG_DONTWAIT, 0, 0);
}

int main(void)
{
        static const int protocols[] = { NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_GENERIC,
                                         NETLINK_NETFILTER, NETLINK_XFRM, NETLINK_AUDIT,
                                         NETLINK_CRYPTO, NETLINK_SELINUX, NETLINK_KOBJECT_UEVENT };
        static const unsigned char families[] = { 0, 1, 2, 10, 77 };
        struct sockaddr_nl name = { AF_NETLINK, 0, 0, 0 };
        unsigned char data[128];
        int fds[9];

        make_room();
        for (int i = 0; i < 9; i++) {
                fds[i] = CALL(socket, AF_NETLINK, SOCK_RAW, protocols[i]);
                CALL(bind, fds[i], at(0, &name, sizeof(name)), sizeof(name));
        }
        /* A type that no protocol accepts as a request, so that nothing comes of it. */
        for (int family = 0; family < 5; family++)
                for (int type = 18; type < 22; type++)
                        for (int flags = 0; flags < 2; flags++) {
                                for (size_t i = 1; i < sizeof(data); i++)
                                        data[i] = i * 7 & 0xdf;
                                data[0] = families[family];
                                send_message(fds[1], type, flags ? 0x301 : 0, data, 1);
                                send_message(fds[1], type, flags ? 0x301 : 0, data, 12);
                                send_message(fds[1], type, flags ? 0x301 : 0, data, 24);
                                send_message(fds[1], type, flags ? 0x301 : 0, data, 56);
                                send_message(fds[1], type, flags ? 0x301 : 0, data, 72);
                        }
        for (unsigned type = 0; type < 20; type++) {
                static const uint32_t value[8] = { 0x10203, 2, 3, 4, 5, 6, 7, 8 };

                memset(data, 0, sizeof(data));
                data[0] = 2;
                attribute((char *)data + 72, type, value, 32);
                send_message(fds[1], 20, 0, data, 108);
                attribute((char *)data + 72, type, "cubic", 6);
                send_message(fds[1], 20, 0, data, 84);
                attribute((char *)data + 56, type, value, 12);
                send_message(fds[1], 20, 1, data, 72);
                data[0] = 1;
                attribute((char *)data + 16, type, value, 8);
                send_message(fds[1], 20, 0, data, 28);
        }
        for (int protocol = 2; protocol < 9; protocol++)
                for (unsigned type = 16; type < 0x1000; type += type < 40 ? 1 : 0x101)
                        send_message(fds[protocol], type, 0x700, "\5\1\0\0abcd", 8);
        for (unsigned type = 0; type < 25; type++) {
                static const uint32_t value[8] = { 0x10203, 2, 3, 4, 5, 6, 7, 8 };

                if (type == 3 || type == 17 || type == 18)
                        continue;
                memset(data, type, sizeof(data));
                data[0] = type & 1 ? 2 : 10;
                attribute((char *)data + 12, type, value, 20);
                send_message(fds[0], 32, 0, data, 36);
                attribute((char *)data + 12, type, value, 3);
                send_message(fds[0], 34, 0, data, 19);
                attribute((char *)data + 4, type, value, 4);
                send_message(fds[0], 90, 0, data, 12);
        }
        for (unsigned subsystem = 0; subsystem < 15; subsystem++)
                for (unsigned type = 0; type < 25; type++)
                        if (subsystem != 6 || type < 14)
                                send_message(fds[3], subsystem << 8 | type, 0xf00, "\2\0\0\12", 4);
        answers(fds[0]);
        answers(fds[1]);
        answers(fds[3]);
        several(fds[0]);
        several(fds[5]);
        dumps(fds[0]);
        events(fds[8]);
        CALL(close, fds[2]);
        return 0;
}
