// A backup as a file: lines, then one with their checksum; packed with gzip, encrypted with age (age-encryption.org/v1).
//
// 1. A file under its final name is whole: it is written under another one, synced, and renamed.
// 2. What was read is what was written, or reading throws: age authenticates each piece and the end, and the checksum says the same
//    of the lines.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, promises } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { BackupFiles, BackupKey, BackupLock } from '../../ports/backup-files.ts';

const CHECKSUM = /^\{"sha256":"([0-9a-f]{64})"\}$/;
const { open, rename, rm, stat } = promises;

/** In characters; a record has far fewer, and what is longer is not held in memory to find out. */
const LONGEST_LINE = 1024 * 1024;
/** Lines are handed on in pieces of about so many characters. */
const PIECE = 64 * 1024;
/** Half the smallest loses little of the room, and a Pi has better things to do. */
const GZIP = { level: 3 };

export const backupFiles: BackupFiles = {
  async write(path, lines, { lock, mayReplace }) {
    if (!mayReplace && existsSync(path)) throw exists(path);
    const fresh = `${path}.${randomBytes(4).toString('hex')}.new`;
    try {
      const file = await open(fresh, 'wx', 0o600);
      try {
        for await (const piece of await encrypted(withChecksum(lines), lock)) await file.appendFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      const { size } = await stat(fresh);
      await publish(fresh, path, mayReplace);
      return { bytes: size };
    } catch (error) {
      throw error instanceof CardeaError ? error : writeFailure(path, error);
    } finally {
      await rm(fresh, { force: true });
    }
  },

  async *read(path, key) {
    const hash = createHash('sha256');
    let held: string | undefined;
    for await (const line of linesOf(path, key)) {
      if (held !== undefined) {
        hash.update(`${held}\n`);
        yield held;
      }
      held = line;
    }
    if (CHECKSUM.exec(held ?? '')?.[1] !== hash.digest('hex'))
      throw invalid(path, 'its checksum is not that of its content');
  },
};

/** Renamed, not linked: a memory stick knows no links. */
const publish = async (fresh: string, path: string, mayReplace: boolean): Promise<void> => {
  if (!mayReplace && existsSync(path)) throw exists(path);
  await rename(fresh, path);
  let folder: promises.FileHandle | undefined;
  try {
    folder = await open(dirname(path), 'r');
    await folder.sync();
  } finally {
    await folder?.close();
  }
};

async function* withChecksum(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let piece = '';
  for await (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE) continue;
    const bytes = Buffer.from(piece);
    hash.update(bytes);
    yield bytes;
    piece = '';
  }
  hash.update(piece);
  yield Buffer.from(`${piece}${JSON.stringify({ sha256: hash.digest('hex') })}\n`);
}

const encrypted = async (content: AsyncIterable<Buffer>, lock: BackupLock): Promise<Readable> => {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  try {
    if (lock.kind === 'passphrase') encrypter.setPassphrase(lock.passphrase);
    else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  } catch (error) {
    throw new CardeaError('backup-failed', `a recipient is none that age knows: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const source = Readable.from(content);
  const packed = source.pipe(createGzip(GZIP));
  // pipe() does not hand on a failure of the lines.
  source.once('error', (error) => packed.destroy(error));
  return Readable.fromWeb(await encrypter.encrypt(Readable.toWeb(packed)));
};

async function* linesOf(path: string, key: BackupKey): AsyncGenerator<string> {
  try {
    const { Decrypter } = await import('age-encryption');
    const decrypter = new Decrypter();
    if (key.kind === 'passphrase') decrypter.addPassphrase(key.passphrase);
    else for (const identity of key.identities) decrypter.addIdentity(identity);
    const opened = await decrypter.decrypt(Readable.toWeb(createReadStream(path)));
    const source = Readable.fromWeb(opened);
    const unpacked = source.pipe(createGunzip());
    source.once('error', (error) => unpacked.destroy(error));
    yield* linesIn(unpacked.setEncoding('utf8'), path);
  } catch (error) {
    throw error instanceof CardeaError ? error : invalid(path, reasonOf(error));
  }
}

async function* linesIn(content: AsyncIterable<string>, path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of content) {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > LONGEST_LINE) throw invalid(path, 'a line of it is longer than any record');
  }
  if (rest !== '') yield rest;
}

const reasonOf = (error: unknown): string => {
  const message = errorMessage(error);
  if (message.includes('no identity matched'))
    return 'it is locked for somebody else: another identity or passphrase opens it';
  if (error instanceof Error && 'code' in error && 'path' in error) return message;
  return `it is damaged, cut, or no backup (${message})`;
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const exists = (path: string): CardeaError =>
  new CardeaError('backup-failed', `${path} is there already; --force replaces it`);

const writeFailure = (path: string, error: unknown): CardeaError => {
  const reason = isCode(error, 'ENOSPC') ? 'the disk is full; nothing was left of it' : errorMessage(error);
  return new CardeaError('backup-failed', `the backup ${path} cannot be written: ${reason}`, { cause: error });
};

const invalid = (path: string, reason: string): CardeaError =>
  new CardeaError('backup-invalid', `${path} cannot be restored: ${reason}`);
