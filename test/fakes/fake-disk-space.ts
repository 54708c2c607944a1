// A disk whose room is what the test says.

import type { DiskRoom, DiskSpace } from '../../src/ports/disk-space.ts';

export class FakeDiskSpace implements DiskSpace {
  freeBytes: number;
  freeFiles: number | undefined;
  /** While set, the disk does not answer. */
  failure: Error | undefined;
  /** What was to stay free, each time the ballast was to be restored. */
  readonly restored: number[] = [];

  constructor(freeBytes: number) {
    this.freeBytes = freeBytes;
  }

  async look(): Promise<DiskRoom> {
    if (this.failure !== undefined) throw this.failure;
    return { freeBytes: this.freeBytes, freeFiles: this.freeFiles };
  }

  async restoreBallast(keepFree: number): Promise<void> {
    this.restored.push(keepFree);
  }
}
