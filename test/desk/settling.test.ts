// Receipts of several gateways on their way to the disk at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeskPut } from '../../src/ports/desk-store.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { CLERK, openDesk, receiptFor, statusOf, taken } from '../fixtures/open-desk.ts';

/** Writes are done one by one, when the test says so. */
class HeldStore extends MemoryDeskStore {
  isHolding = false;
  readonly #waiting: (() => void)[] = [];

  override async write(puts: readonly DeskPut[]): Promise<void> {
    if (this.isHolding) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await super.write(puts);
  }

  async release(): Promise<void> {
    this.#waiting.shift()?.();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

test('an operation is as it is told to be, also while the receipt that completes it is not on the disk yet', async (t) => {
  const store = new HeldStore();
  const { desk, link } = await openDesk(t, { store });
  link.connect();
  for (const gateway of ['lobby-1', 'garage-1']) {
    await link.deliver(`cardea/hq/gateways/${gateway}/status`, statusOf(desk, gateway, ['front']));
  }
  await taken(desk.employees.add({ id: 'E1', name: 'One' }, CLERK));
  const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E680' }, CLERK));
  await desk.writer.settled();

  const told: string[] = [];
  const isConsistent = async (): Promise<void> => {
    const view = await desk.operation(operation.id);
    assert.equal(view?.proof.state, desk.standing(operation.id).state);
    told.push(`${view?.proof.state} ${view?.proof.missing.join(' ')}`.trim());
  };
  store.isHolding = true;
  const delivered = ['lobby-1', 'garage-1'].map((gateway) =>
    link.deliver(`cardea/hq/gateways/${gateway}/receipt`, receiptFor(operation, { gateway })),
  );
  await store.release();
  await isConsistent();
  await store.release();
  await isConsistent();
  store.isHolding = false;
  await store.release();
  await Promise.all(delivered);
  await isConsistent();
  assert.equal(told.at(-1), 'confirmed');
  assert.equal(desk.state.open.size, 0);
});
