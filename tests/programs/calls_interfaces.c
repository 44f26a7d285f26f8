/* Requests of ioctl about network interfaces: what lo answers, and what an absent one refuses. */
#include "calls.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>

#define REQUEST(fd, request, argument) CALL(ioctl, fd, request, argument)

static int inet;

static struct ifreq *of(const char *name)
{
        struct ifreq request = {};

        strcpy(request.ifr_name, name);
        return at(0, &request, sizeof(request));
}

static void gets(void)
{
        static const long requests[] = { SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFDSTADDR, SIOCGIFNETMASK,
                                         SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFMAP,
                                         SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFSLAVE, SIOCGIFTXQLEN };
        struct ifreq numbered = { .ifr_ifindex = 1 }, full;

        memset(&full, 'x', sizeof(full));
        for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
                REQUEST(inet, requests[i], of("lo"));
                REQUEST(inet, requests[i], of("absent0"));
                REQUEST(inet, requests[i], at(0, &full, sizeof(full)));
                REQUEST(inet, requests[i], NULL);
                REQUEST(inet, requests[i], BAD);
                REQUEST(inet, requests[i], edge - sizeof(full) + 1);
        }
        REQUEST(inet, SIOCGIFNAME, at(0, &numbered, sizeof(numbered)));
        numbered.ifr_ifindex = -1;
        REQUEST(inet, SIOCGIFNAME, at(0, &numbered, sizeof(numbered)));
        REQUEST(inet, SIOCGIFNAME, BAD);
}

static void sets(void)
{
        static const long addresses[] = { SIOCSIFADDR, SIOCSIFBRDADDR, SIOCSIFDSTADDR,
                                          SIOCSIFNETMASK };
        static const long links[] = { SIOCADDMULTI, SIOCDELMULTI, SIOCSIFHWADDR, SIOCSIFHWBROADCAST };
        static const long numbers[] = { SIOCSIFMETRIC, SIOCSIFMTU, SIOCSIFTXQLEN, SIOCSIFFLAGS };
        static const short kinds[] = { ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_AX25, ARPHRD_INFINIBAND,
                                       ARPHRD_SIT, ARPHRD_NONE, ARPHRD_IRDA, 6 };
        struct ifreq *request = of("absent0");
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7) };

        address.sin_addr.s_addr = htonl(0x7f000009);
        memcpy(&request->ifr_addr, &address, sizeof(address));
        for (size_t i = 0; i < 4; i++) {
                REQUEST(inet, addresses[i], request);
                REQUEST(inet, addresses[i], NULL);
                REQUEST(inet, addresses[i], edge - 20);
        }
        memcpy(request->ifr_hwaddr.sa_data, "\2\0^\0\0\1abcdefgh", 14);
        for (size_t i = 0; i < 8; i++) {
                request->ifr_hwaddr.sa_family = kinds[i];
                REQUEST(inet, links[i % 4], request);
        }
        for (size_t i = 0; i < 4; i++) {
                request->ifr_ifru.ifru_ivalue = (int)0xdead9043;
                REQUEST(inet, numbers[i], request);
        }
        strcpy(request->ifr_newname, "another0");
        REQUEST(inet, SIOCSIFNAME, request);
        REQUEST(inet, SIOCSIFSLAVE, request);
        REQUEST(inet, SIOCSIFMAP, request);
        memset(request, 'x', sizeof(*request));
        REQUEST(inet, SIOCSIFNAME, request);
        REQUEST(inet, SIOCSIFFLAGS, request);
        REQUEST(inet, SIOCBRADDBR, BAD);
        REQUEST(inet, SIOCBRDELBR, of("absent0"));
        REQUEST(inet, SIOCBRADDIF, of("absent0"));
        request->ifr_ifindex = 1;
        REQUEST(-1, SIOCBRADDIF, request);
        REQUEST(-1, SIOCBRDELIF, NULL);
        request->ifr_ifindex = -1;
        REQUEST(-1, SIOCBRDELIF, request);
}

static void configuration(void)
{
        struct ifconf conf = {};
        struct ifconf *asked = at(0, &conf, sizeof(conf));

        REQUEST(inet, SIOCGIFCONF, asked);
        asked->ifc_len = 77;
        REQUEST(inet, SIOCGIFCONF, asked);
        REQUEST(-1, SIOCGIFCONF, asked);
        REQUEST(inet, SIOCGIFCONF, NULL);
        REQUEST(inet, SIOCGIFCONF, BAD);
        for (int i = 0; i < 4; i++) {
                static const int lengths[] = { 0, 33, sizeof(struct ifreq), 4 * sizeof(struct ifreq) };

                asked->ifc_len = lengths[i];
                asked->ifc_buf = room + 64;
                REQUEST(inet, SIOCGIFCONF, asked);
                REQUEST(-1, SIOCGIFCONF, asked);
        }
        asked->ifc_len = 4096;
        asked->ifc_buf = (void *)BAD;
        REQUEST(inet, SIOCGIFCONF, asked);
}

static void others(void)
{
        static const long numbers[] = { FIOGETOWN, SIOCGPGRP, SIOCATMARK, SIOCGIFENCAP, SIOCOUTQNSD,
                                        FIOSETOWN, SIOCSPGRP, SIOCSIFENCAP };
        static const long addresses[] = { SIOCETHTOOL, SIOCGARP, SIOCADDRT, SIOCGMIIREG, SIOCGIFVLAN,
                                          SIOCDIFADDR, SIOCGIFCOUNT, SIOCBONDENSLAVE, SIOCGIFMEM };
        int *number = (int *)room;

        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                *number = 0;
                REQUEST(inet, numbers[i], number);
                REQUEST(inet, numbers[i], BAD);
                REQUEST(-1, numbers[i], NULL);
        }
        for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
                REQUEST(-1, addresses[i], room);
                REQUEST(-1, addresses[i], NULL);
        }
        REQUEST(-1, SIOCGSTAMP_OLD, room);
        REQUEST(-1, SIOCGSTAMPNS_OLD, BAD);
        REQUEST(-1, SIOCGSTAMP_NEW, room);
        REQUEST(-1, SIOCGSTAMPNS_NEW, room);
        REQUEST(-1, SIOCPROTOPRIVATE, room);
        REQUEST(-1, SIOCDEVPRIVATE + 1, room);
        REQUEST(-1, 0x89cc, room);
}

int main(void)
{
        make_room();
        inet = socket(AF_INET, SOCK_DGRAM, 0);
        gets();
        sets();
        configuration();
        others();
        return 0;
}
