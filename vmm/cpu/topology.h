/* Sockets, cores and threads, and the APIC ids that follow from them.
 *
 * Each level has as many bits of an APIC id as its count needs, so ids are not always consecutive.
 * Specification: Intel SDM volume 3A, section 9.9.
 */
#pragma once

#include <stdint.h>

struct cpu_topology {
	unsigned sockets, cores,
		threads; /* at least one each; cores of a socket, threads of a core */
};

unsigned cpu_topology_count(const struct cpu_topology *topology);
uint32_t cpu_topology_apic_id(const struct cpu_topology *topology, unsigned number);

/* How many bits of an APIC id number the threads of a core, and threads and cores of a socket together. */
unsigned cpu_topology_thread_bits(const struct cpu_topology *topology);
unsigned cpu_topology_socket_bits(const struct cpu_topology *topology);

/* Where processor @number sits, each counted from 0. */
struct cpu_place {
	unsigned socket, core, thread;
};
struct cpu_place cpu_topology_place(const struct cpu_topology *topology, unsigned number);
