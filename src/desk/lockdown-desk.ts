// Locks all doors of the site down, and ends that: one command to all gateways, signed with the key of security, and what each of
// them answers. Nothing of it is kept but the audit record: a command is good for minutes, and the gateways' events tell the rest.
//
// 1. The command goes out before anything else is done about it: a disk that hangs does not keep a door open.
// 2. What unlocks takes effect soon or never; what locks may reach a gateway that was away for a moment.
// 3. Whoever has not answered is named.

import type { DoorAction } from '../domain/door-command.ts';
import { endFault, MAX_COMMAND_LIFETIME } from '../domain/door-command.ts';
import { formatInstant, type Instant, instant, type Milliseconds, milliseconds, seconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HrLink, InboundMessage } from '../ports/hr-link.ts';
import { deskTopicsOf, gatewayOf } from '../wire/desk-topics.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { parseJsonObject } from '../wire/message-json.ts';
import { type ReceiptFields, receiptSchema } from '../wire/outbound-schema.ts';
import { topicsOf } from '../wire/topics.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Actor } from './card-requests.ts';
import type { GatewayOpener } from './confirmations.ts';
import type { DeskState } from './desk-state.ts';
import type { DeskWriter } from './desk-writer.ts';
import { DESK_ACTIONS, mayDo } from './permissions.ts';
import type { ProofRules } from './proof.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';

/** How long gateways that are online are waited for. */
export const ANSWER_TIME = seconds(10);
const END_LIFETIME = seconds(30);

export interface LockdownRequest {
  /** In the operator's words, 1 to 200 characters. */
  readonly reason: string;
  /** Ends the lockdown. */
  readonly isEnd?: boolean | undefined;
  /** When it ends by itself, RFC 3339 with offset, within 31 days. */
  readonly until?: string | undefined;
}

/** What a gateway says of the command. */
export interface LockdownReceipt {
  readonly gateway: string;
  readonly result: ReceiptFields['result'];
  readonly code: string | null;
  readonly detail: string | null;
  /** On which it took effect. */
  readonly doors: readonly string[];
  readonly warnings: readonly string[];
  /** Signed with the gateway's own key. */
  readonly isVerified: boolean;
}

export interface LockdownAnswer {
  readonly messageId: string;
  readonly action: 'lockdown' | 'end-lockdown';
  readonly reason: string;
  readonly operator: string;
  readonly issuedAt: string;
  /** Gateways that it has not reached by then do not carry it out. */
  readonly expiresAt: string;
  readonly until: string | null;
  /** In the order of the gateways' names. */
  readonly receipts: readonly LockdownReceipt[];
  /** Gateways that are online by their status and have not answered. */
  readonly missing: readonly string[];
  /** Gateways that are offline by their status and have not answered. */
  readonly offline: readonly string[];
}

export interface LockdownDependencies {
  readonly state: DeskState;
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly link: Pick<HrLink, 'publish' | 'isConnected'>;
  readonly clock: Clock;
  /** Of the key of security. */
  readonly seal: MessageSeal;
  readonly open: GatewayOpener;
  readonly rules: ProofRules;
  readonly newMessageId: () => string;
}

/** Where an order's answers come together. */
interface RollCall {
  readonly receipts: Map<string, LockdownReceipt>;
  readonly onReceipt: () => void;
  readonly onStop: () => void;
}

type Answers = { readonly receipts: ReadonlyMap<string, LockdownReceipt> } | { readonly refusal: Refusal };

export class LockdownDesk {
  readonly #deps: LockdownDependencies;
  /** By messageId. */
  readonly #underWay = new Map<string, RollCall>();

  constructor(deps: LockdownDependencies) {
    this.#deps = deps;
  }

  /** Answers when all gateways that are online have, or after ten seconds. Rejects with CardeaError `store-write-failed`. */
  async order(request: LockdownRequest, actor: Actor): Promise<Outcome<LockdownAnswer>> {
    const action = request.isEnd === true ? 'end-lockdown' : 'lockdown';
    const now = this.#deps.clock.now();
    const refusal = mayNot(actor) ?? requestFault(request, action, now) ?? this.#offlineFault();
    if (refusal !== undefined) return await this.#refuse(refusal, action, actor);
    const command = commandOf({ ...request, action }, actor, { now, messageId: this.#deps.newMessageId() });
    const [answer] = await Promise.all([this.#exchange(command), this.#record(command, actor, now)]);
    if ('refusal' in answer) return await this.#refuse(answer.refusal, action, actor);
    return done({ ...command, until: command.until ?? null, ...this.#standing(answer.receipts) });
  }

  /** Takes receipts of orders that are under way, and leaves other messages alone. Never rejects. */
  async onMessage({ topic, payload }: InboundMessage): Promise<void> {
    const { state, open, rules } = this.#deps;
    const gateway = this.#underWay.size === 0 ? undefined : gatewayOf(state.site, topic);
    if (gateway === undefined || topic !== topicsOf(state.site, gateway).receipt) return;
    const opened = await open(gateway, payload);
    if (opened === undefined || (rules.areSignaturesNeeded && !opened.isVerified)) return;
    const parsed = parseJsonObject(opened.json);
    const receipt = 'fault' in parsed ? undefined : receiptSchema.safeParse(parsed.content).data;
    const rollCall = this.#underWay.get(receipt?.messageId ?? '');
    if (receipt === undefined || receipt.gateway !== gateway || rollCall === undefined) return;
    const { result, code, detail, doors, warnings } = receipt;
    const { isVerified } = opened;
    rollCall.receipts.set(gateway, { gateway, result, code, detail, doors, warnings, isVerified });
    rollCall.onReceipt();
  }

  /** Nobody is waited for any more. */
  stop(): void {
    for (const { onStop } of this.#underWay.values()) onStop();
  }

  /** Fulfils when everybody who is online has answered, or the time is over, or the command could not be sent. */
  #exchange(command: Command): Promise<Answers> {
    const { clock, state } = this.#deps;
    const { messageId } = command;
    const receipts = new Map<string, LockdownReceipt>();
    return new Promise((resolve) => {
      const end = (answers: Answers): void => {
        timer.cancel();
        this.#underWay.delete(messageId);
        resolve(answers);
      };
      const onReceipt = (): void => {
        const online = [...state.gateways.values()].filter(({ isOnline }) => isOnline);
        if (online.every(({ gateway }) => receipts.has(gateway))) end({ receipts });
      };
      const timer = clock.schedule(ANSWER_TIME, () => end({ receipts }));
      this.#underWay.set(messageId, { receipts, onReceipt, onStop: () => end({ receipts }) });
      // A broker that went away acknowledges nothing: what ends first decides.
      this.#send(command).catch((error: unknown) => {
        const detail = `the command could not be sent: ${errorMessage(error)}`;
        end({ refusal: { code: 'no-answer', detail } });
      });
    });
  }

  async #send(command: Command): Promise<void> {
    const { state, link, seal } = this.#deps;
    const json = JSON.stringify({ type: 'command', site: state.site, ...command, door: '*' });
    await link.publish(deskTopicsOf(state.site).command, await seal(json));
  }

  async #record({ action, reason }: Command, { name }: Actor, now: Instant): Promise<void> {
    const { writer, audit } = this.#deps;
    const entry = { operator: name, action, outcome: 'done', subject: '*', detail: reason } as const;
    await writer.write([audit.append(entry, now)]);
  }

  async #refuse({ code, detail, ...rest }: Refusal, action: string, actor: Actor): Promise<Outcome<never>> {
    const { writer, audit, clock } = this.#deps;
    const entry = { operator: actor.name, action, outcome: 'refused', subject: '*', code, detail } as const;
    await writer.write([audit.append(entry, clock.now())]);
    return { kind: 'refused', refusal: { code, detail, ...rest } };
  }

  #offlineFault(): Refusal | undefined {
    if (this.#deps.link.isConnected()) return undefined;
    const detail =
      'the broker is not connected: no gateway hears of it; lock the doors down at the gateways themselves';
    return { code: 'no-answer', detail };
  }

  #standing(receipts: ReadonlyMap<string, LockdownReceipt>) {
    const silent = [...this.#deps.state.gateways.values()].filter(({ gateway }) => !receipts.has(gateway));
    const named = (isWanted: boolean): string[] =>
      silent.flatMap(({ gateway, isOnline }) => (isOnline === isWanted ? [gateway] : [])).sort();
    return {
      receipts: [...receipts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, receipt]) => receipt),
      missing: named(true),
      offline: named(false),
    };
  }
}

interface Command {
  readonly messageId: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly operator: string;
  readonly reason: string;
  readonly action: 'lockdown' | 'end-lockdown';
  readonly until?: string;
}

const commandOf = (
  { reason, action, until }: LockdownRequest & Pick<Command, 'action'>,
  { name }: Actor,
  { now, messageId }: { readonly now: Instant; readonly messageId: string },
): Command => {
  const lifetime: Milliseconds = action === 'lockdown' ? MAX_COMMAND_LIFETIME : END_LIFETIME;
  return {
    messageId,
    issuedAt: formatInstant(now),
    expiresAt: formatInstant(instant(now + milliseconds(lifetime))),
    operator: name,
    reason: reason.trim(),
    action,
    ...(until !== undefined && { until: formatInstant(instant(Date.parse(until))) }),
  };
};

const mayNot = ({ name, roles }: Actor): Refusal | undefined =>
  mayDo(roles, 'lockdown')
    ? undefined
    : {
        code: 'not-permitted',
        detail: `${name} may not do this: lockdown takes one of the roles ${DESK_ACTIONS.lockdown.join(', ')}`,
      };

const MOST_CHARACTERS = 200;

const requestFault = ({ reason, until }: LockdownRequest, action: DoorAction, now: Instant): Refusal | undefined => {
  const text = reason.trim();
  if (text === '' || text.length > MOST_CHARACTERS || /\p{Cc}/u.test(text)) {
    const detail = `a reason has 1 to ${MOST_CHARACTERS} characters, none of them a control character`;
    return { code: 'invalid-request', detail, path: 'reason' };
  }
  if (until === undefined) return undefined;
  const end = Date.parse(until);
  if (Number.isNaN(end)) return { code: 'invalid-request', detail: `${until} is no time`, path: 'until' };
  const fault = endFault({ action, until: instant(end) }, now);
  return fault === undefined ? undefined : { code: 'invalid-window', detail: fault, path: 'until' };
};
