/* A storm of processes and threads that begin, exec, stop, kill and are killed: ptrace_storm N.
 * N children, at random but the same for the same N; ends with status 42.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *
ask(void *times)
{
	for (long i = 0; i < (long) times; i++)
		syscall(SYS_getppid);
	return NULL;
}

static int
leaf(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, ask, (void *) 7L);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 7;
}

static void
child(int kind)
{
	pthread_t thread;

	switch (kind) {
	case 0:
	case 1:
		execl("/proc/self/exe", "ptrace_storm", "leaf", NULL);
		_exit(9);
	case 2: /* ends while another thread is busy */
		pthread_create(&thread, NULL, ask, (void *) 100000L);
		usleep(rand() % 3000);
		_exit(3);
	case 3: /* until it is killed */
		for (;;)
			syscall(SYS_getppid);
	default:
		raise(SIGSTOP);
		_exit(0);
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "leaf"))
		return leaf();

	int children = argc > 1 ? atoi(argv[1]) : 0;
	int live = 0, status;
	srand(children);
	for (int i = 0; i < children; i++) {
		int kind = rand() % 5;
		pid_t pid = kind == 0 ? vfork() : fork();
		if (!pid)
			child(kind);
		live++;
		if (kind == 3) {
			usleep(rand() % 2000);
			kill(pid, SIGKILL);
		} else if (kind == 4) {
			waitpid(pid, &status, WUNTRACED);
			kill(pid, SIGCONT);
		}
		if (live > 5 && wait(&status) > 0)
			live--;
	}
	while (wait(&status) > 0)
		;
	return 42;
}
