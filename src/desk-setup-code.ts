// The code with which the first admin is made, in a file that only the desk's own user may read: whoever has it is at home on this
// machine, and no password is known beforehand.

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileReason } from './config/file-reason.ts';
import { writeForOwner } from './config/make-key.ts';
import type { SetupCode } from './desk/sign-in.ts';
import { CardeaError } from './errors.ts';

const CODE_BYTES = 16;
const CODE = /^[\w-]{22}$/;

export class SetupCodeFile implements SetupCode {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  read(): string | undefined {
    try {
      const code = readFileSync(this.file, 'utf8').trim();
      return CODE.test(code) ? code : undefined;
    } catch {
      return undefined;
    }
  }

  /** Unless there is one. Throws CardeaError `store-write-failed`. */
  make(): void {
    if (this.read() !== undefined) return;
    const unfinished = `${this.file}.new`;
    try {
      rmSync(unfinished, { force: true });
      writeForOwner(unfinished, `${randomBytes(CODE_BYTES).toString('base64url')}\n`);
      renameSync(unfinished, this.file);
    } catch (error) {
      const message = `the code for the first admin cannot be written: ${fileReason(error, this.file)}`;
      throw new CardeaError('store-write-failed', message, { cause: error });
    }
  }

  async remove(): Promise<void> {
    await rm(this.file, { force: true });
  }
}
