/*
 * Messages of NETLINK_SOCK_DIAG about sockets of every family, with every attribute. The questions
 * have a type that the kernel does not know; the answers are no requests.
 */
#include "netlink.h"

#include <linux/inet_diag.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#define ASK 22
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH(...)                                                                                  \
        (const struct place[]){ __VA_ARGS__ },                                                     \
                COUNT(((const struct place[]){ __VA_ARGS__ }))
#define SIZES(...) (const unsigned short[]){ __VA_ARGS__, 0 }

static unsigned char head[256];

static void fill(unsigned family)
{
        for (unsigned i = 0; i < sizeof(head); i++)
                head[i] = i * 7 + family;
        head[0] = family;
}

static void internet(unsigned family)
{
        fill(family);
        heads(ASK, NLM_F_REQUEST, head, 56, head, 1);
        heads(TCPDIAG_GETSOCK, NLM_F_REQUEST | 0x300, head, 60, head, 1);
        heads(SOCK_DIAG_BY_FAMILY, 2, head, 72, head, 1);
        sweep(ASK, NLM_F_REQUEST, head, 56, NULL, 0, 4, NULL);
        sweep(SOCK_DIAG_BY_FAMILY, 2, head, 72, NULL, 0, 23, SIZES(24, 36, 100, 128, 200));
        for (unsigned code = 0; code < 16; code++) {
                unsigned char filter[32] = { code, 4, 8, 0, 2, 24, 0, 0, 80, 0, 0, 0 };

                start(ASK, NLM_F_REQUEST, head, 56);
                for (unsigned size = 1; size < 30; size += 3)
                        put(INET_DIAG_REQ_BYTECODE, filter, size);
                filter[4] = 10;
                put(INET_DIAG_REQ_BYTECODE, filter, 28);
                filter[4] = 99;
                put(INET_DIAG_REQ_BYTECODE, filter, 16);
                finish(0);
        }
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 72, PATH({ INET_DIAG_ULP_INFO, NULL, 0 }), 4, NULL);
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 72,
              PATH({ INET_DIAG_ULP_INFO, NULL, 0 }, { INET_ULP_INFO_TLS, NULL, 0 }), 6, NULL);
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 72,
              PATH({ INET_DIAG_ULP_INFO, NULL, 0 }, { INET_ULP_INFO_MPTCP, NULL, 0 }), 12, NULL);
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 72,
              PATH({ INET_DIAG_SK_BPF_STORAGES, NULL, 0 }, { SK_DIAG_BPF_STORAGE, NULL, 0 }), 4,
              NULL);
        start(SOCK_DIAG_BY_FAMILY, 0, head, 72);
        for (unsigned value = 0; value < 5; value++) {
                unsigned char data[12] = { value, value };

                put(INET_DIAG_SHUTDOWN, data, 1);
                put(INET_DIAG_SOCKOPT, data, 2);
                put(INET_DIAG_SOCKOPT, data, 12);
                data[1] = 0xf0;
                data[value + 4] = 1;
                put(INET_DIAG_SOCKOPT, data, 12);
        }
        finish(0);
}

/* Addresses, and keys of signatures. */
static void peers(void)
{
        unsigned char data[3 * 128] = { 0 };

        memcpy(data, "\2\0\0\120\177\0\0\1", 8);
        memcpy(data + 128, "\12\0\0\120\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24);
        fill(2);
        start(SOCK_DIAG_BY_FAMILY, 0, head, 72);
        put(INET_DIAG_LOCALS, data, 256);
        put(INET_DIAG_PEERS, data, 384);
        put(INET_DIAG_PEERS, data, 129);
        put(INET_DIAG_PEERS, data, 127);
        for (unsigned family = 2; family < 12; family += 4) {
                memset(data, 0, sizeof(data));
                data[0] = family;
                data[1] = 24;
                data[2] = family * 10;
                for (unsigned i = 4; i < 200; i++)
                        data[i] = i;
                put(INET_DIAG_MD5SIG, data, 100);
                put(INET_DIAG_MD5SIG, data, 202);
        }
        finish(0);
}

static void others(void)
{
        static const unsigned char filter[] = { 0x28, 0, 0, 0, 12, 0, 0, 0, 0x15, 0, 0, 2,
                                                0,    8, 0, 0, 6,  0, 0, 0, 0,    0, 4, 0 };
        unsigned char group[88] = { 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 6, 0, 1, 0, 94, 0, 0, 1 };

        fill(1);
        heads(ASK, NLM_F_REQUEST, head, 24, head, 1);
        heads(SOCK_DIAG_BY_FAMILY, 0, head, 16, head, 1);
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 16, NULL, 0, 8, SIZES(36, 40));
        fill(AF_NETLINK);
        for (unsigned protocol = 0; protocol < 256; protocol += 15) {
                head[1] = head[2] = protocol;
                start(ASK, NLM_F_REQUEST, head, 20);
                finish(0);
                start(SOCK_DIAG_BY_FAMILY, 0, head, 28);
                finish(0);
        }
        heads(ASK, NLM_F_REQUEST, head, 20, head, 1);
        heads(SOCK_DIAG_BY_FAMILY, 0, head, 28, head, 1);
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 28, NULL, 0, 5, SIZES(36, 40));
        fill(AF_PACKET);
        heads(ASK, NLM_F_REQUEST, head, 20, head, 1);
        head[1] = 3;
        head[2] = 0;
        head[3] = 8;
        heads(SOCK_DIAG_BY_FAMILY, 0, head, 16, head, 1);
        /* What a socket lets through has its own turn: abbreviated, it is where it stands. */
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 16, NULL, 0, 6, SIZES(24, 28, 44, 88));
        start(SOCK_DIAG_BY_FAMILY, 0, head, 16);
        put(PACKET_DIAG_MCLIST, group, 44);
        group[10] = 99;
        put(PACKET_DIAG_MCLIST, group, 88);
        put(PACKET_DIAG_FILTER, filter, 7);
        put(PACKET_DIAG_FILTER, filter, 24);
        put(PACKET_DIAG_FILTER, filter, 17);
        finish(0);
        fill(43);
        heads(ASK, NLM_F_REQUEST, head, 52, head, 1);
        heads(SOCK_DIAG_BY_FAMILY, 0, head, 64, head, 1);
        for (unsigned state = 0; state < 32; state++) {
                head[1] = state;
                head[2] = state % 4;
                start(SOCK_DIAG_BY_FAMILY, 0, head, 64);
                finish(0);
        }
        sweep(SOCK_DIAG_BY_FAMILY, 0, head, 64, NULL, 0, 6, SIZES(40, 76, 148, 160));
        start(SOCK_DIAG_BY_FAMILY, 0, head, 64);
        put(SMC_DIAG_FALLBACK, "\0\0\1\3\2\0\231\231", 8);
        finish(0);
}

int main(void)
{
        make_room();
        sock = open_netlink(NETLINK_SOCK_DIAG);
        internet(AF_INET);
        internet(AF_INET6);
        peers();
        others();
        CALL(close, sock);
        return 0;
}
