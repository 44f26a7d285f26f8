/*
 * Five threads that wait for one another by futex, mutex and condition variable.
 *
 * Sleeps put the threads in a fixed order, so that two runs make the same calls: whoever is to
 * wait is waiting before it is woken. Each thread is woken once, writes one line, and ends.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 5
#define TICK_NS 30000000L

static uint32_t gates[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_done = PTHREAD_COND_INITIALIZER;
static int done;

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void sleep_ticks(int ticks)
{
	struct timespec span = {.tv_nsec = ticks * TICK_NS};

	nanosleep(&span, NULL);
}

static void *wait_and_write(void *argument)
{
	int index = (int)(intptr_t)argument;
	char line[] = "thread 0\n";
	int last;

	futex(&gates[index], FUTEX_WAIT_PRIVATE, 0, NULL);
	line[7] += index;
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		abort();
	pthread_mutex_lock(&lock);
	last = ++done == THREADS;
	pthread_mutex_unlock(&lock);
	if (last) {
		sleep_ticks(1);
		pthread_cond_signal(&all_done);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct timespec brief = {.tv_nsec = 1000000};
	uint32_t word = 7;

	futex(&word, FUTEX_WAIT, 8, NULL);	    /* EAGAIN: the value differs */
	futex(&word, FUTEX_WAIT, 7, &brief);	    /* ETIMEDOUT */
	futex(&word, FUTEX_WAKE, 1, NULL);	    /* nobody waits */
	futex((uint32_t *)1, FUTEX_WAKE, 1, NULL);  /* EINVAL: not aligned */

	for (intptr_t index = 0; index < THREADS; index++) {
		pthread_create(&threads[index], NULL, wait_and_write, (void *)index);
		sleep_ticks(1);
	}
	for (int index = 0; index < THREADS - 1; index++) {
		__atomic_store_n(&gates[index], 1, __ATOMIC_SEQ_CST);
		futex(&gates[index], FUTEX_WAKE_PRIVATE, 1, NULL);
		sleep_ticks(1);
	}
	/* The last thread is woken with the lock held, so that it must wait again. */
	pthread_mutex_lock(&lock);
	__atomic_store_n(&gates[THREADS - 1], 1, __ATOMIC_SEQ_CST);
	futex(&gates[THREADS - 1], FUTEX_WAKE_PRIVATE, 1, NULL);
	sleep_ticks(2);
	while (done < THREADS)
		pthread_cond_wait(&all_done, &lock);
	pthread_mutex_unlock(&lock);
	for (int index = 0; index < THREADS; index++) {
		sleep_ticks(1);
		pthread_join(threads[index], NULL);
	}
	return 0;
}
