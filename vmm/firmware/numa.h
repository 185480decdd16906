/* NUMA: which processors and how much memory belong together, and how far the nodes are from each other. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	NUMA_NODES_MAX = 128,
	NUMA_DISTANCE_SELF = 10, /* to itself; the unit of all others */
	NUMA_DISTANCE_OTHER = 20,
	NUMA_DISTANCE_UNREACHABLE = 255,
};

struct numa_node {
	uint64_t memory; /* bytes, in the order of the nodes' numbers from address 0 on */
	const char
		*memdev; /* id of the object that is this memory; NULL: none, or not one a node */
};

struct numa_config {
	unsigned count; /* 0: the machine is not said to have nodes */
	struct numa_node nodes[NUMA_NODES_MAX];
	const unsigned *cpu_nodes; /* for each processor; NULL with @count 0 */
	bool has_distances;        /* some were given: then all are set */
	uint8_t distances[NUMA_NODES_MAX][NUMA_NODES_MAX]; /* [from][to] */
};
