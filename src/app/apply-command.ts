// Commands that come as messages: judged, carried out as those of a technician are, and answered by a receipt that says at which
// doors the command took effect.
//
// 1. Durable before acknowledged (DESIGN.md, invariant 1): apply() fulfils after the receipt is in the store.
// 2. Carried out once: the messageId is remembered in the batch that records the command, and what opens is recorded first. Two
//    copies that come together are judged one after the other.
// 3. A receipt follows the outcome. One that was interrupted says when the message is delivered again that it did nothing more.

import type { NewEvent } from '../domain/access-event.ts';
import {
  ageOf,
  type CommandOutcome,
  type CommandRecord,
  type CommandVerdict,
  commandRecord,
  type DoorOrder,
  judgeCommand,
  type PassbackReset,
  type RemoteCommand,
  rememberCommand,
  timeLeft,
} from '../domain/door-command.ts';
import type { CardholderId, DoorId, GatewayId, MessageId } from '../domain/ids.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import { MAX_DETAIL } from '../wire/hr-messages.ts';
import { NOTHING_CHANGED, type Receipt } from '../wire/receipts.ts';
import { appendReceipt } from './append-receipt.ts';
import { type DoorCommandAnswer, type DoorCommands, TIMED_OUT } from './door-commands.ts';
import type { DoorController } from './door-controller.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

/** Where people are held to be. */
export interface PassageResets {
  /** Forgets it of that person, in one batch with what `record` puts. */
  resetPerson<T>(cardholder: CardholderId, record: (tx: StoreTransaction) => T): Promise<T>;
}

interface Dependencies {
  readonly gateway: GatewayId;
  readonly doors: ReadonlyMap<DoorId, DoorController>;
  /** The one through which all commands to these doors go. */
  readonly doorCommands: DoorCommands;
  readonly passages: PassageResets;
  readonly store: Pick<CredentialStore, 'commands'>;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a receipt says of a command. */
type Answer = Pick<Receipt, 'result'> &
  Partial<Pick<Receipt, 'cardholder' | 'doors' | 'code' | 'detail' | 'path' | 'warnings'>>;

type Ordered = Extract<RemoteCommand, DoorOrder>;
type Reset = Extract<RemoteCommand, PassbackReset>;

const INTERRUPTED =
  'carrying it out was interrupted; the door-command events with this messageId say how far that had come';

export class CommandHandler {
  readonly #deps: Dependencies;
  readonly #underWay = new Map<MessageId, Promise<void>>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Fulfils when the outcome is durable; rejects when it could not be stored and the message must be delivered again. */
  async apply(command: RemoteCommand): Promise<void> {
    const { messageId } = command;
    for (let other = this.#underWay.get(messageId); other !== undefined; other = this.#underWay.get(messageId)) {
      await other.catch(() => {});
    }
    // Nothing is waited for before this: what locks, locks at once.
    const handled = this.#handle(command);
    this.#underWay.set(messageId, handled);
    try {
      await handled;
    } finally {
      this.#underWay.delete(messageId);
    }
  }

  #handle(command: RemoteCommand): Promise<void> {
    const { doors, store, clock } = this.#deps;
    const verdict = judgeCommand(command, {
      now: clock.now(),
      isClockSynchronized: clock.isSynchronized(),
      doors: [...doors.keys()],
      remembered: store.commands(),
    });
    if (verdict.kind === 'carry-out') {
      return command.action === 'reset-passback' ? this.#reset(command) : this.#carryOut(command, verdict.doors);
    }
    const isToBeRemembered = verdict.kind === 'refused' && verdict.isToBeRemembered;
    const record = isToBeRemembered ? commandRecord(command, { doors: [], code: verdict.code }) : undefined;
    return this.#answer(command, answerTo(verdict), record);
  }

  async #reset(command: Reset): Promise<void> {
    const { passages, clock } = this.#deps;
    const { action, cardholder, operator, messageId, reason } = command;
    const event: NewEvent = {
      event: 'operator-action',
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      cardholder,
      detail: { action, cardholder, operator, messageId, reason },
    };
    const receipt = receiptOf(command, { result: 'applied', cardholder });
    const record = commandRecord(command, { doors: [], code: null });
    await passages.resetPerson(cardholder, (tx) => {
      tx.append(event);
      this.#conclude(tx, { command, receipt, record });
    });
    this.#log(command, receipt);
  }

  async #carryOut(command: Ordered, chosen: readonly DoorId[]): Promise<void> {
    const { doors, doorCommands, clock } = this.#deps;
    const { action, operator, messageId, reason, until } = command;
    const age = ageOf(command, clock.now());
    const goodFor = timeLeft(command, clock.now());
    const begun = commandRecord(command);
    const runs = [...doors]
      .filter(([door]) => chosen.includes(door))
      .map(([door, controller]) =>
        doorCommands.run({
          door,
          controller,
          action,
          operator,
          reason,
          until,
          messageId,
          age,
          goodFor,
          alongside: (tx) => this.#remember(tx, begun),
        }),
      );
    // Where one door fails, another may yet open: until then the command must not be judged anew.
    await Promise.allSettled(runs);
    const { answer, outcome } = outcomeOf(await Promise.all(runs));
    await this.#answer(command, answer, commandRecord(command, outcome));
  }

  async #answer(command: RemoteCommand, answer: Answer, record: CommandRecord | undefined): Promise<void> {
    const receipt = receiptOf(command, answer);
    await this.#deps.writer.write((tx) => this.#conclude(tx, { command, receipt, record }));
    this.#log(command, receipt);
  }

  #conclude(
    tx: StoreTransaction,
    {
      command,
      receipt,
      record,
    }: { readonly command: RemoteCommand; readonly receipt: Receipt; readonly record: CommandRecord | undefined },
  ): void {
    const { gateway, clock } = this.#deps;
    if (record !== undefined) this.#remember(tx, record);
    appendReceipt(tx, receipt, { gateway, clock, operator: command.operator, appliedAt: clock.now() });
  }

  #log({ messageId, action, operator }: RemoteCommand, { result, code, doors }: Receipt): void {
    this.#deps.log.info({ messageId, action, operator, result, code, doors }, 'command message');
  }

  #remember(tx: StoreTransaction, record: CommandRecord): void {
    const { clock } = this.#deps;
    const time = { now: clock.now(), isClockSynchronized: clock.isSynchronized() };
    tx.putCommands(rememberCommand(tx.commands(), record, time));
  }
}

const receiptOf = ({ messageId }: RemoteCommand, answer: Answer): Receipt => ({
  messageType: 'command',
  messageId,
  ...NOTHING_CHANGED,
  ...answer,
  detail: answer.detail?.slice(0, MAX_DETAIL) ?? null,
});

const answerTo = (verdict: Exclude<CommandVerdict, { kind: 'carry-out' }>): Answer => {
  if (verdict.kind === 'refused') {
    const { code, detail, path = null } = verdict;
    return { result: 'rejected', code, detail, path };
  }
  const { outcome } = verdict;
  if (outcome === undefined) return { result: 'duplicate', detail: INTERRUPTED };
  return { result: 'duplicate', doors: outcome.doors };
};

/** A command took effect where it did at one door; the receipt names the others. */
const outcomeOf = (answers: readonly DoorCommandAnswer[]): { answer: Answer; outcome: CommandOutcome } => {
  const done = answers.filter(({ result }) => result === 'done').map(({ door }) => door);
  const others = answers.filter(({ result }) => result !== 'done');
  if (done.length > 0) {
    const warnings = others.map(({ door }) => `not-carried-out: ${door}`);
    const detail = answers.find((answer) => answer.result === 'done' && answer.detail !== null)?.detail ?? null;
    return { answer: { result: 'applied', doors: done, warnings, detail }, outcome: { doors: done, code: null } };
  }
  const code = others.every(({ detail }) => detail === TIMED_OUT) ? 'expired-command' : 'not-carried-out';
  return {
    answer: { result: 'rejected', code, detail: others[0]?.detail ?? null },
    outcome: { doors: [], code },
  };
};
