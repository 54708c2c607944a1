// Backups as files: lines of text, packed, encrypted and sealed with a checksum (drivers/backup/).

/** Who can open a backup: holders of the private halves of age recipients (`age1...`), or whoever knows the passphrase. */
export type BackupLock =
  | { readonly kind: 'recipients'; readonly recipients: readonly string[] }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

/** What opens one: age identities (`AGE-SECRET-KEY-...`), or the passphrase. */
export type BackupKey =
  | { readonly kind: 'identities'; readonly identities: readonly string[] }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

export interface BackupFiles {
  /**
   * Writes `lines` (without line ends) to `path`, which is there when it is whole and durable, and not before. Rejects with CardeaError
   * `backup-failed`, or with what `lines` threw; then nothing is left behind.
   */
  write(
    path: string,
    lines: AsyncIterable<string>,
    options: { readonly lock: BackupLock; readonly mayReplace: boolean },
  ): Promise<{ readonly bytes: number }>;
  /**
   * The lines that were written. Only when they have come to an end are they known to be whole: throws CardeaError `backup-invalid` for a
   * file that was changed, cut, or is locked for somebody else.
   */
  read(path: string, key: BackupKey): AsyncIterable<string>;
}

/** Where scheduled backups lie. */
export interface BackupFolder {
  /** File names, in no order. Rejects with CardeaError `backup-failed` when the folder is not there. */
  names(): Promise<readonly string[]>;
  /** In bytes. */
  sizeOf(name: string): Promise<number>;
  /** As BackupFiles.write(). */
  write(name: string, lines: AsyncIterable<string>, lock: BackupLock): Promise<{ readonly bytes: number }>;
  remove(name: string): Promise<void>;
}
