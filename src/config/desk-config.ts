// The configuration of the desk as it works with it: parsed and checked once, read-only, lengths of time and ids in domain types.
// What the file may hold, with defaults, units and ranges, stands in desk-schema.ts.

import type { CardNumberFormat } from '../domain/card-number.ts';
import type { GatewayId, SiteId } from '../domain/ids.ts';
import type { Milliseconds } from '../domain/units.ts';
import type { BrokerMqtt, LogLevelName, MqttSession, PublicKeyConfig } from './config.ts';

export interface DeskConfig {
  readonly site: SiteId;
  /** As written: relative to the working directory of the process. */
  readonly dataDir: string;
  readonly cardNumber: { readonly format: CardNumberFormat };
  readonly mqtt: MqttSession & BrokerMqtt;
  readonly trust: {
    /** Whether the desk signs what it sends, and goes by what gateways have signed alone. */
    readonly messages: 'signed' | 'unsigned';
  };
  /** Whose receipts and statuses can be told from somebody else's. */
  readonly gateways: readonly DeskGatewayConfig[];
  readonly http: DeskHttpConfig;
  readonly operations: { readonly confirmWithin: Milliseconds };
  readonly employees: { readonly access: readonly DeskGrant[] };
  readonly sessions: { readonly lifetime: Milliseconds };
  readonly events: {
    /** Older events are removed; left out: none is. */
    readonly retention?: Milliseconds;
  };
  readonly log: { readonly level: LogLevelName };
}

export type DeskGatewayConfig = { readonly gateway: GatewayId } & PublicKeyConfig;

export interface DeskHttpConfig {
  /** Without brackets also where it is an IPv6 address. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Absolute paths of PEM files. Present at least where `host` is not of this machine alone. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** As in card-bound. */
export type DeskGrant = { readonly doors: readonly string[]; readonly schedule: string } | { readonly level: string };
