/* Networks: -netdev, and -nic, which stands for a network and a card on it. */
#include <string.h>

#include "base/error.h"
#include "vmm/options/config-private.h"

/* What -nic has besides the keys of -netdev: they are the card's. */
static const char *const card_keys[] = { "mac", "addr", "bus", "romfile", "bootindex", NULL };

#define CARD_CLASS "virtio-net-pci"

static const struct option_set *find_netdev(const struct config_builder *builder, const char *id)
{
	for (guint i = 0; i < builder->config->netdevs->len; i++) {
		const struct option_set *set = builder->config->netdevs->pdata[i];

		if (strcmp(set->id, id) == 0)
			return set;
	}
	return NULL;
}

bool config_use_netdev(
	struct config_builder *builder, const char *id, const char *user, GError **error)
{
	const char *other = g_hash_table_lookup(builder->netdev_users, id);

	if (!find_netdev(builder, id))
		return fail(error, VITRINE_ERROR_INPUT,
			"%s: there is no network '%s'; make one with -netdev user,id=%s", user, id,
			id);
	if (other)
		return fail(error, VITRINE_ERROR_INPUT, "%s: network '%s' is taken by %s", user, id,
			other);
	g_hash_table_insert(builder->netdev_users, (char *)config_keep(builder, id),
		(char *)config_keep(builder, user));
	return true;
}

static struct option_set *copy(const struct option_set *set, const char *id, const char *origin)
{
	struct option_set *copied = option_set_new(option_spec_find("netdev"), id, origin);

	for (guint i = 0; i < set->count; i++)
		if (strcmp(set->values[i].key, "model") != 0 &&
			!g_strv_contains(card_keys, set->values[i].key))
			option_set_add(copied, set->values[i].key, set->values[i].text);
	return copied;
}

static bool add_netdev(struct config_builder *builder, struct option_set *set, GError **error)
{
	if (find_netdev(builder, set->id)) {
		fail(error, VITRINE_ERROR_INPUT, "%s: id=%s: there is another network by this name",
			set->origin, set->id);
		option_set_free(set);
		return false;
	}
	g_ptr_array_add(builder->config->netdevs, set);
	return true;
}

static bool add_nic(struct config_builder *builder, const struct option_set *nic, GError **error)
{
	const char *model = option_set_get(nic, "model");
	g_autofree char *made_up = g_strdup_printf("nic%u", builder->config->netdevs->len);
	const char *id = nic->id ? nic->id : made_up;
	struct option_set *card;
	bool good;

	if (strcmp(option_set_get(nic, "type"), "none") == 0)
		return true;
	if (!add_netdev(builder, copy(nic, id, nic->origin), error))
		return false;
	card = option_set_new(option_spec_find("device"), NULL, nic->origin);
	option_set_add(card, "driver", model && strcmp(model, "virtio") != 0 ? model : CARD_CLASS);
	option_set_add(card, "netdev", id);
	for (guint i = 0; i < nic->count; i++)
		if (g_strv_contains(card_keys, nic->values[i].key))
			option_set_add(card, nic->values[i].key, nic->values[i].text);
	good = config_add_device(builder, card, error);
	option_set_free(card);
	return good;
}

bool config_build_network(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "netdev") == 0 &&
			!add_netdev(builder, copy(set, set->id, set->origin), error))
			return false;
	}
	return true;
}

bool config_build_cards(struct config_builder *builder, GError **error)
{
	for (guint i = 0; i < builder->options->sets->len; i++) {
		const struct option_set *set = g_ptr_array_index(builder->options->sets, i);

		if (strcmp(set->spec->group, "nic") == 0 && !add_nic(builder, set, error))
			return false;
	}
	return true;
}
