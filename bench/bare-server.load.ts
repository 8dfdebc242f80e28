import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createCertificates } from '../test/support/certificate';

/**
 * What Node's sockets cost by themselves: a process that answers each packet of the load with a CONNACK or a PUBACK, 25 ms
 * later as the gateway does, and otherwise looks at nothing, checks nothing and stores nothing.
 */
const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const LINGER_MS = 25;

let due: { socket: Socket; answer: Buffer }[] = [];
setInterval(() => {
  const now = due;
  due = [];
  for (const { socket, answer } of now) if (socket.writable) socket.write(answer);
}, LINGER_MS);

function onSocket(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    if (bytes[0] === 0x10) return void socket.write(CONNACK);
    // Every packet of the load is shorter than 16 KiB and comes alone.
    const topic = bytes[1]! < 128 ? 2 : 3;
    const at = topic + 2 + bytes.readUInt16BE(topic);
    due.push({ socket, answer: Buffer.from([0x40, 2, bytes[at]!, bytes[at + 1]!]) });
  });
}

const certificates = createCertificates();
const plain = createServer(onSocket);
const tls = createTlsServer(certificates, onSocket);
plain.listen(0, '127.0.0.1', () => {
  tls.listen(0, '127.0.0.1', () => {
    const portOf = (server: typeof plain): number => (server.address() as AddressInfo).port;
    process.send!({ port: portOf(plain), tlsPort: portOf(tls), ca: certificates.ca });
  });
});
process.on('disconnect', () => process.exit());
