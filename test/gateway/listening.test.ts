import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { listenOn } from '../../src/gateway/listening';
import { OperatorError } from '../../src/observability/operator-error';
import { eventually } from '../support/eventually';

const HOST = '127.0.0.1';

/** A listener on a free port, and what it took. */
async function build({ port = 0, connections = 100 } = {}) {
  const taken = new Set<Socket>();
  const server = createServer((socket) => {
    if (!socket.destroyed) taken.add(socket);
    socket.on('error', () => undefined);
  });
  const listening = await listenOn({ server, port, host: HOST, connections, what: 'a test' });
  const clients: Socket[] = [];
  return {
    ...listening,
    taken,
    clients,
    connect(count: number): void {
      for (let i = 0; i < count; i++) {
        const client = connect(listening.port, HOST).resume();
        client.on('error', () => undefined);
        clients.push(client);
      }
    },
    async stop() {
      for (const socket of [...clients, ...taken]) socket.destroy();
      await listening.close();
    },
  };
}

test('connections come to the one server, whichever queue the kernel puts them in', async () => {
  const listener = await build();
  try {
    listener.connect(60);
    await eventually(() => expect(listener.taken.size).toBe(60));
  } finally {
    await listener.stop();
  }
});

test('there are no more connections than allowed, over all queues', async () => {
  const listener = await build({ connections: 10 });
  try {
    listener.connect(40);
    await eventually(() => expect(listener.clients.filter(({ destroyed }) => destroyed)).toHaveLength(30));
    const [leaving] = listener.taken;
    leaving!.destroy();
    await once(leaving!, 'close');
    listener.connect(1);
    await eventually(() => expect(listener.taken.size).toBe(11));
  } finally {
    await listener.stop();
  }
});

test('a port on which another listens in the same way is not shared with it', async () => {
  const first = await build();
  try {
    await expect(build({ port: first.port })).rejects.toThrow(OperatorError);
  } finally {
    await first.stop();
  }
  const again = await build({ port: first.port });
  expect(again.port).toBe(first.port);
  await again.stop();
});
