/*
 * Stop and go on in the middle of a sleep: the kernel restarts it by restart_syscall.
 *
 * A child stops its parent, waits, lets it go on, and ends only when the sleep is over: its
 * SIGCHLD would interrupt the restarted call once more.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec span = {.tv_nsec = 900000000};
	pid_t parent = getpid();
	pid_t child = fork();

	if (child == 0) {
		usleep(100000);
		kill(parent, SIGSTOP);
		usleep(100000);
		kill(parent, SIGCONT);
		sleep(1);
		_exit(0);
	}
	nanosleep(&span, NULL);
	waitpid(child, NULL, 0);
	kill(parent, SIGTSTP);	/* an orphaned process group: ignored */
	return 0;
}
