/* Loops of system calls that time themselves: loops WHICH COUNT [RATE].
 * Prints the number of calls made and the nanoseconds each took on standard output;
 * "storm" counts processes, each forked, executed and waited for,
 * "switches" changes of tasks on a CPU. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Half of a mix: reads and writes, opens and closes, and calls that only ask. */
static void *mixed(void *made)
{
	char buffer[64];
	long wanted = *(long *)made, calls = 0;
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), file;

	while (calls < wanted) {
		syscall(SYS_getppid);
		if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer) ||
		    write(null, buffer, sizeof(buffer)) != sizeof(buffer))
			exit(1);
		file = open("/etc/hostname", O_RDONLY);
		lseek(file, 0, SEEK_END);
		close(file);
		access("/nonexistent", R_OK);
		calls += 7;
	}
	*(long *)made = calls;
	return NULL;
}

static long mix(long count)
{
	long made[2] = {count / 2, count / 2};
	pthread_t other;

	if (pthread_create(&other, NULL, mixed, &made[0]))
		exit(1);
	mixed(&made[1]);
	pthread_join(other, NULL);
	return made[0] + made[1];
}

/* As many processes as make -j2 would start: two at a time. */
static long storm(long count)
{
	long begun = 0, ended = 0;

	while (ended < count) {
		if (begun < count && begun - ended < 2) {
			char *argv[] = {"true", NULL};

			if (posix_spawn(NULL, "/bin/true", NULL, NULL, argv, NULL))
				exit(1);
			begun++;
		} else {
			wait(NULL);
			ended++;
		}
	}
	return ended;
}

/* So many calls a second, in a hundred bursts each second, for as long as they should take. */
static long paced(long count, long rate)
{
	double start = now();
	long calls = 0;

	while (calls < count && now() - start < count * 1e9 / rate) {
		for (long burst = rate / 100; burst > 0 && calls < count; burst--, calls++)
			syscall(SYS_getppid);
		double ahead = start + calls * 1e9 / rate - now();
		if (ahead > 0) {
			struct timespec pause = {.tv_nsec = ahead < 1e9 ? ahead : 999999999};

			nanosleep(&pause, NULL);
		}
	}
	return calls;
}

/* Two processes on one CPU pass a byte to and fro: two changes of tasks each time. */
static long switches(long count)
{
	int there[2], back[2];
	char byte = 0;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) || pipe(there) || pipe(back))
		exit(1);
	if (!fork()) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	for (long i = 0; i < count; i += 2)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			exit(1);
	close(there[1]);
	wait(NULL);
	return count;
}

int main(int argc, char **argv)
{
	const char *which = argc > 1 ? argv[1] : "getppid";
	long count = argc > 2 ? atol(argv[2]) : 20000, calls = 0;
	char line[128], buffer[64];
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	double start = now();

	if (!strcmp(which, "getppid")) {
		for (; calls < count; calls++)
			syscall(SYS_getppid);
	} else if (!strcmp(which, "readwrite")) {
		for (; calls < count; calls += 2) {
			if (read(zero, buffer, sizeof(buffer)) != sizeof(buffer) ||
			    write(null, buffer, sizeof(buffer)) != sizeof(buffer))
				return 1;
		}
	} else if (!strcmp(which, "openclose")) {
		for (; calls < count; calls += 2)
			close(open("/etc/hostname", O_RDONLY));
	} else if (!strcmp(which, "mix")) {
		calls = mix(count);
	} else if (!strcmp(which, "storm")) {
		calls = storm(count);
	} else if (!strcmp(which, "switches")) {
		calls = switches(count);
	} else if (!strcmp(which, "paced")) {
		calls = paced(count, argc > 3 ? atol(argv[3]) : 300000);
	} else {
		return 2;
	}
	double each = (now() - start) / (calls ? calls : 1);

	snprintf(line, sizeof(line), "%ld %.1f\n", calls, each);
	return write(1, line, strlen(line)) < 0;
}
