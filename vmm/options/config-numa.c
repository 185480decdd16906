/* NUMA nodes: -numa node and -numa dist, together with the guest's processors and memory. */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "vmm/firmware/numa.h"
#include "vmm/options/config-private.h"
#include "vmm/options/values.h"

struct numa_builder {
	struct config_builder *builder;
	struct numa_config *numa;
	unsigned *cpu_nodes;
	bool is_there[NUMA_NODES_MAX];
	bool assigned[MACHINE_MAX_CPUS];
	bool has_memory; /* of some node */
	unsigned memdevs;
	GError **error;
};

/* What the -object's size= says. */
static bool object_size(
	struct numa_builder *in, const struct option_set *set, const char *id, uint64_t *size)
{
	const GPtrArray *sets = in->builder->options->sets;

	for (guint i = 0; i < sets->len; i++) {
		const struct option_set *object = g_ptr_array_index(sets, i);
		const char *text;

		if (strcmp(object->spec->group, "object") != 0 || g_strcmp0(object->id, id) != 0)
			continue;
		text = option_set_get(object, "size");
		if (text && value_parse_size(text, 1, size))
			return true;
	}
	return fail(in->error, VITRINE_ERROR_INPUT,
		"%s: memdev=%s: there is no such memory; make it with -object "
		"memory-backend-ram,id=%s,size=SIZE",
		set->origin, id, id);
}

/* The memory that a node is: all nodes have one or none has, each its own. */
static bool add_memdev(
	struct numa_builder *in, const struct option_set *set, const char *id, unsigned node)
{
	for (unsigned i = 0; i < NUMA_NODES_MAX; i++)
		if (g_strcmp0(in->numa->nodes[i].memdev, id) == 0)
			return fail(in->error, VITRINE_ERROR_INPUT,
				"%s: memdev=%s is the memory of node %u already; each node has its "
				"own",
				set->origin, id, i);
	if (in->builder->config->machine.memory_backend)
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: memdev=%s: all memory is %s already, as -machine memory-backend= says",
			set->origin, id, in->builder->config->machine.memory_backend);
	in->memdevs++;
	in->numa->nodes[node].memdev = config_keep(in->builder, id);
	return object_size(in, set, id, &in->numa->nodes[node].memory);
}

static bool add_cpus(
	struct numa_builder *in, const struct option_set *set, const char *text, unsigned node)
{
	const struct machine_config *machine = &in->builder->config->machine;
	g_auto(GStrv) ends = g_strsplit(text, "-", 2);
	uint64_t first, last;

	if (!value_parse_number(ends[0], &first) ||
		!value_parse_number(ends[1] ? ends[1] : ends[0], &last) || first > last ||
		last >= machine->cpus)
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: cpus=%s is not accepted; accepted: N or N-M, from 0 to %u",
			set->origin, text, machine->cpus - 1);
	for (uint64_t cpu = first; cpu <= last; cpu++) {
		if (in->assigned[cpu])
			return fail(in->error, VITRINE_ERROR_INPUT,
				"%s: cpus=%s: processor %u belongs to node %u already", set->origin,
				text, (unsigned)cpu, in->cpu_nodes[cpu]);
		in->assigned[cpu] = true;
		in->cpu_nodes[cpu] = node;
	}
	return true;
}

static bool add_node(struct numa_builder *in, const struct option_set *set)
{
	uint64_t node = option_set_number(set, "nodeid", in->numa->count);
	const char *cpus = option_set_get(set, "cpus");
	const char *memory = option_set_get(set, "memdev");

	if (node >= NUMA_NODES_MAX || in->is_there[node])
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: nodeid=%u is %s; accepted: each number once, from 0 to %d",
			set->origin, (unsigned)node,
			node < NUMA_NODES_MAX ? "there already" : "too large", NUMA_NODES_MAX - 1);
	if (memory && option_set_get(set, "mem"))
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: takes either mem= or memdev=", set->origin);
	in->is_there[node] = true;
	in->numa->count = MAX(in->numa->count, node + 1);
	in->has_memory |= memory || option_set_get(set, "mem");
	in->numa->nodes[node].memory = option_set_number(set, "mem", 0);
	return (!memory || add_memdev(in, set, memory, node)) &&
	       (!cpus || add_cpus(in, set, cpus, node));
}

/* Nodes without memory of their own when no node has any: equal parts, the last one takes what is over. */
static bool settle_memory(struct numa_builder *in)
{
	const struct machine_config *machine = &in->builder->config->machine;
	struct numa_config *numa = in->numa;
	uint64_t part = machine->memory_size / numa->count / (8 * MiB) * (8 * MiB), sum = 0;

	for (unsigned i = 0; i < numa->count; i++) {
		if (!in->is_there[i])
			return fail(in->error, VITRINE_ERROR_INPUT,
				"-numa node: node %u is missing; the nodes are 0 to %u", i,
				numa->count - 1);
		if (!in->has_memory)
			numa->nodes[i].memory =
				i + 1 < numa->count ? part : machine->memory_size - sum;
		if (!checked_add(sum, numa->nodes[i].memory, &sum))
			sum = UINT64_MAX;
		if (in->memdevs > 0 && !numa->nodes[i].memdev)
			return fail(in->error, VITRINE_ERROR_INPUT,
				"-numa node: node %u has no memdev=, and others have; give one to "
				"all "
				"nodes, or to none",
				i);
	}
	if (sum == machine->memory_size)
		return true;
	return fail(in->error, VITRINE_ERROR_INPUT,
		"-numa node: the nodes have %" G_GUINT64_FORMAT
		" MiB of memory together, -m says %" G_GUINT64_FORMAT,
		sum / MiB, machine->memory_size / MiB);
}

static bool add_distance(struct numa_builder *in, const struct option_set *set)
{
	uint64_t from = option_set_number(set, "src", UINT64_MAX);
	uint64_t to = option_set_number(set, "dst", UINT64_MAX);
	uint64_t value = option_set_number(set, "val", 0);

	if (from >= in->numa->count || to >= in->numa->count || value == 0)
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: takes src=, dst= and val=, with nodes from 0 to %u", set->origin,
			in->numa->count - 1);
	if ((from == to) != (value == NUMA_DISTANCE_SELF))
		return fail(in->error, VITRINE_ERROR_INPUT,
			"%s: val=%u is not accepted; accepted: %d for a node to itself, more to "
			"others",
			set->origin, (unsigned)value, NUMA_DISTANCE_SELF);
	in->numa->has_distances = true;
	in->numa->distances[from][to] = value;
	return true;
}

/* What was said in one direction only holds in the other one too. */
static void settle_distances(struct numa_config *numa)
{
	for (unsigned i = 0; i < numa->count; i++)
		for (unsigned j = 0; j < numa->count; j++)
			if (numa->distances[i][j] == 0)
				numa->distances[i][j] = i == j ? NUMA_DISTANCE_SELF
							: numa->distances[j][i]
								? numa->distances[j][i]
								: NUMA_DISTANCE_OTHER;
}

static bool for_each(struct numa_builder *in, const char *type,
	bool (*add)(struct numa_builder *in, const struct option_set *set))
{
	const GPtrArray *sets = in->builder->options->sets;

	for (guint i = 0; i < sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(sets, i);

		if (strcmp(set->spec->group, "numa") == 0 &&
			strcmp(option_set_get(set, "type"), type) == 0 && !add(in, set))
			return false;
	}
	return true;
}

bool config_build_numa(struct config_builder *builder, GError **error)
{
	struct firmware_config *firmware = &builder->config->firmware;
	struct numa_builder in = {
		.builder = builder,
		.numa = &firmware->numa,
		.cpu_nodes = g_new0(unsigned, builder->config->machine.cpus),
		.error = error,
	};

	firmware->cpu_nodes = in.cpu_nodes;
	firmware->numa.cpu_nodes = in.cpu_nodes;
	if (!for_each(&in, "node", add_node))
		return false;
	if (firmware->numa.count == 0)
		return !options_find(builder->options, "numa") ||
		       fail(error, VITRINE_ERROR_INPUT,
			       "-numa dist: there are no nodes; make them "
			       "with -numa node");
	if (!settle_memory(&in) || !for_each(&in, "dist", add_distance))
		return false;
	settle_distances(&firmware->numa);
	return true;
}
