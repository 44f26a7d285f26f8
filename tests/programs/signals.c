/*
 * Signals caught, ignored, blocked, queued and waited for; calls interrupted and restarted;
 * children that exit, are killed, stop and go on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void note(int signo, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	caught = signo;
}

static void handle(int signo, int flags)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};

	sigaction(signo, &action, NULL);
}

/* The parent is to be waiting before its child ends, in every run. */
static void linger(void)
{
	usleep(30000);
}

static void alarm_after(long microseconds)
{
	struct itimerval timer = {.it_value = {.tv_usec = microseconds}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void catch_and_ignore(void)
{
	handle(SIGUSR1, 0);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	raise(SIGWINCH);	/* ignored by default */
	handle(SIGRTMIN + 3, SA_NODEFER);
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 4242});
}

static void block_and_wait(void)
{
	sigset_t set, pending;
	siginfo_t info;
	struct timespec brief = {.tv_nsec = 1000000};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 5);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	sigpending(&pending);
	sigwaitinfo(&set, &info);
	sigtimedwait(&set, &info, &brief);	/* EAGAIN */
	raise(SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);	/* delivered here */
}

static void interrupt_and_restart(void)
{
	int ends[2];
	char byte;
	struct timespec second = {.tv_sec = 1};
	pid_t writer;

	handle(SIGALRM, 0);
	alarm_after(300000);
	pause();		/* ERESTARTNOHAND */
	alarm_after(300000);
	nanosleep(&second, &second);	/* ERESTART_RESTARTBLOCK, then EINTR */

	if (pipe(ends))
		abort();
	alarm_after(300000);
	if (read(ends[0], &byte, 1) < 0 && errno != EINTR)	/* ERESTARTSYS */
		abort();
	handle(SIGALRM, SA_RESTART);
	writer = fork();
	if (writer == 0) {
		usleep(600000);	/* after the alarm, which is to find the reader waiting */
		if (write(ends[1], "x", 1) != 1)
			abort();
		linger();
		_exit(0);
	}
	alarm_after(300000);
	if (read(ends[0], &byte, 1) != 1)	/* restarted */
		abort();
	waitpid(writer, NULL, 0);
	close(ends[0]);
	handle(SIGPIPE, 0);
	if (write(ends[1], "x", 1) >= 0)	/* EPIPE */
		abort();
	close(ends[1]);
}

static void children(void)
{
	int status;
	pid_t child;
	sigset_t set;
	const int deadly[] = {SIGKILL, SIGTERM, SIGSEGV, SIGRTMAX};

	for (unsigned int index = 0; index < sizeof(deadly) / sizeof(deadly[0]); index++) {
		child = fork();
		if (child == 0) {
			linger();
			raise(deadly[index]);
			_exit(99);
		}
		waitpid(child, &status, 0);
	}
	child = fork();
	if (child == 0) {
		linger();
		_exit(42);
	}
	waitpid(child, &status, 0);

	child = fork();
	if (child == 0) {
		linger();
		raise(SIGSTOP);
		linger();
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	/* Whether SIGCHLD of the continuation interrupts the last wait is anybody's guess. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int main(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	catch_and_ignore();
	block_and_wait();
	interrupt_and_restart();
	children();
	return 0;
}
