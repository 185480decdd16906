/* Requests of controllers under the machine's lock: a worker of their own, fed through a list and answered through another.
 *
 * Only the two lists are shared with the worker's thread. What ended is told on the main loop soon; a call that is already on
 * its way there holds a reference, so that the queue may go before it arrives.
 */
#include "vmm/storage/block-queue.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"

struct ended {
	struct block_request *request;
	int result;
};

struct block_queue {
	int references; /* atomic */
	struct machine *machine;
	struct drive *drive;
	block_done_func done; /* NULL: the device is gone */
	void *device;
	struct block_worker *worker;
	int kick;
	unsigned in_flight;

	GMutex lock;        /* for what follows */
	GPtrArray *waiting; /* of struct block_request, which the worker has yet to take */
	GArray *ended;      /* of struct ended */
	bool telling;       /* a call is on its way to the main loop */
};

static void unref(struct block_queue *queue)
{
	if (__atomic_sub_fetch(&queue->references, 1, __ATOMIC_SEQ_CST) > 0)
		return;
	close(queue->kick);
	g_ptr_array_unref(queue->waiting);
	g_array_unref(queue->ended);
	g_mutex_clear(&queue->lock);
	g_free(queue);
}

/* On the worker's thread. */
static void take_waiting(void *owner, unsigned kick)
{
	struct block_queue *queue = owner;
	g_autoptr(GPtrArray) requests = NULL;

	g_mutex_lock(&queue->lock);
	requests = queue->waiting;
	queue->waiting = g_ptr_array_new();
	g_mutex_unlock(&queue->lock);
	for (guint i = 0; i < requests->len; i++)
		block_worker_submit(queue->worker, requests->pdata[i]);
}

static void request_ended(void *owner, struct block_request *request, int result)
{
	struct block_queue *queue = owner;
	struct ended ended = { request, result };

	g_mutex_lock(&queue->lock);
	g_array_append_val(queue->ended, ended);
	g_mutex_unlock(&queue->lock);
}

/* With the machine's lock. A done() may submit, cancel or free. */
static void tell_ended(struct block_queue *queue)
{
	__atomic_fetch_add(&queue->references, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		struct ended ended;
		bool any;

		g_mutex_lock(&queue->lock);
		any = queue->ended->len > 0;
		if (any) {
			ended = g_array_index(queue->ended, struct ended, 0);
			g_array_remove_index(queue->ended, 0);
		}
		g_mutex_unlock(&queue->lock);
		if (!any || !queue->done)
			break;
		queue->in_flight--;
		queue->done(queue->device, ended.request, ended.result);
	}
	unref(queue);
}

static void told(struct machine *machine, void *opaque)
{
	struct block_queue *queue = opaque;

	g_mutex_lock(&queue->lock);
	queue->telling = false;
	g_mutex_unlock(&queue->lock);
	tell_ended(queue);
	unref(queue);
}

static void batch_ended(void *owner)
{
	struct block_queue *queue = owner;
	bool tell;

	g_mutex_lock(&queue->lock);
	tell = queue->ended->len > 0 && !queue->telling;
	queue->telling = queue->telling || tell;
	g_mutex_unlock(&queue->lock);
	if (tell) {
		__atomic_fetch_add(&queue->references, 1, __ATOMIC_SEQ_CST);
		machine_run_soon(queue->machine, told, queue);
	}
}

static const struct block_worker_ops worker_ops = {
	.kicked = take_waiting,
	.completed = request_ended,
	.settled = batch_ended,
};

struct block_queue *block_queue_new(
	struct machine *machine, struct drive *drive, block_done_func done, void *device)
{
	struct block_queue *queue = g_new0(struct block_queue, 1);

	queue->references = 1;
	queue->machine = machine;
	queue->drive = drive;
	queue->done = done;
	queue->device = device;
	queue->kick = eventfd(0, EFD_CLOEXEC);
	g_mutex_init(&queue->lock);
	queue->waiting = g_ptr_array_new();
	queue->ended = g_array_new(FALSE, FALSE, sizeof(struct ended));
	queue->worker = block_worker_new(drive, &worker_ops, queue);
	block_worker_start(queue->worker, &queue->kick, 1);
	return queue;
}

static void forget_all(struct block_queue *queue)
{
	block_worker_forget(queue->worker);
	g_mutex_lock(&queue->lock);
	g_ptr_array_set_size(queue->waiting, 0);
	g_array_set_size(queue->ended, 0);
	g_mutex_unlock(&queue->lock);
	queue->in_flight = 0;
}

void block_queue_free(struct block_queue *queue)
{
	block_worker_stop(queue->worker);
	forget_all(queue);
	g_clear_pointer(&queue->worker, block_worker_free);
	queue->done = NULL;
	unref(queue);
}

void block_queue_submit(struct block_queue *queue, struct block_request *request)
{
	uint64_t one = 1;

	queue->in_flight++;
	g_mutex_lock(&queue->lock);
	g_ptr_array_add(queue->waiting, request);
	g_mutex_unlock(&queue->lock);
	while (write(queue->kick, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void block_queue_cancel(struct block_queue *queue)
{
	bool was_started = block_worker_is_started(queue->worker);

	if (queue->in_flight == 0)
		return;
	block_worker_stop(queue->worker);
	forget_all(queue);
	if (was_started)
		block_worker_restart(queue->worker);
}

unsigned block_queue_in_flight(const struct block_queue *queue)
{
	return queue->in_flight;
}

void block_queue_set_running(struct block_queue *queue, bool running)
{
	if (running) {
		block_worker_restart(queue->worker);
		return;
	}
	block_worker_stop(queue->worker);
	tell_ended(queue);
}
