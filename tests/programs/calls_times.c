/* Clocks, timers, sleep and scheduling: each call with success and without. */
#include "calls.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

struct wide {
        int64_t sec, nsec;
};

static void *span(long a, long b, long c, long d)
{
        return at(0x100, (long[]){ a, b, c, d }, 4 * sizeof(long));
}

static void clocks(void)
{
        CALL(clock_gettime, CLOCK_REALTIME, 0);
        CALL(clock_gettime, 99, room);
        CALL(clock_gettime, CLOCK_MONOTONIC_RAW, BAD);
        CALL(clock_gettime, -1, room);
        CALL(clock_gettime, -5, room);
        CALL(clock_gettime, ~(5 << 3) , BAD);
        CALL(clock_gettime, (int)(~(4u << 3) & ~7u) | 3, BAD);
        CALL(clock_gettime, (int)(~(4u << 3) & ~7u) | 6, BAD);
        CALL(clock_getres, CLOCK_MONOTONIC, room);
        CALL(clock_getres, CLOCK_BOOTTIME, 0);
        CALL(clock_settime, CLOCK_MONOTONIC, span(1, 2, 0, 0));
        CALL(clock_settime, CLOCK_TAI, span(-1, -2, 0, 0));
        CALL(clock_settime, 0x7f, BAD);
        CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, span(0, 1000, 0, 0), room);
        CALL(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, span(0, 1, 0, 0), room);
        CALL(clock_nanosleep, CLOCK_REALTIME, 2, span(0, 1000000000, 0, 0), 0);
        CALL(clock_nanosleep, CLOCK_REALTIME, 0, BAD, BAD);
        CALL(nanosleep, span(0, 1000, 0, 0), room);
        CALL(nanosleep, span(0, 0, 0, 0), 0);
        CALL(nanosleep, span(-1, -1, 0, 0), room);
        CALL(nanosleep, BAD, BAD);
        CALL(gettimeofday, 0, room);
        CALL(gettimeofday, BAD, 0);
        CALL(settimeofday, BAD, span(0, 0, 0, 0));
        CALL(settimeofday, span(1, -1, 0, 0), BAD);
        CALL(settimeofday, span(1, 1000001, 0, 0), 0);
#ifdef SYS_time
        CALL(time, BAD);
#endif
        CALL(adjtimex, BAD);
        CALL(adjtimex, 0);
        CALL(clock_adjtime, 99, memset(room, 0, 208));
        CALL(clock_adjtime, CLOCK_MONOTONIC, BAD);
#ifdef SYS_times
        CALL(times, 0);
        CALL(times, BAD);
#endif
#ifdef SYS_clock_gettime64
        struct wide wide = { 0, 1000 };
        struct wide *stored = at(0x200, &wide, sizeof(wide));

        CALL(clock_gettime64, CLOCK_REALTIME, 0);
        CALL(clock_gettime64, 99, room);
        CALL(clock_getres_time64, CLOCK_MONOTONIC, room);
        CALL(clock_settime64, CLOCK_MONOTONIC, stored);
        CALL(clock_nanosleep_time64, CLOCK_MONOTONIC, 0, stored, room);
        CALL(clock_nanosleep_time64, CLOCK_MONOTONIC, 9, BAD, room);
        CALL(clock_adjtime64, 99, memset(room, 0, 256));
        CALL(sched_rr_get_interval_time64, -1, room);
        CALL(stime, BAD);
#endif
}

static void timers(void)
{
        struct sigevent event = { .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_NONE };
        int timer;

        CALL(getitimer, ITIMER_REAL, room);
        CALL(getitimer, 9, room);
        CALL(getitimer, ITIMER_PROF, BAD);
        CALL(setitimer, ITIMER_VIRTUAL, span(0, 0, 1000, 0), room);
        CALL(setitimer, ITIMER_VIRTUAL, 0, 0);
        CALL(setitimer, ITIMER_REAL, span(-1, -2, 3, 4000000), BAD);
        CALL(timer_create, CLOCK_MONOTONIC, at(0x300, &event, sizeof(event)), room);
        timer = *(int *)room;
        CALL(timer_gettime, timer, room);
        CALL(timer_settime, timer, 0, span(0, 0, 1000, 0), room);
        CALL(timer_settime, timer, TIMER_ABSTIME | 8, span(0, 0, 0, 0), 0);
        CALL(timer_settime, timer, 0, BAD, room);
        CALL(timer_getoverrun, timer);
        CALL(timer_delete, timer);
        CALL(timer_delete, 77);
        CALL(timer_gettime, 77, room);
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_value.sival_int = 0x12345;
        CALL(timer_create, 99, at(0x300, &event, sizeof(event)), room);
        event.sigev_notify = SIGEV_THREAD;
        event.sigev_signo = 34;
        CALL(timer_create, CLOCK_TAI, at(0x300, &event, sizeof(event)), BAD);
        event.sigev_notify = SIGEV_THREAD_ID;
        event._sigev_un._tid = -7;
        CALL(timer_create, CLOCK_TAI, at(0x300, &event, sizeof(event)), room);
        event.sigev_notify = 55;
        event.sigev_signo = -9;
        CALL(timer_create, CLOCK_TAI, at(0x300, &event, sizeof(event)), room);
        CALL(timer_create, CLOCK_MONOTONIC, BAD, room);
        CALL(timerfd_create, CLOCK_MONOTONIC, 0x80800);
        CALL(timerfd_create, 99, 1);
        CALL(timerfd_settime, 3, 0, span(0, 0, 1000, 1), room);
        CALL(timerfd_settime, 3, 3, span(0, 0, 0, 0), 0);
        CALL(timerfd_settime, -1, 8, BAD, BAD);
        CALL(timerfd_gettime, 3, room);
        CALL(timerfd_gettime, 0, BAD);
#ifdef SYS_timer_settime64
        CALL(timer_settime64, 77, 1, memset(room, 0, 64), room + 64);
        CALL(timer_gettime64, 77, room);
        CALL(timerfd_settime64, 3, 0, memset(room, 0, 64), room + 64);
        CALL(timerfd_gettime64, 3, room + 64);
#endif
}

static void scheduling(void)
{
        uint32_t attr[14] = { 56, 0, 0, 0, 1, 0 };

        CALL(sched_yield);
        CALL(sched_getscheduler, 0);
        CALL(sched_getscheduler, -1);
        CALL(sched_setscheduler, 0, SCHED_BATCH, at(0, (int[]){ 0 }, 4));
        CALL(sched_getscheduler, 0);
        CALL(sched_setscheduler, 0, 0, room);
        CALL(sched_setscheduler, -1, 99, BAD);
        CALL(sched_getparam, 0, room);
        CALL(sched_getparam, -1, room);
        CALL(sched_setparam, 0, at(0, (int[]){ 5 }, 4));
        CALL(sched_setparam, 0, 0);
        CALL(sched_get_priority_max, SCHED_FIFO);
        CALL(sched_get_priority_min, SCHED_RR);
        CALL(sched_get_priority_min, 99);
        CALL(sched_rr_get_interval, 0, room);
        CALL(sched_rr_get_interval, -1, room);
        CALL(sched_getattr, 0, room, 56, 0);
        CALL(sched_getattr, 0, room, 48, 0);
        CALL(sched_getattr, 0, room, 1000, 0);
        CALL(sched_getattr, 0, room, 8, 0);
        CALL(sched_getattr, 0, room, 0, 0);
        CALL(sched_getattr, -1, BAD, 56, 0);
        CALL(sched_setattr, 0, at(0, attr, sizeof(attr)), 0);
        attr[0] = 48;
        attr[2] = 0x18;
        CALL(sched_setattr, 0, at(0, attr, sizeof(attr)), 0);
        attr[0] = 20;
        CALL(sched_setattr, 0, at(0, attr, sizeof(attr)), 0);
        attr[0] = 0;
        attr[2] = 8;
        attr[1] = 77;
        CALL(sched_setattr, 0, at(0, attr, sizeof(attr)), 0);
        attr[0] = 64;
        attr[2] = 0x1ff;
        CALL(sched_setattr, -1, at(0, attr, sizeof(attr)), 0);
        memset(room + 56, 7, 8);
        CALL(sched_setattr, 0, room, 0);
        CALL(sched_setattr, 0, 0, 0);
        CALL(sched_setattr, 0, BAD, 0);
        CALL(sched_getaffinity, 0, 128, room);
        CALL(sched_getaffinity, 0, 4, room);
        CALL(sched_getaffinity, 0, 1024, room);
        CALL(sched_setaffinity, 0, 8, at(0, (uint64_t[]){ 0xffff }, 8));
        CALL(sched_setaffinity, 0, 200, memset(room, 0x11, 256));
        CALL(sched_setaffinity, -1, 3, room);
        CALL(sched_setaffinity, -1, 0, room);
        CALL(sched_setaffinity, 0, 8, BAD);
        CALL(getpriority, PRIO_PROCESS, 0);
        CALL(getpriority, PRIO_USER, 77);
        CALL(getpriority, 9, 0);
        CALL(setpriority, PRIO_PGRP, 0, 3);
        CALL(setpriority, PRIO_PROCESS, -1, -5);
        CALL(ioprio_get, 1, 0);
        CALL(ioprio_get, 9, 9);
        CALL(ioprio_set, 1, 0, 0x4003);
        CALL(ioprio_get, 2, 0);
        CALL(ioprio_set, 3, 1, 0xffff);
        CALL(ioprio_set, -1, -1, -1);
#ifdef SYS_nice
        CALL(nice, 1);
        CALL(nice, -77);
#endif
}

int main(void)
{
        make_room();
        clocks();
        timers();
        scheduling();
        return 0;
}
