// Logs and checkpoints that were kept elsewhere, as `cardea audit verify` reads them: one JSON object or JWS a line, of any number of
// lines, none of which may be longer than MAX_LINE.

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { fileReason } from '../config/file-reason.ts';
import { type AccessEvent, isIntact } from '../domain/access-event.ts';
import { eventFrom, type LogItem } from '../domain/log-chain.ts';
import { CardeaError } from '../errors.ts';
import { checkpointIn, readCheckpoint, type SignatureVerdict } from '../wire/checkpoint.ts';
import type { Witness } from './log-verifier.ts';

/** In characters; a gateway writes far less. */
const MAX_LINE = 1024 * 1024;

/** The records in a file of events, in its order. Rejects with CardeaError `audit-failed` when it cannot be read. */
export async function* readLogFile(file: string, onRead: (bytes: number) => void): AsyncGenerator<LogItem> {
  let bytes = 0;
  for await (const line of linesOf(file)) {
    bytes += Buffer.byteLength(line) + 1;
    onRead(bytes);
    if (line.trim() !== '') yield itemOf(line);
  }
}

/** In bytes. Throws CardeaError `audit-failed`. */
export const sizeOf = (file: string): number => {
  try {
    return statSync(file).size;
  } catch (error) {
    throw unreadable(file, error);
  }
};

const itemOf = (line: string): LogItem => {
  const event = eventFrom(jsonOf(line));
  return event === undefined
    ? { kind: 'unreadable', sequence: undefined, detail: 'the line is no event' }
    : { kind: 'record', event };
};

/** Looks whether a JWS is genuine; whoever has no key to look with takes it as it is. */
export type SignatureLook = (jws: string) => Promise<SignatureVerdict>;

/**
 * What the checkpoints in a file say: checkpoint events or JWS, one a line, among other events or not; or one event over several
 * lines. Rejects with CardeaError `audit-failed` for a file without any, or with one that was altered.
 */
export const readWitnesses = async (file: string, look: SignatureLook | undefined): Promise<readonly Witness[]> => {
  if (sizeOf(file) <= MAX_LINE) {
    const witnesses = await witnessesIn(wholeFile(file), { file, look });
    if (witnesses.length > 0) return witnesses;
  }
  const witnesses: Witness[] = [];
  for await (const line of linesOf(file)) witnesses.push(...(await witnessesIn(line, { file, look })));
  if (witnesses.length > 0) return witnesses;
  throw new CardeaError('audit-failed', `${file} holds no checkpoint: expected are checkpoint events, or their jws`);
};

interface Place {
  readonly file: string;
  readonly look: SignatureLook | undefined;
}

const witnessesIn = async (text: string, { file, look }: Place): Promise<readonly Witness[]> => {
  const jws = text.trim();
  const signed = readCheckpoint(jws);
  if (signed === undefined) {
    const event = eventFrom(jsonOf(text));
    return event === undefined ? [] : eventWitnesses(event, file);
  }
  if ((await look?.(jws)) === 'forged') throw altered(`the signature of the checkpoint in ${file} is wrong`);
  const { sequence, hash, gateway } = signed.checkpoint;
  return [{ sequence, hash, gateway, source: file }];
};

/** The event vouches for itself, too: whoever cuts the log off just before it is found as well. */
const eventWitnesses = (event: AccessEvent, source: string): readonly Witness[] => {
  const checkpoint = checkpointIn(event);
  if (checkpoint === undefined) return [];
  const { sequence, hash, gateway } = event;
  if (!isIntact(event)) {
    throw altered(`the checkpoint ${sequence} in ${source} does not fit its hash: it was altered`);
  }
  const own = { sequence, hash, gateway, source };
  return checkpoint.upTo === 0 ? [own] : [{ sequence: checkpoint.upTo, hash: checkpoint.hash, gateway, source }, own];
};

async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > MAX_LINE) throw new CardeaError('audit-failed', `a line of ${file} is too long for an event`);
    }
  } catch (error) {
    throw error instanceof CardeaError ? error : unreadable(file, error);
  }
  if (rest !== '') yield rest;
}

const wholeFile = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const altered = (message: string): CardeaError => new CardeaError('audit-failed', message);

const unreadable = (file: string, cause: unknown): CardeaError =>
  new CardeaError('audit-failed', `cannot be read: ${fileReason(cause, file)}`, { cause });
