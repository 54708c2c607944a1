// Carries `cardea audit verify` out: where the records come from, what they are held against, and what is said in the end.

import { existsSync } from 'node:fs';
import { readPublicHalf } from '../config/key-files.ts';
import { eventFrom, type LogItem } from '../domain/log-chain.ts';
import { type PublicKey, parsePublicKey } from '../domain/trusted-key.ts';
import { CardeaError } from '../errors.ts';
import type { VerifyOptions } from './audit.ts';
import { readLogFile, readWitnesses, sizeOf } from './log-files.ts';
import { LogVerifier, signaturesBy, type Verdict, type Witness } from './log-verifier.ts';
import { startProgress } from './progress.ts';
import type { CliSession } from './session.ts';
import { plain } from './terminal.ts';

/** How many of the unit of the progress bar there are, and the records; `done` says how far they have come. */
interface LogSource {
  readonly label: string;
  readonly total: number;
  /** The last record that there has to be; undefined where nobody knows. */
  readonly last: number | undefined;
  read(done: (count: number) => void): AsyncIterable<LogItem>;
}

interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Rejects with CardeaError `invalid-request`, `audit-failed` or `key-unusable` for what it cannot use, or as the gateway does. */
export const verifyLog = async (options: VerifyOptions, session: CliSession): Promise<void> => {
  const range = { from: sequenceOf('--from', options.from), to: sequenceOf('--to', options.to) };
  if ((range.from ?? 1) > (range.to ?? Number.POSITIVE_INFINITY)) {
    throw new CardeaError('invalid-request', '--to must not be below --from');
  }
  if (options.gateway !== undefined && options.file === undefined) {
    throw new CardeaError('invalid-request', '--gateway goes with --file: the log of a running gateway is its own');
  }
  const isKeyGiven = options.key !== undefined;
  const keys = options.key?.map(keyOf) ?? (await ownKey(options, session));
  const witnesses = await keptWitnesses(options.checkpoint ?? [], keys);
  const source = await sourceOf(options, range, session);
  const verifier = new LogVerifier({
    witnesses,
    keys,
    needsSignature: isKeyGiven && range.to === undefined,
    to: range.to ?? source.last,
  });
  const progress = await startProgress(session.terminal, source);
  try {
    for await (const item of source.read((count) => progress.update(count))) {
      if (isBefore(item, range.from) || isOfAnother(item, options.gateway)) continue;
      await verifier.take(item);
      if (verifier.isDone) break;
    }
  } finally {
    progress.stop();
  }
  await tell(verifier.finish(), { hasKeys: keys.length > 0, range }, { options, session });
};

const isBefore = (item: LogItem, from: number | undefined): boolean =>
  from !== undefined && item.kind === 'record' && item.event.sequence < from;

const isOfAnother = (item: LogItem, gateway: string | undefined): boolean =>
  gateway !== undefined && item.kind === 'record' && item.event.gateway !== gateway;

const sequenceOf = (option: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined;
  const sequence = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(sequence) && sequence > 0) return sequence;
  throw new CardeaError('invalid-request', `${option} must be the sequence number of a record, from 1 on`);
};

/** The 43 characters of a public key, or a file with a key. */
const keyOf = (value: string): PublicKey => parsePublicKey(value) ?? readPublicHalf(value);

/** The key that the configuration names, where this user may read it. */
const ownKey = async (options: VerifyOptions, session: CliSession): Promise<readonly PublicKey[]> => {
  if (options.file !== undefined || options.socket !== undefined) return [];
  try {
    const { loadConfig } = await import('../config/load.ts');
    const { file } = loadConfig(session.configPath(options)).config.trust.gatewayKey;
    return existsSync(file) ? [readPublicHalf(file)] : [];
  } catch {
    // Who may use the socket need not be allowed to read the key; what was not looked at is told.
    return [];
  }
};

const keptWitnesses = async (files: readonly string[], keys: readonly PublicKey[]): Promise<readonly Witness[]> => {
  const look = keys.length === 0 ? undefined : signaturesBy(keys);
  const witnesses: Witness[] = [];
  for (const file of files) witnesses.push(...(await readWitnesses(file, look)));
  return witnesses;
};

const sourceOf = async (options: VerifyOptions, range: Range, session: CliSession): Promise<LogSource> => {
  const { file } = options;
  if (file !== undefined) {
    return { label: 'bytes', total: sizeOf(file), last: undefined, read: (done) => readLogFile(file, done) };
  }
  const gateway = await session.gateway(options);
  const { first, last } = (await gateway.call('status', {})).status.log;
  const begin = Math.max(first, range.from ?? first);
  const total = Math.min(last, range.to ?? last) - begin + 1;
  async function* read(done: (count: number) => void): AsyncGenerator<LogItem> {
    let isFirst = true;
    for await (const line of gateway.stream('records', { from: String(begin) })) {
      if (isFirst) {
        // Asked again: what was over may have gone meanwhile.
        const { first: now } = (await gateway.call('status', {})).status.log;
        yield { kind: 'beginning', sequence: Math.min(line.sequence, Math.max(begin, now)) };
        isFirst = false;
      }
      done(line.sequence - begin + 1);
      if (line.type === 'unreadable') yield { kind: 'unreadable', sequence: line.sequence, detail: line.message };
      else yield itemOf(line);
    }
  }
  return { label: 'records', total, last, read };
};

/** What comes from a gateway is looked at like any other. */
const itemOf = (line: object): LogItem => {
  const event = eventFrom(line);
  return event === undefined
    ? { kind: 'unreadable', sequence: undefined, detail: 'it is no event' }
    : { kind: 'record', event };
};

interface Circumstances {
  readonly hasKeys: boolean;
  readonly range: Range;
}

const tell = async (
  verdict: Verdict,
  circumstances: Circumstances,
  { options, session }: { readonly options: VerifyOptions; readonly session: CliSession },
): Promise<void> => {
  const { chain, fault, checkpoints, signedUpTo, agreeing, outOfReach } = verdict;
  session.conclude(fault === undefined);
  if (options.json !== true) return session.print(verdictText(verdict, circumstances));
  const { records, first, last, gateway, gap, gaps } = chain;
  const range = { gateway: gateway ?? null, first: first ?? null, last: last?.sequence ?? null, records };
  return session.printJson({
    fault: fault ?? null,
    ...range,
    gaps,
    lastGap: gap ?? null,
    checkpoints,
    signedUpTo: signedUpTo ?? null,
    kept: { agreeing, outOfReach },
  });
};

const verdictText = (verdict: Verdict, circumstances: Circumstances): string => {
  const { chain, fault } = verdict;
  const { first = 0, last, gateway } = chain;
  const heading =
    fault === undefined
      ? `records ${first} to ${last?.sequence ?? 0} of gateway ${gateway ?? '-'}: nothing is wrong`
      : `WRONG at record ${fault.sequence} (${fault.kind}): ${fault.message}`;
  const isBefore = fault !== undefined && first > 0 && fault.sequence > first;
  const before = isBefore ? [`records ${first} to ${fault.sequence - 1} follow one another without a fault`] : [];
  const lines = [heading, ...before, ...notes(verdict, circumstances)];
  return lines.map((line, index) => `${index === 0 ? '' : '  '}${plain(line)}\n`).join('');
};

const notes = (verdict: Verdict, { hasKeys, range }: Circumstances): readonly string[] => {
  const { chain, checkpoints, signedUpTo, agreeing, outOfReach } = verdict;
  const { first, last, gap, gaps } = chain;
  const isTrimmed = first !== undefined && first > Math.max(1, range.from ?? 1);
  return [
    ...(isTrimmed ? [`what came before record ${first} is not there any more, and was not looked at`] : []),
    ...(gap === undefined
      ? []
      : [
          `${gaps === 1 ? 'a gap is' : `${gaps} gaps are, the last of them`} declared: records ${gap.from} to ${gap.to} were lost`,
        ]),
    signatureNote({ checkpoints, signedUpTo, hasKeys, last: last?.sequence ?? 0 }),
    ...(agreeing > 0 ? [`${agreeing} kept ${agreeing === 1 ? 'hash agrees' : 'hashes agree'}`] : []),
    ...(outOfReach > 0 ? [`${outOfReach} kept ${outOfReach === 1 ? 'hash is' : 'hashes are'} of other records`] : []),
  ];
};

const signatureNote = (seen: {
  readonly checkpoints: number;
  readonly signedUpTo: number | undefined;
  readonly hasKeys: boolean;
  readonly last: number;
}): string => {
  const checkpoints = seen.checkpoints === 1 ? '1 checkpoint' : `${seen.checkpoints} checkpoints`;
  if (!seen.hasKeys) return `${checkpoints}, whose signatures were not looked at: give --key`;
  if (seen.signedUpTo === undefined)
    return `${checkpoints}, none of them signed: a forged log would look like this one`;
  const after = seen.last - seen.signedUpTo;
  return `${checkpoints}, signed up to record ${seen.signedUpTo}; ${after} ${after === 1 ? 'record' : 'records'} after it`;
};
