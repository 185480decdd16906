/* Interrupts, the tick that paces the pictures, and the time of day.
 *
 * Specification: Intel 8259A and 8254 data sheets; Motorola MC146818 data sheet.
 */
#include "clock.h"

#include "calls.h"

enum {
	PIC_COMMAND = 0x20,
	PIC_DATA = 0x21,
	PIC2_COMMAND = 0xa0,
	PIC2_DATA = 0xa1,
	PIC_INITIALISE = 0x11,
	PIC_8086 = 0x01,
	PIC_CASCADE_LINE = 2,
	/* A set bit keeps a line shut: all but timer, keyboard, cascade and serial; all but ACPI
	 * and mouse. */
	PIC_MASK = 0xff & ~(1 << 0 | 1 << 1 | 1 << 2 | 1 << 4),
	PIC2_MASK = 0xff & ~(1 << 1 | 1 << 4),

	PIT_CHANNEL_0 = 0x40,
	PIT_CONTROL = 0x43,
	PIT_RATE_GENERATOR = 0x34,
	PIT_HZ = 1193182,

	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
	RTC_SECONDS = 0x00,
	RTC_MINUTES = 0x02,
	RTC_HOURS = 0x04,
	RTC_STATUS_B = 0x0b,
	RTC_BINARY = 0x04,
	RTC_24_HOURS = 0x02,
	RTC_PM = 0x80,
};

void clock_start(void)
{
	unsigned divisor = PIT_HZ / TICKS_PER_SECOND;

	out8(PIC_COMMAND, PIC_INITIALISE);
	out8(PIC2_COMMAND, PIC_INITIALISE);
	out8(PIC_DATA, VECTOR_TIMER);
	out8(PIC2_DATA, VECTOR_TIMER + 8);
	out8(PIC_DATA, 1 << PIC_CASCADE_LINE);
	out8(PIC2_DATA, PIC_CASCADE_LINE);
	out8(PIC_DATA, PIC_8086);
	out8(PIC2_DATA, PIC_8086);
	out8(PIC_DATA, PIC_MASK);
	out8(PIC2_DATA, PIC2_MASK);

	out8(PIT_CONTROL, PIT_RATE_GENERATOR);
	out8(PIT_CHANNEL_0, divisor & 0xff);
	out8(PIT_CHANNEL_0, (uint8_t)(divisor >> 8));
}

static uint8_t rtc_read(uint8_t index)
{
	out8(RTC_INDEX, index);
	return in8(RTC_DATA);
}

static uint8_t from_bcd(uint8_t value)
{
	return (uint8_t)((value >> 4) * 10 + (value & 15));
}

struct time_of_day clock_now(void)
{
	struct time_of_day now = { .seconds = rtc_read(RTC_SECONDS) };
	uint8_t status = rtc_read(RTC_STATUS_B);
	uint8_t hours = rtc_read(RTC_HOURS);

	now.minutes = rtc_read(RTC_MINUTES);
	now.hours = hours & (uint8_t)~RTC_PM;
	if (!(status & RTC_BINARY)) {
		now.seconds = from_bcd(now.seconds);
		now.minutes = from_bcd(now.minutes);
		now.hours = from_bcd(now.hours);
	}
	if (!(status & RTC_24_HOURS))
		now.hours = (uint8_t)(now.hours % 12 + (hours & RTC_PM ? 12 : 0));
	return now;
}
