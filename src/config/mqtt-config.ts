// The link to a broker, from a section `mqtt` that passed every check.

import { resolve } from 'node:path';
import type * as z from 'zod';
import type { BrokerMqtt, MqttSession } from './config.ts';
import type { mqttKeys } from './schema.ts';

type Keys = z.output<z.ZodObject<typeof mqttKeys>>;

const SECONDS_PER_HOUR = 3600;

export const sessionOf = ({ keepaliveSeconds, connectTimeoutSeconds, sessionExpiryHours }: Keys): MqttSession => ({
  keepaliveSeconds,
  connectTimeoutSeconds,
  sessionExpirySeconds: sessionExpiryHours * SECONDS_PER_HOUR,
});

/** `directory` is where relative paths start. */
export const brokerOf = (mqtt: Keys & { readonly url: string }, directory: string): MqttSession & BrokerMqtt => {
  const { url, username, passwordFile, ca, cert, key } = mqtt;
  const from = (path: string): string => resolve(directory, path);
  const tls = {
    ...(ca === undefined ? {} : { ca: from(ca) }),
    ...(cert === undefined ? {} : { cert: from(cert) }),
    ...(key === undefined ? {} : { key: from(key) }),
  };
  return {
    ...sessionOf(mqtt),
    kind: 'broker',
    url,
    protocolVersion: mqtt.protocolVersion ?? 5,
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { passwordFile: from(passwordFile) }),
    ...(new URL(url).protocol === 'mqtts:' ? { tls } : {}),
  };
};
