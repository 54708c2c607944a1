// The link to HR over MQTT 5 or 3.1.1, on mqtt.js. Promises, beyond the port's contract:
// - a persistent session at QoS 1, subscribed anew on every connect; connected means that every subscription was granted;
// - it tries for ever, also when refused, after 1 to 60 seconds with full jitter; a cause is logged when it changes, not each time;
// - passwords and certificates are read anew for every connection, and a usable change of the files makes a new connection;
//   neither they nor payloads are ever logged.

import type { Duplex } from 'node:stream';
import { type IPublishPacket, MqttClient } from 'mqtt';
import { backoffDelay } from '../../domain/backoff.ts';
import { seconds } from '../../domain/units.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { HrLink, HrLinkListener } from '../../ports/hr-link.ts';
import { inboundConnection } from './acknowledgements.ts';
import { type BrokerAddress, openBrokerStream, parseBrokerUrl, unusableCredentials } from './broker-stream.ts';
import { describeReasonCode, type Ending, endingOf } from './connection-ending.ts';
import { CredentialFiles } from './credential-files.ts';
import { InboundQueue } from './inbound-queue.ts';
import {
  clientOptions,
  DEFAULT_BACKOFF,
  DEFAULT_CREDENTIAL_CHECK_INTERVAL,
  type MqttHrLinkOptions,
  PACKET_LIMIT,
} from './mqtt-link-options.ts';
import { type OutgoingMessage, PublishWindow } from './publish-window.ts';
import { subscribeAll } from './subscription.ts';
import { within } from './time-limit.ts';

/** Messages of ours on the way to the broker or waiting for room. */
const PUBLISH_CAPACITY = 1_000;
/** Without a Receive Maximum from the broker (3.1.1 has none) it takes as many as there are packet ids. */
const DEFAULT_RECEIVE_MAXIMUM = 65_535;
/** A connection that held this long was a good one: the next failure starts from the shortest delay. */
const SETTLED_AFTER = seconds(60);
/** How often arriving packets put off the next ping, at most. */
const LIFE_NOTED_EVERY = seconds(1);
/** Farewell and clean disconnect together take at most two seconds. */
const FAREWELL_TIMEOUT = seconds(1.5);
const DISCONNECT_TIMEOUT = seconds(0.5);

export class MqttHrLink implements HrLink {
  readonly #options: MqttHrLinkOptions;
  readonly #address: BrokerAddress;
  readonly #log: Log;
  readonly #credentials: CredentialFiles;
  readonly #inbound: InboundQueue;
  readonly #outgoing: PublishWindow;
  #client: MqttClient | undefined;
  #listener: HrLinkListener | undefined;
  /** Every subscription of the present connection was granted. */
  #isSubscribed = false;
  #hadSession = false;
  #lastLife = 0;
  #failures = 0;
  /** Why the present connection ends, if we know; set before its stream closes. */
  #ending: Ending | undefined;
  #lastReason: string | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #settled: NodeJS.Timeout | undefined;
  #credentialCheck: NodeJS.Timeout | undefined;
  #isStopping = false;
  #stopped: Promise<void> | undefined;

  /** Throws CardeaError `link-configuration` for an address that cannot work. */
  constructor(options: MqttHrLinkOptions) {
    this.#options = options;
    this.#address = parseBrokerUrl(options.url);
    this.#log = options.log;
    this.#credentials = new CredentialFiles(options.credentialFiles ?? {}, options.log);
    this.#inbound = new InboundQueue({
      handle: async (message) => this.#listener?.onMessage(message),
      onRefused: ({ topic }, error) => {
        this.#log.error(
          { topic, reason: errorMessage(error) },
          'message not handled; dropping the connection to get it again',
        );
        this.#end({ reason: `a message on ${topic} could not be handled: ${errorMessage(error)}`, level: 'warn' });
      },
    });
    this.#outgoing = new PublishWindow({
      capacity: PUBLISH_CAPACITY,
      send: (message, onSettled) => this.#send(message, onSettled),
    });
  }

  start(listener: HrLinkListener): void {
    if (this.#client !== undefined || this.#isStopping) return;
    this.#listener = listener;
    const client = new MqttClient((self) => this.#openStream(self), clientOptions(this.#options, this.#nextDelay()));
    this.#client = client;
    const { credentialCheckInterval = DEFAULT_CREDENTIAL_CHECK_INTERVAL } = this.#options;
    this.#credentialCheck = setInterval(() => this.reloadCredentials(), credentialCheckInterval).unref();
    client.handleMessage = (packet, done) => {
      this.#receive(client, packet, done);
    };
    client.on('connect', ({ sessionPresent }) => this.#subscribe(client, sessionPresent));
    client.on('packetreceive', ({ cmd }) => {
      if (cmd !== 'pingresp') this.#awaitProgress();
      this.#noteLife(client);
    });
    client.on('disconnect', ({ reasonCode = 0 }) => {
      this.#end({ reason: `the broker ended the connection: ${describeReasonCode(reasonCode)}`, level: 'warn' });
    });
    client.on('error', (error) => this.#end(endingOf(error)));
    client.on('close', () => this.#onClose(client));
    client.on('reconnect', () => {
      this.#failures += 1;
      client.options.reconnectPeriod = this.#nextDelay();
    });
  }

  isConnected(): boolean {
    return this.#isSubscribed && this.#client?.connected === true && !this.#client.stream.destroyed;
  }

  /** Besides the port's: rejects with `overloaded` past 1,000 unacknowledged, `publish-refused` when the broker says no (MQTT 5). */
  publish(topic: string, payload: string, options: { readonly retain?: boolean } = {}): Promise<void> {
    if (this.#isStopping || !this.isConnected()) {
      const text = `The broker ${this.#address.text} is not connected; publish again when it is.`;
      return Promise.reject(new CardeaError('link-offline', text, { context: { topic } }));
    }
    return this.#outgoing.submit({ topic, payload, retain: options.retain ?? false });
  }

  reconnect(reason: string): void {
    if (!this.#isStopping) this.#end({ reason, level: 'info' });
  }

  /** Why the credential files as they are now cannot be used, in words and without secrets; undefined while they can. */
  get credentialFault(): string | undefined {
    return this.#credentials.fault;
  }

  /**
   * Looks at the credential files now instead of in some seconds. Connects anew if they make another usable set than the one in
   * use, else leaves the connection as it is.
   */
  reloadCredentials(): void {
    if (this.#credentials.refresh()) this.reconnect('the credentials for the broker have changed');
  }

  /** Takes two seconds at most. Publishes that are not acknowledged by then reject with `link-offline`. */
  stop(farewell?: { readonly topic: string; readonly payload: string }): Promise<void> {
    this.#isStopping = true;
    this.#stopped ??= this.#shutDown(farewell);
    return this.#stopped;
  }

  /** Called by the client at the start of every attempt. What fails here must fail the attempt, not the timer it runs in. */
  #openStream(client: MqttClient): Duplex {
    this.#ending = undefined;
    const stream = this.#tryOpenStream(client);
    stream.on('error', (error) => {
      this.#ending ??= endingOf(error);
    });
    this.#inbound.open(inboundConnection(stream));
    return stream;
  }

  #tryOpenStream(client: MqttClient): Duplex {
    this.#credentials.refresh();
    const { usable, fault } = this.#credentials;
    if (usable === undefined) return unusableCredentials(fault);
    const { password, ...tls } = usable;
    delete client.options.password;
    if (password !== undefined) client.options.password = password;
    try {
      return openBrokerStream({
        address: this.#address,
        tls,
        packetLimit: PACKET_LIMIT,
        onCut: (bytes) =>
          this.#log.warn({ bytes, limit: PACKET_LIMIT }, 'inbound packet is too large; only its beginning is kept'),
      });
    } catch (error) {
      return unusableCredentials(errorMessage(error));
    }
  }

  #nextDelay(): number {
    const { backoff = DEFAULT_BACKOFF, random = Math.random } = this.#options;
    return backoffDelay(backoff, this.#failures, random());
  }

  #subscribe(client: MqttClient, sessionPresent: boolean): void {
    if (this.#hadSession && !sessionPresent) {
      this.#log.warn(
        { broker: this.#address.text },
        'the broker has forgotten our session; messages it held for us are lost',
      );
    }
    this.#hadSession = true;
    const { stream } = client;
    subscribeAll(client, this.#options.subscriptions, (refused) => {
      if (stream !== client.stream || stream.destroyed || this.#isStopping) return;
      if (refused === undefined) {
        // Out of the library's promise chain, which would report a throw by the listener as a failed subscription.
        queueMicrotask(() => this.#onSubscribed(client));
      } else {
        this.#end({ reason: `the broker refused the subscription to ${refused}`, level: 'error' });
      }
    });
  }

  #onSubscribed(client: MqttClient): void {
    clearTimeout(this.#deadline);
    this.#isSubscribed = true;
    this.#lastReason = undefined;
    this.#settled = setTimeout(() => {
      this.#failures = 0;
      client.options.reconnectPeriod = this.#nextDelay();
    }, SETTLED_AFTER).unref();
    this.#log.info({ broker: this.#address.text, topics: this.#options.subscriptions.length }, 'hr link connected');
    this.#outgoing.open(client.serverProperties?.receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM);
    this.#listener?.onConnect();
  }

  /** Ends an attempt that has stopped getting on: resent publishes and subscriptions may be acknowledged late, but not never. */
  #awaitProgress(): void {
    clearTimeout(this.#deadline);
    if (this.#isSubscribed) return;
    const limit = this.#options.connectTimeoutSeconds;
    this.#deadline = setTimeout(() => {
      // Packets are taken in order: behind a full queue, the broker's answer may be here already.
      if (this.#inbound.isFull) this.#awaitProgress();
      else this.#end({ reason: `the broker did not grant the subscriptions within ${limit} s`, level: 'warn' });
    }, seconds(limit)).unref();
  }

  /** Whatever arrives shows that the connection is alive: the answer to a ping may stand behind a long queue. */
  #noteLife(client: MqttClient): void {
    const now = performance.now();
    if (now - this.#lastLife < LIFE_NOTED_EVERY) return;
    this.#lastLife = now;
    client.reschedulePing(true);
  }

  /**
   * Takes a message over from the client, which is told that it failed: then it acknowledges nothing and goes on to the next
   * packet, so that a slow handler holds up neither pings nor the broker's answers. We acknowledge when it is handled.
   */
  #receive(client: MqttClient, packet: IPublishPacket, done: (error?: Error) => void): void {
    const { topic, payload, retain, qos, messageId } = packet;
    const { stream } = client;
    const message = { topic, payload: typeof payload === 'string' ? Buffer.from(payload) : payload, retained: retain };
    // At QoS 2, which nobody should send here, the library has acknowledged already and must end its handshake itself.
    const isAcknowledged = qos === 2;
    this.#inbound.push(message, qos === 1 ? messageId : undefined, () =>
      done(isAcknowledged && stream.writable ? undefined : NOT_YET),
    );
  }

  #send({ topic, payload, retain }: OutgoingMessage, onSettled: (error?: CardeaError) => void): void {
    this.#client?.publish(topic, payload, { qos: 1, retain }, (error) => {
      if (!error) onSettled();
      else if ('code' in error)
        onSettled(new CardeaError('publish-refused', `The broker refused a message on ${topic}: ${error.message}`));
      else
        onSettled(
          new CardeaError('link-offline', `A message on ${topic} was not acknowledged before the link was stopped.`),
        );
    });
  }

  /** Drops the connection; the first cause given is the one reported. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#client?.stream.destroy();
  }

  #onClose(client: MqttClient): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#settled);
    this.#inbound.disconnected();
    this.#outgoing.close();
    const wasConnected = this.#isSubscribed;
    const { reason, level } = this.#ending ?? { reason: 'the connection was closed', level: 'warn' };
    const isNews = wasConnected || reason !== this.#lastReason;
    this.#isSubscribed = false;
    this.#ending = undefined;
    this.#lastReason = reason;
    if (this.#isStopping) return;
    const fields = { broker: this.#address.text, reason, retryInMilliseconds: client.options.reconnectPeriod };
    this.#log[isNews ? level : 'debug'](fields, wasConnected ? 'hr link lost' : 'hr link could not be established');
    if (isNews) this.#listener?.onDisconnect(reason);
  }

  async #shutDown(farewell: { readonly topic: string; readonly payload: string } | undefined): Promise<void> {
    const client = this.#client;
    clearInterval(this.#credentialCheck);
    if (client === undefined) return;
    const goodbye = farewell !== undefined && this.isConnected() ? [this.#sayFarewell(farewell)] : [];
    await within(FAREWELL_TIMEOUT, Promise.all([this.#inbound.close(), ...goodbye]));
    this.#abandonWaiting();
    // The library would wait for these before it disconnects, without limit.
    for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id));
    await within(DISCONNECT_TIMEOUT, client.endAsync(!client.connected));
    client.stream.destroy();
    this.#log.info({ broker: this.#address.text }, 'hr link stopped');
  }

  async #sayFarewell({ topic, payload }: { readonly topic: string; readonly payload: string }): Promise<void> {
    this.#abandonWaiting();
    await this.#outgoing.submit({ topic, payload, retain: true }).catch((error: unknown) => {
      this.#log.warn({ topic, reason: errorMessage(error) }, 'farewell not delivered');
    });
  }

  #abandonWaiting(): void {
    this.#outgoing.abandonWaiting(new CardeaError('link-offline', 'The link was stopped before the message was sent.'));
  }
}

/** Tells the client to acknowledge nothing by itself. */
const NOT_YET = new CardeaError('overloaded', 'The message is not handled yet.');
