/* Requests of ioctl to consoles, input devices and disks, all refused. */
#include "calls.h"

#include <linux/hdreg.h>
#include <linux/input.h>
#include <linux/kd.h>
#include <linux/nbd.h>
#include <scsi/sg.h>

#define REQUEST(request, argument) CALL(ioctl, -1, request, argument)
#define EACH(list) for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)

int main(void)
{
        static const long pointers[] = {
                KDGETLED, KDGKBLED, KDGKBTYPE, KDGETMODE, GIO_SCRNMAP, PIO_SCRNMAP, KDGKBMODE, KDGKBMETA, KDKBDREP,
                PIO_UNIMAPCLR, GIO_CMAP, PIO_CMAP, GIO_FONT, PIO_FONT, EVIOCGVERSION, EVIOCGEFFECTS, EVIOCGID,
                EVIOCGREP, EVIOCSREP, EVIOCSCLOCKID, EVIOCGABS(1), EVIOCSABS(0), EVIOCSABS(0x3f), EVIOCGNAME(32),
                EVIOCGBIT(0, 16), EVIOCGBIT(1, 16), HDIO_GETGEO, SG_NEXT_CMD_LEN, SG_SET_TIMEOUT,
                SG_GET_VERSION_NUM, SG_EMULATED_HOST };
        static const long values[] = {
                KIOCSOUND, KDMKTONE, KDSETLED, KDSKBLED, KDADDIO, KDDELIO, KDSETMODE, KDSKBMODE, KDSKBMETA, KDENABIO,
                KDMAPDISP, PIO_FONTRESET, EVIOCRMFF, EVIOCGRAB, EVIOCREVOKE, SG_SET_TRANSFORM, SG_GET_TIMEOUT,
                NBD_DO_IT, NBD_CLEAR_QUE, NBD_SET_SOCK, NBD_SET_BLKSIZE, NBD_SET_SIZE, NBD_SET_TIMEOUT };

        make_room();
        for (int i = 0; i < 9000; i++)
                room[i] = i % 31;
        EACH(pointers) {
                REQUEST(pointers[i], room);
                REQUEST(pointers[i], BAD);
                REQUEST(pointers[i], 0);
        }
        EACH(values) {
                REQUEST(values[i], 0L);
                REQUEST(values[i], 3L);
                REQUEST(values[i], 0x3b5L);
                REQUEST(values[i], 0x640123L);
        }
        REQUEST(KDSIGACCEPT, 10L);
        REQUEST(NBD_SET_FLAGS, 5L);
        return 0;
}
