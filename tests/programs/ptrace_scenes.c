/* Small scenes of what tasks do to each other, one a run: ptrace_scenes NAME.
 * Each does a prime number of getppid, so that a test knows what must be seen.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
ask(int times)
{
	while (times--)
		syscall(SYS_getppid);
}

static void
reap(pid_t pid)
{
	int status;
	waitpid(pid, &status, __WALL);
}

static int
scene_plain(void)
{
	ask(17);
	return 3;
}

static int
scene_fork(void)
{
	pid_t pid = fork();
	if (!pid) {
		ask(5);
		_exit(11);
	}
	reap(pid);
	ask(7);
	return 0;
}

/* The parent does not wait: its end may be seen before the child's beginning. */
static int
scene_orphan(void)
{
	if (!fork())
		ask(5);
	_exit(0);
}

static int
scene_vfork(void)
{
	pid_t pid = vfork();
	if (!pid) {
		ask(5);
		_exit(0);
	}
	reap(pid);
	return 0;
}

static char stack[65536] __attribute__((aligned(16)));

static int
asker(void *times)
{
	ask((int) (intptr_t) times);
	return 0;
}

static int
scene_untraced(void)
{
	reap(clone(asker, stack + sizeof(stack), CLONE_UNTRACED | SIGCHLD, (void *) 5));
	ask(7);
	return 0;
}

/* No exit signal: only a wait with __WALL sees it. */
static int
scene_clone(void)
{
	reap(clone(asker, stack + sizeof(stack), 0, (void *) 5));
	ask(7);
	return 0;
}

static int
scene_clone3(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .exit_signal = SIGCHLD };
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		ask(5);
		_exit(0);
	}
	reap(pid);
	ask(7);
	return 0;
}

static void *
thread(void *times)
{
	asker(times);
	return NULL;
}

static int
scene_threads(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, thread, (void *) 5);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ask(7);
	return 0;
}

static void *
execing_thread(void *self)
{
	ask(5);
	execl(self, self, "plain", NULL);
	return NULL;
}

static int
scene_thread_exec(void)
{
	pthread_t one;
	pthread_create(&one, NULL, execing_thread, "/proc/self/exe");
	pause();
	return 1;
}

static volatile int caught;

static void
handler(int number)
{
	caught = number;
}

static int
scene_signals(void)
{
	signal(SIGUSR1, handler);
	signal(SIGRTMIN, handler);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval) { .sival_int = 4711 });
	kill(getpid(), SIGURG); /* ignored by default */
	return caught == SIGRTMIN ? 0 : 1;
}

static int
scene_killed(void)
{
	raise(SIGTERM);
	return 0;
}

static int
scene_trap(void)
{
	signal(SIGTRAP, handler);
	raise(SIGTRAP);
	return caught == SIGTRAP ? 5 : 1;
}

static int
scene_stop(void)
{
	pid_t pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		ask(5);
		_exit(0);
	}
	int status;
	waitpid(pid, &status, WUNTRACED);
	int stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
	kill(pid, SIGCONT);
	reap(pid);
	return stopped ? 0 : 1;
}

/* Works on until it is told to stop, then tells by its status whether it was undisturbed. */
static int
scene_worker(void)
{
	signal(SIGTERM, handler);
	signal(SIGUSR1, handler);
	puts("ready");
	fflush(stdout);
	while (caught != SIGTERM)
		ask(1);
	return 29;
}

static int
scene_sleeper(void)
{
	struct timespec time = { .tv_sec = 20 };
	signal(SIGUSR1, handler);
	puts("ready");
	fflush(stdout);
	nanosleep(&time, NULL);
	return caught == SIGUSR1 ? 31 : 1;
}

static void *
sleeping_thread(void *unused)
{
	(void) unused;
	sleep(20);
	return NULL;
}

static int
scene_crowd(void)
{
	pthread_t one;
	for (int i = 0; i < 6; i++)
		pthread_create(&one, NULL, sleeping_thread, NULL);
	return scene_worker();
}

static void *
breeding_thread(void *generations)
{
	pthread_t next;
	if (generations && !caught) {
		ask(3);
		pthread_create(&next, NULL, breeding_thread, generations);
		pthread_detach(next);
	}
	return NULL;
}

/* Threads that begin others and end, all the time. */
static int
scene_breeders(void)
{
	pthread_t one;
	for (int i = 0; i < 5; i++)
		pthread_create(&one, NULL, breeding_thread, "on and on");
	return scene_worker();
}

/* The child of a vfork sleeps on: the parent cannot be stopped meanwhile. */
static int
scene_long_vfork(void)
{
	pid_t pid = vfork();
	if (!pid) {
		puts("ready");
		fflush(stdout);
		sleep(3);
		_exit(0);
	}
	return 0;
}

static int
scene_memory(void)
{
	char *map = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(map, 'a', 2 * 4096);
	munmap(map + 2 * 4096, 4096);
	map[2 * 4096 - 1] = 'z';
	mprotect(map + 3 * 4096, 4096, PROT_NONE);
	syscall(SYS_getppid, map, 2 * 4096, map + 3 * 4096);
	return 0;
}

static const struct {
	const char *name;
	int (*play)(void);
} scenes[] = {
	{ "plain", scene_plain },
	{ "fork", scene_fork },
	{ "orphan", scene_orphan },
	{ "vfork", scene_vfork },
	{ "untraced", scene_untraced },
	{ "clone", scene_clone },
	{ "clone3", scene_clone3 },
	{ "threads", scene_threads },
	{ "thread_exec", scene_thread_exec },
	{ "signals", scene_signals },
	{ "killed", scene_killed },
	{ "trap", scene_trap },
	{ "stop", scene_stop },
	{ "worker", scene_worker },
	{ "sleeper", scene_sleeper },
	{ "crowd", scene_crowd },
	{ "breeders", scene_breeders },
	{ "long_vfork", scene_long_vfork },
	{ "memory", scene_memory },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(scenes) / sizeof(*scenes); i++)
		if (!strcmp(scenes[i].name, argv[1]))
			return scenes[i].play();
	return 127;
}
