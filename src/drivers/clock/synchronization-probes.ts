// Where this machine says that its wall clock was set: systemd-timesyncd's mark, and the kernel's own state, which any
// time daemon (chrony, ntpd, ntpsec) keeps.

import { existsSync } from 'node:fs';
import type { SynchronizationProbe } from './system-clock.ts';

/** systemd-timesyncd.service(8): touched at the first synchronization since boot, gone after a reboot. */
const TIMESYNC_MARK = '/run/systemd/timesync/synchronized';
/** adjtimex(2): the return value while the clock is not synchronized (STA_UNSYNC set). */
const TIME_ERROR = 5;
/** More than struct timex takes on any architecture (208 bytes on 64-bit ones). */
const TIMEX_BYTES = 512;

export const timesyncProbe =
  (path: string = TIMESYNC_MARK): SynchronizationProbe =>
  () =>
    existsSync(path);

/** `adjtimex` is called with a zeroed struct timex: `modes` 0 only reads, which needs no privilege. */
export const kernelProbe =
  (adjtimex: (timex: Buffer) => number): SynchronizationProbe =>
  () => {
    const state = adjtimex(Buffer.alloc(TIMEX_BYTES));
    return state >= 0 && state !== TIME_ERROR;
  };

/** Both probes; the kernel's is left out where libc cannot be called. */
export const loadSynchronizationProbes = async (): Promise<readonly SynchronizationProbe[]> => {
  if (process.platform !== 'linux') return [timesyncProbe()];
  try {
    const { default: koffi } = await import('koffi');
    const adjtimex = koffi.load(null).func('int adjtimex(void *timex)');
    return [timesyncProbe(), kernelProbe((timex) => Number(adjtimex(timex)))];
  } catch {
    return [timesyncProbe()];
  }
};
