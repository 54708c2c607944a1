// Receipts as HR reads them: from the bytes of the topic `receipt` to what they say, or to why they are not to be believed.

import type { OpenedMessage } from './message-envelope.ts';
import { type Fault, parseJsonObject, schemaFault } from './message-json.ts';
import { type ReceiptFields, receiptSchema } from './outbound-schema.ts';

/** Takes the signature off the payload, for gateways that sign; hands it through, for gateways that don't. */
export type ReceiptOpener = (payload: Uint8Array) => OpenedMessage | Promise<OpenedMessage>;

export type DecodedReceipt = { readonly receipt: ReceiptFields } | { readonly fault: Fault };

/** Whether `receipt.gateway` is the gateway of the topic is for the caller to check. Never rejects, unless `open` does. */
export const decodeReceipt = async (payload: Uint8Array, open: ReceiptOpener): Promise<DecodedReceipt> => {
  const opened = await open(payload);
  if (opened.kind === 'refused') return { fault: opened };
  const parsed = parseJsonObject(opened.json);
  if ('fault' in parsed) return parsed;
  const receipt = receiptSchema.safeParse(parsed.content);
  return receipt.success ? { receipt: receipt.data } : { fault: schemaFault(receipt.error) };
};
