/* Requests of ioctl to userfaultfd, seccomp's listeners, performance events and clocks, all refused. */
#include "calls.h"

#include <linux/perf_event.h>
#include <linux/rtc.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>

#define REQUEST(request, argument) CALL(ioctl, -1, request, argument)

static void faults(void)
{
        struct uffdio_api api = { .api = UFFD_API, .features = 0x101 };
        struct uffdio_register area = { .range = { 0x1000, 0x2000 }, .mode = 3 };
        struct uffdio_copy copy = { 0x1000, 0x2000, 0x3000, 1, 0 };
        struct uffdio_zeropage zero = { .range = { 0x1000, 0x2000 }, .mode = 0x10 };

        REQUEST(UFFDIO_API, at(0, &api, sizeof(api)));
        REQUEST(UFFDIO_API, BAD);
        REQUEST(UFFDIO_REGISTER, at(0, &area, sizeof(area)));
        REQUEST(UFFDIO_UNREGISTER, room);
        REQUEST(UFFDIO_WAKE, 0);
        REQUEST(UFFDIO_COPY, at(0, &copy, sizeof(copy)));
        REQUEST(UFFDIO_ZEROPAGE, at(0, &zero, sizeof(zero)));
        REQUEST(UFFDIO_ZEROPAGE, 0);
}

static void listeners(void)
{
        struct seccomp_notif notification = { .id = 7, .pid = 0, .data = { 1, 0xc000003e, 0x1234, { 1, 2, 3 } } };
        struct seccomp_notif_resp response = { 7, -5, -2, 1 };
        struct seccomp_notif_addfd descriptor = { 7, 1, 3, 4, 0x80000 };

        memset(room, 0, 128);
        REQUEST(SECCOMP_IOCTL_NOTIF_RECV, room);
        REQUEST(SECCOMP_IOCTL_NOTIF_RECV, at(0, &notification, sizeof(notification)));
        REQUEST(SECCOMP_IOCTL_NOTIF_RECV, BAD);
        REQUEST(SECCOMP_IOCTL_NOTIF_SEND, at(0, &response, sizeof(response)));
        response.error = 5;
        response.flags = 2;
        REQUEST(SECCOMP_IOCTL_NOTIF_SEND, at(0, &response, sizeof(response)));
        REQUEST(SECCOMP_IOCTL_NOTIF_ID_VALID, room);
        REQUEST(0x80082102, room);
        REQUEST(SECCOMP_IOCTL_NOTIF_ADDFD, at(0, &descriptor, sizeof(descriptor)));
}

static void events(void)
{
        uint32_t programs[4] = { 2, 0, 0, 0 };
        struct perf_event_attr attributes = { .type = PERF_TYPE_BREAKPOINT, .size = sizeof(attributes), .bp_type = 3,
                                              .bp_addr = 0x1234, .bp_len = 4, .disabled = 1, .exclude_kernel = 1 };

        REQUEST(PERF_EVENT_IOC_ENABLE, 1L);
        REQUEST(PERF_EVENT_IOC_DISABLE, 0L);
        REQUEST(PERF_EVENT_IOC_RESET, 6L);
        REQUEST(PERF_EVENT_IOC_REFRESH, -1L);
        REQUEST(PERF_EVENT_IOC_PERIOD, room);
        REQUEST(PERF_EVENT_IOC_SET_OUTPUT, 3L);
        REQUEST(PERF_EVENT_IOC_SET_BPF, -1L);
        REQUEST(PERF_EVENT_IOC_PAUSE_OUTPUT, 1L);
        REQUEST(PERF_EVENT_IOC_SET_FILTER, "a filter");
        REQUEST(PERF_EVENT_IOC_ID, room);
        REQUEST(PERF_EVENT_IOC_QUERY_BPF, at(0, programs, sizeof(programs)));
        REQUEST(PERF_EVENT_IOC_MODIFY_ATTRIBUTES, at(0, &attributes, sizeof(attributes)));
        REQUEST(PERF_EVENT_IOC_MODIFY_ATTRIBUTES, at_edge(&attributes, 64));
        REQUEST(PERF_EVENT_IOC_MODIFY_ATTRIBUTES, BAD);
        attributes.size = 64;
        REQUEST(PERF_EVENT_IOC_MODIFY_ATTRIBUTES, at_edge(&attributes, 64));
}

static void clocks(void)
{
        static const long sets[] = { RTC_ALM_SET, RTC_SET_TIME, RTC_WKALM_SET, RTC_PLL_SET };
        static const long gets[] = { RTC_ALM_READ, RTC_RD_TIME, RTC_WKALM_RD, RTC_PLL_GET, RTC_VL_READ,
                                     RTC_IRQP_READ, RTC_EPOCH_READ };
        static const long plain[] = { RTC_AIE_ON, RTC_UIE_OFF, RTC_PIE_ON, RTC_WIE_OFF, RTC_VL_CLR,
                                      RTC_IRQP_SET, RTC_EPOCH_SET };
        struct {
                uint64_t param, value;
                uint32_t index, padding;
        } parameter = { 0, 3, 5, 0 };

        for (int i = 0; i < 100; i++)
                room[i] = i;
        for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
                REQUEST(sets[i], room);
                REQUEST(sets[i], BAD);
        }
        for (size_t i = 0; i < sizeof(gets) / sizeof(*gets); i++)
                REQUEST(gets[i], room);
        for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
                REQUEST(plain[i], 5L);
        for (int i = 0; i < 4; i++) {
                parameter.param = i;
                parameter.padding = i;
                REQUEST(RTC_PARAM_SET, at(0, &parameter, sizeof(parameter)));
                REQUEST(RTC_PARAM_GET, room);
        }
}

int main(void)
{
        make_room();
        faults();
        listeners();
        events();
        clocks();
        return 0;
}
