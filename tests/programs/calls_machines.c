/*
 * Requests of virtual machines, of the device mapper, of SCSI devices and of keyboards. There is
 * no device: a filter of system calls answers requests to one descriptor with success, the kernel those to
 * another with an error.
 */
#include "granted.h"

#include <linux/dm-ioctl.h>
#include <linux/input.h>
#include <linux/kvm.h>
#include <scsi/sg.h>

static void machines(void)
{
        static const unsigned long plain[] = { KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_CHECK_EXTENSION,
                                               KVM_RUN, KVM_GET_API_VERSION,
                                               KVM_GET_VCPU_MMAP_SIZE };
        static const unsigned long described[] = { KVM_SET_REGS, KVM_GET_REGS, KVM_SET_SREGS,
                                                   KVM_GET_SREGS, KVM_SET_USER_MEMORY_REGION };
        static const unsigned long identity[] = { KVM_SET_CPUID2, KVM_GET_SUPPORTED_CPUID,
                                                  KVM_GET_EMULATED_CPUID };
        unsigned char data[2048];
        unsigned entries[] = { 0, 1, 40 };

        for (size_t i = 0; i < COUNT(plain); i++)
                for (unsigned long argument = 0; argument < 600; argument += 97) {
                        CALL(ioctl, -1, plain[i], argument);
                        CALL(ioctl, DEVICE, plain[i], argument);
                }
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = i % 3 ? i * 5 : 0;
        memcpy(data + 4, "\3\0\0\1", 4);
        for (size_t i = 0; i < COUNT(described); i++)
                both(described[i], data, described[i] >> 16 & 0x3fff);
        for (size_t i = 0; i < COUNT(identity); i++)
                for (size_t j = 0; j < COUNT(entries); j++) {
                        memcpy(data, entries + j, 4);
                        both(identity[i], data, 8 + 40 * entries[j]);
                }
}

static struct dm_ioctl *mapping(unsigned size, unsigned start)
{
        struct dm_ioctl *head = (struct dm_ioctl *)(room + 8192);

        memset(head, 0, 4096);
        head->version[0] = 4;
        head->version[1] = 47;
        head->version[2] = 1;
        head->data_size = size;
        head->data_start = start;
        head->target_count = 2;
        head->open_count = 3;
        head->flags = DM_SUSPEND_FLAG | DM_DATA_OUT_FLAG | 4;
        head->event_nr = 7;
        head->dev = 0xfd03;
        strcpy(head->name, "name");
        strcpy(head->uuid, "uuid");
        return head;
}

static void mappers(void)
{
        static const unsigned long requests[] = {
                DM_VERSION,     DM_REMOVE_ALL,  DM_LIST_DEVICES,     DM_DEV_CREATE,
                DM_DEV_REMOVE,  DM_DEV_RENAME,  DM_DEV_SUSPEND,      DM_DEV_STATUS,
                DM_DEV_WAIT,    DM_TABLE_LOAD,  DM_TABLE_CLEAR,      DM_TABLE_DEPS,
                DM_TABLE_STATUS, DM_LIST_VERSIONS, DM_TARGET_MSG,    DM_DEV_SET_GEOMETRY,
                DM_DEV_ARM_POLL,
        };
        static const unsigned sizes[] = { 0, 11, 12, 304, 305, 312, 330, 2048, 0x20000 };
        static const unsigned starts[] = { 0, 305, 312, 2040, 2048, 3000 };

        for (size_t i = 0; i < COUNT(requests); i++) {
                struct dm_ioctl *head = mapping(2048, 312);

                CALL(ioctl, -1, requests[i], 0);
                CALL(ioctl, DEVICE, requests[i], BAD);
                CALL(ioctl, DEVICE, requests[i], edge - 200);
                for (size_t j = 0; j < COUNT(sizes); j++) {
                        mapping(sizes[j], 312);
                        CALL(ioctl, DEVICE, requests[i], head);
                }
                for (size_t j = 0; j < COUNT(starts); j++) {
                        mapping(2048, starts[j]);
                        CALL(ioctl, DEVICE, requests[i], head);
                        CALL(ioctl, -1, requests[i], head);
                }
                head->flags = 0;
                head->target_count = 0;
                head->dev = 0;
                head->name[0] = head->uuid[0] = 0;
                CALL(ioctl, DEVICE, requests[i], head);
                head->version[0] = 5;
                CALL(ioctl, DEVICE, requests[i], head);
                memset(mapping(2048, 312)->name, 'n', 257);
                CALL(ioctl, DEVICE, requests[i], head);
        }
        /* What stands behind the header, well formed. */
        for (unsigned minor = 36; minor < 38; minor++) {
                struct dm_ioctl *head = mapping(1024, 312);
                char *data = (char *)head + 312;
                struct dm_target_spec *target = (struct dm_target_spec *)data;

                head->version[1] = minor;
                for (int i = 0; i < 2; i++) {
                        target[i * 2].sector_start = 1 + i;
                        target[i * 2].length = 2048;
                        target[i * 2].status = -i;
                        target[i * 2].next = i ? 0 : 80;
                        strcpy(target[i * 2].target_type, i ? "sixteen letters." : "linear");
                        strcpy((char *)(target + i * 2 + 1), i ? "8:2 0" : "8:1 34 and rather more than fits");
                }
                CALL(ioctl, DEVICE, DM_TABLE_LOAD, head);
                CALL(ioctl, DEVICE, DM_TABLE_STATUS, head);
                memset(data, 0, 512);
                *(uint32_t *)data = 3;
                ((uint64_t *)data)[1] = 0x801;
                CALL(ioctl, DEVICE, DM_TABLE_DEPS, head);
                memset(data, 0, 512);
                *(uint64_t *)data = 0xfd00;
                *(uint32_t *)(data + 8) = 40;
                strcpy(data + 12, "first");
                *(uint32_t *)(data + 24) = 9;
                *(uint64_t *)(data + 40) = 0xfd01;
                strcpy(data + 52, "second, the name of which is longer than most");
                CALL(ioctl, DEVICE, DM_LIST_DEVICES, head);
                memset(data, 0, 512);
                *(uint32_t *)data = 32;
                memcpy(data + 4, "\1\0\0\0\2\0\0\0\3\0\0\0linear", 18);
                memcpy(data + 36, "\4\0\0\0\5\0\0\0\6\0\0\0crypt", 17);
                CALL(ioctl, DEVICE, DM_LIST_VERSIONS, head);
                memcpy(data, "\7\0\0\0\0\0\0\0key wipe", 16);
                CALL(ioctl, DEVICE, DM_TARGET_MSG, head);
                CALL(ioctl, DEVICE, DM_DEV_RENAME, head);
                CALL(ioctl, DEVICE, DM_DEV_SET_GEOMETRY, head);
        }
}

static void scsi(void)
{
        static const int id[] = { 1, 0, 3, -1, 0xe, 0x400002, 0, 0 };

        both(SG_GET_SCSI_ID, id, sizeof(id));
        for (unsigned reset = 0; reset < 0x107; reset += reset == 6 ? 0xfa : 1) {
                CALL(ioctl, -1, SG_SCSI_RESET, at(4096, &reset, 4));
                CALL(ioctl, DEVICE, SG_SCSI_RESET, at(4096, &reset, 4));
        }
        CALL(ioctl, DEVICE, SG_SCSI_RESET, BAD);
        CALL(ioctl, DEVICE, SG_SCSI_RESET, 0);
}

static void keyboards(void)
{
        unsigned code[4] = { 458756, 30 };
        struct input_keymap_entry entry = { .flags = 1, .len = 4, .index = 7, .keycode = 31 };

        entry.scancode[0] = 4;
        entry.scancode[31] = 0xff;
        both(EVIOCGKEYCODE, code, sizeof(code));
        both(EVIOCSKEYCODE, code, sizeof(code));
        code[1] = 0x3fff;
        both(EVIOCSKEYCODE, code, sizeof(code));
        both(EVIOCGKEYCODE_V2, &entry, sizeof(entry));
        both(EVIOCSKEYCODE_V2, &entry, sizeof(entry));
}

int main(void)
{
        make_room();
        answer();
        machines();
        mappers();
        scsi();
        keyboards();
        return 0;
}
