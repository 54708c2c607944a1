// Entry of the worker thread that looks at the inputs of rpi-gpio, however busy the main thread is. Started by InputThread,
// bundled as an entry point of its own. Keeps one batch of changes under way; the others wait here, see change-backlog.ts.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { ChangeBacklog } from './change-backlog.ts';
import { InputLooks, LOOK_INTERVAL, type Look } from './input-looks.ts';
import type { FromInputWorker, InputWorkerData } from './input-thread.ts';
import { every } from './look-timer.ts';
import { SysfsLine } from './sysfs-gpio.ts';

const watchInputs = (port: MessagePort, { root, levels, debounce, turns }: InputWorkerData): void => {
  const lines = new Map([...levels.keys()].map((line) => [line, new SysfsLine(root, line)] as const));
  const looks = new InputLooks({ lines, levels, debounce });
  const backlog = new ChangeBacklog();
  let unreadable: Look['unreadable'];
  let isAwaited = false;
  const tell = (message: FromInputWorker): void => port.postMessage(message);
  const send = (): void => {
    if (!isAwaited || (backlog.isEmpty && unreadable === undefined)) return;
    isAwaited = false;
    tell({ kind: 'changes', ...backlog.take(), unreadable });
  };
  const stopLooking = every(LOOK_INTERVAL, () => {
    Atomics.add(turns, 0, 1);
    const look = looks.look();
    for (const change of look.changes) backlog.add(change);
    unreadable = look.unreadable;
    if (unreadable !== undefined) stopLooking();
    send();
  });
  port.on('message', () => {
    isAwaited = true;
    send();
  });
  tell({ kind: 'looking' });
};

if (parentPort !== null) watchInputs(parentPort, workerData);
