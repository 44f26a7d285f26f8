/* many_tasks storm N: N processes, one after the other. many_tasks crowd N: N threads at once.
 * Each makes one getsid. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int there, wanted;

static void *thread(void *nothing)
{
	syscall(SYS_getsid, 0);
	pthread_mutex_lock(&lock);
	if (++there == wanted)
		pthread_cond_broadcast(&changed);
	while (there < wanted)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return nothing;
}

static int storm(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			return 1;
		if (!child) {
			syscall(SYS_getsid, 0);
			_exit(0);
		}
		waitpid(child, 0, 0);
	}
	return 0;
}

static int crowd(int count)
{
	pthread_t *made = calloc(count, sizeof(*made));
	pthread_attr_t small;

	wanted = count;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1 << 14);
	for (int i = 0; i < count; i++)
		if (pthread_create(&made[i], &small, thread, 0)) {
			perror("pthread_create");
			exit(1);
		}
	for (int i = 0; i < count; i++)
		pthread_join(made[i], 0);
	return 0;
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]);

	return strcmp(argv[1], "storm") ? crowd(count) : storm(count);
}
