// What admins do with gateways: one that is not there any more is forgotten, so that nothing waits for it.

import type { DeskPut } from '../ports/desk-store.ts';
import { type Auditing, auditedRefusal, notPermitted } from './audited-refusal.ts';
import type { Actor } from './card-requests.ts';
import type { DeskState } from './desk-state.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';

const ACTION = 'forget-gateway';

export interface GatewayDeskDependencies extends Auditing {
  readonly state: Pick<DeskState, 'gateways'>;
  /** Writes `puts` along with it. */
  readonly forget: (gateway: string, puts: readonly DeskPut[]) => Promise<void>;
}

/** It comes back with its next status, if it is there after all. */
export const forgetGateway = async (
  gateway: string,
  actor: Actor,
  deps: GatewayDeskDependencies,
): Promise<Outcome<undefined>> => {
  const { state, audit, clock, writer, forget } = deps;
  const unknown: Refusal = { code: 'unknown-gateway', detail: `there is no gateway ${JSON.stringify(gateway)}` };
  const fault = notPermitted(actor, ACTION) ?? (state.gateways.has(gateway) ? undefined : unknown);
  if (fault !== undefined) {
    return auditedRefusal(deps, { operator: actor.name, action: ACTION, subject: gateway }, fault);
  }
  writer.requireSound();
  const entry = { operator: actor.name, action: ACTION, outcome: 'done', subject: gateway } as const;
  await forget(gateway, [audit.append(entry, clock.now())]);
  return done(undefined);
};
