// A refusal that is in the audit log before anybody hears of it.

import type { Clock } from '../ports/clock.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { Actor } from './card-requests.ts';
import type { DeskWriter } from './desk-writer.ts';
import { DESK_ACTIONS, type DeskAction, mayDo } from './permissions.ts';
import type { Refusal } from './refusal.ts';

export interface Auditing {
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

export interface Attempt {
  /** Who tried. */
  readonly operator: string;
  readonly action: string;
  readonly subject?: string | null;
}

/** Rejects with CardeaError `store-write-failed`. */
export const auditedRefusal = async (
  { writer, audit, clock }: Auditing,
  { operator, action, subject = null }: Attempt,
  refusal: Refusal,
): Promise<{ readonly kind: 'refused'; readonly refusal: Refusal }> => {
  const { code, detail } = refusal;
  const entry = {
    operator,
    action,
    outcome: 'refused',
    subject: subject === null ? null : shortened(subject),
    code,
    detail: shortened(detail),
  } as const;
  await writer.write([audit.append(entry, clock.now())]);
  return { kind: 'refused', refusal };
};

/** Undefined where the roles permit it. */
export const notPermitted = ({ name, roles }: Actor, action: DeskAction): Refusal | undefined => {
  if (mayDo(roles, action)) return undefined;
  const detail = `${name} (${roles.join(', ')}) may not do this: ${action} takes one of the roles ${DESK_ACTIONS[action].join(', ')}`;
  return { code: 'not-permitted', detail };
};

/** Of text for the audit log. */
const MOST_CHARACTERS = 300;
export const shortened = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
