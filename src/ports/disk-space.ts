// The disk that the store lies on, and the ballast that stands by for when it is full.

export interface DiskRoom {
  /** Bytes that this process may still write, without what the ballast has given back or is yet to take. */
  readonly freeBytes: number;
  /** Files that may still be made; undefined where the file system knows no limit. */
  readonly freeFiles: number | undefined;
}

export interface DiskSpace {
  /** Rejects with whatever the system says when the disk does not answer. */
  look(): Promise<DiskRoom>;
  /**
   * Makes the ballast whole again where `keepFree` bytes stay free beside it; the part that opening the store may need is made to
   * the last byte. Never rejects: what there is no room for is made another time.
   */
  restoreBallast(keepFree: number): Promise<void>;
}
