// The way in for HR's messages: opened (which may take a signature to check), decoded, and handed on in the order of arrival.
//
// 1. Order is kept although signatures are checked side by side: what came first reaches the writer first.
// 2. A change is judged with the calendar that came before it in force.
// 3. A message that can never be applied is rejected by receipt and does not block those behind it.
// 4. On a disk that is nearly full, what HR wants kept waits; commands do not.

import type { InboundMessage } from '../ports/hr-link.ts';
import { type DecodedMessage, type DecodeSettings, decodeHrMessage } from '../wire/hr-messages.ts';
import type { CalendarHandler } from './apply-calendar.ts';
import type { CommandHandler } from './apply-command.ts';
import type { ChangeHandler } from './apply-hr-message.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { EventPublisher } from './publish-events.ts';
import type { RosterReconciler } from './reconcile-roster.ts';

interface Dependencies {
  /** Asked for each message: trusted keys may be exchanged while the gateway runs. */
  readonly settings: () => DecodeSettings;
  readonly changes: Pick<ChangeHandler, 'apply' | 'reject'>;
  readonly calendars: Pick<CalendarHandler, 'apply'>;
  readonly commands: Pick<CommandHandler, 'apply'>;
  readonly reconciler: Pick<RosterReconciler, 'onChange' | 'onDigest' | 'onPage'>;
  readonly disk: Pick<DiskWatch, 'awaitRoom'>;
  readonly outbox: Pick<EventPublisher, 'acknowledge'>;
}

export class HrInbox {
  readonly #deps: Dependencies;
  /** Fulfils when every message so far was handed on; undefined when none is being opened. */
  #opening: Promise<unknown> | undefined;
  /** Fulfils when the last calendar is in force, or refused; undefined before the first. */
  #calendar: Promise<unknown> | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Fulfils when the message's outcome is durable; rejects when it could not be stored and must be delivered again. */
  handle(inbound: InboundMessage): Promise<void> {
    const decoded = decodeHrMessage(inbound, this.#deps.settings());
    if (this.#opening === undefined && !(decoded instanceof Promise)) return this.#handOn(decoded, inbound);
    return this.#inTurn(decoded, inbound);
  }

  async #inTurn(decoded: DecodedMessage | Promise<DecodedMessage>, inbound: InboundMessage): Promise<void> {
    const before = this.#opening;
    const turn = Promise.all([decoded, before]);
    const handedOn = turn.then(([message]) => ({ done: this.#handOn(message, inbound) }));
    const opening = handedOn.then(
      () => {},
      () => {},
    );
    this.#opening = opening;
    const { done } = await handedOn;
    if (this.#opening === opening) this.#opening = undefined;
    await done;
  }

  #handOn(decoded: DecodedMessage, inbound: InboundMessage): Promise<void> {
    const isKept = decoded.kind === 'change' || decoded.kind === 'calendar' || decoded.kind === 'rejected';
    const room = isKept ? this.#deps.disk.awaitRoom() : undefined;
    return room === undefined ? this.#apply(decoded, inbound) : room.then(() => this.#apply(decoded, inbound));
  }

  #apply(decoded: DecodedMessage, { retained }: InboundMessage): Promise<void> {
    const { changes, calendars, commands, reconciler, outbox } = this.#deps;
    switch (decoded.kind) {
      case 'change':
        reconciler.onChange();
        return this.#calendar === undefined
          ? changes.apply(decoded.message)
          : this.#calendar.then(() => changes.apply(decoded.message));
      case 'calendar': {
        const applied = calendars.apply(decoded.calendar, { isLive: !retained });
        this.#calendar = applied.catch(() => {});
        return applied;
      }
      case 'digest':
        return reconciler.onDigest(decoded.digest, { isLive: !retained });
      case 'page':
        return reconciler.onPage(decoded.page);
      case 'event-ack':
        return outbox.acknowledge(decoded.ack.upTo);
      case 'command':
        return commands.apply(decoded.command);
      case 'rejected':
        return changes.reject(decoded.rejection);
    }
  }
}
