/*
 * Requests of ioctl to clocks, infrared, counters, lines, flash memory, secure worlds,
 * disks and video: refused, then answered by seccomp, as if there were such devices.
 */
#include "calls.h"

#include <linux/bsg.h>
#include <linux/counter.h>
#include <linux/filter.h>
#include <linux/gpio.h>
#include <linux/hdreg.h>
#include <linux/lirc.h>
#include <linux/ptp_clock.h>
#include <linux/seccomp.h>
#include <linux/tee.h>
#include <linux/videodev2.h>
#include <mtd/mtd-user.h>
#include <mtd/ubi-user.h>
#include <scsi/sg.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define REQUEST(request, argument) CALL(ioctl, -1, request, argument)

static int answered; /* whether requests succeed by now */

static void everywhere(const unsigned long *requests, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                REQUEST(requests[i], room);
                if (!answered)
                        REQUEST(requests[i], i % 2 ? BAD : 0);
        }
}

#define EVERYWHERE(...)                                                       \
        do {                                                                  \
                static const unsigned long list_[] = { __VA_ARGS__ };         \
                everywhere(list_, sizeof(list_) / sizeof(*list_));            \
        } while (0)

static void clocks(void)
{
        struct ptp_clock_time time = { .sec = 1700000000, .nsec = 7 };
        struct ptp_perout_request output = { .start = time, .period = { 0, 5, 0 }, .index = 3 };
        struct ptp_sys_offset offset = { .n_samples = 2 };
        struct ptp_pin_desc pin = { .name = "a pin", .index = 2, .func = PTP_PF_PEROUT, .chan = 1 };
        struct ptp_extts_request stamps = { .index = 1, .flags = PTP_ENABLE_FEATURE | PTP_RISING_EDGE };

        for (int i = 0; i < 5; i++)
                offset.ts[i] = time;
        memset(room, 0, 4096);
        EVERYWHERE(PTP_CLOCK_GETCAPS, PTP_CLOCK_GETCAPS2, PTP_ENABLE_PPS, PTP_ENABLE_PPS2,
                   PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_PRECISE2);
        at(0, &stamps, sizeof(stamps));
        EVERYWHERE(PTP_EXTTS_REQUEST, PTP_EXTTS_REQUEST2);
        stamps.rsv[1] = 5;
        stamps.flags = 0x60;
        at(0, &stamps, sizeof(stamps));
        EVERYWHERE(PTP_EXTTS_REQUEST, PTP_EXTTS_REQUEST2);
        at(0, &output, sizeof(output));
        EVERYWHERE(PTP_PEROUT_REQUEST, PTP_PEROUT_REQUEST2);
        for (unsigned flags = 1; flags < 16; flags++) {
                output.flags = flags;
                output.rsv[0] = flags;
                output.start.reserved = flags & 1;
                at(0, &output, sizeof(output));
                REQUEST(PTP_PEROUT_REQUEST, room);
                REQUEST(PTP_PEROUT_REQUEST2, room);
        }
        for (unsigned samples = 0; samples < 28; samples += 9) {
                offset.n_samples = samples;
                offset.rsv[2] = samples;
                at(0, &offset, sizeof(offset));
                EVERYWHERE(PTP_SYS_OFFSET, PTP_SYS_OFFSET2);
        }
        memset(room, 0, 4096);
        for (unsigned samples = 0; samples < 28; samples += 9) {
                struct ptp_sys_offset_extended extended = { .n_samples = samples };

                for (unsigned i = 0; i < samples % 25; i++)
                        extended.ts[i][i % 3] = time;
                at(0, &extended, sizeof(extended));
                EVERYWHERE(PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET_EXTENDED2);
        }
        at(0, &pin, sizeof(pin));
        EVERYWHERE(PTP_PIN_GETFUNC, PTP_PIN_GETFUNC2, PTP_PIN_SETFUNC, PTP_PIN_SETFUNC2);
        pin.rsv[4] = 9;
        pin.func = 7;
        at(0, &pin, sizeof(pin));
        EVERYWHERE(PTP_PIN_GETFUNC, PTP_PIN_GETFUNC2, PTP_PIN_SETFUNC, PTP_PIN_SETFUNC2);
}

static void small(void)
{
        struct counter_watch watch = { { COUNTER_COMPONENT_COUNT, COUNTER_SCOPE_COUNT, 1, 2 }, 3, 4 };

        at(0, &watch, sizeof(watch));
        EVERYWHERE(COUNTER_ADD_WATCH_IOCTL, COUNTER_ENABLE_EVENTS_IOCTL, COUNTER_DISABLE_EVENTS_IOCTL);
        memset(room, 0x7f, 8);
        EVERYWHERE(COUNTER_ADD_WATCH_IOCTL);
        for (int i = 1; i < 8; i *= 4) {
                memset(room, 0, 8);
                room[0] = i;
                EVERYWHERE(LIRC_GET_FEATURES, LIRC_GET_SEND_MODE, LIRC_GET_REC_MODE, LIRC_GET_REC_RESOLUTION,
                           LIRC_GET_MIN_TIMEOUT, LIRC_GET_MAX_TIMEOUT, LIRC_GET_LENGTH,
                           LIRC_SET_SEND_MODE, LIRC_SET_REC_MODE, LIRC_SET_SEND_CARRIER,
                           LIRC_SET_REC_CARRIER, LIRC_SET_SEND_DUTY_CYCLE, LIRC_SET_TRANSMITTER_MASK,
                           LIRC_SET_REC_TIMEOUT, LIRC_SET_REC_TIMEOUT_REPORTS,
                           LIRC_SET_MEASURE_CARRIER_MODE, LIRC_SET_REC_CARRIER_RANGE,
                           LIRC_SET_WIDEBAND_RECEIVER, LIRC_GET_REC_TIMEOUT);
        }
}

static void lines(void)
{
        struct gpioline_info line = { 5, GPIOLINE_FLAG_KERNEL | GPIOLINE_FLAG_IS_OUT, "line", "user" };
        struct gpiohandle_request handle = { { 1, 2, 3 }, GPIOHANDLE_REQUEST_OUTPUT, { 1, 0, 1 }, "label", 3, 0 };
        struct gpiohandle_config old_config = { 3, { 1, 1 }, { 0 } };
        struct gpioevent_request event = { 7, 1, 3, "label", 0 };
        struct gpio_v2_line_info info = { "name", "consumer", 4, 0, GPIO_V2_LINE_FLAG_USED, { { 0 } }, { 0 } };
        struct gpio_v2_line_request request = { { 8, 9 }, "consumer", { GPIO_V2_LINE_FLAG_INPUT, 0, { 0 }, { { { 0 }, 0 } } },
                                                2, 0, { 0 }, 0 };

        at(0, &line, sizeof(line));
        EVERYWHERE(GPIO_GET_LINEINFO_IOCTL, GPIO_GET_LINEINFO_WATCH_IOCTL, GPIO_GET_LINEINFO_UNWATCH_IOCTL,
                   GPIO_GET_CHIPINFO_IOCTL, GPIO_V2_LINE_GET_VALUES_IOCTL, GPIO_V2_LINE_SET_VALUES_IOCTL,
                   GPIOHANDLE_GET_LINE_VALUES_IOCTL, GPIOHANDLE_SET_LINE_VALUES_IOCTL);
        for (unsigned count = 0; count < 80; count += 39) {
                handle.lines = count;
                at(0, &handle, sizeof(handle));
                EVERYWHERE(GPIO_GET_LINEHANDLE_IOCTL);
                request.num_lines = count;
                request.event_buffer_size = count;
                request.padding[1] = count;
                at(0, &request, sizeof(request));
                EVERYWHERE(GPIO_V2_GET_LINE_IOCTL);
        }
        at(0, &old_config, sizeof(old_config));
        EVERYWHERE(GPIOHANDLE_SET_CONFIG_IOCTL);
        at(0, &event, sizeof(event));
        EVERYWHERE(GPIO_GET_LINEEVENT_IOCTL);
        for (unsigned count = 0; count < 12; count += 5) {
                info.num_attrs = request.config.num_attrs = count;
                for (unsigned i = 0; i < 10; i++) {
                        struct gpio_v2_line_attribute one = { i % 5, i == 7, { 0x10 + i } };

                        info.attrs[i] = request.config.attrs[i].attr = one;
                        request.config.attrs[i].mask = i;
                }
                at(0, &info, sizeof(info));
                EVERYWHERE(GPIO_V2_GET_LINEINFO_IOCTL, GPIO_V2_GET_LINEINFO_WATCH_IOCTL);
                request.config.padding[1] = info.padding[2] = count;
                at(0, &request.config, sizeof(request.config));
                EVERYWHERE(GPIO_V2_LINE_SET_CONFIG_IOCTL);
        }
}

static void flash(void)
{
        struct ubi_mkvol_req volume = { 1, 2, 3, UBI_STATIC_VOLUME, UBI_VOL_SKIP_CRC_CHECK_FLG, 4, { 0 }, "volume" };

        for (int i = 0; i < 2; i++) {
                for (int j = 0; j < 512; j++)
                        room[j] = i ? j / 3 : !(j & 3);
                EVERYWHERE(MEMERASE, MEMLOCK, MEMUNLOCK, MEMISLOCKED, MEMERASE64, MEMWRITEOOB, MEMREADOOB,
                           MEMWRITEOOB64, MEMREADOOB64, MEMWRITE, OTPGETREGIONINFO, OTPLOCK, OTPSELECT,
                           MEMGETBADBLOCK, MEMSETBADBLOCK, MEMGETINFO, MEMGETOOBSEL,
                           ECCGETLAYOUT, ECCGETSTATS, OTPGETREGIONCOUNT, MEMGETREGIONCOUNT, MEMGETREGIONINFO,
                           UBI_IOCRSVOL, UBI_IOCEBCH, UBI_IOCATT, UBI_IOCEBMAP, UBI_IOCSETVOLPROP,
                           UBI_IOCVOLUP, UBI_IOCDET, UBI_IOCEBER, UBI_IOCEBISMAP, UBI_IOCEBUNMAP, UBI_IOCRMVOL,
                           UBI_IOCRPEB, UBI_IOCSPEB, UBI_IOCVOLCRBLK, UBI_IOCVOLRMBLK);
        }
        for (long mode = 0; mode < 6; mode++)
                REQUEST(MTDFILEMODE, mode);
        for (int length = -1; length < 200; length += 40) {
                volume.name_len = length;
                volume.vol_type = length & 7;
                at(0, &volume, sizeof(volume));
                EVERYWHERE(UBI_IOCMKVOL);
        }
}

static void secure(void)
{
        for (int i = 0; i < 3; i++) {
                memset(room, i, 64);
                room[1] = room[2] = room[3] = 0;
                EVERYWHERE(TEE_IOC_VERSION, TEE_IOC_CANCEL, TEE_IOC_CLOSE_SESSION, TEE_IOC_SHM_ALLOC,
                           TEE_IOC_SHM_REGISTER);
        }
}

static void commands(void)
{
        static const struct sg_io_v4 none;
        struct iovec pieces[3] = { { room + 0x1000, 5 }, { room + 0x1010, 0 }, { room + 0x1020, 40 } };
        struct sg_io_hdr third = {
                .interface_id = 'S',
                .cmd_len = 6,
                .mx_sb_len = 32,
                .dxfer_len = 36,
                .dxferp = room + 0x1000,
                .cmdp = (void *)(room + 0x2000),
                .sbp = (void *)(room + 0x3000),
                .timeout = 5000,
                .flags = SG_FLAG_DIRECT_IO,
                .sb_len_wr = 3,
                .host_status = 7,
                .duration = 9,
                .info = 5,
        };
        struct sg_io_v4 fourth = {
                .guard = 'Q',
                .request_len = 6,
                .request = L(room + 0x2000),
                .request_tag = 7,
                .response = L(room + 0x3000),
                .response_len = 5,
                .dout_xfer_len = 36,
                .dout_xferp = L(room + 0x1000),
                .din_xfer_len = 24,
                .din_xferp = L(room + 0x1000),
                .timeout = 3,
                .flags = 0x31,
        };

        for (int i = 0; i < 256; i++) {
                room[0x1000 + i] = room[0x2000 + i] = i;
                room[0x3000 + i] = 0x70 + i;
        }
        memcpy(room + 0x4000, pieces, sizeof(pieces));
        REQUEST(SG_IO, BAD);
        REQUEST(SG_IO, 0);
        at(0, &none, sizeof(none));
        REQUEST(SG_IO, room);
        for (int direction = 0; direction > -6; direction--) {
                third.dxfer_direction = direction;
                third.resid = direction * direction;
                third.iovec_count = 0;
                third.dxferp = room + 0x1000;
                at(0, &third, sizeof(third));
                REQUEST(SG_IO, room);
                third.iovec_count = 3;
                third.dxferp = room + 0x4000;
                at(0, &third, sizeof(third));
                REQUEST(SG_IO, room);
        }
        third.dxfer_direction = -4;
        third.dxferp = third.cmdp = third.sbp = (void *)BAD;
        at(0, &third, sizeof(third));
        REQUEST(SG_IO, room);
        third.dxferp = third.cmdp = third.sbp = 0;
        third.dxfer_len = third.cmd_len = third.sb_len_wr = 0;
        at(0, &third, sizeof(third));
        REQUEST(SG_IO, room);
        for (int i = 0; i < 4; i++) {
                fourth.subprotocol = i;
                fourth.din_resid = i * 10;
                fourth.dout_iovec_count = fourth.din_iovec_count = i;
                fourth.dout_xferp = fourth.din_xferp = L(room + (i ? 0x4000 : 0x1000));
                at(0, &fourth, sizeof(fourth));
                REQUEST(SG_IO, room);
        }
        fourth.request = fourth.response = fourth.dout_xferp = BAD;
        fourth.din_xferp = 0;
        at(0, &fourth, sizeof(fourth));
        REQUEST(SG_IO, room);
}

static void disks(void)
{
        static const unsigned long sets[] = {
                HDIO_SET_MULTCOUNT, HDIO_SET_UNMASKINTR, HDIO_SET_KEEPSETTINGS, HDIO_SET_32BIT, HDIO_SET_NOWERR,
                HDIO_SET_DMA, HDIO_SET_PIO_MODE, HDIO_SET_WCACHE, HDIO_SET_ACOUSTIC, HDIO_SET_BUSSTATE,
                HDIO_SET_ADDRESS, HDIO_SET_NICE, HDIO_UNREGISTER_HWIF,
        };

        for (int i = 0; i < 32; i++)
                room[i] = i % 8 ? 0 : i / 8 + 1;
        EVERYWHERE(HDIO_GET_UNMASKINTR, HDIO_GET_MULTCOUNT, HDIO_GET_KEEPSETTINGS, HDIO_GET_32BIT, HDIO_GET_NOWERR,
                   HDIO_GET_DMA, HDIO_GET_NICE, HDIO_GET_WCACHE, HDIO_GET_ACOUSTIC, HDIO_GET_ADDRESS,
                   HDIO_GET_BUSSTATE, HDIO_GET_IDENTITY, HDIO_OBSOLETE_IDENTITY, HDIO_DRIVE_RESET, HDIO_SCAN_HWIF);
        for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
                REQUEST(sets[i], L(i % 4));
                REQUEST(sets[i], 0x1fL);
                REQUEST(sets[i], 0xe0L);
        }
}

static void video(void)
{
        struct v4l2_capability device = { "driver", "card", "bus", 0x60107, 0x85200001, 0x5200001, { 0 } };
        struct v4l2_tuner tuner = { 1, "tuner", V4L2_TUNER_RADIO, 3, 5, 7, 1, 1, -3, 4, { 0 } };
        static const unsigned controls[] = { V4L2_CID_BRIGHTNESS, V4L2_CID_BASE + 0xfff, 0x1234, 0x7fffffff };

        for (int i = 0; i < 3; i++) {
                for (int j = 0; j < 256; j++)
                        room[j] = j % 4 ? 0 : i * (j / 4 + 1);
                EVERYWHERE(VIDIOC_REQBUFS, VIDIOC_STREAMON, VIDIOC_STREAMOFF, VIDIOC_G_FBUF, VIDIOC_S_FBUF,
                           VIDIOC_G_STD, VIDIOC_S_STD, VIDIOC_ENUMSTD, VIDIOC_ENUMINPUT, VIDIOC_G_INPUT,
                           VIDIOC_S_INPUT, VIDIOC_CROPCAP, VIDIOC_G_CROP, VIDIOC_S_CROP, VIDIOC_G_TUNER);
        }
        at(0, &device, sizeof(device));
        EVERYWHERE(VIDIOC_QUERYCAP);
        at(0, &tuner, sizeof(tuner));
        EVERYWHERE(VIDIOC_G_TUNER);
        for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++) {
                struct v4l2_control control = { controls[i], -(int)i };

                at(0, &control, sizeof(control));
                EVERYWHERE(VIDIOC_G_CTRL, VIDIOC_S_CTRL);
        }
}

/* From now on every ioctl succeeds, and does nothing. */
static void answer(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
                exit(77);
}

int main(void)
{
        make_room();
        for (; answered < 2; answered++) {
                clocks();
                small();
                lines();
                flash();
                secure();
                commands();
                disks();
                video();
                if (!answered)
                        answer();
        }
        return 0;
}
