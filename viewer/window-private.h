/* What the parts of a window share: window.c builds it, window-session.c follows the guest, window-actions.c does what the
 * menus say, window-bars.c is what lies over the picture.
 */
#pragma once

#include "base/runtime-dir.h"
#include "base/runtime-watch.h"
#include "viewer/password-page.h"
#include "viewer/screen.h"
#include "viewer/start-page.h"
#include "viewer/status-page.h"
#include "viewer/window.h"

struct window {
	GtkApplication *application;
	GtkWindow *window;
	GtkWidget *header, *title, *subtitle, *keys_button, *menu_button, *stack;
	GtkWidget *status_widget;
	struct start_page *start;
	struct status_page status;
	struct password_page *password;
	struct screen *screen;

	/* over the picture */
	GtkWidget *bar, *bar_title, *bar_first, *bar_keys;
	GtkWidget *notice, *notice_text;
	guint notice_timer;

	char *base;
	struct runtime_watch *watch;
	struct target *target; /* what is shown or waited for; NULL: nothing */
	struct source *source; /* NULL: not connected */
	char *guest;           /* the name that the guest gave itself, NULL: none */
	bool connected;        /* the source is past its beginnings */
	int width, height;     /* given to the window for a picture; the header is not counted */
	bool settled;          /* the window has had that size since */
	guint resized;         /* the titles are about to follow the size */
	bool full_screen;
	bool destroyed;
};

/* window.c */
enum window_page {
	PAGE_START,
	PAGE_STATUS,
	PAGE_PASSWORD,
	PAGE_SCREEN
};
void window_show_page(struct window *window, enum window_page page);
bool window_shows_screen(const struct window *window);
void window_show_status(struct window *window, const struct status_text *text);
void window_update_titles(struct window *window);
/* The name of what is shown, for people. */
const char *window_guest_name(const struct window *window);
void window_fit_to_picture(struct window *window);

/* window-session.c */
void window_follow_registry(struct window *window);
void window_end_session(struct window *window);
void window_reconnect(struct window *window);

/* window-actions.c */
void window_add_actions(struct window *window);
void window_update_actions(struct window *window);
GMenuModel *window_menu(void);
GMenuModel *window_keys_menu(void);

/* window-bars.c */
GtkWidget *window_add_bars(struct window *window, GtkWidget *below);
void window_show_bar(struct window *window, bool shown);
void window_notify(struct window *window, const char *text);
/* Takes that notice away at once, unless another one stands there. */
void window_withdraw(struct window *window, const char *text);
