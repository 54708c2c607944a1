// Digest, request and pages: how a gateway finds out that its roster differs from HR's, and gets what it lacks (PROTOCOL.md,
// Roster digest, request, pages). Both ends of each message are here, the gateway's and HR's.

import type { CardNumberFormat } from '../domain/card-number.ts';
import { flagsOf } from '../domain/credential.ts';
import {
  type GatewayId,
  parseCardholderId,
  parseGatewayId,
  parseRevision,
  type Revision,
  type SiteId,
} from '../domain/ids.ts';
import { bucketOf, DIGEST_BYTES } from '../domain/roster-digest.ts';
import type { RosterCard } from '../domain/roster-repair.ts';
import { formatInstant, instant } from '../domain/units.ts';
import { CardNumbers } from './card-numbers.ts';
import { grantsOf, windowFaultOf } from './change-messages.ts';
import {
  type RosterPageFields,
  rosterDigestSchema,
  rosterPageSchema,
  rosterRequestSchema,
} from './hr-message-schema.ts';
import { type Fault, parseJsonObject, schemaFault, UNREADABLE } from './message-json.ts';

/** What HR's roster looks like at `revision`. */
export interface RosterDigest {
  /** 0 before the first change. */
  readonly revision: Revision | 0;
  /** Live cards. */
  readonly cards: number;
  /** 256 buckets of 8 bytes, bucket 0 first. */
  readonly buckets: Uint8Array;
  /** Changes only when HR was restored from a backup; 1 to 64 characters. */
  readonly epoch: string;
}

export interface RosterRequest {
  readonly gateway: GatewayId;
  /** Names the request in the pages that answer it; 1 to 64 characters. */
  readonly requestId: string;
  /** 0 to 255, each once. */
  readonly buckets: readonly number[];
  /** What the gateway has reached. */
  readonly revision: Revision | 0;
}

export interface RosterPage {
  readonly requestId: string;
  readonly revision: Revision | 0;
  /** 1 to `pages`. */
  readonly page: number;
  readonly pages: number;
  /** Those of the request. */
  readonly buckets: readonly number[];
  /** At most 200; each belongs to one of the buckets and is not newer than `revision`. */
  readonly cards: readonly RosterCard[];
}

type Decoded<Message> = Message | { readonly fault: Fault };

export const encodeRosterDigest = (site: SiteId, { revision, cards, buckets, epoch }: RosterDigest): string =>
  JSON.stringify({
    type: 'roster-digest',
    site,
    revision,
    cards,
    buckets: Buffer.from(buckets).toString('base64'),
    epoch,
  });

/** `content` as it came out of the envelope. */
export const decodeRosterDigest = (content: unknown): Decoded<RosterDigest> => {
  const parsed = rosterDigestSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const { cards, epoch } = parsed.data;
  const revision = revisionOrNone(parsed.data.revision);
  const buckets = new Uint8Array(Buffer.from(parsed.data.buckets, 'base64'));
  if (revision === undefined || buckets.length !== DIGEST_BYTES) return { fault: UNREADABLE };
  return { revision, cards, buckets, epoch };
};

export const encodeRosterRequest = (request: RosterRequest): string =>
  JSON.stringify({ type: 'roster-request', ...request });

/** For HR; undefined where it is none. */
export const decodeRosterRequest = (payload: Uint8Array): RosterRequest | undefined => {
  const parsed = parseJsonObject(payload);
  const request = 'fault' in parsed ? undefined : rosterRequestSchema.safeParse(parsed.content).data;
  if (request === undefined) return undefined;
  const gateway = parseGatewayId(request.gateway);
  const revision = revisionOrNone(request.revision);
  if (gateway === undefined || revision === undefined) return undefined;
  return { gateway, requestId: request.requestId, buckets: [...new Set(request.buckets)], revision };
};

export const encodeRosterPage = (site: SiteId, { cards, ...page }: RosterPage): string =>
  JSON.stringify({ type: 'roster-page', site, ...page, cards: cards.map(fieldsOf) });

const fieldsOf = ({ activation, validFrom, validUntil, ...card }: RosterCard) => ({
  ...card,
  state: activation,
  ...(validFrom !== undefined && { validFrom: formatInstant(validFrom) }),
  ...(validUntil !== undefined && { validUntil: formatInstant(validUntil) }),
});

/** `content` as it came out of the envelope. */
export const decodeRosterPage = (content: unknown, format: CardNumberFormat): Decoded<RosterPage> => {
  const parsed = rosterPageSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const { requestId, page, pages, buckets } = parsed.data;
  const revision = revisionOrNone(parsed.data.revision);
  if (revision === undefined) return { fault: UNREADABLE };
  if (page > pages) return invalid('page', `there are ${pages} pages`);
  const numbers = new CardNumbers(format);
  const cards: RosterCard[] = [];
  for (const [index, fields] of parsed.data.cards.entries()) {
    const path = `cards[${index}]`;
    const windowFault = windowFaultOf(fields);
    if (windowFault !== undefined) return { fault: { ...windowFault, path: `${path}.${windowFault.path}` } };
    const card = rosterCardOf(fields, numbers, path);
    if (card === undefined) return { fault: numbers.fault ?? { ...UNREADABLE, path } };
    if (card.revision > revision) return invalid(`${path}.revision`, 'the card is newer than its page');
    if (!buckets.includes(bucketOf(card.card))) return invalid(`${path}.card`, 'the card is in none of the buckets');
    cards.push(card);
  }
  return { requestId, revision, page, pages, buckets, cards };
};

const rosterCardOf = (
  fields: RosterPageFields['cards'][number],
  numbers: CardNumbers,
  path: string,
): RosterCard | undefined => {
  const card = numbers.parse(fields.card, `${path}.card`);
  const cardholder = parseCardholderId(fields.cardholder);
  const revision = parseRevision(fields.revision);
  if (card === undefined || cardholder === undefined || revision === undefined) return undefined;
  const { kind, state, validFrom, validUntil } = fields;
  return {
    card,
    revision,
    cardholder,
    access: grantsOf(fields.access),
    kind,
    activation: state,
    ...(typeof validFrom === 'string' && { validFrom: instant(Date.parse(validFrom)) }),
    ...(typeof validUntil === 'string' && { validUntil: instant(Date.parse(validUntil)) }),
    ...flagsOf(fields),
  };
};

const invalid = (path: string, detail: string): { readonly fault: Fault } => ({
  fault: { code: 'invalid-message', path, detail },
});

const revisionOrNone = (value: number): Revision | 0 | undefined => (value === 0 ? 0 : parseRevision(value));
