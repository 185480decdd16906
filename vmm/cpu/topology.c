/* Sockets, cores and threads: where each processor sits. */
#include "vmm/cpu/topology.h"

#include <glib.h>

static unsigned bits_for(unsigned count)
{
	return count > 1 ? g_bit_storage(count - 1) : 0;
}

unsigned cpu_topology_count(const struct cpu_topology *topology)
{
	return topology->sockets * topology->cores * topology->threads;
}

unsigned cpu_topology_thread_bits(const struct cpu_topology *topology)
{
	return bits_for(topology->threads);
}

unsigned cpu_topology_socket_bits(const struct cpu_topology *topology)
{
	return bits_for(topology->threads) + bits_for(topology->cores);
}

struct cpu_place cpu_topology_place(const struct cpu_topology *topology, unsigned number)
{
	return (struct cpu_place) {
		.socket = number / (topology->cores * topology->threads),
		.core = number / topology->threads % topology->cores,
		.thread = number % topology->threads,
	};
}

uint32_t cpu_topology_apic_id(const struct cpu_topology *topology, unsigned number)
{
	struct cpu_place place = cpu_topology_place(topology, number);

	return place.socket << cpu_topology_socket_bits(topology) |
	       place.core << cpu_topology_thread_bits(topology) | place.thread;
}
