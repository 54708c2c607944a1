// Rules between keys: what is refused, what is only warned of, and what is fine.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

const door = (name: string, block: string): string => `  ${name}: { ${block} }`;
const withDoors = (...doors: readonly string[]): string =>
  textWith({ 8: ['    strike: { line: 17 }', ...doors].join('\n') });
const withReaders = (...readers: readonly string[]): string =>
  textWith({ 11: ['    door: front', ...readers].join('\n') });
const withMqtt = (...lines: readonly string[]): string => textWith({ 5: lines.map((line) => `  ${line}`).join('\n') });

describe('the times of a door', () => {
  const faultsWith = (strike: string, rest: string): readonly string[] =>
    faultsOf(textWith({ 8: `    strike: { line: 17, ${strike} }\n    contact: { line: 27 }\n    ${rest}` }));

  it('leave more of it to those who need more', () => {
    const tooShort =
      '8:68 doors.front.strike.extendedReleaseSeconds: 7 is less than releaseSeconds; allowed: 8 or more';
    assert.deepEqual(faultsWith('releaseSeconds: 8, extendedReleaseSeconds: 7', 'heldOpenSeconds: 20'), [tooShort]);
    assert.deepEqual(faultsWith('releaseSeconds: 8, extendedReleaseSeconds: 8', 'heldOpenSeconds: 20'), []);
    assert.deepEqual(faultsWith('extendedReleaseSeconds: 5', 'heldOpenSeconds: 20'), []);
    assert.equal(faultsWith('extendedReleaseSeconds: 4.9', 'heldOpenSeconds: 20').length, 1, 'the default counts');
  });

  it('warn before the alarm', () => {
    const late =
      '11:29 doors.front.heldOpenWarningSeconds: 20 is not before the 20 seconds of heldOpenSeconds; allowed: less than those';
    const warning = (seconds: string): readonly string[] =>
      faultsWith('releaseSeconds: 8', `heldOpenSeconds: 20\n    heldOpenWarningSeconds: ${seconds}`);
    assert.deepEqual(warning('20'), [late]);
    assert.deepEqual([warning('19.5'), warning('0')], [[], []]);
    assert.equal(faultsWith('releaseSeconds: 8', 'heldOpenWarningSeconds: 30').length, 1, 'the default counts');
  });

  it('follow from each other where they are left out', () => {
    const { timings } =
      configOf(textWith({ 8: '    strike: { line: 17, releaseSeconds: 20 }\n    heldOpenSeconds: 6' })).doors[0] ??
      assert.fail();
    assert.deepEqual([timings.extendedRelease, timings.heldOpenWarning], [60_000, 2000]);
  });
});

describe('GPIO lines', () => {
  it('serve one purpose each, across doors and readers', () => {
    const text = textWith({
      8: '    strike: { line: 17 }\n    exitButton: { line: 22 }\n  lab: { strike: { line: 22 }, contact: { line: 5 } }',
      11: '    door: front\n    resetLine: 5\n  lab-in: { door: lab, spi: /dev/spidev0.1, resetLine: 17 }',
    });
    assert.deepEqual(faultsOf(text), [
      '10:26 doors.lab.strike.line: GPIO line 22 is used already by doors.front.exitButton.line on line 9 of this file; allowed: a free line',
      '14:16 readers.front-in.resetLine: GPIO line 5 is used already by doors.lab.contact.line on line 10 of this file; allowed: a free line',
      '15:56 readers.lab-in.resetLine: GPIO line 17 is used already by doors.front.strike.line on line 8 of this file; allowed: a free line',
    ]);
  });

  it('of SPI bus 0 belong to a reader there, both chip selects included', () => {
    for (const line of [7, 8, 9, 10, 11]) {
      assert.deepEqual(faultsOf(textWith({ 8: `    strike: { line: ${line} }` })), [
        `8:21 doors.front.strike.line: GPIO line ${line} belongs to the SPI bus of readers.front-in; allowed: a free line`,
      ]);
    }
    for (const line of [6, 12]) configOf(textWith({ 8: `    strike: { line: ${line} }` }));
  });

  it('of SPI bus 1 belong to a reader there, chip selects as far as they are in use', () => {
    const onBus1 = (line: number): readonly string[] =>
      faultsOf(textWith({ 8: `    strike: { line: ${line} }`, 11: '    { door: front, spi: /dev/spidev1.0 }' }));
    for (const line of [18, 19, 20, 21]) assert.equal(onBus1(line).length, 1, `line ${line}`);
    for (const line of [16, 17, 8]) assert.deepEqual(onBus1(line), [], `line ${line}`);
  });

  it('of SPI are free where no real reader uses the bus', () => {
    configOf(textWith({ 8: '    strike: { line: 8 }', 11: '    { door: front, driver: simulated }' }));
  });

  it('of a chip given by its path may have other numbers, so that the SPI pins are only warned of', () => {
    const text = textWith({ 1: 'site: hq\ngpio: { chip: /dev/gpiochip2 }', 8: '    strike: { line: 8 }' });
    assert.deepEqual(faultsOf(text), []);
    assert.deepEqual(warningsOf(text), [
      '9:21 doors.front.strike.line: GPIO line 8 belongs to the SPI bus of readers.front-in; allowed: a free line',
    ]);
    const byLabel = text.replace('/dev/gpiochip2', 'pinctrl-bcm2711');
    assert.equal(faultsOf(byLabel).length, 1);
  });

  it('are required for real doors', () => {
    const text = withDoors('    contact: {}', door('lab', 'strike: { activeLow: true }, exitButton: { line: 3 }'));
    const missing =
      'is missing; allowed: a whole number from 0 to 57, the BCM number (only gpio.driver: simulated does without)';
    assert.deepEqual(faultsOf(text), [
      `9:5 doors.front.contact.line: ${missing}`,
      `10:10 doors.lab.strike.line: ${missing}`,
    ]);
  });

  it('are left alone while the GPIO driver itself is in doubt', () => {
    const text = textWith({ 1: 'site: hq\ngpio: { driver: gpiochp }', 8: '    strike: {}' });
    assert.deepEqual(faultsOf(text), [
      '2:17 gpio.driver: "gpiochp" is not allowed; allowed: auto, gpiochip, rpi-gpio, simulated',
    ]);
  });
});

describe('doors and readers', () => {
  it('a reader at a door that is not there is refused, with the doors that are', () => {
    assert.deepEqual(faultsOf(textWith({ 11: '    door: rear' })), [
      '11:11 readers.front-in.door: there is no door rear; allowed: front',
    ]);
  });

  it('a reader belongs to a door that has faults of its own', () => {
    assert.equal(faultsOf(textWith({ 8: '    strike: { line: x }' })).length, 1);
  });

  it('a reader for access or activation needs a door', () => {
    assert.deepEqual(faultsOf(textWith({ 11: '    direction: out' })), [
      '10:3 readers.front-in.door: is missing; a reader with role access needs one of the doors: front',
    ]);
    assert.deepEqual(faultsOf(textWith({ 11: '    role: activation' })), [
      '10:3 readers.front-in.door: is missing; a reader with role activation needs one of the doors: front',
    ]);
  });

  it('a reader for enrolment needs none and may have one', () => {
    const desk = '  desk: { role: enrolment, spi: /dev/spidev0.1 }';
    const { readers } = configOf(withReaders(desk, '  rear: { role: enrolment, door: front, spi: /dev/spidev1.0 }'));
    assert.deepEqual(
      readers.map(({ id, role, door: at }) => [id, role, at]),
      [
        ['front-in', 'access', 'front'],
        ['desk', 'enrolment', undefined],
        ['rear', 'enrolment', 'front'],
      ],
    );
  });

  it('two real readers cannot share an SPI device', () => {
    assert.deepEqual(faultsOf(withReaders('  front-out: { door: front, direction: out }')), [
      '12:3 readers.front-out.spi: /dev/spidev0.0 is used already by readers.front-in; each reader has a chip select of its own',
    ]);
    assert.deepEqual(faultsOf(withReaders('  front-out: { door: front, driver: simulated }')), []);
  });

  it('there are 1 to 64 doors', () => {
    const many = (count: number) =>
      withDoors(...Array.from({ length: count - 1 }, (_, i) => door(`d${i}`, 'strike: {}'))).concat(
        '\ngpio: { driver: simulated }',
      );
    assert.deepEqual(faultsOf(textWith({ 6: 'doors: {}', 7: '', 8: '', 11: '    role: enrolment' })), [
      '6:1 doors: there are 0 doors; allowed: 1 to 64',
    ]);
    assert.equal(configOf(many(64)).doors.length, 64);
    assert.deepEqual(faultsOf(many(65)), ['6:1 doors: there are 65 doors; allowed: 1 to 64']);
  });

  it('there are at most 64 readers', () => {
    const many = (count: number) =>
      withReaders(...Array.from({ length: count - 1 }, (_, i) => `  r${i}: { driver: simulated, door: front }`));
    assert.equal(configOf(many(64)).readers.length, 64);
    assert.deepEqual(faultsOf(many(65)), ['9:1 readers: there are 65 readers; allowed: at most 64']);
  });
});

describe('the link to HR', () => {
  it('goes to exactly one broker', () => {
    assert.deepEqual(faultsOf(withMqtt('url: mqtts://hr', 'embedded: {}')), [
      '6:3 mqtt.embedded: url and embedded exclude each other; keep one',
    ]);
    assert.deepEqual(faultsOf(withMqtt('keepaliveSeconds: 20')), [
      '4:1 mqtt: names no broker; give url (HR’s broker) or embedded (one inside the gateway)',
    ]);
  });

  it('is not in plaintext beyond this machine, unless the file says so', () => {
    assert.deepEqual(faultsOf(withMqtt('url: mqtt://10.0.0.7')), [
      '5:8 mqtt.url: mqtt:// to another host is not encrypted; use mqtts://, or permit it with mqtt.allowPlaintext: true',
    ]);
    const permitted = withMqtt('url: mqtt://10.0.0.7', 'allowPlaintext: true');
    assert.deepEqual(faultsOf(permitted), []);
    assert.deepEqual(warningsOf(permitted), [
      '5:8 mqtt.url: is not encrypted: whoever is on the network can read and forge messages',
    ]);
  });

  it('may be in plaintext on this machine', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3:1884', '[::1]', 'LOCALHOST:1883']) {
      const text = withMqtt(`url: mqtt://${host}`);
      assert.deepEqual([faultsOf(text), warningsOf(text)], [[], []], host);
    }
  });

  it('takes no name for this machine that only looks like it', () => {
    for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '0.0.0.0', '[::]', '1127.0.0.1']) {
      assert.equal(faultsOf(withMqtt(`url: mqtt://${host}`)).length, 1, host);
    }
  });

  it('has credentials in pairs', () => {
    assert.deepEqual(faultsOf(withMqtt('url: mqtts://hr', 'username: lobby')), [
      '6:3 mqtt.username: needs mqtt.passwordFile beside it: the file that holds the password',
    ]);
    assert.deepEqual(faultsOf(withMqtt('url: mqtts://hr', 'passwordFile: p')), [
      '6:3 mqtt.passwordFile: needs mqtt.username beside it: the name that the password belongs to',
    ]);
    assert.deepEqual(faultsOf(withMqtt('url: mqtts://hr', 'cert: c')), [
      '6:3 mqtt.cert: needs mqtt.key beside it: the private key of the certificate',
    ]);
    assert.deepEqual(faultsOf(withMqtt('url: mqtts://hr', 'key: k')), [
      '6:3 mqtt.key: needs mqtt.cert beside it: the certificate of the key',
    ]);
  });

  it('has no TLS files without TLS', () => {
    assert.deepEqual(faultsOf(withMqtt('url: mqtt://localhost', 'ca: ca.pem')), [
      '6:3 mqtt.ca: has no effect with an mqtt:// url, which is not encrypted; use mqtts:// or remove the key',
    ]);
  });

  it('has no credentials and no TLS with the embedded broker', () => {
    const keys = ['username: u', 'passwordFile: p', 'ca: a', 'cert: c', 'key: k', 'allowPlaintext: true'];
    assert.deepEqual(
      faultsOf(withMqtt('embedded: {}', ...keys)),
      ['username', 'passwordFile', 'ca', 'cert', 'key', 'allowPlaintext'].map(
        (key, index) => `${6 + index}:3 mqtt.${key}: has no effect with mqtt.embedded; remove it`,
      ),
    );
  });

  it('speaks MQTT 3.1.1 with the embedded broker', () => {
    assert.equal(configOf(withMqtt('embedded: {}')).mqtt.protocolVersion, 4);
    assert.equal(configOf(withMqtt('embedded: {}', 'protocolVersion: 4')).mqtt.protocolVersion, 4);
    assert.deepEqual(faultsOf(withMqtt('embedded: {}', 'protocolVersion: 5')), [
      '6:20 mqtt.protocolVersion: 5 is not allowed; allowed: 4, as the embedded broker speaks MQTT 3.1.1',
    ]);
  });
});

describe('the keys of signed messages', () => {
  const KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
  const withTrust = (text: string): string => textWith({ 3: `trust: ${text}` });
  const withKeys = (...keys: readonly string[]): string => withTrust(`{ keys: { ${keys.join(', ')} } }`);
  const NEEDS_KEYS =
    'trust.messages: signed messages (the default) need a key: put the public key of HR under trust.keys; or set trust.messages: unsigned, and let only HR publish at the broker';

  it('are needed unless the file says in as many words that messages are unsigned', () => {
    assert.deepEqual(faultsOf(withTrust('{ messages: signed }')), [`3:20 ${NEEDS_KEYS}`]);
    assert.deepEqual(faultsOf(withTrust('{}')), [`3:1 ${NEEDS_KEYS}`]);
    assert.deepEqual(faultsOf(withTrust('{ keys: {} }')), [`3:1 ${NEEDS_KEYS}`]);
    assert.deepEqual(faultsOf(textWith({ 3: '# nothing' })), [`1:1 ${NEEDS_KEYS}`]);
    assert.deepEqual(faultsOf(withKeys(`hr: { publicKey: ${KEY}, may: [bind] }`)), []);
  });

  it('may be two at once, so that one can follow the other', () => {
    const old = 'hr-2026: { publicKeyFile: old.pem, may: [bind, revoke] }';
    const { trust } = configOf(withKeys(old, `hr-2027: { publicKey: ${KEY}, may: [bind, revoke] }`));
    assert.deepEqual(
      trust.keys.map(({ kid }) => kid),
      ['hr-2026', 'hr-2027'],
    );
  });

  it('are each given in one way', () => {
    assert.deepEqual(faultsOf(withKeys(`hr: { publicKey: ${KEY}, publicKeyFile: hr.pem, may: [bind] }`)), [
      '3:80 trust.keys.hr.publicKeyFile: publicKey and publicKeyFile exclude each other; keep one',
    ]);
    assert.deepEqual(faultsOf(withKeys('hr: { may: [bind] }')), [
      '3:18 trust.keys.hr: names no key; give publicKey or publicKeyFile',
    ]);
  });

  it('are each given once, under one name', () => {
    const hr = `hr: { publicKey: ${KEY}, may: [bind] }`;
    assert.deepEqual(faultsOf(withKeys(hr, `guards: { publicKey: ${KEY}, may: [revoke] }`)), [
      '3:116 trust.keys.guards.publicKey: is the key of trust.keys.hr.publicKey already; keep one',
    ]);
    assert.deepEqual(faultsOf(withKeys(hr, 'hr: { publicKeyFile: b.pem, may: [revoke] }')), [
      '3:95 trust.keys.hr: is given twice, first on line 3; keep one',
    ]);
  });

  it('have names that can stand in a signature', () => {
    const rule = 'allowed: 1 to 64 printable ASCII characters without spaces';
    for (const kid of ['h r', 'Schlüssel', 'k'.repeat(65), '__proto__', '""']) {
      const [fault, ...others] = faultsOf(withKeys(`${kid}: { publicKey: ${KEY}, may: [bind] }`));
      assert.match(fault ?? '', new RegExp(`cannot name a key; ${rule}$`), kid);
      assert.deepEqual(others, []);
    }
    for (const kid of ['2026', 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', '-_', 'hr@example.com', 'constructor']) {
      assert.deepEqual(
        configOf(withKeys(`${kid}: { publicKey: ${KEY}, may: [bind] }`)).trust.keys.map((key) => key.kid),
        [kid],
      );
    }
  });

  it('do nothing where messages are unsigned, which is warned of', () => {
    const text = withTrust(`{ messages: unsigned, keys: { hr: { publicKey: ${KEY}, may: [bind] } } }`);
    assert.deepEqual(
      [faultsOf(text), warningsOf(text)],
      [[], ['3:30 trust.keys: has no effect with trust.messages: unsigned']],
    );
  });
});

describe('a file that works but looks like a slip is warned of', () => {
  it('a door that nothing but a command opens', () => {
    assert.deepEqual(warningsOf(withDoors(door('lab', 'strike: { line: 5 }'))), [
      '9:3 doors.lab: has neither a reader nor an exit button; only commands open it',
    ]);
    assert.deepEqual(warningsOf(withDoors(door('lab', 'strike: { line: 5 }, exitButton: { line: 6 }'))), []);
  });

  it('a gateway without readers', () => {
    assert.deepEqual(warningsOf(textWith({ 9: '', 10: '', 11: '' })), [
      '1:1 readers: there are no readers; cards open nothing here',
      '7:3 doors.front: has neither a reader nor an exit button; only commands open it',
    ]);
  });

  it('simulated readers at real doors, and the other way round', () => {
    assert.deepEqual(warningsOf(textWith({ 11: '    { door: front, driver: simulated }' })), [
      '11:28 readers.front-in.driver: a simulated reader at real doors; real ones have driver: mfrc522',
    ]);
    assert.deepEqual(warningsOf(textWith({ 1: 'site: hq\ngpio: { driver: simulated }' })), [
      '11:3 readers.front-in.driver: a real reader at simulated doors; simulated ones have driver: simulated',
    ]);
  });

  it('a chip that the driver does not ask for', () => {
    assert.deepEqual(warningsOf(textWith({ 1: 'site: hq\ngpio: { driver: rpi-gpio, chip: /dev/gpiochip0 }' })), [
      '2:27 gpio.chip: has no effect with gpio.driver: rpi-gpio',
    ]);
  });

  it('what needs a contact at a door without one', () => {
    const idle = 'has no effect without a contact, which tells whether the door is open';
    assert.deepEqual(
      warningsOf(
        textWith({
          8: '    strike: { line: 17, relockOnClose: true }\n    heldOpenSeconds: 20\n    heldOpenWarningSeconds: 5\n    exitButton: { line: 5, action: shunt }',
        }),
      ),
      [
        `8:25 doors.front.strike.relockOnClose: ${idle}`,
        `9:5 doors.front.heldOpenSeconds: ${idle}`,
        `10:5 doors.front.heldOpenWarningSeconds: ${idle}`,
        '11:28 doors.front.exitButton.action: there is no contact to shunt: the button is recorded and does nothing else',
      ],
    );
    assert.deepEqual(warningsOf(textWith({ 8: '    strike: { line: 17, relockOnClose: false }' })), []);
    const complete =
      '    strike: { line: 17, relockOnClose: true }\n    heldOpenSeconds: 20\n    heldOpenWarningSeconds: 5\n    contact: { line: 27 }\n    exitButton: { line: 5, action: shunt }';
    assert.deepEqual(warningsOf(textWith({ 8: complete })), []);
  });

  it('the wiring of a simulated reader', () => {
    const text = textWith({
      1: 'site: hq\ngpio: { driver: simulated }',
      11: '    { door: front, driver: simulated, spi: /dev/spidev0.0, resetLine: 25 }',
    });
    assert.deepEqual(warningsOf(text), [
      '12:39 readers.front-in.spi: has no effect on a simulated reader',
      '12:60 readers.front-in.resetLine: has no effect on a simulated reader',
    ]);
  });

  it('inputs with rpi-gpio', () => {
    const pull = 'needs a pull resistor outside the Pi: gpio.driver: rpi-gpio switches none on';
    const withDriver = (driver: string): string =>
      textWith({
        1: `site: hq\ngpio: { driver: ${driver} }`,
        8: '    strike: { line: 17 }\n    contact: { line: 27 }\n    exitButton: { line: 22 }',
      });
    assert.deepEqual(warningsOf(withDriver('rpi-gpio')), [
      `10:5 doors.front.contact: ${pull}`,
      `11:5 doors.front.exitButton: ${pull}`,
    ]);
    assert.deepEqual(warningsOf(withDriver('gpiochip')), []);
  });

  it('while nothing is said about a sound file', () => {
    assert.deepEqual(warningsOf(textWith()), []);
  });
});
