// What a configuration says of the broker, as the link takes it.

import type { MqttConfig } from './config/config.ts';
import type { MqttHrLinkOptions } from './drivers/mqtt/mqtt-link-options.ts';

type BrokerOptions = Pick<
  MqttHrLinkOptions,
  | 'protocolVersion'
  | 'username'
  | 'credentialFiles'
  | 'keepaliveSeconds'
  | 'connectTimeoutSeconds'
  | 'sessionExpirySeconds'
>;

/** All but the address, which for a broker in this process is known only when it has started. */
export const brokerOptions = (mqtt: MqttConfig): BrokerOptions => {
  const broker = mqtt.kind === 'broker' ? mqtt : undefined;
  return {
    protocolVersion: mqtt.protocolVersion,
    username: broker?.username,
    credentialFiles: { ...broker?.tls, password: broker?.passwordFile },
    keepaliveSeconds: mqtt.keepaliveSeconds,
    connectTimeoutSeconds: mqtt.connectTimeoutSeconds,
    sessionExpirySeconds: mqtt.sessionExpirySeconds,
  };
};
