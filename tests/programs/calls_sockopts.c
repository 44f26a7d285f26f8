/* Socket options: values with structure, and lengths that do not fit. */
#include "calls.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void set(int fd, int level, int name, const void *data, size_t size, int length)
{
        CALL(setsockopt, fd, level, name, at(64, data, size), length);
}

static void get(int fd, int level, int name, int length)
{
        CALL(getsockopt, fd, level, name, memset(room + 64, 0x5a, 256), at(0, &length, 4));
}

int main(void)
{
        static const unsigned words[80] = { 1, 2, 0x7f000001, 4, 5, 6, 7, 8 };
        static const int lengths[] = { -1, 0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 20, 128, 136, 200 };
        static const int names[][2] = {
                { SOL_SOCKET, SO_LINGER }, { SOL_SOCKET, SO_PEERCRED }, { SOL_SOCKET, SO_ERROR },
                { SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_DOMAIN }, { SOL_SOCKET, 74 },
                { SOL_SOCKET, SO_ATTACH_FILTER }, { SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF },
                { SOL_SOCKET, SO_PEERNAME }, { SOL_SOCKET, SO_RCVTIMEO },
                { SOL_IP, IP_TOS }, { SOL_IP, IP_ADD_MEMBERSHIP }, { SOL_IP, MCAST_JOIN_GROUP },
                { SOL_IP, IP_OPTIONS }, { SOL_IP, 0x7777 },
                { SOL_IPV6, IPV6_ADD_MEMBERSHIP }, { SOL_IPV6, IPV6_LEAVE_ANYCAST },
                { SOL_IPV6, MCAST_LEAVE_GROUP }, { SOL_IPV6, IPV6_V6ONLY },
                { IPPROTO_TCP, 1 }, { IPPROTO_TCP, 11 }, { IPPROTO_TCP, 0x7777 },
                { SOL_PACKET, PACKET_RX_RING }, { SOL_PACKET, PACKET_ADD_MEMBERSHIP },
                { SOL_PACKET, PACKET_STATISTICS }, { SOL_RAW, 1 }, { SOL_RAW, 2 },
                { 270, 1 }, { 270, 9 }, { 270, 77 }, { 271, 128 }, { 0x1234, 5 },
        };
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
                BPF_STMT(BPF_RET | BPF_K, 0x2a),
        };
        struct { unsigned short count; void *code; } program = { 2, 0 };
        unsigned wanted[4];

        make_room();
        program.code = at(8192, code, sizeof(code));
        CALL(socket, AF_INET, SOCK_STREAM, 0);
        CALL(socket, AF_UNIX, SOCK_DGRAM, 0);
        CALL(socket, AF_NETLINK, SOCK_RAW, 0);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                for (size_t j = 0; j < sizeof(lengths) / sizeof(*lengths); j++) {
                        set(-1, names[i][0], names[i][1], words, sizeof(words), lengths[j]);
                        for (int fd = 3; fd < 6; fd++)
                                get(fd, names[i][0], names[i][1], lengths[j]);
                }
        for (int i = 0; i < 4; i++) {
                static const unsigned filters[] = { 0, 1, 0xfffffff7, 0x8000ff };
                wanted[i] = filters[i];
                set(-1, SOL_RAW, 1, &wanted[i], 4, 4);
        }
        set(3, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program), sizeof(program));
        get(3, SOL_SOCKET, SO_ATTACH_FILTER, 2);
        get(3, SOL_SOCKET, SO_ATTACH_FILTER, 8);
        set(5, 270, 1, words, 4, 4);
        get(5, 270, 9, 8);
        get(5, 270, 9, 4);
        CALL(setsockopt, 3, SOL_SOCKET, SO_LINGER, 0, 8);
        CALL(setsockopt, 3, SOL_SOCKET, SO_LINGER, BAD, 8);
        CALL(setsockopt, 3, SOL_PACKET, PACKET_RX_RING, BAD, 16);
        CALL(setsockopt, 3, SOL_SOCKET, SO_REUSEADDR, BAD, 4);
        CALL(setsockopt, 3, SOL_IP, 0x7777, BAD, 5);
        CALL(getsockopt, 3, SOL_SOCKET, SO_LINGER, 0, 0);
        CALL(getsockopt, 3, SOL_SOCKET, SO_LINGER, room, BAD);
        return 0;
}
