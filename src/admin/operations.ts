// What a technician may ask and do, whatever carries the request. Questions change nothing; every command is logged with the
// operator who gave it, and commands to doors are events as well.

import type { AccessJudge } from '../app/access-judge.ts';
import { type AlarmRegister, CLEAR_ALARMS } from '../app/alarm-register.ts';
import type { DoorCommandAnswer, DoorCommands } from '../app/door-commands.ts';
import type { DoorController } from '../app/door-controller.ts';
import type { describeGateway } from '../app/gateway-status.ts';
import type { TapHandler, TapOutcome } from '../app/handle-tap.ts';
import type { PassageBook } from '../app/passage-book.ts';
import type { RosterReconciler } from '../app/reconcile-roster.ts';
import type { SerialWriter } from '../app/serial-writer.ts';
import type { AccessEvent } from '../domain/access-event.ts';
import type { CardNumberFormat } from '../domain/card-number.ts';
import { endFault } from '../domain/door-command.ts';
import type { DoorId, GatewayId, ReaderId, SiteId } from '../domain/ids.ts';
import { instant, milliseconds } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { DoorInput } from '../ports/door-io.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { RotationBegun, RotationView, StoreKeyRotation } from '../ports/store-key-rotation.ts';
import { BackupOperations, type Backups } from './backup-operations.ts';
import { explainCard, showCard } from './card-account.ts';
import { listCards } from './card-list.ts';
import { EventFeed } from './event-feed.ts';
import { EventSelector } from './event-selector.ts';
import { readRecords } from './log-records.ts';
import type {
  AcceptEpochAnswer,
  CardAnswer,
  CardLine,
  ClearAlarmsAnswer,
  ExplainAnswer,
  LineAnswer,
  LockdownAnswer,
  ReportAnswer,
  ResetPassbackAnswer,
  SelectionLine,
  StatusAnswer,
  TapAnswer,
  UnreadableLine,
  ZoneAnswer,
} from './protocol.ts';
import type {
  ParsedAcceptEpoch,
  ParsedDoorCommand,
  ParsedEvents,
  ParsedExplain,
  ParsedLine,
  ParsedLockdown,
  ParsedOrder,
  ParsedReport,
  ParsedResetPassback,
  ParsedSelection,
  ParsedTap,
} from './requests.ts';
import { rotateStoreKeys, viewRotation } from './store-key-operations.ts';
import { showZones } from './zone-account.ts';

/** Holds cards to a simulated reader. */
export interface TapSimulator {
  present(uid: Uint8Array): void;
  remove(): void;
}

/** Operates the lines of simulated doors. Throws CardeaError `unknown-line` where the door has no such line. */
export interface LineSimulator {
  setLine(door: DoorId, line: DoorInput['kind'], active: boolean): void;
}

export interface AdminReader {
  readonly handler: TapHandler;
  readonly simulated?: TapSimulator;
}

export interface AdminDependencies {
  readonly gateway: GatewayId;
  readonly site: SiteId;
  readonly doors: ReadonlyMap<DoorId, DoorController>;
  /** The one through which all commands to these doors go. */
  readonly commands: DoorCommands;
  readonly readers: ReadonlyMap<ReaderId, AdminReader>;
  readonly simulatedDoors?: LineSimulator;
  readonly store: CredentialStore & EventLog;
  readonly writer: SerialWriter;
  /** Left out where nothing tells whether the broker is connected. */
  readonly link?: Pick<HrLink, 'isConnected'>;
  readonly describe: () => ReturnType<typeof describeGateway>;
  readonly health: () => readonly string[];
  readonly cardNumberFormat: CardNumberFormat;
  readonly judge: Pick<AccessJudge, 'decide' | 'rules' | 'wallClock'>;
  /** IANA names, of each door here. */
  readonly timeZones: ReadonlyMap<DoorId, string>;
  readonly passages: Pick<PassageBook, 'zones' | 'occupants' | 'zonesOf' | 'resetPerson'>;
  readonly reconciler: Pick<RosterReconciler, 'acceptEpoch'>;
  readonly cardAlarms: Pick<AlarmRegister, 'standing' | 'clear'>;
  readonly backups: Backups;
  /** Left out where the store has no keys. */
  readonly storeKeys?: StoreKeyRotation;
  readonly clock: Clock;
  readonly log: Log;
}

/** A tap that records before it releases waits for the disk; a disk that hangs must not keep the reader for ever. */
const TAP_LIMIT = milliseconds(5_000);

export class AdminOperations {
  readonly #deps: AdminDependencies;
  readonly #feed: EventFeed;
  readonly #selector: EventSelector;
  readonly backups: BackupOperations;
  /** The last tap at each reader: the next one waits for it. */
  readonly #taps = new Map<ReaderId, Promise<unknown>>();

  constructor(deps: AdminDependencies) {
    this.#deps = deps;
    this.#feed = new EventFeed(deps.store);
    this.#selector = new EventSelector(deps.store);
    this.backups = new BackupOperations(deps);
  }

  /** To be called after each committed batch, for those who follow the events. */
  onCommitted(): void {
    this.#feed.onCommitted();
  }

  status(): StatusAnswer {
    const { describe, health } = this.#deps;
    return { status: describe(), faults: health(), isLinkConnected: this.#isLinkConnected() };
  }

  /** Throws CardeaError `invalid-request` for text that is no card. */
  card({ card }: { readonly card: string }): CardAnswer {
    return showCard(this.#deps, card, this.#deps.doors);
  }

  /** Throws CardeaError `invalid-request` or `unknown-door`. */
  explain({ card, door, direction, at }: ParsedExplain): ExplainAnswer {
    const [id, { mode }] = this.#door(door);
    const account = explainCard(this.#deps, { card, door: id, mode, direction, at });
    return { ...account, isLinkConnected: this.#isLinkConnected() };
  }

  events(request: ParsedEvents, signal: AbortSignal): AsyncGenerator<AccessEvent> {
    return this.#feed.read(request, signal);
  }

  records(request: { readonly from: number }, signal: AbortSignal): AsyncGenerator<AccessEvent | UnreadableLine> {
    return readRecords(this.#deps.store, request, signal);
  }

  selectEvents(request: ParsedSelection, signal: AbortSignal): AsyncGenerator<SelectionLine> {
    return this.#selector.read(request, signal);
  }

  cards(request: { readonly withRetired: boolean }, signal: AbortSignal): AsyncGenerator<CardLine> {
    return listCards(this.#deps.store, request, signal);
  }

  /** Who takes a list of persons out is recorded before it is handed over. Rejects with CardeaError `store-write-failed`. */
  async report({ report, operator, from, to, cardholder }: ParsedReport): Promise<ReportAnswer> {
    const { store, writer, clock, log, timeZones } = this.#deps;
    const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const detail = { action: 'report', report, operator, ...range };
    log.info(detail, 'operator takes a report');
    await writer.write((tx) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      tx.append({ event: 'operator-action', ...time, cardholder, detail });
    });
    return {
      timeZones: Object.fromEntries(timeZones),
      lastSequence: store.tail().sequence,
      cards: store.roster().cards,
    };
  }

  /** Rejects with CardeaError `unknown-door`, `invalid-request` for an end that cannot be, or as DoorCommands.run does. */
  async commandDoor({ door, ...order }: ParsedDoorCommand): Promise<DoorCommandAnswer> {
    const [id, controller] = this.#door(door);
    return this.#deps.commands.run({ door: id, controller, ...this.#terms(order) });
  }

  /** The same for one door or for all of them; what locks, locks all of them before anything is waited for. */
  async lockdown({ door, ...order }: ParsedLockdown): Promise<LockdownAnswer> {
    const { doors, commands } = this.#deps;
    const chosen = door === undefined ? [...doors] : [this.#door(door)];
    const terms = this.#terms(order);
    const answers = chosen.map(([id, controller]) => commands.run({ door: id, controller, ...terms }));
    return { doors: await Promise.all(answers) };
  }

  #terms({ action, operator, reason, until, duration }: ParsedOrder & Pick<ParsedDoorCommand, 'action'>) {
    const now = this.#deps.clock.now();
    const end = duration === undefined ? until : instant(now + duration);
    const fault = endFault({ action, until: end }, now);
    if (fault !== undefined) throw new CardeaError('invalid-request', fault);
    return { action, operator, reason, until: end };
  }

  /**
   * Consents to the epoch that HR offers. Rejects with CardeaError `unknown-epoch` when it offers none, or another one, and
   * `store-write-failed`.
   */
  async acceptEpoch({ epoch, operator }: ParsedAcceptEpoch): Promise<AcceptEpochAnswer> {
    const { reconciler, log } = this.#deps;
    log.warn({ epoch, operator }, 'operator consents to a new epoch');
    await reconciler.acceptEpoch(epoch, operator);
    return { epoch };
  }

  /** The alarms of retired cards have been seen: they are forgotten once that is recorded. Rejects with `store-write-failed`. */
  async clearAlarms({ operator }: { readonly operator: string }): Promise<ClearAlarmsAnswer> {
    const { cardAlarms, writer, clock, log } = this.#deps;
    const seen = cardAlarms.standing();
    const detail = { action: CLEAR_ALARMS, operator, cleared: seen.length };
    log.info(detail, 'operator clears alarms');
    await writer.write((tx) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      tx.append({ event: 'operator-action', ...time, detail });
    });
    cardAlarms.clear(seen);
    return { cleared: seen.length };
  }

  /** Rejects with CardeaError `store-write-failed`, `store-key-unusable` or `store-key-wrong`. */
  rotateStore({ operator }: { readonly operator: string }): Promise<RotationBegun> {
    return rotateStoreKeys(this.#deps, operator);
  }

  storeRotation(): RotationView {
    return viewRotation(this.#deps);
  }

  /** Rejects with CardeaError `unknown-zone`. */
  zone({ zone }: { readonly zone: string | undefined }): Promise<ZoneAnswer> {
    return showZones(this.#deps, zone);
  }

  /** Anti-passback holds nothing against the person any more. Rejects with CardeaError `store-write-failed` or `overloaded`. */
  async resetPassback({ cardholder, operator }: ParsedResetPassback): Promise<ResetPassbackAnswer> {
    const { passages, clock, log } = this.#deps;
    const zones = passages.zonesOf(cardholder);
    const detail = { action: 'reset-passback', cardholder, operator, zones };
    log.info({ action: 'reset-passback', cardholder, operator }, 'operator resets anti-passback');
    await passages.resetPerson(cardholder, (tx) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      tx.append({ event: 'operator-action', ...time, cardholder, detail });
    });
    return { cardholder, zones };
  }

  /** Rejects with CardeaError `unknown-reader`, `not-simulated` or `timed-out`. */
  async tap({ reader, uid, operator }: ParsedTap): Promise<TapAnswer> {
    const [id, { handler, simulated }] = this.#reader(reader);
    if (simulated === undefined) throw notSimulated(`reader ${id}`);
    const earlier = this.#taps.get(id);
    const turn = (async () => {
      await earlier?.catch(() => {});
      this.#deps.log.info({ reader: id, uid: Buffer.from(uid).toString('hex'), operator }, 'simulated tap');
      this.#recordAction({ action: 'tap', operator, reader: id, uid: Buffer.from(uid).toString('hex').toUpperCase() });
      const over = new AbortController();
      const outcome = handler.nextOutcome(over.signal);
      try {
        simulated.present(uid);
        simulated.remove();
        return await this.#inTime(outcome);
      } finally {
        over.abort();
      }
    })();
    this.#taps.set(id, turn);
    return tapAnswer(id, await turn);
  }

  /** Throws CardeaError `unknown-door`, `not-simulated` or `unknown-line`. */
  setLine({ door, line, isActive, operator }: ParsedLine): LineAnswer {
    const { simulatedDoors, log } = this.#deps;
    const [id, controller] = this.#door(door);
    if (simulatedDoors === undefined) throw notSimulated(`the lines of door ${id}`);
    const state = isActive ? 'on' : 'off';
    log.info({ door: id, line, state, operator }, 'simulated line');
    simulatedDoors.setLine(id, line, isActive);
    this.#recordAction({ action: 'line', operator, door: id, line, state });
    const { position, strike } = controller.view();
    return { door: id, line, state, position, strike };
  }

  /** What a technician did that leaves no event of its own with their name. */
  #recordAction(detail: { readonly action: string; readonly operator: string; readonly [key: string]: string }): void {
    const { writer, clock } = this.#deps;
    const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
    writer.record({ event: 'operator-action', ...time, detail });
  }

  #isLinkConnected(): boolean | null {
    return this.#deps.link?.isConnected() ?? null;
  }

  #door(name: string): readonly [DoorId, DoorController] {
    const { doors } = this.#deps;
    for (const door of doors) if (door[0] === name) return door;
    throw new CardeaError('unknown-door', `there is no such door here; the doors are ${listOf(doors)}`);
  }

  #reader(name: string): readonly [ReaderId, AdminReader] {
    const { readers } = this.#deps;
    for (const reader of readers) if (reader[0] === name) return reader;
    throw new CardeaError('unknown-reader', `there is no such reader here; the readers are ${listOf(readers)}`);
  }

  async #inTime(outcome: Promise<TapOutcome>): Promise<TapOutcome> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#deps.clock.schedule(TAP_LIMIT, () =>
        reject(new CardeaError('timed-out', 'the tap had no outcome within 5 seconds; cardea status may tell why')),
      );
    });
    try {
      return await Promise.race([outcome, late]);
    } finally {
      timer?.cancel();
    }
  }
}

const listOf = (known: ReadonlyMap<string, unknown>): string => [...known.keys()].join(', ') || 'none';

const notSimulated = (what: string): CardeaError =>
  new CardeaError('not-simulated', `${what} is real hardware; only simulated hardware can be operated from here`);

const tapAnswer = (reader: ReaderId, outcome: TapOutcome): TapAnswer => {
  const card = outcome.card ?? null;
  switch (outcome.kind) {
    case 'granted': {
      const { cardholder, name } = outcome.binding;
      return { reader, card, outcome: 'granted', door: outcome.door, cardholder, name: name ?? null };
    }
    case 'denied':
      return { reader, card, outcome: 'denied', reason: outcome.reason, detail: outcome.detail ?? null };
    case 'presented':
    case 'activated':
      return { reader, card, outcome: outcome.kind };
  }
};
