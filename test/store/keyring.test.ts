import { randomBytes } from 'node:crypto';
import { createKeyring } from '../../src/store/keyring';

const keyring = createKeyring(randomBytes(32));
const key = randomBytes(32);

test('a sealed key opens for its own device and for no other', () => {
  const sealed = keyring.seal('dev_1', key);
  expect(keyring.open('dev_1', sealed)).toEqual(key);
  expect(() => keyring.open('dev_2', sealed)).toThrow();
});

test('sealing twice gives different texts, so that equal keys cannot be told', () => {
  expect(keyring.seal('dev_1', key)).not.toBe(keyring.seal('dev_1', key));
});

test('another keyring, a changed text and an unknown version do not open', () => {
  const sealed = keyring.seal('dev_1', key);
  expect(() => createKeyring(randomBytes(32)).open('dev_1', sealed)).toThrow();
  const last = sealed.endsWith('A') ? 'B' : 'A';
  expect(() => keyring.open('dev_1', sealed.slice(0, -2) + last + last)).toThrow();
  expect(() => keyring.open('dev_1', sealed.replace('v1', 'v2'))).toThrow(/unknown form/);
  expect(() => keyring.open('dev_1', '')).toThrow(/unknown form/);
});

test('a key of another length is refused at once', () => {
  expect(() => createKeyring(randomBytes(16))).toThrow(/16 bytes and needs 32/);
});

test('what release 1 sealed opens', () => {
  const released = createKeyring(Buffer.alloc(32, 1));
  const sealed = 'v1.AAAAAAAAAAAAAAAA.jwSq70EONYirQPMnEkCkJ4X3rYOxqgLN9B1vt22yC32gukmPW0PIupw0S3WonHkB';
  expect(released.open('dev_fixture', sealed).toString()).toBe('0123456789abcdef0123456789abcdef');
});
