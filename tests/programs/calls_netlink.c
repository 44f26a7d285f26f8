/* Netlink sockets: sock_diag, the generic controller, and types of the other protocols' messages. */
#include "calls.h"

#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

static char message[512];

static void send_message(int fd, unsigned type, unsigned flags, const void *data, unsigned length)
{
        struct nlmsghdr *header = (struct nlmsghdr *)message;

        header->nlmsg_len = 16 + length;
        header->nlmsg_type = type;
        header->nlmsg_flags = flags;
        header->nlmsg_seq = 1;
        header->nlmsg_pid = 0;
        memcpy(message + 16, data, length);
        CALL(sendto, fd, at(4096, message, 16 + length), 16 + length, MSG_DONTWAIT, 0, 0);
}

static void attribute(char *data, unsigned type, const void *value, unsigned length)
{
        *(uint16_t *)data = 4 + length;
        *(uint16_t *)(data + 2) = type;
        memcpy(data + 4, value, length);
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
        CALL(close, fds[2]);
        return 0;
}
