/* Messages of NETLINK_ROUTE of every kind, with every attribute. None of them is a request. */
#include "netlink.h"

#include <linux/dcbnl.h>
#include <linux/if_addr.h>
#include <linux/if_addrlabel.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH(...)                                                                                  \
        (const struct place[]){ __VA_ARGS__ },                                                     \
                COUNT(((const struct place[]){ __VA_ARGS__ }))
#define SIZES(...) (const unsigned short[]){ __VA_ARGS__, 0 }

static void links(void)
{
        unsigned char families[] = { 0, 2, 7, 10, 99 };
        struct ifinfomsg head = { .ifi_family = 0, .ifi_type = 1, .ifi_index = 1,
                                  .ifi_flags = 0x80041, .ifi_change = ~0U };

        heads(RTM_NEWLINK, 0x600, &head, sizeof(head), families, sizeof(families));
        head.ifi_family = 7;
        heads(RTM_GETNEIGH, 0x300, &head, sizeof(head), families, 3);
        for (unsigned i = 0; i < 4; i++) {
                head.ifi_family = families[i];
                sweep(RTM_NEWLINK, 0, &head, sizeof(head), NULL, 0, i ? 26 : 0x3d,
                      SIZES(28, 32, 33, 92, 93, 96, 100, 184, 192, 193, 200, 208));
        }
        head.ifi_family = 0;
        sweep(RTM_DELLINK, 0, &head, sizeof(head), PATH({ IFLA_LINKINFO, NULL, 0 }), 6,
              SIZES(24, 28, 64));
        sweep(RTM_SETLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 }, { IFLA_INFO_DATA, "bridge", IFLA_INFO_KIND }), 47,
              NULL);
        sweep(RTM_GETLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 }, { IFLA_INFO_DATA, "bridge", IFLA_INFO_KIND },
                   { IFLA_BR_MCAST_QUERIER_STATE, NULL, 0 }),
              8, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 }, { IFLA_INFO_DATA, "tun", IFLA_INFO_KIND }), 10,
              NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 },
                   { IFLA_INFO_SLAVE_DATA, "bridge", IFLA_INFO_SLAVE_KIND }),
              39, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 }, { IFLA_INFO_XSTATS, "can", IFLA_INFO_KIND }), 0,
              SIZES(24, 28));
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_LINKINFO, NULL, 0 }, { IFLA_INFO_DATA, "other", IFLA_INFO_KIND }), 1,
              NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_VFINFO_LIST, NULL, 0 }, { IFLA_VF_INFO, NULL, 0 }), 14, SIZES(36, 40));
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_VFINFO_LIST, NULL, 0 }), 2, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_VFINFO_LIST, NULL, 0 }, { IFLA_VF_INFO, NULL, 0 },
                   { IFLA_VF_STATS, NULL, 0 }),
              9, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_VFINFO_LIST, NULL, 0 }, { IFLA_VF_INFO, NULL, 0 },
                   { IFLA_VF_VLAN_LIST, NULL, 0 }),
              2, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_VF_PORTS, NULL, 0 }, { IFLA_VF_PORT, NULL, 0 }), 8, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_PORT_SELF, NULL, 0 }), 8, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_XDP, NULL, 0 }), 9, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_PROP_LIST, NULL, 0 }), 2, NULL);
        put(IFLA_ALT_IFNAME, "other", 6);
        put(IFLA_ALT_IFNAME | NLA_F_NESTED, "other", 6);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_PROTO_DOWN_REASON | NLA_F_NESTED, NULL, 0 }), 3, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_AF_SPEC, NULL, 0 }, { 2, NULL, 0 }), 2, SIZES(132));
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_AF_SPEC, NULL, 0 }, { 10 | NLA_F_NESTED, NULL, 0 }), 10,
              SIZES(48, 64, 228, 240));
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_AF_SPEC, NULL, 0 }, { 45, NULL, 0 }), 1, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_AF_SPEC, NULL, 0 }, { 99, NULL, 0 }), 1, NULL);
        head.ifi_family = 7;
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_AF_SPEC, NULL, 0 }), 7, NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head),
              PATH({ IFLA_AF_SPEC, NULL, 0 }, { IFLA_BRIDGE_VLAN_TUNNEL_INFO, NULL, 0 }), 4,
              NULL);
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_PROTINFO, NULL, 0 }), 39, NULL);
        head.ifi_family = 10;
        sweep(RTM_NEWLINK, 0, &head, sizeof(head), PATH({ IFLA_PROTINFO, NULL, 0 }), 3, NULL);
}

static void addresses(void)
{
        unsigned char families[] = { 0, 2, 10, 99 };
        struct ifaddrmsg head = { .ifa_family = 2, .ifa_prefixlen = 24, .ifa_flags = 0x81,
                                  .ifa_scope = 254, .ifa_index = 1 };
        struct ifaddrlblmsg label = { .ifal_family = 10, .ifal_prefixlen = 96, .ifal_index = 1,
                                      .ifal_flags = 3, .ifal_seq = 7 };

        heads(RTM_NEWADDR, 0, &head, sizeof(head), families, sizeof(families));
        heads(RTM_NEWADDRLABEL, 0, &label, sizeof(label), families, sizeof(families));
        for (unsigned i = 0; i < 3; i++) {
                head.ifa_family = label.ifal_family = families[i];
                sweep(RTM_GETADDR, 0, &head, sizeof(head), NULL, 0, 12, NULL);
                sweep(RTM_GETADDRLABEL, 0, &label, sizeof(label), NULL, 0, 3, NULL);
        }
        head.ifa_family = 10;
        sweep(RTM_GETMULTICAST, 0, &head, sizeof(head), NULL, 0, 7, NULL);
        sweep(RTM_GETANYCAST, 0, &head, sizeof(head), NULL, 0, 5, NULL);
}

static void hops(void)
{
        struct rtmsg head = { .rtm_family = 2, .rtm_dst_len = 8, .rtm_tos = 0x10 };
        unsigned char data[64] = { 0 };
        struct rtnexthop *hop = (struct rtnexthop *)data;

        for (unsigned flaw = 0; flaw < 6; flaw++) {
                hop->rtnh_len = flaw == 1 ? 8 : flaw == 2 ? 4 : flaw == 3 ? 60 : 16;
                hop->rtnh_flags = 5;
                hop->rtnh_hops = 3;
                hop->rtnh_ifindex = 1;
                memcpy(data + 8, "\10\0\5\0\177\0\0\1", 8);
                memcpy(data + 16, data, 16);
                start(RTM_NEWROUTE, 0, &head, sizeof(head));
                put(RTA_MULTIPATH, data, flaw == 4 ? 16 : flaw == 5 ? 30 : 32);
                memcpy(data, "\12\0", 2);
                put(RTA_VIA, data, 2);
                put(RTA_VIA, data, 6);
                put(RTA_VIA, data, 18);
                memcpy(data, "\2\0", 2);
                put(RTA_VIA, data, 6);
                finish(0);
        }
}

static void routes(void)
{
        unsigned char families[] = { 0, 2, 10, 28, 128, 129, 255 };
        struct rtmsg head = { .rtm_family = 2, .rtm_dst_len = 8, .rtm_tos = 0x10, .rtm_table = 99,
                              .rtm_protocol = 3, .rtm_scope = 253, .rtm_type = 1,
                              .rtm_flags = 0x300 };
        struct nhmsg hop = { .nh_family = 2, .nh_scope = 200, .nh_protocol = 4, .nh_flags = 5 };
        struct {
                unsigned char family, pad[3];
        } report = { 0, { 0 } };

        heads(RTM_NEWROUTE, 0, &head, sizeof(head), families, sizeof(families));
        heads(RTM_NEWNEXTHOP, 0, &hop, sizeof(hop), families, 4);
        hop.resvd = 9;
        heads(RTM_GETNEXTHOP, 0, &hop, sizeof(hop), families, 4);
        for (unsigned i = 0; i < 4; i++) {
                head.rtm_family = hop.nh_family = families[i];
                /* What is a route of many hops has to be well formed. */
                sweep(RTM_GETROUTE, 0, &head, sizeof(head), NULL, 0, RTA_METRICS, NULL);
                sweep(RTM_NEWNEXTHOP, 0, &hop, sizeof(hop), NULL, 0, 13, NULL);
        }
        for (unsigned type = RTA_PROTOINFO; type < 0x1e; type++) {
                static const unsigned short sizes[] = { 1, 2, 4, 6, 8, 18, 24, 28, 32 };
                static const unsigned char data[32] = { 2, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

                start(RTM_DELROUTE, 0, &head, sizeof(head));
                for (unsigned i = 0; i < COUNT(sizes); i++)
                        put(type, data, sizes[i]);
                finish(0);
        }
        sweep(RTM_NEWROUTE, 0, &head, sizeof(head), PATH({ RTA_METRICS, NULL, 0 }), 18, NULL);
        sweep(RTM_NEWNEXTHOP, 0, &hop, sizeof(hop), PATH({ NHA_RES_GROUP, NULL, 0 }), 5, NULL);
        sweep(RTM_NEWNEXTHOP, 0, &hop, sizeof(hop), PATH({ NHA_RES_BUCKET, NULL, 0 }), 4, NULL);
        hops();
        for (unsigned i = 0; i < sizeof(families); i++) {
                report.family = families[i];
                sweep(RTM_NEWCACHEREPORT, 0, &report, 4, NULL, 0, families[i] & 128 ? 7 : 0, NULL);
        }
        heads(RTM_NEWCACHEREPORT, 0, &report, 1, families, sizeof(families));
}

static void neighbours(void)
{
        unsigned char families[] = { 0, 2, 10, 7 };
        struct ndmsg head = { .ndm_family = 2, .ndm_ifindex = 1, .ndm_state = 0x82,
                              .ndm_flags = 0x81, .ndm_type = 1 };
        struct ndtmsg table = { .ndtm_family = 2 };

        heads(RTM_NEWNEIGH, 0, &head, sizeof(head), families, sizeof(families));
        heads(RTM_NEWNEIGHTBL, 0, &table, sizeof(table), families, sizeof(families));
        for (unsigned i = 0; i < 4; i++) {
                head.ndm_family = families[i];
                sweep(RTM_DELNEIGH, 0, &head, sizeof(head), NULL, 0, 18, SIZES(32, 33));
        }
        sweep(RTM_NEWNEIGH, 0, &head, sizeof(head), PATH({ NDA_FDB_EXT_ATTRS, NULL, 0 }), 3,
              NULL);
        sweep(RTM_SETNEIGHTBL, 0, &table, sizeof(table), NULL, 0, 10, SIZES(32, 80, 88, 96));
        sweep(RTM_GETNEIGHTBL, 0, &table, sizeof(table), PATH({ NDTA_PARMS, NULL, 0 }), 20, NULL);
}

static void queueing(void)
{
        unsigned char families[] = { 0, 2 };
        struct tcmsg head = { .tcm_family = 0, .tcm_ifindex = 1, .tcm_handle = 0x10000,
                              .tcm_parent = ~0U, .tcm_info = 3 };
        static const unsigned short types[] = { RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC,
                                                RTM_NEWTCLASS, RTM_NEWTFILTER, RTM_NEWCHAIN };

        for (unsigned i = 0; i < COUNT(types); i++)
                heads(types[i], 0x400, &head, sizeof(head), families, sizeof(families));
        sweep(RTM_NEWQDISC, 0, &head, sizeof(head), NULL, 0, 15, SIZES(36, 40));
        sweep(RTM_NEWTCLASS, 0, &head, sizeof(head), PATH({ TCA_STATS2, NULL, 0 }), 9, NULL);
        sweep(RTM_NEWTFILTER, 0, &head, sizeof(head), PATH({ TCA_STAB, NULL, 0 }), 3,
              SIZES(24, 28));
}

static void others(void)
{
        unsigned char families[] = { 0, 2, 7, 10 };
        struct br_port_msg port = { .family = 7, .ifindex = 1 };
        struct if_stats_msg stats = { .family = 0, .ifindex = 1, .filter_mask = 0x43 };
        struct dcbmsg dcb = { .dcb_family = 0, .cmd = 3 };
        unsigned char generic[4] = { 2 };

        heads(RTM_NEWMDB, 0, &port, sizeof(port), families, sizeof(families));
        sweep(RTM_NEWMDB, 0, &port, sizeof(port), NULL, 0, 3, NULL);
        sweep(RTM_DELMDB, 0, &port, sizeof(port), PATH({ MDBA_MDB, NULL, 0 }), 2, NULL);
        sweep(RTM_GETMDB, 0, &port, sizeof(port),
              PATH({ MDBA_MDB, NULL, 0 }, { MDBA_MDB_ENTRY, NULL, 0 }), 2, NULL);
        for (unsigned i = 0; i < 3; i++) {
                unsigned char entry[28 + 12] = { 1, 0, 0, 0, i, 3, 7, 0, 224, 0, 0, 1 };

                entry[25] = families[i + 1];
                memcpy(entry + 28, "\10\0\1\0\144\0\0\0\10\0\2\0", 12);
                start(RTM_NEWMDB, 0, &port, sizeof(port));
                unsigned outer = begin(MDBA_MDB), inner = begin(MDBA_MDB_ENTRY);

                put(MDBA_MDB_ENTRY_INFO, entry, 28);
                put(MDBA_MDB_ENTRY_INFO, entry, 36);
                put(MDBA_MDB_ENTRY_INFO, entry, 40);
                end(inner);
                end(outer);
                finish(0);
        }
        sweep(RTM_NEWMDB, 0, &port, sizeof(port), PATH({ MDBA_ROUTER, NULL, 0 }), 2, NULL);
        start(RTM_NEWMDB, 0, &port, sizeof(port));
        unsigned router = begin(MDBA_ROUTER);

        for (unsigned type = 0; type < 6; type++) {
                unsigned place = begin(MDBA_ROUTER_PORT);

                memcpy(message + length, "\1\0\0\0", 4);
                length += 4;
                put(type, "\1\0\0\0\0\0\0\0", 8);
                put(type, "\2\0\0\0", 4);
                put(type, "\3", 1);
                end(place);
        }
        end(router);
        finish(0);

        heads(RTM_NEWSTATS, 0, &stats, sizeof(stats), families, 2);
        stats.pad1 = 1;
        stats.pad2 = 2;
        heads(RTM_GETSTATS, 0, &stats, sizeof(stats), families, 2);
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats), NULL, 0, 6, SIZES(184, 192, 200, 208));
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats), PATH({ 2, NULL, 0 }), 3, NULL);
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats), PATH({ 2, NULL, 0 }, { 1, NULL, 0 }), 5,
              SIZES(40, 44, 48, 52, 256, 260));
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats),
              PATH({ 3, NULL, 0 }, { 2, NULL, 0 }, { 1, NULL, 0 }), 10, NULL);
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats), PATH({ 4, NULL, 0 }), 2, SIZES(200));
        sweep(RTM_NEWSTATS, 0, &stats, sizeof(stats), PATH({ 5, NULL, 0 }, { 28, NULL, 0 }), 2,
              SIZES(72, 76));

        heads(RTM_GETDCB, 0, &dcb, sizeof(dcb), families, 2);
        sweep(RTM_SETDCB, 0, &dcb, sizeof(dcb), NULL, 0, 17, NULL);
        heads(RTM_NEWNETCONF, 0, generic, 1, families, 4);
        sweep(RTM_DELNETCONF, 0, generic, 4, NULL, 0, 8, NULL);
        heads(RTM_NEWNSID, 0, generic, 1, families, 4);
        sweep(RTM_GETNSID, 0, generic, 4, NULL, 0, 6, NULL);
        for (unsigned type = 0x10; type < 0x82; type++) {
                if (type == 0x38 || type == 0x39 || type == 0x3c || type == 0x3d)
                        continue;
                start(type, 0xf00, "\2abcdefghijk", 12);
                finish(0);
                finish(11);
        }
}

int main(void)
{
        make_room();
        sock = open_netlink(NETLINK_ROUTE);
        links();
        addresses();
        routes();
        neighbours();
        queueing();
        others();
        CALL(close, sock);
        return 0;
}
