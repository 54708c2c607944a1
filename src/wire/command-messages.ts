// `command`: from the fields of the message to a command to doors (PROTOCOL.md, command).

import { DOOR_ACTIONS, lifetimeFault, type RemoteCommand } from '../domain/door-command.ts';
import { type DoorId, type GatewayId, parseMessageId } from '../domain/ids.ts';
import { instant } from '../domain/units.ts';
import { commandSchema } from './hr-message-schema.ts';
import { type Fault, schemaFault, UNREADABLE } from './message-json.ts';

/** `gateway` is that of the topic. */
export const decodeCommand = (content: unknown, gateway: GatewayId): RemoteCommand | { readonly fault: Fault } => {
  const parsed = commandSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const fields = parsed.data;
  if (fields.gateway !== undefined && fields.gateway !== gateway) {
    const detail = `this topic belongs to gateway "${gateway}"`;
    return { fault: { code: 'wrong-topic', path: 'gateway', detail } };
  }
  const action = DOOR_ACTIONS.find((known) => known === fields.action);
  if (action === undefined) return invalid('action', `this gateway does not know ${fields.action} yet`);
  if (fields.until !== undefined) return invalid('until', 'this gateway cannot end a mode by itself yet');
  const times = { issuedAt: instant(Date.parse(fields.issuedAt)), expiresAt: instant(Date.parse(fields.expiresAt)) };
  const fault = lifetimeFault(times);
  if (fault !== undefined) return invalid('expiresAt', fault);
  const messageId = parseMessageId(fields.messageId);
  if (messageId === undefined) return { fault: UNREADABLE };
  const { operator, reason } = fields;
  // The schema's pattern is that of the brand.
  return { messageId, action, door: fields.door as DoorId | '*', operator, reason, ...times };
};

const invalid = (path: string, detail: string): { readonly fault: Fault } => ({
  fault: { code: 'invalid-message', path, detail },
});
