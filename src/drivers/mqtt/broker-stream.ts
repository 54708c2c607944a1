// One network connection to the broker, plain or TLS, as the stream the MQTT client reads and writes. Packets larger than
// the limit are cut on the way in (packet-cutter.ts); the end of the socket is the end of the stream, at once.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { CardeaError } from '../../errors.ts';
import { PacketCutter } from './packet-cutter.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** For logs and messages; holds no credentials. */
  readonly text: string;
}

/** PEM. Without `ca` the authorities that Node trusts decide. */
export interface BrokerTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface BrokerStreamOptions {
  readonly address: BrokerAddress;
  /** Used where the address is secure. */
  readonly tls: BrokerTls;
  /** Bytes; see PacketCutterOptions. */
  readonly packetLimit: number;
  readonly onCut: (size: number) => void;
}

const SCHEMES: Readonly<Record<string, { readonly secure: boolean; readonly port: number }>> = {
  'mqtt:': { secure: false, port: 1883 },
  'tcp:': { secure: false, port: 1883 },
  'mqtts:': { secure: true, port: 8883 },
  'ssl:': { secure: true, port: 8883 },
};

/** Throws CardeaError `link-configuration` for anything but `mqtt://host[:port]` or `mqtts://host[:port]`. */
export const parseBrokerUrl = (url: string): BrokerAddress => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed === undefined ? undefined : SCHEMES[parsed.protocol];
  // The text may hold a password, so that the message cannot quote it.
  if (parsed === undefined || scheme === undefined || parsed.hostname === '') {
    throw new CardeaError(
      'link-configuration',
      'The broker address is not of the form mqtt://host:port or mqtts://host:port.',
    );
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = parsed.port === '' ? scheme.port : Number(parsed.port);
  const text = `${parsed.protocol}//${parsed.hostname}:${port}`;
  if (parsed.username !== '' || parsed.password !== '') {
    throw new CardeaError(
      'link-configuration',
      `The broker address ${text} is given with credentials in it. Use mqtt.username and mqtt.passwordFile, which stay out of logs and process lists.`,
    );
  }
  return { host, port, secure: scheme.secure, text };
};

/** Throws for certificates that the TLS library refuses; everything later arrives as the stream's `error`. */
export const openBrokerStream = ({ address, tls, packetLimit, onCut }: BrokerStreamOptions): Duplex => {
  const socket = address.secure ? openTls(address, tls) : connectTcp({ host: address.host, port: address.port });
  // Receipts and acknowledgements are small and waited for: Nagle's algorithm would hold them back.
  socket.setNoDelay(true);
  return new BrokerStream(socket, new PacketCutter({ limit: packetLimit, onCut }));
};

/** A connection that has failed before it was tried, because of CardeaError `link-configuration`. */
export const unusableCredentials = (why: string | undefined): Duplex => {
  const text = `the credentials for the broker cannot be used: ${why}`;
  return new Duplex({ write() {} }).destroy(new CardeaError('link-configuration', text));
};

/** The broker's certificate has to be for `host`, name or address: Node checks it where nothing else is asked for. */
const openTls = ({ host, port }: BrokerAddress, { ca, cert, key }: BrokerTls): Socket =>
  connectTls({
    host,
    port,
    // Server name indication takes names only (RFC 6066, 3).
    ...(isIP(host) === 0 && { servername: host }),
    ca,
    cert,
    key,
  });

class BrokerStream extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket, cutter: PacketCutter) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const part of cutter.pass(chunk)) if (!this.push(part)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    // What is unread is dropped: it is not acknowledged, so the broker sends it again.
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** The client writes a packet in many small pieces; they leave together. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
