/* perf_event_open, with attributes of every kind and size. */
#include "calls.h"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

static struct perf_event_attr attr;

static void open_event(void)
{
        char all[256] = { 0 };

        memcpy(all, &attr, sizeof(attr));
        CALL(perf_event_open, at(0, all, sizeof(all)), 0, -1, -1, 0L);
}

int main(void)
{
        static const unsigned sizes[] = { 0, 8, 63, 64, 72, 79, 80, 96, 100, 104, 112, 116, 120,
                                          128, 130, 132 };
        static const uint64_t configs[] = { 0, 3, 0x10203, 0xffffffffffffffff, 0x500000001 };

        make_room();
        for (unsigned type = 0; type < 8; type++)
                for (int i = 0; i < 5; i++) {
                        memset(&attr, 0, sizeof(attr));
                        attr.type = type;
                        attr.size = 128;
                        attr.config = configs[i];
                        attr.exclude_kernel = 1;
                        attr.bp_type = i == 4 ? 9 : i + 2;
                        attr.bp_len = 4;
                        attr.bp_addr = 0x1000;
                        attr.precise_ip = i & 3;
                        open_event();
                }
        memset(&attr, 0xa5, sizeof(attr));
        attr.type = PERF_TYPE_SOFTWARE;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                attr.size = sizes[i];
                open_event();
        }
        memset(&attr, 0, sizeof(attr));
        attr.type = PERF_TYPE_SOFTWARE;
        attr.size = 128;
        attr.freq = 1;
        attr.sample_freq = 99;
        attr.use_clockid = 1;
        attr.clockid = 1;
        attr.sample_type = PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_IP;
        attr.branch_sample_type = PERF_SAMPLE_BRANCH_ANY | 1ull << 40;
        attr.sample_stack_user = 4096;
        attr.watermark = 1;
        open_event();
        CALL(perf_event_open, room, 1, 2, 3, 15L);
        CALL(perf_event_open, room, -2, -2, -2, -1L);
        CALL(perf_event_open, 0, 0, 0, 0, 0L);
        CALL(perf_event_open, BAD, 0, 0, 0, 0L);
        CALL(perf_event_open, at_edge(&attr, 64), 0, -1, -1, 0L);
        attr.size = 64;
        CALL(perf_event_open, at_edge(&attr, 64), 0, -1, -1, 0L);
        return 0;
}
