// Brings HR's calendar to the gateways: schedules, holidays and access levels, as one retained message. Hand it to `link.start()`, or
// pass on its connects. Storing the calendar is the caller's.

import type { CalendarDefinition } from '../domain/calendar.ts';
import type { SiteId } from '../domain/ids.ts';
import type { HrLink, HrLinkListener } from '../ports/hr-link.ts';
import { type CalendarMessage, decodeCalendar, encodeCalendar } from '../wire/calendar-message.ts';
import { deskTopicsOf } from '../wire/desk-topics.ts';
import { MAX_MESSAGE_BYTES } from '../wire/hr-messages.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { Fault } from '../wire/message-json.ts';
import { jsonRoom } from './message-room.ts';
import { isOffline } from './offline.ts';
import type { ChangeNote } from './roster.ts';

/** What the message carries beside the calendar itself. */
export interface CalendarNote extends ChangeNote {
  /** Higher than that of the calendar before, 1 to 2^53-1. */
  readonly revision: number;
}

/** The message that gateways take, or why they would not. */
export const calendarMessage = (
  site: SiteId,
  definition: CalendarDefinition,
  note: CalendarNote,
): CalendarMessage | { readonly fault: Fault } => {
  const message = decodeCalendar({ type: 'calendar', site, ...note, ...definition });
  if ('fault' in message) return message;
  const bytes = Buffer.byteLength(encodeCalendar(site, message));
  const room = jsonRoom(MAX_MESSAGE_BYTES);
  if (bytes <= room) return message;
  return { fault: { code: 'too-large', detail: `the message has ${bytes} bytes, the limit is ${room}` } };
};

export interface CalendarPublisherDependencies {
  readonly site: SiteId;
  readonly link: HrLink;
  /** HR's signature (`sealWith`), or `unsignedSeal`. */
  readonly seal: MessageSeal;
  /** Hears of failures that no caller waits for: the broker has refused the calendar at a connect. */
  readonly onFault: (error: unknown) => void;
}

export class CalendarPublisher implements HrLinkListener {
  readonly #deps: CalendarPublisherDependencies;
  #current: CalendarMessage | undefined;

  /** `current`: the calendar that HR has stored, if any. */
  constructor(deps: CalendarPublisherDependencies, current?: CalendarMessage) {
    this.#deps = deps;
    this.#current = current;
  }

  /**
   * The calendar is this one from now on. Fulfils when the broker has acknowledged it, or a newer one has taken its place. Rejects as `link.publish` and the seal do, with
   * CardeaError `link-offline` while the broker is not connected: then the next connect brings it.
   */
  async publish(message: CalendarMessage): Promise<void> {
    const { site, link, seal } = this.#deps;
    this.#current = message;
    const payload = await seal(encodeCalendar(site, message));
    // A newer one that was sealed sooner must stay the one that the broker keeps.
    if (this.#current !== message) return;
    await link.publish(deskTopicsOf(site).calendar, payload, { retain: true });
  }

  /** A broker may have forgotten what it was to keep. */
  onConnect(): void {
    if (this.#current === undefined) return;
    this.publish(this.#current).catch((error: unknown) => {
      if (!isOffline(error)) this.#deps.onFault(error);
    });
  }

  onDisconnect(): void {}

  async onMessage(): Promise<void> {}
}
