// The journal of events as a file of lines. Readable for its owner and group only: it says who went where.
//
// 1. A line is there whole or not at all: what a power cut or a full disk left of one is cut off.
// 2. Nothing is written over: where somebody else has written to the file, nothing more is stored.

import { promises as fs } from 'node:fs';
import { CardeaError } from '../../errors.ts';
import type { EventJournal } from '../../ports/event-journal.ts';

const LINE_BREAK = 0x0a;
const BLOCK_BYTES = 64 * 1024;

export class JournalFile implements EventJournal {
  readonly #file: fs.FileHandle;
  /** Of whole lines. */
  #size: number;
  /** Something may stand behind the whole lines that a failed write has left. */
  #isTorn = false;

  private constructor(file: fs.FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Opens the file, or makes it. Rejects with the system's error. */
  static async open(path: string): Promise<JournalFile> {
    // Not for appending: what is written goes where the last whole line ends.
    const file = await fs.open(path, 'r+').catch(() => fs.open(path, 'wx+', 0o640));
    try {
      const size = await endOfLastLine(file);
      await file.truncate(size);
      return new JournalFile(file, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async *lines(): AsyncGenerator<string> {
    // readLines() would close the file with it.
    let rest = Buffer.alloc(0);
    for (let at = 0; at < this.#size; ) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = rest.lastIndexOf(LINE_BREAK);
      if (end === -1) continue;
      yield* rest.toString('utf8', 0, end).split('\n');
      rest = rest.subarray(end + 1);
    }
  }

  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    await this.#checkEnd();
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#size + done);
        done += bytesWritten;
      }
      await this.#file.sync();
      this.#size += bytes.length;
    } catch (error) {
      this.#isTorn = true;
      await this.#checkEnd().catch(() => {});
      throw error;
    }
  }

  async #checkEnd(): Promise<void> {
    if (this.#isTorn) await this.#file.truncate(this.#size);
    this.#isTorn = false;
    const { size } = await this.#file.stat();
    if (size === this.#size) return;
    throw new CardeaError('archive-shared', 'another process writes to the archive of events: only one may');
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const endOfLastLine = async (file: fs.FileHandle): Promise<number> => {
  const { size } = await file.stat();
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - BLOCK_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(LINE_BREAK);
    if (at !== -1) return from + at + 1;
    end = from;
  }
  return 0;
};
