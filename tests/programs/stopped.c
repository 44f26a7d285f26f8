/*
 * Stop and go on in the middle of a sleep: the kernel restarts it by restart_syscall.
 *
 * A child stops its parent, waits, and lets it go on.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec span = {.tv_nsec = 400000000};
	pid_t parent = getpid();
	pid_t child = fork();

	if (child == 0) {
		usleep(100000);
		kill(parent, SIGSTOP);
		usleep(100000);
		kill(parent, SIGCONT);
		_exit(0);
	}
	nanosleep(&span, NULL);
	waitpid(child, NULL, 0);
	kill(parent, SIGTSTP);	/* an orphaned process group: ignored */
	return 0;
}
