// What the gateway gets from a sound file: defaults, domain types, paths.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import type { LogLevel } from '../../src/log.ts';
import type { DoorWiring } from '../../src/ports/door-io.ts';
import { configOf, textWith } from './config-text.ts';

const HOUR = 3_600_000;
const MEBIBYTE = 1024 * 1024;
const RECIPIENT = `age1${'q'.repeat(58)}`;

describe('the configuration', () => {
  it('of the shortest file has every default', () => {
    assert.deepEqual(configOf(textWith()), {
      site: 'hq',
      gateway: 'lobby-1',
      calendar: { schedules: {}, holidays: {}, levels: {} },
      dataDir: './data',
      mqtt: {
        kind: 'broker',
        url: 'mqtts://hr.example.com',
        protocolVersion: 5,
        keepaliveSeconds: 15,
        connectTimeoutSeconds: 10,
        sessionExpirySeconds: 604_800,
        tls: {},
      },
      cardNumber: { format: 'hex' },
      clock: { trust: 'auto', untrustedPolicy: 'deny-windowed' },
      gpio: { driver: 'auto', debounce: 10 },
      zones: [],
      doors: [
        {
          id: 'front',
          wiring: { door: 'front', strike: { line: 17, activeLow: false, failMode: 'secure' } },
          timings: {
            release: 5000,
            extendedRelease: 15_000,
            heldOpen: 30_000,
            heldOpenWarning: 10_000,
            relockOnClose: true,
            exitAction: 'release',
          },
          recordBeforeRelease: false,
          timezone: 'UTC',
        },
      ],
      readers: [
        {
          id: 'front-in',
          door: 'front',
          direction: 'in',
          role: 'access',
          hardware: { driver: 'mfrc522', device: '/dev/spidev0.0', speedHz: 1_000_000, rxGainDb: 33, poll: 50 },
          feedback: [],
        },
      ],
      admin: { socket: '/run/cardea/cardea.sock' },
      trust: { messages: 'unsigned', keys: [], gatewayKey: { file: 'data/gateway-key.pem', isRequired: false } },
      events: {
        acknowledgement: 'broker',
        resendAfter: 60_000,
        maxPending: 1_000_000,
        whenFull: 'drop-oldest',
        retention: { maxAge: 365 * 24 * HOUR, maxEvents: 1_000_000 },
        checkpointInterval: 24 * HOUR,
        lowValueDelay: 0,
      },
      store: {
        keyFile: 'data/store.key',
        failurePolicy: 'deny',
        minimumFreeBytes: 64 * MEBIBYTE,
        ballastBytes: 64 * MEBIBYTE,
      },
      backup: { recipients: [], interval: 24 * HOUR, keep: 7 },
      reconcile: { maxAge: 7 * 24 * HOUR, stalePolicy: 'allow' },
      log: { level: 'info' },
    });
  });

  it('carries every value that the file gives', () => {
    const config = configOf(`
site: hq
gateway: lobby-1
timezone: Asia/Shanghai
schedules:
  day: [{ days: [mon, sat], from: 08:00, to: 24:00 }, { holidays: ["*", public], from: "22:00", to: "06:00" }]
holidays: { public: [12-25, 2026-08-03..2026-08-21], factory: [] }
levels: { staff: [{ doors: ["*"], schedule: day }, { doors: [front, elsewhere] }] }
dataDir: /var/lib/cardea
mqtt:
  url: mqtts://hr.example.com:8884
  protocolVersion: 4
  username: lobby
  passwordFile: secret/password
  ca: /etc/ssl/hr.pem
  cert: lobby.pem
  key: ../lobby.key
  keepaliveSeconds: 30
  connectTimeoutSeconds: 20
  sessionExpiryHours: 2
cardNumber: { format: wiegand26 }
clock: { trust: always, untrustedPolicy: allow }
gpio: { driver: gpiochip, chip: pinctrl-rp1, debounceMilliseconds: 0 }
doors:
  front:
    strike:
      { line: 5, activeLow: true, releaseSeconds: 0.5, extendedReleaseSeconds: 0.6, failMode: safe, relockOnClose: false }
    contact: { line: 27, activeLow: false }
    exitButton: { line: 22, action: shunt }
    tamper: { line: 23, activeLow: false }
    heldOpenSeconds: 90
    heldOpenWarningSeconds: 0
    timezone: Europe/Berlin
    recordBeforeRelease: true
readers:
  front-out:
    { door: front, direction: out, role: activation, spi: /dev/spidev1.2, speedHz: 500000, resetLine: 25, rxGainDb: 48, pollMilliseconds: 100,
      feedback: { buzzer: { line: 12, activeLow: true }, greenLed: { line: 13 } } }
admin: { socket: /tmp/c.sock }
trust:
  messages: signed
  keys:
    hr-2026: { publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, may: [bind, revoke, roster] }
    2027: { publicKeyFile: keys/next.pem, may: [command] }
  gatewayKeyFile: ../gateway.pem
reconcile: { maxAgeHours: 1, stalePolicy: deny }
events:
  acknowledgement: application
  resendAfterSeconds: 5
  maxPending: 1000
  whenFull: deny
  retentionDays: 1
  retentionEvents: 2000
  checkpointHours: 1
  lowValueDelaySeconds: 10
store: { keyFile: ../store.key, failurePolicy: allow-last-known, minimumFreeMiB: 1, ballastMiB: 0 }
backup: { directory: /mnt/backup, recipients: [${RECIPIENT}], everyHours: 1, keep: 2 }
log: { level: debug }
`);
    const expected = {
      site: 'hq',
      gateway: 'lobby-1',
      calendar: {
        schedules: {
          day: [
            { days: ['mon', 'sat'], from: '08:00', to: '24:00' },
            { holidays: ['*', 'public'], from: '22:00', to: '06:00' },
          ],
        },
        holidays: { public: ['12-25', '2026-08-03..2026-08-21'], factory: [] },
        levels: {
          staff: [
            { doors: ['*'], schedule: 'day' },
            { doors: ['front', 'elsewhere'], schedule: 'always' },
          ],
        },
      },
      dataDir: '/var/lib/cardea',
      mqtt: {
        kind: 'broker',
        url: 'mqtts://hr.example.com:8884',
        protocolVersion: 4,
        username: 'lobby',
        passwordFile: '/etc/cardea/secret/password',
        tls: { ca: '/etc/ssl/hr.pem', cert: '/etc/cardea/lobby.pem', key: '/etc/lobby.key' },
        keepaliveSeconds: 30,
        connectTimeoutSeconds: 20,
        sessionExpirySeconds: 7200,
      },
      cardNumber: { format: 'wiegand26' },
      clock: { trust: 'always', untrustedPolicy: 'allow' },
      gpio: { driver: 'gpiochip', chip: 'pinctrl-rp1', debounce: 0 },
      zones: [],
      doors: [
        {
          id: 'front',
          wiring: {
            door: 'front',
            strike: { line: 5, activeLow: true, failMode: 'safe' },
            contact: { line: 27, activeLow: false },
            exitButton: { line: 22, activeLow: true },
            tamper: { line: 23, activeLow: false },
          },
          timings: {
            release: 500,
            extendedRelease: 600,
            heldOpen: 90_000,
            heldOpenWarning: 0,
            relockOnClose: false,
            exitAction: 'shunt',
          },
          recordBeforeRelease: true,
          timezone: 'Europe/Berlin',
        },
      ],
      readers: [
        {
          id: 'front-out',
          direction: 'out',
          role: 'activation',
          door: 'front',
          hardware: {
            driver: 'mfrc522',
            device: '/dev/spidev1.2',
            speedHz: 500_000,
            rxGainDb: 48,
            poll: 100,
            resetLine: 25,
          },
          feedback: [
            { signal: 'greenLed', line: 13, activeLow: false },
            { signal: 'buzzer', line: 12, activeLow: true },
          ],
        },
      ],
      admin: { socket: '/tmp/c.sock' },
      trust: {
        messages: 'signed',
        keys: [
          { kid: '2027', may: ['command'], publicKeyFile: '/etc/cardea/keys/next.pem' },
          {
            kid: 'hr-2026',
            may: ['bind', 'revoke', 'roster'],
            publicKey: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
          },
        ],
        gatewayKey: { file: '/etc/gateway.pem', isRequired: true },
      },
      events: {
        acknowledgement: 'application',
        resendAfter: 5_000,
        maxPending: 1_000,
        whenFull: 'deny',
        retention: { maxAge: 24 * HOUR, maxEvents: 2_000 },
        checkpointInterval: HOUR,
        lowValueDelay: 10_000,
      },
      store: {
        keyFile: '/etc/store.key',
        failurePolicy: 'allow-last-known',
        minimumFreeBytes: MEBIBYTE,
        ballastBytes: 0,
      },
      backup: { directory: '/mnt/backup', recipients: [RECIPIENT], interval: HOUR, keep: 2 },
      reconcile: { maxAge: HOUR, stalePolicy: 'deny' },
      log: { level: 'debug' },
    };
    assert.deepEqual(config, expected);
  });

  it('leaves the store and the socket relative to the working directory, and certificates relative to the file', () => {
    const config = configOf(
      textWith({
        1: 'site: hq\ndataDir: ./store\nadmin: { socket: store/c.sock }',
        5: '  url: mqtts://hr\n  ca: tls/ca.pem',
      }),
    );
    assert.equal(config.dataDir, './store');
    assert.equal(config.admin.socket, 'store/c.sock');
    assert.deepEqual(config.mqtt.kind === 'broker' ? config.mqtt.tls : undefined, { ca: '/etc/cardea/tls/ca.pem' });
  });

  it('of the embedded broker names the loopback interface and a port', () => {
    assert.deepEqual(configOf(textWith({ 5: '  embedded: {}' })).mqtt, {
      kind: 'embedded',
      host: '127.0.0.1',
      port: 1883,
      protocolVersion: 4,
      keepaliveSeconds: 15,
      connectTimeoutSeconds: 10,
      sessionExpirySeconds: 604_800,
    });
  });

  it('has no TLS for an mqtt:// address', () => {
    const { mqtt } = configOf(textWith({ 5: '  url: mqtt://localhost' }));
    assert.equal(Object.hasOwn(mqtt, 'tls'), false);
  });

  it('numbers simulated lines that the file leaves out beyond the real ones, none twice', () => {
    const { doors } = configOf(
      textWith({
        1: 'site: hq\ngpio: { driver: simulated }',
        8: '    strike: {}\n    contact: {}\n    exitButton: { line: 4 }\n  lab: { strike: {}, contact: {} }',
      }),
    );
    const lines = doors.flatMap(({ wiring: { strike, contact, exitButton } }) => [
      strike.line,
      contact?.line,
      exitButton?.line,
    ]);
    const numbered = lines.filter((line) => line !== undefined);
    assert.equal(numbered.length, 5);
    assert.equal(new Set(numbered).size, 5);
    assert.ok(numbered.every((line) => line === 4 || line > 57));
    assert.equal(Object.hasOwn(doors[1]?.wiring ?? {}, 'exitButton'), false);
  });

  it('takes YAML for what YAML 1.2 says, whatever version the file claims', () => {
    const text = `%YAML 1.1\n---\n${textWith({ 8: '    strike: { line: 017 }', 2: 'gateway: no' })}`;
    const config = configOf(text);
    assert.equal(config.gateway, 'no');
    assert.equal(config.doors[0]?.wiring.strike.line, 17);
  });
});

// The configuration may not import the ports; that its shapes fit them is checked here by the compiler.
export const wiringOf = (config: Config): readonly DoorWiring[] => config.doors.map(({ wiring }) => wiring);
export const levelOf = (config: Config): LogLevel => config.log.level;
