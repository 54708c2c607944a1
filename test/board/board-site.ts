// What the gateway's board jobs share: a broker and HR beside the gateway on the virtual board, hands on its cards and lines, and
// eyes on its output lines. CARDEA_GPIO names the GPIO backend under test.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { waitFor } from '../fixtures/wait-for.ts';

export const DRIVER = process.env['CARDEA_GPIO'] ?? 'gpiochip';
/** The emulated machine is about ten times slower than the one it runs on. */
export const PATIENCE = 60_000;

export const board = (...args: string[]): string => execFileSync('board-ctl', args, { encoding: 'utf8' }).trim();

/** sysfs knows no pulls: there a resistor has to do what the character device asks the chip for. */
export const releaseArguments = (line: string): readonly string[] =>
  DRIVER === 'rpi-gpio' ? ['line', 'pull', line, '1'] : ['line', 'float', line];

export const release = (line: string): void => void board(...releaseArguments(line));

/** What every configuration of a board job begins with. */
export const configurationHead = (port: number, folder: string): string => `
site: hq
gateway: board-1
dataDir: ${folder}/data
mqtt: { url: 'mqtt://127.0.0.1:${port}' }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: ${DRIVER} }
admin: { socket: ${folder}/cardea.sock }
log: { level: info }
`;

export interface BoardEvent {
  readonly event: string;
  readonly sequence: number;
  readonly door: string | null;
  readonly reader: string | null;
  readonly direction: string | null;
  readonly card: string | null;
  readonly reason: string | null;
  readonly detail: unknown;
}

export class BoardSite {
  readonly hr: HrClient;
  readonly #broker: Mosquitto;
  readonly #folder: string;
  readonly #events: BoardEvent[] = [];
  #messagesSeen = 0;
  #revision = 0;
  gateway: GatewayProcess;

  private constructor(broker: Mosquitto, hr: HrClient, folder: string, configuration: string) {
    this.#broker = broker;
    this.hr = hr;
    this.#folder = folder;
    this.gateway = new GatewayProcess(folder, configuration);
  }

  /** Resolves when the gateway has told the broker that it is there. */
  static async start(configuration: (port: number, folder: string) => string): Promise<BoardSite> {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-board-'));
    const broker = await Mosquitto.start();
    const hr = await HrClient.connect({ port: broker.port });
    const site = new BoardSite(broker, hr, folder, configuration(broker.port, folder));
    await site.gateway.start();
    await waitFor(() => site.status().includes('"online":true'), 'birth', PATIENCE);
    return site;
  }

  /** Stops the gateway and starts it with another configuration on the same data. */
  async restart(configuration: (port: number, folder: string) => string): Promise<void> {
    await this.gateway.stop();
    this.gateway = new GatewayProcess(this.#folder, configuration(this.#broker.port, this.#folder));
    await this.gateway.start();
  }

  async close(): Promise<void> {
    await this.gateway.stop();
    await this.hr.close();
    await this.#broker.close();
  }

  /** The last status, as JSON; empty before the first. */
  status(): string {
    return this.hr.messages.findLast(({ topic }) => topic.endsWith('/status'))?.payload.toString() ?? '';
  }

  /** Every event that HR has heard of. */
  events(): readonly BoardEvent[] {
    for (const { topic, payload } of this.hr.messages.slice(this.#messagesSeen)) {
      this.#messagesSeen += 1;
      if (topic.endsWith('/event')) this.#events.push(JSON.parse(payload.toString()));
    }
    return this.#events;
  }

  /** Waits for an event that comes after `since` events and fits. */
  async nextEvent(since: number, name: string, fits: (event: BoardEvent) => boolean = () => true): Promise<BoardEvent> {
    const find = (): BoardEvent | undefined =>
      this.events()
        .slice(since)
        .find((event) => event.event === name && fits(event));
    await waitFor(() => find() !== undefined, name, PATIENCE).catch((error) => {
      const seen = JSON.stringify(this.events().slice(since));
      throw new Error(`${error.message}; seen: ${seen}; log: ${this.gateway.output.slice(-2000)}`);
    });
    const found = find();
    assert.ok(found);
    return found;
  }

  /** Publishes a binding and returns the id of its message. */
  async publishBinding(
    card: string,
    cardholder: string,
    { supersedes = 'all', doors = ['front'] }: { supersedes?: 'all' | 'none'; doors?: readonly string[] } = {},
  ): Promise<string> {
    return await this.#publish('card-bound', {
      card,
      cardholder: { id: cardholder },
      access: [{ doors }],
      supersedes,
    });
  }

  /** Resolves with the receipt. */
  async bind(card: string, cardholder: string, terms: Parameters<BoardSite['publishBinding']>[2] = {}) {
    return await this.#receiptOf(await this.publishBinding(card, cardholder, terms));
  }

  /** Resolves with the receipt. */
  async revoke(card: string, reason: string) {
    return await this.#receiptOf(await this.#publish('card-revoked', { card, reason }));
  }

  async #publish(type: string, content: object): Promise<string> {
    this.#revision += 1;
    const messageId = `board-${this.#revision}`;
    await this.hr.publish(`cardea/hq/hr/${type}`, {
      type,
      site: 'hq',
      messageId,
      revision: this.#revision,
      issuedAt: '2026-11-22T09:00:00+08:00',
      operator: 'board-test',
      ...content,
    });
    return messageId;
  }

  async #receiptOf(messageId: string) {
    const message = await this.hr.waitFor(
      ({ topic, payload }) => topic.endsWith('/receipt') && payload.includes(`"${messageId}"`),
      `receipt of ${messageId}`,
      PATIENCE,
    );
    return JSON.parse(message.payload.toString());
  }
}

export interface Edge {
  /** Seconds on the board's monotonic clock. */
  readonly at: number;
  readonly line: string;
  readonly isRising: boolean;
}

/** Follows the levels of output lines as a meter on the wire would. */
export class LineWatch {
  readonly #process: ChildProcess;
  #text = '';

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.stdout?.on('data', (text: Buffer) => {
      this.#text += text.toString();
    });
  }

  /** Resolves when it looks. */
  static async start(lines: readonly string[]): Promise<LineWatch> {
    const watch = new LineWatch(
      spawn('board-ctl', ['line', 'watch', ...lines], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    await waitFor(() => watch.#text.includes('\n'), 'the watch of the lines', PATIENCE);
    return watch;
  }

  /** In order; complete lines of what the watch wrote only. */
  edges(line: string): readonly Edge[] {
    const texts = this.#text.slice(0, this.#text.lastIndexOf('\n') + 1).split('\n');
    return texts.flatMap((text) => {
      const [at = '', number = '', edge = ''] = text.split(/\s+/);
      if (number !== line || (edge !== 'rising' && edge !== 'falling')) return [];
      return [{ at: Number(at), line, isRising: edge === 'rising' }];
    });
  }

  rises(line: string): number {
    return this.edges(line).filter(({ isRising }) => isRising).length;
  }

  stop(): void {
    this.#process.kill();
  }
}
