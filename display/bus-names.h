/* Names and limits of the display bus, as both sides know them (data/dbus/org.qemu.Display1.xml). */
#pragma once

#define BUS_ROOT_PATH      "/org/qemu/Display1"
#define BUS_VM_PATH        "/org/qemu/Display1/VM"
#define BUS_CONSOLE_PREFIX "/org/qemu/Display1/Console_"
#define BUS_LISTENER_PATH  "/org/qemu/Display1/Listener"
#define BUS_AUDIO_PATH     "/org/qemu/Display1/Audio"
#define BUS_AUDIO_OUT_PATH "/org/qemu/Display1/AudioOutListener"
#define BUS_AUDIO_IN_PATH  "/org/qemu/Display1/AudioInListener"

#define BUS_VM         "org.qemu.Display1.VM"
#define BUS_CONSOLE    "org.qemu.Display1.Console"
#define BUS_KEYBOARD   "org.qemu.Display1.Keyboard"
#define BUS_MOUSE      "org.qemu.Display1.Mouse"
#define BUS_TOUCH      "org.qemu.Display1.MultiTouch"
#define BUS_LISTENER   "org.qemu.Display1.Listener"
#define BUS_MAP        "org.qemu.Display1.Listener.Unix.Map"
#define BUS_AUDIO      "org.qemu.Display1.Audio"
#define BUS_AUDIO_OUT  "org.qemu.Display1.AudioOutListener"
#define BUS_AUDIO_IN   "org.qemu.Display1.AudioInListener"
#define BUS_PROPERTIES "org.freedesktop.DBus.Properties"
#define BUS_OBJECTS    "org.freedesktop.DBus.ObjectManager"

enum {
	BUS_SETUP_SECONDS =
		10, /* for a peer to authenticate and to answer what it is asked first */
	BUS_ARRAY_MOST = 64 << 20, /* bytes of a D-Bus array (specification, "Marshaling") */
	BUS_CONSOLES_MOST = 16,    /* that are looked at */
	BUS_TOUCH_SLOTS = 1,       /* one finger, as a pointer with its left button */
};

/* Kinds of MultiTouch.SendEvent. */
enum bus_touch {
	BUS_TOUCH_BEGIN,
	BUS_TOUCH_UPDATE,
	BUS_TOUCH_END,
	BUS_TOUCH_CANCEL,
};
