/* A thread that is not the leader executes another program; the leader and a third thread vanish. */
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static void *sleep_on(void *argument)
{
	(void)argument;
	sleep(30);
	return NULL;
}

static void *execute(void *argument)
{
	char *argv[] = {"true", NULL};

	(void)argument;
	usleep(50000);
	execv("/bin/true", argv);
	return NULL;
}

int main(void)
{
	pthread_t sleeper, executor;

	pthread_create(&sleeper, NULL, sleep_on, NULL);
	usleep(50000);
	pthread_create(&executor, NULL, execute, NULL);
	sleep(30);
	return 1;
}
