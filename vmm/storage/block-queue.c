/* Requests of controllers under the machine's lock: a worker of their own, fed through a list and answered through another.
 *
 * What a device asks for is carried by a request of the queue's own, with bytes of its own: so the device can give it up at
 * once, however long the host still takes. What was given up touches neither the device nor the guest's memory any more, and
 * nothing that is asked for later begins before the last of it has ended: a late write never lies over a newer one.
 *
 * Only the two lists are shared with the worker's thread. What ended is told on the main loop soon; a call that is already on
 * its way there holds a reference, so that the queue may go before it arrives.
 */
#include "vmm/storage/block-queue.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/machine/machine.h"
#include "vmm/machine/run-state.h"

enum {
	ALIGNMENT = 4096, /* of bytes on their way past the host's cache */
};

struct carrier {
	struct block_request request; /* first: the worker gives it back */
	struct block_request *asked;  /* the device's; NULL: given up */
	struct iovec piece;
	uint8_t *bytes;
};

struct ended {
	struct carrier *carrier;
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

	GHashTable *asked; /* the device's request to its carrier, for those not given up */
	unsigned given_up; /* carriers that the worker still has to give back */
	GQueue held;       /* of struct carrier: until there are none of these */

	GMutex lock;        /* for what follows */
	GPtrArray *waiting; /* of struct carrier, which the worker has yet to take */
	GArray *ended;      /* of struct ended */
	bool telling;       /* a call is on its way to the main loop */
};

static bool moves_data(const struct block_request *request)
{
	return request->operation == BLOCK_READ || request->operation == BLOCK_WRITE;
}

/* Copies between the carrier's bytes and the memory that the device named. */
static void copy(const struct carrier *carrier, bool to_device)
{
	const struct block_request *asked = carrier->asked;
	uint64_t done = 0;

	for (unsigned i = 0; i < asked->count && done < asked->length; i++) {
		uint64_t bytes = MIN(asked->pieces[i].iov_len, asked->length - done);

		if (to_device)
			memcpy(asked->pieces[i].iov_base, carrier->bytes + done, bytes);
		else
			memcpy(carrier->bytes + done, asked->pieces[i].iov_base, bytes);
		done += bytes;
	}
}

static struct carrier *carrier_new(struct block_request *asked)
{
	struct carrier *carrier = g_new0(struct carrier, 1);

	carrier->asked = asked;
	carrier->request = *asked;
	carrier->request.pieces = NULL;
	carrier->request.count = 0;
	if (!moves_data(asked))
		return carrier;
	carrier->bytes = g_aligned_alloc(1, MAX(asked->length, 1), ALIGNMENT);
	carrier->piece = (struct iovec) { carrier->bytes, asked->length };
	carrier->request.pieces = &carrier->piece;
	carrier->request.count = 1;
	if (asked->operation == BLOCK_WRITE)
		copy(carrier, false);
	return carrier;
}

static void carrier_free(void *opaque)
{
	struct carrier *carrier = opaque;

	g_aligned_free(carrier->bytes);
	g_free(carrier);
}

static void unref(struct block_queue *queue)
{
	if (__atomic_sub_fetch(&queue->references, 1, __ATOMIC_SEQ_CST) > 0)
		return;
	close(queue->kick);
	g_ptr_array_unref(queue->waiting);
	g_array_unref(queue->ended);
	g_hash_table_unref(queue->asked);
	g_mutex_clear(&queue->lock);
	g_free(queue);
}

/* On the worker's thread. */
static void take_waiting(void *owner, unsigned kick)
{
	struct block_queue *queue = owner;
	g_autoptr(GPtrArray) carriers = NULL;

	block_worker_end_given_up(queue->worker);
	g_mutex_lock(&queue->lock);
	carriers = queue->waiting;
	queue->waiting = g_ptr_array_new();
	g_mutex_unlock(&queue->lock);
	for (guint i = 0; i < carriers->len; i++)
		block_worker_submit(queue->worker, carriers->pdata[i]);
}

static void request_ended(void *owner, struct block_request *request, int result)
{
	struct block_queue *queue = owner;
	struct ended ended = { (struct carrier *)request, result };

	g_mutex_lock(&queue->lock);
	g_array_append_val(queue->ended, ended);
	g_mutex_unlock(&queue->lock);
}

/* With the machine's lock, as what follows. */
static void wake_worker(struct block_queue *queue)
{
	uint64_t one = 1;

	while (write(queue->kick, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void hand_over(struct block_queue *queue, struct carrier *carrier)
{
	g_mutex_lock(&queue->lock);
	g_ptr_array_add(queue->waiting, carrier);
	g_mutex_unlock(&queue->lock);
	wake_worker(queue);
}

static void hand_over_held(struct block_queue *queue)
{
	while (queue->given_up == 0 && queue->held.length > 0)
		hand_over(queue, g_queue_pop_head(&queue->held));
}

static void carrier_ended(struct block_queue *queue, struct carrier *carrier, int result)
{
	struct block_request *asked = carrier->asked;

	if (!asked) {
		queue->given_up--;
		carrier_free(carrier);
		hand_over_held(queue);
		return;
	}
	if (asked->operation == BLOCK_READ && result == 0)
		copy(carrier, true);
	g_hash_table_remove(queue->asked, asked);
	carrier_free(carrier);
	queue->done(queue->device, asked, result);
}

/* A done() may submit, cancel or free. */
static void tell_ended(struct block_queue *queue)
{
	__atomic_fetch_add(&queue->references, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		struct ended ended;
		bool any;

		g_mutex_lock(&queue->lock);
		any = queue->done && queue->ended->len > 0;
		if (any) {
			ended = g_array_index(queue->ended, struct ended, 0);
			g_array_remove_index(queue->ended, 0);
		}
		g_mutex_unlock(&queue->lock);
		if (!any)
			break;
		carrier_ended(queue, ended.carrier, ended.result);
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
	queue->asked = g_hash_table_new(NULL, NULL);
	g_queue_init(&queue->held);
	queue->waiting = g_ptr_array_new();
	queue->ended = g_array_new(FALSE, FALSE, sizeof(struct ended));
	queue->worker = block_worker_new(drive, &worker_ops, queue);
	block_worker_start(queue->worker, &queue->kick, 1);
	return queue;
}

static bool any_request(const struct block_request *request, void *data)
{
	return true;
}

static bool was_given_up(const struct block_request *request, void *data)
{
	return ((const struct carrier *)request)->asked == NULL;
}

/* While the worker does not run: frees what it has kept, and returns how many that were. */
static unsigned free_kept(
	struct block_queue *queue, bool (*match)(const struct block_request *request, void *data))
{
	struct block_request *kept = block_worker_forget_some(queue->worker, match, NULL);
	unsigned count = 0;

	for (; kept; count++) {
		struct block_request *next = kept->next;

		carrier_free(kept);
		kept = next;
	}
	return count;
}

void block_queue_free(struct block_queue *queue)
{
	block_worker_stop(queue->worker);
	free_kept(queue, any_request);
	for (guint i = 0; i < queue->waiting->len; i++)
		carrier_free(queue->waiting->pdata[i]);
	for (guint i = 0; i < queue->ended->len; i++)
		carrier_free(g_array_index(queue->ended, struct ended, i).carrier);
	g_queue_clear_full(&queue->held, carrier_free);
	g_ptr_array_set_size(queue->waiting, 0);
	g_array_set_size(queue->ended, 0);
	g_hash_table_remove_all(queue->asked);
	g_clear_pointer(&queue->worker, block_worker_free);
	queue->done = NULL;
	unref(queue);
}

void block_queue_submit(struct block_queue *queue, struct block_request *request)
{
	struct carrier *carrier = carrier_new(request);

	g_hash_table_insert(queue->asked, request, carrier);
	if (queue->given_up > 0)
		g_queue_push_tail(&queue->held, carrier);
	else
		hand_over(queue, carrier);
}

/* True when the worker has not taken it yet. */
static bool take_back(struct block_queue *queue, struct carrier *carrier)
{
	bool found = g_queue_remove(&queue->held, carrier);

	g_mutex_lock(&queue->lock);
	found = found || g_ptr_array_remove(queue->waiting, carrier);
	g_mutex_unlock(&queue->lock);
	return found;
}

static void give_up(struct block_queue *queue, struct carrier *carrier)
{
	if (take_back(queue, carrier)) {
		carrier_free(carrier);
		return;
	}
	carrier->asked = NULL;
	block_request_give_up(&carrier->request);
	queue->given_up++;
	wake_worker(queue); /* which may have kept it */
}

/* Nobody else gives back what was given up while the worker does not run. */
static void give_up_kept(struct block_queue *queue)
{
	if (block_worker_is_started(queue->worker))
		return;
	queue->given_up -= free_kept(queue, was_given_up);
	hand_over_held(queue);
}

void block_queue_cancel(struct block_queue *queue, struct block_request *request)
{
	struct carrier *carrier = g_hash_table_lookup(queue->asked, request);

	if (!carrier)
		return;
	g_hash_table_remove(queue->asked, request);
	give_up(queue, carrier);
	give_up_kept(queue);
}

void block_queue_cancel_all(struct block_queue *queue)
{
	GHashTableIter iterator;
	gpointer carrier;

	g_hash_table_iter_init(&iterator, queue->asked);
	while (g_hash_table_iter_next(&iterator, NULL, &carrier)) {
		g_hash_table_iter_remove(&iterator);
		give_up(queue, carrier);
	}
	give_up_kept(queue);
}

unsigned block_queue_in_flight(const struct block_queue *queue)
{
	return g_hash_table_size(queue->asked);
}

void block_queue_set_running(struct block_queue *queue, bool running)
{
	if (running) {
		block_worker_restart(queue->worker);
		return;
	}
	block_worker_stop(queue->worker);
	tell_ended(queue);
	give_up_kept(queue);
}
