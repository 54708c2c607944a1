// Checkpoints of the log: up to which record it had come, and with which hash, under the gateway's signature. A JWS whose header
// has a typ of its own, so that nothing else that the gateway signs can be taken for one.

import * as z from 'zod';
import { type AccessEvent, memberOf } from '../domain/access-event.ts';
import type { GatewayId, SiteId } from '../domain/ids.ts';
import type { TrustedKey } from '../domain/trusted-key.ts';
import { id, slug, timestamp } from './hr-message-schema.ts';
import type { MessageSeal } from './message-envelope.ts';
import { parseJsonObject } from './message-json.ts';
import { signatureOpener } from './signed-message.ts';

export const CHECKPOINT_TYP = 'cardea-checkpoint';

/** What is signed. */
export interface Checkpoint {
  readonly type: 'checkpoint';
  readonly site: SiteId;
  readonly gateway: GatewayId;
  /** The last record that it vouches for, with all before it. */
  readonly sequence: number;
  /** `hash` of that record. */
  readonly hash: string;
  /** RFC 3339. */
  readonly time: string;
}

/** Signs checkpoints; undefined for a gateway without a key of its own. */
export type CheckpointSigner = { readonly kid: string; readonly sign: MessageSeal } | undefined;

const checkpointSchema = z.strictObject({
  type: z.literal('checkpoint'),
  site: slug,
  gateway: slug,
  sequence: z.int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  time: timestamp,
});

/** As it is read: the ids are those of another machine. */
export type ReadCheckpoint = z.infer<typeof checkpointSchema>;

const headerSchema = z.object({ typ: z.literal(CHECKPOINT_TYP), kid: id });

/** What the JWS says, and which key it names; undefined for what is no checkpoint. Nothing is verified. */
export const readCheckpoint = (
  jws: string,
): { readonly checkpoint: ReadCheckpoint; readonly kid: string } | undefined => {
  const [header, payload] = jws.split('.').map((part) => parseJsonObject(Buffer.from(part, 'base64url')));
  if (header === undefined || payload === undefined || 'fault' in header || 'fault' in payload) return undefined;
  const head = headerSchema.safeParse(header.content);
  const checkpoint = checkpointSchema.safeParse(payload.content);
  if (!head.success || !checkpoint.success) return undefined;
  return { checkpoint: checkpoint.data, kid: head.data.kid };
};

/** What became of looking at a signature. */
export type SignatureVerdict = 'genuine' | 'forged' | 'unknown-key';

/** Looks whether one of the keys has signed a JWS. */
export const checkpointVerifier = (
  keys: readonly Omit<TrustedKey, 'may'>[],
): ((jws: string) => Promise<SignatureVerdict>) => {
  const open = signatureOpener(keys.map((key) => ({ ...key, may: [] })));
  return async (jws) => {
    const opened = await open(Buffer.from(jws));
    if (opened.kind === 'opened') return 'genuine';
    return opened.code === 'unknown-key' ? 'unknown-key' : 'forged';
  };
};

/** The checkpoint that an event carries. */
export interface RecordedCheckpoint {
  readonly upTo: number;
  readonly hash: string;
  /** Null where the gateway had no key. */
  readonly jws: string | null;
}

/** Undefined for an event that carries none, or none that can be read. */
export const checkpointIn = ({ event, detail }: AccessEvent): RecordedCheckpoint | undefined => {
  const [upTo, hash, jws] = [memberOf(detail, 'upTo'), memberOf(detail, 'hash'), memberOf(detail, 'jws') ?? null];
  if (event !== 'checkpoint' || typeof upTo !== 'number' || typeof hash !== 'string') return undefined;
  return jws === null || typeof jws === 'string' ? { upTo, hash, jws } : undefined;
};
