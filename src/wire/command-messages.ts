// `command`: from the fields of the message to a command to doors (PROTOCOL.md, command). On the topic of one gateway all of them
// are good, on that of the whole site only lockdown and its end.

import type * as z from 'zod';
import {
  type DoorAction,
  type DoorOrder,
  lifetimeFault,
  type PassbackReset,
  type RemoteCommand,
} from '../domain/door-command.ts';
import { type DoorId, type GatewayId, parseCardholderId, parseMessageId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import { commandSchema } from './hr-message-schema.ts';
import { type Fault, schemaFault, UNREADABLE } from './message-json.ts';

interface CommandTopic {
  /** That of the topic, or the one that reads the topic of all. */
  readonly gateway: GatewayId;
  readonly isSiteWide: boolean;
}

type Faulty = { readonly fault: Fault };
type Fields = z.infer<typeof commandSchema>;

const SITE_WIDE_ACTIONS: readonly string[] = ['lockdown', 'end-lockdown'] satisfies readonly DoorAction[];

export const decodeCommand = (content: unknown, topic: CommandTopic): RemoteCommand | Faulty => {
  const parsed = commandSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  const misplaced = topic.isSiteWide ? siteWideFault(fields) : gatewayFault(fields, topic.gateway);
  if (misplaced !== undefined) return { fault: { code: 'wrong-topic', ...misplaced } };
  const times = { issuedAt: timeOf(fields.issuedAt), expiresAt: timeOf(fields.expiresAt) };
  const fault = lifetimeFault(times);
  if (fault !== undefined) return invalid('expiresAt', fault);
  const messageId = parseMessageId(fields.messageId);
  if (messageId === undefined) return { fault: UNREADABLE };
  const order = orderOf(fields);
  if ('fault' in order) return order;
  const { operator, reason } = fields;
  return { messageId, ...order, operator, reason, ...times };
};

const timeOf = (text: string) => instant(Date.parse(text));

const gatewayFault = (fields: Fields, gateway: GatewayId) =>
  fields.gateway === undefined || fields.gateway === gateway
    ? undefined
    : { path: 'gateway', detail: `this topic belongs to gateway "${gateway}"` };

const siteWideFault = ({ action, door, gateway }: Fields) => {
  if (gateway !== undefined) return { path: 'gateway', detail: 'this topic is for all gateways; leave gateway out' };
  if (!SITE_WIDE_ACTIONS.includes(action)) {
    const detail = `all gateways take ${SITE_WIDE_ACTIONS.join(' and ')} only; use the topic gateways/<gateway>/command`;
    return { path: 'action', detail };
  }
  return door === '*' ? undefined : { path: 'door', detail: 'this topic is for all doors: door must be *' };
};

const orderOf = ({ action, door, until, cardholder }: Fields): DoorOrder | PassbackReset | Faulty => {
  if (action !== 'reset-passback') {
    if (cardholder !== undefined) return invalid('cardholder', 'only reset-passback is about a person');
    const end = until === undefined ? {} : { until: timeOf(until) };
    // The schema's pattern is that of the brand.
    return { action, door: door as DoorId | '*', ...end };
  }
  const person = cardholder === undefined ? undefined : parseCardholderId(cardholder);
  if (person === undefined) return invalid('cardholder', 'reset-passback needs the id of a person');
  if (door !== '*')
    return invalid('door', 'where a person is held to be has nothing to do with one door: door must be *');
  if (until !== undefined) return invalid('until', 'reset-passback has no end');
  return { action, door, cardholder: person };
};

const invalid = (path: string, detail: string): Faulty => ({ fault: { code: 'invalid-message', path, detail } });
